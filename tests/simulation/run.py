"""One seed from its first event until everything is quiet."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evidenced.core.errors import BadInput, Refused, StoreError
from evidenced.core.ids import RecorderName, RuleName
from evidenced.core.incidents.silence import SilenceOrder, Subject
from evidenced.metrics import Metrics
from evidenced.simulator import Simulator
from simulation.disk import Disk, forget_connections
from simulation.folders import RecordedShare
from simulation.ground import Ground
from simulation.mqtt import Message, SimServer
from simulation.plan import ACTIVE_S, Plan
from simulation.process import Process
from simulation.queue import watched_queue
from simulation.receivers import Receivers
from simulation.records import record_problems
from simulation.share import SimShare
from simulation.silences import SilencePlan
from simulation.site import Shape, site_of
from simulation.unrest import unrest

"""Virtual seconds after the last fault by which everything has ended."""
LOOK_S = 10.0
LAST_S = 120.0
"""For what has begun since."""


@dataclass(slots=True)
class Run:
    """The world of one seed, for whoever checks it afterwards."""

    plan: Plan
    ground: Ground
    disk: Disk
    server: SimServer
    simulators: dict[RecorderName, Simulator]
    share: SimShare
    receivers: Receivers | None
    shapes: list[Shape]
    reloads: list[tuple[float, Shape]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    triggered: int = 0
    restarts: int = 0
    metrics: Metrics | None = None
    """Of the process that was there at the end."""

    def always_has(self, camera: str) -> bool:
        """Whether it is configured, and no reload took it away."""
        every = (f"{letter}{n}" for letter in "ca" for n in range(1, 5))
        return camera in every and all(s.has_camera(camera) for s in self.shapes)

    @property
    def events(self) -> list[str]:
        return self.ground.events


def simulate(plan: Plan, make: "Callable[[Run], Driver] | None" = None) -> Run:
    """Run the plan. Violations found on the way are in `problems`.

    What lies on a share is looked at before it goes with the run's folder.
    """
    if plan.recording is None:
        return _simulate(plan, None, make)
    with TemporaryDirectory(prefix="evidenced-", dir=_memory()) as name:
        run = _simulate(plan, Path(name), make)
        run.problems += record_problems(plan, run.disk, run.share)
        # its name is another each time; what happens is not
        run.ground.events[:] = [each.replace(name, "") for each in run.events]
    return run


def _memory() -> Path | None:
    """Where files cost little; None for wherever temporary files lie."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own within it
    return memory if memory.is_dir() else None


def _simulate(
    plan: Plan,
    directory: Path | None,
    make: "Callable[[Run], Driver] | None",
) -> Run:
    ground = Ground(plan.seed, shuffles=plan.shuffles)
    disk = Disk(ground)
    disk.crash_before, disk.crash_after = set(plan.crash_before), set(plan.crash_after)
    simulators = {
        name: Simulator(scenario, ground.truth, directory=directory)
        for name, scenario in plan.scenarios.items()
    }
    share = SimShare(ground, simulators.values())
    if directory is not None and plan.recording is not None:
        share = RecordedShare(ground, simulators.values(), directory, plan.recording)
    run = Run(
        plan=plan,
        ground=ground,
        disk=disk,
        server=SimServer(ground, grows=plan.grows),
        simulators=simulators,
        share=share,
        receivers=Receivers(ground, plan.messages, plan.seed)
        if plan.messages
        else None,
        shapes=[plan.shape],
    )
    driver = Driver(run) if make is None else make(run)
    asyncio.set_event_loop(ground.loop)
    try:
        watch = watched_queue(plan.shape.priorities, run.problems)
        with _breaking(ground.loop), share.fragile(), watch:
            ground.loop.run_until_complete(driver.drive())
    except BaseException:
        driver.abandon()
        forget_connections()
        raise
    finally:
        asyncio.set_event_loop(None)
        ground.loop.close()
    return run


@contextmanager
def _breaking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """What is no Exception ends the run, such as pytest's time-out of the test.

    Callbacks of a loop raise nothing; it would go on with a commit cut in half.
    """
    found: list[BaseException] = []

    def told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, Exception):
            loop.default_exception_handler(context)
        else:
            found.append(error)
            loop.stop()

    loop.set_exception_handler(told)
    try:
        yield
    except RuntimeError:
        if not found:
            raise
    if found:
        raise found[0]


class Driver:
    """Carries out the plan's events; each kind is a method."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ground = run.ground
        self._process: Process | None = None
        self._slowest = 0.05
        self._is_over = False
        self._is_healed = False
        self._crash_chance = 0.0

    async def drive(self) -> None:
        for turn in self._run.plan.crash_turns:
            self._ground.loop.at_turn[turn] = self._die_at_turn
        keeper = self._ground.loop.create_task(self._keep_alive(), name="systemd")
        for event in self._run.plan.events:
            if event.at > ACTIVE_S and not self._is_healed:
                await self._until(ACTIVE_S)
                self._heal()
            await self._until(event.at)
            if event.kind != "slow":
                self._ground.note(f"* {event.kind} {str(event.value)[:150]}")
            await getattr(self, f"_{event.kind}")(event.value)
        await self._quieten(ACTIVE_S + self._run.plan.quiet_s + self._run.plan.ahead)
        await asyncio.sleep(LOOK_S + self._run.plan.lasts)
        # cameras were asked for what they have, and it may be for a record
        await self._quieten(self._ground.loop.time() + LAST_S)
        self._is_over = True
        if self._process is not None:
            self._run.metrics = getattr(self._process, "metrics", None)
            self._process.die("the end")
        await keeper

    async def _quieten(self, until: float) -> None:
        """Wait for all that goes on to end."""
        while self._unquiet():
            if self._ground.loop.time() > until:
                self._run.problems.append("4: not quiet in time: " + self._unquiet())
                return
            await asyncio.sleep(LOOK_S)

    def abandon(self) -> None:
        """Let everything go that a run left which was broken off."""
        loop = self._ground.loop
        self._is_over = True
        if self._process is not None:
            self._process.die("broken off")
        loop.set_exception_handler(lambda *_: None)
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        for task in tasks:
            if not task.cancelled():
                task.exception()

    async def _until(self, at: float) -> None:
        wait = at - self._ground.loop.time()
        if wait > 0:
            await asyncio.sleep(wait)

    def _heal(self) -> None:
        self._ground.note("* healed")
        self._is_healed = self._ground.is_healed = True
        run = self._run
        run.disk.fails = False
        run.disk.crash_before.clear()
        run.disk.crash_after.clear()
        run.ground.host.error = timedelta(0)
        if run.ground.host.sync is False:
            run.ground.host.set_right()
        run.ground.loop.at_turn.clear()
        run.share.lose(is_lost=False)
        run.share.hangs_until = 0.0
        run.ground.nameless_until.clear()
        self._slow_now(0.05)
        if run.server.is_away:
            run.server.return_(keeps_session=True)

    async def _keep_alive(self) -> None:
        """What systemd does: start it again."""
        while not self._is_over:
            process = self._process = Process(
                self._ground,
                self._run.disk,
                self._run.server,
                self._run.simulators,
                site_of(self._run.shapes[-1]),
                self._run.share,
            )
            process.receivers = self._run.receivers
            process.slowest = self._slowest
            process.window = self._run.plan.window
            process.on_order = self._ordered
            process.start()
            await process.died
            await process.gone()
            if process.bug is not None:
                self._run.problems.append(f"process fails: {process.bug!r}")
            self._run.restarts += 1
            if self._run.restarts > 100:
                self._run.problems.append("process: starts again and again")
                return
            await asyncio.sleep(self._ground.random.choice((0.5, 2.0, 20.0)))

    def _unquiet(self) -> str:
        run = self._run
        return next(unrest(run.plan, run.disk, run.server), "")

    # Kinds of events

    async def _publish(self, message: Message) -> None:
        self._run.server.publish(message)

    async def _crash(self, _value: None) -> None:
        if self._process is not None:
            self._process.die("killed")

    def _die_at_turn(self) -> None:
        if self._process is not None and not self._is_healed:
            self._process.die("between two awaits")

    async def _stop(self, _value: None) -> None:
        if self._process is not None:
            self._process.stop(drains=False)

    async def _share_lost(self, is_lost: bool) -> None:
        self._run.share.lose(is_lost)

    async def _share_hangs(self, seconds: float) -> None:
        self._run.share.hangs_until = self._ground.loop.time() + seconds

    async def _nameless(self, which: tuple[RecorderName, float]) -> None:
        """No name server answers for this recorder's name."""
        name, seconds = which
        self._ground.nameless_until[name] = self._ground.loop.time() + seconds

    async def _drop_often(self, chance: float) -> None:
        """Break the connection while messages and acknowledgements are on their way."""
        server, random = self._run.server, self._ground.random

        def sent() -> None:
            if not self._is_healed and random.random() < chance:
                self._ground.loop.call_later(random.uniform(0.0, 0.15), server.drop)

        server.on_send = sent

    async def _crash_at_delivery(self, chance: float) -> None:
        """Die while messages are on their way, committed or acknowledged."""
        random = self._ground.random

        def sent() -> None:
            process = self._process
            if process and not self._is_healed and random.random() < chance:
                later = random.uniform(0.0, 0.15)
                self._ground.loop.call_later(later, process.die, "at a delivery")

        self._run.server.on_send = sent

    async def _crash_at_order(self, chance: float) -> None:
        """Die while an export is asked for; the request may still be under way."""
        self._crash_chance = chance

    def _ordered(self) -> float:
        random, process = self._ground.random, self._process
        if process and not self._is_healed and random.random() < self._crash_chance:
            self._ground.loop.call_later(
                random.uniform(0.0, 0.3), process.die, "at an order"
            )
            return random.choice((0.0, 0.0, 3.0, 8.0))
        return 0.0

    async def _crash_at_export(self, value: tuple[RecorderName, int]) -> None:
        """Die around the nth exportVideo: before, within or after the exchange."""
        name, nth = value
        simulator, handle = (
            self._run.simulators[name],
            self._run.simulators[name].handle,
        )
        seen = 0

        def handled(request: Any) -> Any:
            nonlocal seen
            if request.method == "POST" and "exportVideo" in request.query.values():
                seen += 1
                if seen == nth and self._process is not None:
                    late = self._ground.latency(0.1)
                    process = self._process
                    self._ground.loop.call_later(late, process.die, "at an export")
            return handle(request)

        simulator.handle = handled  # type: ignore[method-assign]

    async def _host_clock(self, by: int) -> None:
        self._ground.host.error += timedelta(seconds=by)

    async def _boot(self, error: timedelta) -> None:
        self._ground.host.boot(error)
        if self._process is not None:
            self._process.die("the host boots")

    async def _clock_set(self, _value: None) -> None:
        self._ground.host.set_right()

    async def _works(self, seconds: float) -> None:
        """A silence over nothing that is in the run."""
        await self._silence(SilencePlan(Subject.TOPIC, "works/#", seconds))

    async def _works_end(self, _value: None) -> None:
        """It goes on by the right time, so it can be ended."""
        over = "SELECT is_over FROM silences WHERE name = 'works/#'"

        async def end(process: Process) -> None:
            find = "SELECT id FROM silences WHERE name = 'works/#'"
            for (name,) in self._run.disk.rows(find):
                try:
                    await process.engine.silencing.end(name, "eve")
                except Refused as error:
                    self._run.problems.append(f"time: {error}")
                except StoreError:
                    continue

        if self._run.disk.rows(over):
            self._by_hand(end, "end of works")

    async def _broker_away(self, _value: None) -> None:
        self._run.server.leave()

    async def _broker_back(self, keeps_session: bool) -> None:
        self._run.server.return_(keeps_session=keeps_session)

    async def _drop(self, _value: None) -> None:
        self._run.server.drop()

    async def _disk(self, fails: bool) -> None:
        self._run.disk.fails = fails

    async def _slow(self, slowest: float) -> None:
        self._slow_now(slowest)

    def _slow_now(self, slowest: float) -> None:
        self._slowest = slowest
        if self._process is not None:
            self._process.slowest = slowest

    async def _reload(self, shape: Shape) -> None:
        self._put_in_force(shape)

    def _put_in_force(self, shape: Shape) -> None:
        self._run.shapes.append(shape)
        self._run.reloads.append((self._ground.loop.time(), shape))
        process = self._process
        if process is None or process.is_dead or not hasattr(process, "engine"):
            return
        site = site_of(shape)
        if site.recorders.keys() == process.site.recorders.keys():
            process.adopt(site)
        elif not process.is_restarting:
            process.stop(drains=True)

    async def _operate(self, what: str) -> None:
        self._by_hand(lambda process: self._operation(process, what), what)

    def _by_hand(
        self, work: Callable[[Process], Coroutine[Any, Any, None]], what: str
    ) -> None:
        process = self._process
        if process is None or process.is_dead or not hasattr(process, "engine"):
            return
        process.operate(work(process), f"operator:{what}")

    async def _silence(self, wanted: SilencePlan) -> None:
        async def begin(process: Process) -> None:
            until = self._ground.host.now() + timedelta(seconds=wanted.lasts)
            order = SilenceOrder(
                subject=wanted.subject, name=wanted.name, until=until, comment="works"
            )
            with suppress(BadInput, StoreError):
                await process.engine.silencing.begin(order, "eve")

        self._by_hand(begin, "silence")

    async def _end_silence(self, _value: None) -> None:
        async def end(process: Process) -> None:
            own = "SELECT id FROM silences WHERE is_over = 0 AND name <> 'works/#'"
            rows = self._run.disk.rows(own)
            for (name,) in rows[:1]:
                with suppress(BadInput, StoreError):
                    await process.engine.silencing.end(name, "eve")

        self._by_hand(end, "end of a silence")

    async def _export_after_all(self, _value: None) -> None:
        async def export(process: Process) -> None:
            query = "SELECT seq FROM refused_alarms WHERE outcome = 'silenced'"
            rows = self._run.disk.rows(query)
            for (number,) in self._ground.random.sample(rows, min(len(rows), 1)):
                with suppress(BadInput, StoreError):
                    await process.engine.operate.export(number, "eve")

        self._by_hand(export, "export after all")

    async def _operation(self, process: Process, what: str) -> None:
        operations = process.engine.operate
        rows = self._run.disk.rows("SELECT id FROM incidents ORDER BY id")
        with suppress(BadInput, StoreError):
            if what == "trigger":
                fields = {"zone": "1"}
                await operations.trigger(RuleName("button"), fields, None, "eve")
                self._run.triggered += 1
            elif rows:
                (name,) = self._ground.random.choice(rows)
                await getattr(operations, what)(name, "eve")
