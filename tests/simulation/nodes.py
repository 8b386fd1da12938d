"""Two nodes over one store: each killed, frozen and cut off, at any moment."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import cast

from typing_extensions import override

from evidenced.core.cluster import ALIKE, ALL, HeldLease, lease_of
from evidenced.core.ids import RecorderName
from evidenced.store.writer import Job
from simulation.ground import NodeClock
from simulation.leases import LeaseTable, SimClaim
from simulation.plan import ACTIVE_S, Event, Plan
from simulation.process import Process
from simulation.run import Driver, Run
from simulation.share import NodeShare, SimShare
from simulation.site import Shape, site_of

NODES = ("a", "b")
LOOK_S = 1.0
KINDS = ("kill", "freeze", "store", "broker", "recorder", "stop")
SEAMS = ("commit", "order")
"""Where a blow may wait to fall: behind a node's next commit, before it knows of it;
between the look at its lease and the request for an export, which leaves then."""
SEND = "send"
"""Before that look: the node stands still with a request that is about to leave."""
AT_SEAMS = ("kill", "freeze", "stop", "store")
NODES_FAMILY = "nodes"
AHEAD_S = (0.0, 1.0, 1.9, 4.0, 30.0, 400.0)
"""Of one clock before the other: those of hosts are alike within two seconds."""
SETTLED_S = 12.0
"""So long after a clock was set, or another node leads, all is as it shall be."""


@dataclass(frozen=True, slots=True)
class Blow:
    """What hits a node: `kind` of KINDS, for so many seconds; the leader, or whom.

    At once, or at the next of SEAMS that this node comes to.
    """

    kind: str
    lasts: float
    is_leader: bool
    seam: str = ""


def put_blows(plan: Plan, seed: int) -> None:
    """Whatever else the plan has: now the one, now the other node is hit."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    plan.families.append(NODES_FAMILY)
    for _ in range(random.randint(3, 8)):
        kind = random.choice(KINDS)
        lasts = random.choice((0.5, 3.0, 9.0, 12.0, 30.0, 60.0))
        blow = Blow(kind, lasts, random.random() < 0.6)
        plan.events.append(Event(random.uniform(5.0, ACTIVE_S - 1.0), "blow", blow))
    for _ in range(random.randint(0, 5)):
        kind, seam = random.choice(AT_SEAMS), random.choice(SEAMS)
        lasts = random.choice((3.0, 12.0, 30.0, 60.0))
        blow = Blow(kind, lasts, random.random() < 0.6, seam)
        plan.events.append(Event(random.uniform(5.0, ACTIVE_S - 1.0), "blow", blow))
    for is_leader in (True, False):
        blow = Blow("freeze", random.choice((3.0, 30.0, 60.0)), is_leader, SEND)
        plan.events.append(Event(random.uniform(5.0, ACTIVE_S / 2), "blow", blow))
    _put_clocks(plan, random)
    _put_mounts(plan, random)
    plan.events.sort(key=lambda event: event.at)


def _put_clocks(plan: Plan, random: Random) -> None:
    """In a third the clocks of the two differ, a little or too much, till they do not.

    What is asked for by another clock than that under which it came is not what was.
    """
    if random.random() > 1 / 3:
        return
    plan.families.append("clocks")
    for _ in range(random.randint(1, 3)):
        at, ahead = random.uniform(0.5, ACTIVE_S - 1.0), random.choice(AHEAD_S)
        value = random.choice(NODES), ahead * random.choice((-1, 1))
        plan.events.append(Event(at, "clock", value))
        plan.jumps.append(at)
    plan.jumps.append(ACTIVE_S)
    plan.allows |= {"not-exported", "cover", "early"}


def _put_mounts(plan: Plan, random: Random) -> None:
    """In a third of those with a share it is not mounted on one of the two for long."""
    if not plan.shape.mounted or plan.recording is not None or random.random() > 1 / 3:
        return
    plan.families.append("one-sided")
    at, node = random.uniform(0.0, ACTIVE_S / 3), random.choice(NODES)
    plan.events.append(Event(at, "mount", (node, False)))
    if random.random() < 0.5:
        until = random.uniform(at, ACTIVE_S - 1.0)
        plan.events.append(Event(until, "mount", (node, True)))


class NodesDriver(Driver):
    """Two nodes; the leader is who operators speak to."""

    def __init__(self, run: Run) -> None:
        self._alive: dict[str, Process] = {}
        super().__init__(run)
        self.table = LeaseTable(run.ground)
        self._exports = 0
        self._armed: list[Blow] = []
        self._shares = {name: NodeShare(run.share) for name in NODES}
        self._epoch, self._settled_at = 0, 0.0
        ground = run.ground
        self._clocks = {name: NodeClock(ground.host, ground.loop) for name in NODES}
        run.disk.committed = self._committed

    @property
    def _process(self) -> Process | None:
        """The leader; while there is none, whoever is there."""
        living = [each for each in self._alive.values() if not each.is_dead]
        leading = [each for each in living if not each.helps]
        return next(iter([*leading, *living]), None)

    @_process.setter
    def _process(self, process: Process | None) -> None:
        """Each node has its own."""

    def _committed(self, jobs: list[Job], claim: SimClaim | None) -> None:
        """No step is kept without its lease, whatever it says that it is done under."""
        assert claim is not None
        self._fall(self._alive[claim.node], "commit")
        problems, table = self._run.problems, self.table
        if table.rows[ALL].epoch != self._epoch:
            self._epoch, self._settled_at = table.rows[ALL].epoch, table.now
        whole = HeldLease(ALL, claim.held.get(ALL, 0))
        problems += [
            f"nodes: a step of {claim.node} under {job.lease or whole} is kept"
            for job in jobs
            if job.error is None and not table.is_held(job.lease or whole)
        ]
        query = f"SELECT id, recorder FROM exports WHERE id > {self._exports}"  # noqa: S608
        for number, recorder in sorted(self._run.disk.rows(query)):
            self._exports = number
            row = table.rows.get(lease_of(RecorderName(recorder)))
            if row is None or row.node != claim.node:
                problems.append(f"nodes: {claim.node} asks for {number} of {recorder}")

    @override
    async def _keep_alive(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name in NODES:
                group.create_task(self._node(name), name=f"systemd:{name}")

    async def _node(self, name: str) -> None:
        random = self._ground.random
        while not self._is_over:
            process = self._begin(name)
            while not process.is_dead and not self._is_over:
                await asyncio.wait({process.died}, timeout=LOOK_S)
                if process.helps and self._may_lead(process):
                    old, process = process, self._begin(name)
                    if process.helps:  # the other one was first
                        process.die("the other one leads")
                        process = self._alive[name] = old
                    else:
                        old.operate(old.end_helping(), "promoted")
            if self._is_over:
                self._kill(process, "the end")
            await process.gone()
            if process.bug is not None:
                self._run.problems.append(f"process fails: {process.bug!r}")
            self._run.restarts += 1
            if self._run.restarts > 200:
                self._run.problems.append("process: starts again and again")
                return
            if not process.is_restarting:
                await asyncio.sleep(random.choice((0.5, 2.0, 20.0)))

    def _may_lead(self, process: Process) -> bool:
        claim = process.claim
        assert claim is not None
        row = self.table.rows.get(ALL)
        is_free = row is None or row.until < self.table.now
        is_able = hasattr(process, "stations") and not claim.is_cut
        return is_free and is_able and not self._ground.loop.is_frozen(claim.node)

    def _begin(self, name: str) -> Process:
        shape = self._run.shapes[-1]
        process = Process(
            self._ground,
            self._run.disk,
            self._run.server,
            self._run.simulators,
            site_of(shape),
            cast("SimShare", self._shares[name]),
        )
        process.host = self._clocks[name]
        before = self._alive.get(name)
        claim = process.claim = SimClaim(self.table, name, str(shape))
        if before is not None and not before.is_dead:  # it goes on in the same place
            process.cuts, claim.is_cut = before.cuts, False
        process.helps = not claim.lead()
        claim.on_lost = lambda: process.stop(drains=True)
        process.receivers = self._run.receivers
        process.slowest = self._slowest
        process.window = self._run.plan.window
        process.is_hit = lambda: self._fall(process, SEND) > 0
        process.leaves = lambda name: self._left(process, name)
        process.on_order = lambda: max(self._ordered(), self._fall(process, "order"))
        self._alive[name] = process
        process.start()
        return process

    def _left(self, process: Process, recorder: RecorderName) -> None:
        """What cannot be taken back goes out: nobody else may be doing the work."""
        assert process.claim is not None
        node, rows = process.claim.node, self.table.rows
        row, now = rows.get(lease_of(recorder)), self.table.now
        if row is None or row.node != node or row.until <= now:
            self._run.problems.append(
                f"nodes: {node} asks {recorder} for what another node may be doing"
            )
        clocks = [self._clocks[each].ahead for each in (node, rows[ALL].node or node)]
        is_new = now < self._settled_at + SETTLED_S
        if abs(clocks[0] - clocks[1]) > ALIKE and not is_new:
            self._run.problems.append(f"nodes: {node} asks {recorder} by another clock")

    # what happens

    async def _clock(self, value: tuple[str, float]) -> None:
        self._set(*value)

    async def _mount(self, value: tuple[str, bool]) -> None:
        name, is_there = value
        self._shares[name].is_gone = not is_there

    def _set(self, name: str, ahead_s: float) -> None:
        """Its clock, as its node tells of it."""
        self._clocks[name].ahead = timedelta(seconds=ahead_s)
        self.table.ahead[name] = self._clocks[name].ahead
        self._settled_at = self.table.now

    def _whom(self, *, is_leader: bool) -> Process | None:
        found = [
            each
            for each in self._alive.values()
            if not each.is_dead and each.helps is not is_leader
        ]
        return next(iter(found), None)

    async def _blow(self, blow: Blow) -> None:
        process = self._whom(is_leader=blow.is_leader)
        if blow.seam:
            self._armed.append(blow)
        elif process is not None:
            self._strike(blow, process)

    def _fall(self, process: Process, seam: str) -> float:
        """What waits for this node to come here; how long it stands still then."""
        for blow in self._armed:
            is_here = blow.seam == seam and blow.is_leader is not process.helps
            if is_here and not process.is_dead and not self._is_healed:
                self._armed.remove(blow)
                self._strike(blow, process)
                return blow.lasts if blow.kind == "freeze" else 0.0
        return 0.0

    def _strike(self, blow: Blow, process: Process) -> None:
        if process.claim is None:
            return
        self._ground.note(f"* {blow.kind} hits {process.claim.node}")
        name, loop, claim = process.claim.node, self._ground.loop, process.claim
        match blow.kind:
            case "kill":
                self._kill(process, "killed")
            case "stop":
                if not loop.is_frozen(name) and self._is_up(process):
                    process.stop(drains=False)
            case "freeze":
                loop.freeze(name)
                loop.call_later(blow.lasts, loop.thaw, name)
            case "store":
                claim.is_cut = True
                loop.call_later(blow.lasts, setattr, claim, "is_cut", False)
            case kind:
                process.cuts[kind] = True
                if kind == "broker" and not process.helps:
                    self._run.server.drop()
                loop.call_later(blow.lasts, process.cuts.__setitem__, kind, False)

    def _is_up(self, process: Process) -> bool:
        return hasattr(process, "stations" if process.helps else "engine")

    def _kill(self, process: Process, why: str) -> None:
        assert process.claim is not None
        process.claim.is_over = True
        process.die(why)
        self._ground.loop.thaw(process.claim.node)

    @override
    def _heal(self) -> None:
        for process in self._alive.values():
            assert process.claim is not None
            process.claim.is_cut = False
            process.cuts.update(broker=False, recorder=False)
            self._ground.loop.thaw(process.claim.node)
        for name in NODES:
            self._set(name, 0.0)
            self._shares[name].is_gone = False
        super()._heal()

    @override
    def _put_in_force(self, shape: Shape) -> None:
        super()._put_in_force(shape)
        for process in self._alive.values():
            assert process.claim is not None
            if process.helps and not process.is_dead and self._is_up(process):
                process.is_restarting = True
                process.stop(drains=True)
            elif not process.is_dead:
                process.claim.site = str(shape)

    @override
    def abandon(self) -> None:
        for process in self._alive.values():
            process.die("broken off")
        super().abandon()
