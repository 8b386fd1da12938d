"""The one session of a recorder, when several calls have to do with it at once."""

import asyncio
from datetime import timedelta

import pytest
from typing_extensions import override

from evidenced.core.ids import RecorderName, SessionId
from evidenced.sense.login import Login
from evidenced.sense.settings import Auth, SenseSettings
from evidenced.sense.transport import Call, Reply, Transport
from fakes.clock import FakeClock

SETTINGS = SenseSettings(
    name=RecorderName("main"),
    url="http://127.0.0.1",
    username="export",
    password=lambda: "secret",
    auth=Auth.PLAIN,
    nonce="",
    timeout=timedelta(seconds=5),
)


class Held(Transport):
    """Answers /info when it is let to, and every login with a key of its own."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.may_answer = asyncio.Event()
        self.is_asked = asyncio.Event()
        self.logins = 0

    @override
    async def send(self, call: Call, key: str | None = None) -> Reply:
        if call.what == "/info":
            self.is_asked.set()
            await self.may_answer.wait()
            return Reply(status=404, body=b"", cookies=())
        self.logins += 1
        body = b'<result errorcode="0"><sessionkey>%d</sessionkey></result>'
        return Reply(status=200, body=body % self.logins, cookies=())


@pytest.mark.parametrize("is_forgotten", [True, False])
async def test_a_session_may_end_while_its_clock_is_measured(
    *, is_forgotten: bool
) -> None:
    transport = Held()
    names = iter("abc")
    login = Login(SETTINGS, transport, FakeClock(), lambda: SessionId(next(names)))
    transport.may_answer.set()
    first = await login.current()
    transport.may_answer.clear()
    transport.is_asked.clear()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        measuring = group.create_task(login.measured(), name="measure")
        await transport.is_asked.wait()
        if is_forgotten:
            login.forget(first)
        transport.may_answer.set()
    assert (measuring.result() is first) is not is_forgotten
    assert transport.logins == (2 if is_forgotten else 1)


class Slow(Transport):
    """Its clock is right, and its answers to /info take so long to come back."""

    def __init__(self, clock: FakeClock, *delays_s: float) -> None:
        super().__init__(SETTINGS)
        self._clock = clock
        self._delays_s = list(delays_s)

    @override
    async def send(self, call: Call, key: str | None = None) -> Reply:
        if call.what != "/info":
            return Reply(
                status=200, body=b"<result><sessionkey>1</sessionkey></result>"
            )
        utc = f"{self._clock.now():%Y-%m-%d %H:%M:%S}"
        self._clock.advance(self._delays_s.pop(0))
        return Reply(status=200, body=f"<apiinfo><utc>{utc}</utc></apiinfo>".encode())


@pytest.mark.parametrize(
    ("delays_s", "width_s"), [((0.1,), 1.1), ((13, 0.1), 1.1), ((13, 20), 14)]
)
async def test_a_clock_is_not_called_wrong_because_its_answer_was_slow(
    delays_s: tuple[float, ...], width_s: float
) -> None:
    clock = FakeClock()
    transport = Slow(clock, *delays_s)
    login = Login(SETTINGS, transport, clock, lambda: SessionId("a"))
    offset = (await login.current()).info.offset
    assert offset is not None
    assert offset.applied == timedelta(0)
    assert abs(offset.estimate) <= timedelta(seconds=1)
    assert (offset.highest - offset.lowest).total_seconds() == pytest.approx(width_s)
