"""The network between the daemon and a recorder, in virtual time.

The real transport's errors and deadlines, with the simulator's `handle` where the
sockets were. A request that has left arrives even if its sender dies meanwhile.
"""

import asyncio
from collections.abc import Callable

import aiohttp
from typing_extensions import override

from evidenced.sense.settings import SenseSettings
from evidenced.sense.transport import Call, Reply, Transport, _Track
from evidenced.simulator import Cut, Ending, Hang, NoConnection, Request, Simulator
from evidenced.simulator import SentReply as Answer
from simulation.ground import Ground
from simulation.loop import OUTSIDE


class SimTransport(Transport):
    """`slowest`: seconds that a request may be under way.

    `on_order` is called when an export is asked for; it gives seconds of delay.
    """

    def __init__(
        self,
        settings: SenseSettings,
        simulator: Simulator,
        ground: Ground,
        is_dead: Callable[[], bool],
        slowest: Callable[[], float],
        on_order: Callable[[], float],
    ) -> None:
        super().__init__(settings)
        self._simulator = simulator
        self._ground = ground
        self._is_dead = is_dead
        self._slowest = slowest
        self._on_order = on_order
        self.is_cut: Callable[[], bool] = lambda: False
        self.is_hit: Callable[[], bool] = lambda: False
        """Asked before the look at the lease: whether something befalls the node."""
        self.leaves: Callable[[], object] = lambda: None
        """Told behind that look: what cannot be taken back goes out."""

    @override
    async def _exchange(self, call: Call, key: str | None, track: _Track) -> Reply:
        if self._is_dead():
            raise asyncio.CancelledError
        await self._look_up()
        if self.is_cut():
            raise ConnectionRefusedError
        if call.acts:
            await self._act(call)
        headers = {"Accept-Encoding": "identity"}
        if call.body is not None:
            headers["Content-Type"] = "text/xml"
        if key is not None:
            headers["Cookie"] = f"sessionkey={key}"
        request = Request.to(call.method, call.target, headers, call.body or b"")
        arrived: asyncio.Future[Ending] = self._ground.loop.create_future()

        def arrive() -> None:
            outcome = self._simulator.handle(request)
            if not isinstance(outcome, NoConnection):
                track.is_connected = True
            if not arrived.done():
                arrived.set_result(outcome)

        way = self._ground.latency(self._slowest())
        if call.acts:
            way += self._on_order()
        self._ground.loop.call_later(way, arrive, context=OUTSIDE)
        # A slow way is data that is under way: the connection itself stands.
        track.is_connected = way > 1.0
        async with asyncio.timeout(self._settings.timeout.total_seconds()):
            return await self._carried_out(await arrived, call)

    async def _act(self, call: Call) -> None:
        """What cannot be taken back is about to go out."""
        if self.is_hit():
            await asyncio.sleep(0)  # it goes on when it can
        self._look_at_lease(call)
        self.leaves()

    async def _look_up(self) -> None:
        """As `sense.resolver`: one look-up hangs, for as long as anybody waits."""
        loop = self._ground.loop
        until = self._ground.nameless_until.get(self._settings.name, 0.0)
        left = until - loop.time()
        if left > 0:
            await asyncio.sleep(min(left, self._settings.timeout.total_seconds()))
            if loop.time() < until:
                raise TimeoutError

    async def _carried_out(self, outcome: Ending, call: Call) -> Reply:
        await asyncio.sleep(self._ground.latency(0.05))
        match outcome:
            case NoConnection():
                raise ConnectionRefusedError
            case Cut():
                raise aiohttp.ServerDisconnectedError
            case Hang():
                await asyncio.Event().wait()
                raise AssertionError
            case Answer():
                await asyncio.sleep(outcome.delay.total_seconds())
                return self._reply(outcome, call)

    def _reply(self, answer: Answer, call: Call) -> Reply:
        if answer.cut_after is not None:
            raise aiohttp.ClientPayloadError
        if len(answer.body) + answer.padding > call.limit:
            raise self._garbage(call, "is longer than it may be")
        is_success = 200 <= answer.status < 300
        return Reply(
            status=answer.status,
            body=answer.body + b" " * answer.padding if is_success else b"",
            cookies=tuple(
                value for name, value in answer.headers if name == "Set-Cookie"
            ),
        )
