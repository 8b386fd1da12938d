"""Tracking: from export requests to outcomes, by looking at the recorder.

One look for everything
-----------------------

Each look asks the recorder about all requests that are under way: those that run, those
whose answer was lost, and those that an earlier process left behind. A start is no
special case: it begins with a look.

    row          the recorder shows it             it does not, in two looks
    requested    adopt: its answer was lost        vanish: it never arrived
    exporting    progress; finish when done        vanish: it was forgotten


When something is gone
----------------------

"Not shown" is only believed of two looks at least `timeout` apart, for a recorder may
take a request and list it a moment later:

    12:00:00  asked for, and no answer comes within 30 s
    12:00:30  look: not shown                 it may still be at it: nothing moves
    12:00:35  look: shown, at 2 percent       adopted, and not asked for twice

Had the first look been believed, the same footage would be exported twice. If the
second one shows nothing either, the clips are due again, under another folder, for
files of a forgotten export may lie in the first one. Before that, files on the mounted
share are asked (`core.exports.growth`): they may prove that it was made after all.

A recorder may be slower than that. So what has vanished is looked for once more, now
and then for an hour. If it turns up it runs for nobody: it counts as a slot until it
has been deleted there.

A request whose answer is still on its way (`Link.in_flight`) is not looked at, nor is
one that certainly never left: nothing of them can be missing.


Threads
-------

`look_step` runs on the writer's thread, in one transaction. It decides by values only,
which the loop gathered before: what the recorder said, who was missing since when, what
lies on the share, one instant and one throw of the dice. So what is asked of recorder
and share holds up no other transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import RecorderError
from evidenced.core.exports import exporting, standstill
from evidenced.core.exports.following import DONE_PERCENT, Followed, Verdict
from evidenced.core.exports.growth import Growth, Sighting
from evidenced.core.exports.line import Service
from evidenced.core.exports.retry import Patience
from evidenced.core.exports.standstill import Standstill, Stillness
from evidenced.core.ids import IncidentId, RecorderName, SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ExportState
from evidenced.core.instants import ZERO
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST, Agenda
from evidenced.pipeline.answers import tell_lost
from evidenced.pipeline.counted import count_exports
from evidenced.pipeline.link import Link
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.withdrawing import Withdrawing
from evidenced.pipeline.world import World
from evidenced.ports import Tx

LOST = "the recorder's list does not show it"
CUT_SHORT = "the recorder's list does not show it any more; it was at {percent:.0f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the recorder: what it said, who was missing before, and the dice.

    `asked` are the exports that it was asked about: those that were live then, but for
    requests whose answer was still to come. One that was begun since is in no answer,
    and so not missing. `absent_long` are exports that an earlier look, long enough ago,
    did not show. `files` are those absent ones whose files on the mounted share prove
    them; None while they still grow, and while the share cannot be looked at. In
    `checked` are exports whose folder can be seen from here, in `growing` those that
    seemed to stand still, and whose files grow.
    """

    followed: Followed
    asked: frozenset[int]
    absent_long: frozenset[int]
    patience: Patience
    files: Mapping[int, Sighting | None] = field(default_factory=dict)
    checked: frozenset[int] = frozenset()
    growing: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look led to: changes, and exports that the list did not show."""

    changes: list[Change]
    absent: frozenset[int]
    unwanted: list[ExportRequest]


def look_step(tx: Tx, recorder: RecorderName, look: Look) -> Seen:
    """Take every export that was asked about and is still live further, and commit.

    Runs on the writer's thread: all that the loop knows comes in `look`.
    """
    live = [each for each in tx.exports.live(recorder) if each.id in look.asked]
    current = _incidents(tx, live)
    changes: list[Change] = []
    moved: list[ExportRequest] = []
    absent: set[int] = set()
    unwanted: list[ExportRequest] = []
    for export in live:
        verdict = look.followed.verdicts.get(export.id)
        if verdict is None:
            absent.add(export.id)
            steps = _missed(current[export.incident], export, look)
            changes += steps
            if steps:
                current[export.incident] = steps[-1].after
            continue
        steps, progressed = _advance(current[export.incident], export, verdict, look)
        changes += steps
        if steps:
            current[export.incident] = steps[-1].after
        if progressed != export:
            moved.append(progressed)
        if progressed.state is ExportState.EXPORTING and not exporting.is_wanted(
            current[export.incident], progressed
        ):
            unwanted.append(progressed)
    tx.exports.save(moved)
    tx.ledger.save(changes, look.patience.now.at)
    return Seen(changes=changes, absent=frozenset(absent), unwanted=unwanted)


def _missed(incident: Incident, export: ExportRequest, look: Look) -> list[Change]:
    """The steps of an export that the list does not show: none at the first look.

    Files on the share may prove that it was made, whatever the list (`core.growth`).
    """
    if export.id not in look.absent_long:
        return []
    if export.id not in look.files:
        percent = export.percent
        text = CUT_SHORT.format(percent=percent) if percent else LOST
        return [exporting.vanish(incident, export, text, look.patience)]
    sighting = look.files[export.id]
    if sighting is None:
        return []
    return exporting.prove(incident, export, sighting, look.patience)


def _incidents(tx: Tx, exports: Iterable[ExportRequest]) -> dict[IncidentId, Incident]:
    ids = {export.incident for export in exports}
    return {incident.id: incident for incident in tx.incidents.get(ids)}


def _advance(
    incident: Incident, export: ExportRequest, verdict: Verdict, look: Look
) -> tuple[list[Change], ExportRequest]:
    """The steps that a verdict leads to, and the export with its progress.

    Its handle may be another one by now: some recorders number anew with each login.
    """
    steps: list[Change] = []
    if export.state is ExportState.REQUESTED:
        now = look.patience.now.at
        adopted = exporting.adopt(incident, export, verdict.handle, now)
        steps.append(adopted)
        incident, export = adopted.after, adopted.exports[0]
    progressed = standstill.progressed(
        replace(export, handle=verdict.handle),
        verdict.devices,
        look.patience.now.at,
        is_growing=export.id in look.growing,
    )
    if verdict.is_over:
        done = exporting.finish(
            incident,
            progressed,
            verdict,
            look.patience,
            is_checked=export.id in look.checked,
        )
        steps.append(done)
        progressed = done.exports[0]
    return steps, progressed


class Track:
    """The loop of one recorder that follows its exports."""

    def __init__(
        self,
        world: World,
        link: Link,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
        shares: Shares,
    ) -> None:
        self._world = world
        self._link = link
        self._agenda = agenda
        self._metrics = metrics
        self._log = log.bind(recorder=link.settings.name)
        self._name = names.track(link.settings.name)
        self._shares = shares
        self._absent_since: dict[int, float] = {}
        self._growth = Growth()
        self._withdrawing = Withdrawing(world, link, self._tell)
        self._standstill = Standstill()

    async def run(self) -> None:
        """Forever: look while anything is under way, else wait for a hint."""
        while True:
            is_busy = await self.once()
            pause = self._link.settings.poll_interval if is_busy else REST
            wait = max(pause, self._link.wait(Service.FOLLOW))
            await self._agenda.wait(self._name, at_most=wait)

    async def once(self) -> bool:
        """One look, if there is anything to look for; whether there still is."""
        name = self._link.settings.name
        await self._withdrawing.end_doubles()
        live = await self._world.read(
            lambda view: [e for e in view.exports.live(name) if not e.is_unsent]
        )
        self._link.seen(len(live))
        asked = [each for each in live if each.id not in self._link.in_flight]
        if not asked:
            return bool(live)
        if await self._link.ready(Service.FOLLOW) is None:
            return True
        try:
            followed = await self._link.port.follow(asked)
        except RecorderError as error:
            self._link.failed(Service.FOLLOW, error)
            return True
        self._link.answered(Service.FOLLOW)
        look = await self._look(followed, asked)
        seen = await self._world.write(partial(look_step, recorder=name, look=look))
        self._remember(seen)
        self._tell(seen.changes)
        for export in seen.unwanted:
            await self._withdrawing.withdraw(export)
        return True

    async def _files(
        self,
        live: Iterable[ExportRequest],
        long: frozenset[int],
        session: SessionId,
        stuck: Sequence[ExportRequest],
    ) -> dict[int, Sighting | None]:
        """Files of exports that the list does not show, where they prove something.

        They are watched from the first such look on. One whose share cannot be looked
        at waits for it, and after a while its slot is given to others.
        """
        absent = [each for each in live if each.id in self._absent_since]
        search = await self._shares.search(absent)
        self._park(search.unknown & long, stuck)
        through = {each.id for each in absent if each.percent >= DONE_PERCENT}
        return self._growth.look(search, session, through)

    def _park(self, waiting: frozenset[int], stuck: Sequence[ExportRequest]) -> None:
        """These hold no slot from now on; those that are new are told."""
        new = self._link.park(waiting, stuck)
        if new & waiting:
            self._log.warning(
                "exports wait for a share that cannot be looked at",
                exports=sorted(new & waiting),
            )
        for export in stuck:
            if export.id in new:
                self._log.warning(
                    "an export stands still; its slot is given to others",
                    incident=export.incident,
                    path=export.path,
                    why=standstill.stuck_words(export),
                )
        if new:
            self._agenda.hint(names.dispatch(self._link.settings.name))

    async def _standing(
        self, followed: Followed, asked: Sequence[ExportRequest]
    ) -> Stillness:
        """Those that have stood still for too long, and are listed all the same."""
        running = [
            each
            for each in asked
            if each.id in followed.verdicts and each.state is ExportState.EXPORTING
        ]
        after = self._link.settings.stuck_after
        still = standstill.still(running, self._world.now(), after)
        search = await self._shares.search(still)
        standing = self._standstill.look(still, search.found)
        now = {n: each.devices for n, each in followed.verdicts.items()}
        stuck = (each for each in standing.stuck if now[each.id] == each.devices)
        return replace(standing, stuck=tuple(stuck))

    async def _look(self, followed: Followed, asked: Sequence[ExportRequest]) -> Look:
        standing = await self._standing(followed, asked)
        now = self._world.clock.monotonic()
        long = self._link.settings.timeout.total_seconds()
        absent = frozenset(
            export
            for export, since in self._absent_since.items()
            if now - since >= long
        )
        return Look(
            followed=followed,
            asked=frozenset(each.id for each in asked),
            absent_long=absent,
            files=await self._files(asked, absent, followed.session, standing.stuck),
            growing=standing.growing,
            checked=frozenset(e.id for e in asked if self._shares.covers(e)),
            patience=self._link.patience(self._world.now()),
        )

    def _remember(self, seen: Seen) -> None:
        """Since when each export has been missing from the lists."""
        now = self._world.clock.monotonic()
        self._absent_since = {
            export: self._absent_since.get(export, now) for export in seen.absent
        }

    def _tell(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        for change in changes:
            self._count(change)
            self._log.info(
                f"export {change.event}",
                incident=change.after.id,
                state=change.after.state,
                **change.detail,
            )
            tell_lost(self._log, change)
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(names.CHECK)
        self._agenda.hint(names.cover(self._link.settings.name))
        self._agenda.hint(names.EVIDENCE)
        self._agenda.hint(names.dispatch(self._link.settings.name))

    def _count(self, change: Change) -> None:
        count_exports(self._metrics, change.exports)
        for export in change.exports:
            if export.finished_at is None:
                continue
            length = export.finished_at - export.requested_at
            self._metrics.export_seconds.observe(max(length, ZERO).total_seconds())
