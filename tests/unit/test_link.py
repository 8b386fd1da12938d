import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.line import LINES, Line, LineState, Service
from evidenced.core.ids import DestinationName, RecorderName, SessionId
from evidenced.core.machine import IllegalStep
from evidenced.core.recorder import Answer, ClockOffset, SessionInfo
from evidenced.core.trust import exactly
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.lifesign import LATEST, LifeSign
from evidenced.pipeline.link import MEASURE_AGAIN, Link
from fakes.clock import FakeClock
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, make_site

NAS = DestinationName("nas")
REFUSED = RecorderError(Reason.LOGIN_REFUSED, "the login was refused", is_sent=False)


class Bench:
    """A link, its clock, and what the next login says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log = Log()
        self.fails = False
        self.offset_s = 0.0
        self.step_s = 0.0
        """Our clock is set by so much during the next login, after /info answered."""
        self.tells_time = True
        self.recorder = ScriptedRecorder(self.open)
        settings = next(iter(make_site().recorders.values()))
        self.link = Link(
            settings, self.recorder, self.clock, FixedDice(), self.log.bound
        )

    def open(self) -> SessionInfo:
        if self.fails:
            raise REFUSED
        offset = timedelta(seconds=self.offset_s)
        info = SessionInfo(
            session=SessionId("s1"),
            offset=ClockOffset(
                lowest=offset,
                highest=offset,
                measured_at=self.clock.now(),
                skew_s=self.clock.now().timestamp() - self.clock.monotonic(),
            )
            if self.tells_time
            else None,
            version="2.7.3",
        )
        step, self.step_s = timedelta(seconds=self.step_s), 0.0
        self.clock.jump(step)
        self.offset_s -= step.total_seconds()
        return info


async def test_a_session_is_opened_once_and_measured_again_later() -> None:
    bench = Bench()
    assert await bench.link.ready(Service.EXPORT) is not None
    assert await bench.link.ready(Service.EXPORT) is not None
    assert bench.recorder.logins == 1
    bench.clock.advance(MEASURE_AGAIN)
    await bench.link.ready(Service.EXPORT)
    assert bench.recorder.logins == 2


async def test_a_line_that_is_down_is_probed_with_back_off() -> None:
    bench = Bench()
    bench.fails = True
    assert await bench.link.ready(Service.EXPORT) is None
    assert await bench.link.ready(Service.EXPORT) is None
    assert bench.recorder.logins == 1
    assert bench.link.problem == "the login was refused"
    assert not bench.link.is_up
    bench.clock.advance(bench.link.wait(Service.EXPORT))
    assert await bench.link.ready(Service.EXPORT) is None
    assert bench.recorder.logins == 2
    assert bench.link.wait(Service.EXPORT) > timedelta(seconds=20)
    bench.fails = False
    bench.clock.advance(bench.link.wait(Service.EXPORT))
    assert await bench.link.ready(Service.EXPORT) is not None
    assert bench.link.is_up
    assert bench.link.problem is None


async def test_a_night_of_failures_is_two_lines() -> None:
    bench = Bench()
    bench.fails = True
    for _ in range(20):
        await bench.link.ready(Service.EXPORT)
        bench.clock.advance(timedelta(hours=1))
    bench.fails = False
    await bench.link.ready(Service.EXPORT)
    assert len(bench.log.events("warning")) == 1
    assert "recorder works again" in bench.log.events("info")


async def test_requests_that_fail_together_are_one_failure() -> None:
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    for _ in range(8):
        bench.link.failed(Service.EXPORT, REFUSED)
    assert not bench.link.is_up
    assert bench.link.wait(Service.EXPORT) <= bench.link.settings.retry.first


async def test_an_error_of_one_request_says_nothing_of_the_line() -> None:
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    for reason in (Reason.BAD_REQUEST, Reason.EXPORT_VANISHED):
        bench.link.failed(Service.EXPORT, RecorderError(reason, "x", is_sent=False))
    assert bench.link.is_up


async def test_a_clock_that_is_off_is_told() -> None:
    bench = Bench()
    bench.offset_s = 5.5
    await bench.link.ready(Service.EXPORT)
    assert bench.log.calls("warning")[0]["offset_s"] == 5.5


async def test_an_offset_is_told_once_and_once_when_it_is_well() -> None:
    bench = Bench()
    for offset in (0.0, 6.0, 7.0, -6.0, 4.0, 0.0):
        bench.offset_s = offset
        await bench.link.ready(Service.EXPORT)
        bench.clock.advance(MEASURE_AGAIN)
    assert [each["offset_s"] for each in bench.log.calls("warning")] == [6.0]
    assert bench.log.events("info").count("the recorder's clock is right again") == 1


@pytest.mark.parametrize("step_s", [-3600, -2, 2, 3600])
async def test_a_clock_that_was_set_is_measured_against_at_once(step_s: int) -> None:
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    bench.clock.jump(timedelta(seconds=step_s))
    await bench.link.ready(Service.EXPORT)
    await bench.link.ready(Service.EXPORT)
    assert bench.recorder.logins == 2


@pytest.mark.parametrize("tells_time", [True, False])
async def test_a_clock_set_during_the_login_is_measured_against_at_once(
    tells_time: bool,
) -> None:
    bench = Bench()
    bench.tells_time = tells_time
    bench.offset_s, bench.step_s = 20.0, 20.0
    info = await bench.link.ready(Service.EXPORT)
    assert bench.recorder.logins == 2
    assert info is not None
    if info.offset:
        assert info.offset.estimate == timedelta(0)
    await bench.link.ready(Service.EXPORT)
    assert bench.recorder.logins == 2


async def test_an_offset_of_a_session_renewed_between_two_steps_does_not_count() -> (
    None
):
    """The second step undoes the first: our clock is as it was when all began."""
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    bench.clock.jump(timedelta(seconds=20))
    bench.offset_s = -20.0
    bench.link.answered(Service.SESSION, bench.open())
    bench.clock.jump(timedelta(seconds=-20))
    bench.offset_s = 0.0
    info = await bench.link.ready(Service.EXPORT)
    assert info is not None
    assert info.offset is not None
    assert info.offset.estimate == timedelta(0)


def test_a_destination_is_held_probed_and_released() -> None:
    bench = Bench()
    holds, clock, link = bench.link.holds, bench.clock, bench.link
    full = Answer(reason=Reason.DISK_FULL, code="-60", text="Not enough disk space")
    holds.answered(NAS, full, link.patience(exactly(clock.now())))
    assert holds.closed(exactly(clock.now())) == {NAS}
    clock.advance(timedelta(minutes=2))
    assert holds.closed(exactly(clock.now())) == frozenset()
    holds.probe(NAS)
    assert holds.closed(exactly(clock.now())) == {NAS}
    holds.unprobed(NAS)
    assert holds.closed(exactly(clock.now())) == frozenset()
    holds.answered(NAS, full, link.patience(exactly(clock.now())))
    assert holds.now[NAS].failures == 2
    no_video = Answer(reason=Reason.NO_VIDEO, code="-48", text="No video")
    holds.answered(NAS, no_video, link.patience(exactly(clock.now())))
    assert holds.now == {}
    assert len(bench.log.events("warning")) == 1
    assert bench.log.calls("info")[-1]["refusals"] == 2


def test_a_clock_that_goes_back_does_not_hold_for_ever() -> None:
    bench = Bench()
    holds, clock, link = bench.link.holds, bench.clock, bench.link
    full = Answer(reason=Reason.DISK_FULL, code="-60", text="Not enough disk space")
    holds.answered(NAS, full, link.patience(exactly(clock.now())))
    clock.jump(timedelta(days=-1))
    assert holds.closed(exactly(clock.now())) == frozenset()
    assert holds.next_try(exactly(clock.now())) is not None


def test_a_probe_may_come_when_the_hold_is_over() -> None:
    bench = Bench()
    bench.link.holds.probe(NAS)
    assert bench.link.holds.now == {}


async def test_a_login_that_works_ends_no_streak_of_refused_exports() -> None:
    """An account that may log in, and may not export."""
    bench = Bench()
    link, tries = bench.link, 0
    start = bench.clock.now()
    while bench.clock.now() - start < timedelta(minutes=30):
        assert await link.ready(Service.EXPORT) is not None
        assert link.room in {None, 1}
        tries += 1
        link.failed(Service.EXPORT, REFUSED)
        assert await link.ready(Service.EXPORT) is None
        assert await link.ready(Service.FOLLOW) is not None
        link.answered(Service.FOLLOW)
        bench.clock.advance(link.wait(Service.EXPORT))
    assert tries < 10
    assert link.wait(Service.EXPORT) == timedelta(0)
    assert len(bench.log.events("warning")) == 1
    assert "recorder works again" not in bench.log.events("info")
    link.answered(Service.EXPORT)
    assert link.room is None
    assert bench.log.events("info")[-1] == "recorder works again"


async def test_while_it_is_probed_one_export_goes_and_no_other() -> None:
    bench = Bench()
    link = bench.link
    await link.ready(Service.EXPORT)
    assert link.room is None
    link.failed(Service.EXPORT, REFUSED)
    assert link.room == 0
    bench.clock.advance(link.wait(Service.EXPORT))
    assert link.room == 1
    link.left(1)
    assert link.room == 0
    link.landed([1])
    assert link.room == 1
    link.answered(Service.EXPORT)
    assert link.room is None


async def test_people_are_not_told_for_ever_of_what_nobody_needs() -> None:
    bench = Bench()
    link = bench.link
    link.failed(Service.WITHDRAW, REFUSED)
    await link.ready(Service.EXPORT)
    assert not link.is_up
    assert link.next_try is not None
    bench.clock.advance(timedelta(minutes=3))
    assert link.is_up
    assert link.next_try is None
    link.failed(Service.WITHDRAW, REFUSED)
    assert link.wait(Service.WITHDRAW) > timedelta(seconds=20)


async def test_an_idle_recorder_that_died_is_known_within_a_minute() -> None:
    bench = Bench()
    agenda = Agenda(bench.clock)
    life = LifeSign(bench.link, agenda, FixedDice())
    await bench.link.ready(Service.EXPORT)
    bench.clock.advance(LATEST)
    await life.once()
    assert (bench.recorder.logins, bench.link.is_up) == (2, True)
    dispatch = agenda._event(names.dispatch(bench.link.settings.name))
    assert not dispatch.is_set()
    bench.fails = True
    bench.clock.advance(LATEST)
    await life.once()
    assert not bench.link.is_up
    assert bench.link.problem == "the login was refused"
    assert len(bench.log.events("warning")) == 1
    bench.clock.advance(LATEST)
    assert dispatch.is_set()  # who probes may rest for longer than people would wait
    dispatch.clear()
    await life.once()  # it is the probes' by now
    assert bench.recorder.logins == 3
    assert dispatch.is_set()


class _Hearing(Agenda):
    """While somebody waits for five seconds, the recorder answers something."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.clock)
        self._bench = bench
        self.waits = 0

    @override
    async def wait(self, *_: object, **__: object) -> None:
        self.waits += 1
        if self.waits == 20:
            raise TimeoutError
        self._bench.clock.advance(timedelta(seconds=5))
        self._bench.link.answered(Service.FOLLOW)


async def test_one_that_is_heard_of_is_not_asked() -> None:
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    life = LifeSign(bench.link, _Hearing(bench), FixedDice())
    with pytest.raises(TimeoutError):
        await life.once()
    assert bench.recorder.logins == 1


async def test_no_export_waits_for_a_sign_of_life() -> None:
    bench = Bench()
    await bench.link.ready(Service.EXPORT)
    hanging = asyncio.Event()

    async def hang() -> SessionInfo:
        hanging.set()
        await asyncio.Event().wait()
        return bench.open()

    bench.recorder.open_session = hang  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.link.ask_for_life())
        await hanging.wait()
        assert await bench.link.ready(Service.EXPORT) is not None
        task.cancel()


def test_a_line_takes_no_state_but_by_its_table() -> None:
    with pytest.raises(TypeError):
        Line(state=LineState.DOWN)  # type: ignore[call-arg]
    with pytest.raises((TypeError, ValueError)):
        replace(Line(), state=LineState.PROBING)
    with pytest.raises(IllegalStep):
        Line()._moved(LineState.PROBING)


def test_every_step_of_a_line_is_one_of_its_table() -> None:
    policy = make_site().recorders[RecorderName("main")].retry
    seen = set()
    for line in (Line(), Line().failed(REFUSED, 0.0, policy, 0.5)):
        for now in (0.0, 1e6):
            at = line.at(now)
            seen.add((line.state, at.state))
            seen.add((at.state, at.answered().state))
            seen.add((at.state, at.failed(REFUSED, now, policy, 0.5).state))
    steps = {(before, after) for before, after in seen if before is not after}
    assert steps == {
        (before, after) for before, each in LINES.table.items() for after in each.to
    }
