"""Planning: which due clips become export requests now, and what those carry.

In what order
-------------

The queue has an order (priority, lower first, less one for each minute of waiting), and
a plan takes from its front what fits: a free slot, the bandwidth that is left, and what
the hour still allows. The first request that does not fit *ends* the plan. Otherwise a
large one would be overtaken for ever:

    budget 10, running 6; queue: A wants 5, B wants 3, C wants 3, ...

B fits and A does not. Were B sent, C would fit when B ends, and so on: A would starve
for as long as small ones come. So A waits for its 5, and everybody behind it waits too.

What cannot be sent wherever it stands in the queue is passed over instead: clips whose
destination is held, and new ones beyond the hour's limit. They wait for something else
than their turn, and must not hold up those behind them.


Intent, request, answer
-----------------------

A plan is one transaction: the clips are `requested`, each request is a row, and only
then is anything sent. A crash in between leaves rows that tracking looks up. A row is
never sent twice, with one exception: if it is certain that nothing left (`is_unsent`),
the same row is sent again, before anything new, and the flag is cleared in the same way
before it leaves. See `_send_again`.


Where it goes
-------------

No two requests of an incident share a folder, whatever recorder they go to: a folder
that may hold footage of another request, or half of it, is never written to again. Only
a request that was surely refused gives its folder back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from evidenced.core.errors import BadInput, Reason
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.bandwidth import Budget, has_bandwidth, request_bandwidth
from evidenced.core.folders.destination import Naming, folder_for
from evidenced.core.folders.paths import PathTemplate, with_suffix
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.allowance import Allowance
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.instants import SECOND
from evidenced.core.site import RecorderSettings, Site
from evidenced.core.terms import Terms
from evidenced.pipeline.rationing import exports_allowance, save_exports_allowance
from evidenced.ports import Tx

NO_PATH = ""
"""Of an export at a recorder that footage is fetched from: it writes to no folder."""

NEVER_SENT = "it never reached the recorder, and nobody wants it any more"
HOUR_USED_UP = "it waits for the next hour: see limits in the configuration"
ANOTHER = "another request is made instead: what it asks for has changed"

BATCH = 512
"""Requests intended in one commit at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What planning needs to know of this moment.

    Nothing goes to a destination in `closed`; one request at most to one in `probing`.
    Exports in `parked` hold no slot, those with the bandwidths `doubles` hold one each
    besides, and at most `room` requests go: see `Link`.
    """

    now: datetime
    offset: timedelta
    slack: timedelta
    budget: Budget
    closed: frozenset[DestinationName] = frozenset()
    probing: frozenset[DestinationName] = frozenset()
    parked: frozenset[int] = frozenset()
    doubles: tuple[int, ...] = ()
    room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A request whose intent is committed, and its clips as they were before it."""

    export: ExportRequest
    destination: DestinationName
    clips: tuple[Clip, ...]

    @property
    def is_new(self) -> bool:
        """Whether none of its clips was asked for before."""
        return _is_new(self.clips)

    @property
    def due_at(self) -> datetime:
        return min(clip.due_at for clip in self.clips)


class Planner:
    """One transaction's worth of planning for one recorder."""

    def __init__(
        self, site: Site, settings: RecorderSettings, moment: Capacity
    ) -> None:
        self._site = site
        self._settings = settings
        self._moment = moment
        self._namings: dict[Terms, Naming] = {}
        self.rejected: list[Change] = []
        """Of the plan: incidents that lost clips, for their path cannot be made."""
        self.held_until: datetime | None = None
        """When an hour is over whose exports are used up, if any clip waits for it."""
        self.is_cut = False
        """Whether slots or bandwidth ended the plan before the queue's end."""

    def plan(self, tx: Tx) -> list[Planned]:
        """Commit the intents that fit now, in queue order.

        The first that does not fit ends it: a large one is not overtaken for ever.
        """
        self.rejected = []
        room = BATCH if self._moment.room is None else self._moment.room
        if self._moment.budget.is_paused:
            self.is_cut = True
            return []
        left = self._allowance(tx)
        again, left = self._send_again(tx, room, left)
        running = [
            *tx.exports.running(self._settings.name, self._moment.parked),
            *self._moment.doubles,
        ]
        slots = min(self._settings.max_exports - len(running), room - len(again))
        self.is_cut = slots <= 0
        if self.is_cut:
            return again
        due_by = self._moment.now - self._moment.slack
        # beyond the limit look further: what was asked for before may be again
        most = BATCH if left.is_used_up else slots
        queue = tx.queue.due(self._settings.name, due_by, most, self._moment.closed)
        current = {incident.id: incident for incident, _ in queue}
        draft = _Draft(
            current=current,
            earlier=_by_incident(tx.exports.of(_asked_before(current.values()))),
            running=running,
            left=left,
            planned=again,
            most_planned=len(again) + slots,
        )
        self.is_cut = not all(
            self._fits(tx, draft, found.id, clips)
            for found, cohort in queue
            for clips in self._requests(current[found.id], cohort, due_by)
        )
        return self._saved(tx, draft)

    def _fits(
        self, tx: Tx, draft: "_Draft", name: IncidentId, clips: tuple[Clip, ...]
    ) -> bool:
        """Intend a request for these clips, or pass them over; False ends the plan."""
        incident, moment = draft.current[name], self._moment
        bandwidth = self._bandwidth(incident)
        is_full = len(draft.planned) == draft.most_planned
        if is_full or not has_bandwidth(moment.budget, draft.running, bandwidth):
            return False
        if draft.is_held(clips):
            self.held_until = draft.left.ends_at
        elif not draft.is_probed(incident.terms.destination, moment.probing):
            self._intend(tx, draft, name, clips, bandwidth)
        return True

    def _send_again(
        self, tx: Tx, room: int, left: Allowance
    ) -> tuple[list[Planned], Allowance]:
        """Requests that certainly never left go out again, and first, as they are.

        Those that would be other requests by now are taken back: their clips are in the
        queue again. Commits that each is on its way, before it is.
        """
        name, now = self._settings.name, self._moment.now
        waiting = tx.exports.unsent(name)
        if not waiting:
            return [], left
        ids = {each.incident for each in waiting}
        current = {incident.id: incident for incident in tx.incidents.get(ids)}
        earlier = _by_incident(tx.exports.of(ids))
        planned: list[Planned] = []
        for export in waiting:
            incident = current[export.incident]
            clips = answers.clips_of(incident, export)
            change = self._taken_back(
                incident, clips, export, earlier[incident.id], left
            )
            if change is not None:
                tx.ledger.save([change], now)
                current[incident.id] = change.after
                continue
            request = Planned(
                export=replace(export, is_unsent=False),
                destination=incident.terms.destination,
                clips=tuple(clips),
            )
            if len(planned) < room and not self._is_probed(planned, request):
                planned.append(request)
                left = left.less() if request.is_new else left
        tx.exports.save([each.export for each in planned])
        if planned:
            save_exports_allowance(tx, name, left)
        return planned, left

    def _is_probed(self, planned: Sequence[Planned], request: Planned) -> bool:
        """Whether its destination is being tried with one request, which is out."""
        return request.destination in self._moment.probing and any(
            each.destination == request.destination for each in planned
        )

    def _taken_back(
        self,
        incident: Incident,
        clips: Sequence[Clip],
        export: ExportRequest,
        earlier: Sequence[ExportRequest],
        left: Allowance,
    ) -> Change | None:
        """What becomes of a request that cannot go out again as it is."""
        now = self._moment.now
        if not clips:
            return exporting.withdraw(incident, export, NEVER_SENT, now)
        if left.is_used_up and _is_new(clips):
            return answers.take_back(incident, export, HOUR_USED_UP, now)
        if not self._is_same(incident, clips, export, earlier):
            return answers.take_back(incident, export, ANOTHER, now)
        return None

    def _is_same(
        self,
        incident: Incident,
        clips: Sequence[Clip],
        export: ExportRequest,
        earlier: Sequence[ExportRequest],
    ) -> bool:
        """Whether the same would be asked for now, and there is somewhere to put it."""
        asked = {each.clip: each.asked.address for each in export.devices}
        try:
            path = self._free_path(incident, [e for e in earlier if e != export])
        except BadInput:
            return False
        return (
            incident.terms.destination not in self._moment.closed
            and path == export.path
            and export.bandwidth == self._bandwidth(incident)
            and abs(export.offset - self._moment.offset) <= SECOND
            and asked == {clip.n: clip.address for clip in clips}
        )

    def _allowance(self, tx: Tx) -> Allowance:
        limits, now = self._site.limits, self._moment.now
        return exports_allowance(tx, limits, self._settings.name, now)

    def _saved(self, tx: Tx, draft: "_Draft") -> list[Planned]:
        tx.ledger.save(draft.changes, self._moment.now)
        if draft.planned:
            save_exports_allowance(tx, self._settings.name, draft.left)
        return draft.planned

    def _requests(
        self, incident: Incident, cohort: int, due_by: datetime
    ) -> list[tuple[Clip, ...]]:
        cameras = self._site.roster.cameras
        clips = [
            clip.placed(cameras.get(clip.camera))
            for clip in incident.clips
            if clip.state is ClipState.DUE
            and clip.recorder == self._settings.name
            and clip.cohort == cohort
            and clip.due_at <= due_by
        ]
        return exporting.split(clips, self._settings.max_devices)

    def _bandwidth(self, incident: Incident) -> int:
        return request_bandwidth(
            self._moment.budget.limit,
            self._settings.max_exports,
            incident.terms.bandwidth,
        )

    def _intend(
        self,
        tx: Tx,
        draft: "_Draft",
        name: IncidentId,
        clips: tuple[Clip, ...],
        bandwidth: int,
    ) -> None:
        """Add the intent for these clips; a path that cannot be made rejects them."""
        incident, now = draft.current[name], self._moment.now
        earlier = draft.earlier[name]
        mine = [each for each in earlier if each.recorder == self._settings.name]
        try:
            path = self._free_path(incident, earlier)
        except BadInput as error:
            change = answers.reject(incident, clips, Reason.BAD_PATH, str(error), now)
            draft.add(change)
            self.rejected.append(change)
            return
        intent = exporting.Intent(
            id=tx.exports.new_id(),
            n=max((each.n for each in mine), default=0) + 1,
            path=path,
            bandwidth=bandwidth,
            offset=self._moment.offset,
            now=now,
        )
        change, export = exporting.request(incident, clips, intent)
        draft.add(change)
        earlier.append(export)
        draft.running.append(bandwidth)
        if _is_new(clips):
            draft.left = draft.left.less()
        draft.planned.append(
            Planned(export=export, destination=incident.terms.destination, clips=clips)
        )

    def _free_path(self, incident: Incident, earlier: Iterable[ExportRequest]) -> str:
        """A folder that none of these exports of the incident may hold.

        Raises:
            BadInput: the template cannot give a path below the root.
        """
        if not self._settings.can.has_path:
            return NO_PATH
        held = [e.path for e in earlier if e.state is not ExportState.REFUSED]
        return exporting.free_path(self._path(incident), held, with_suffix)

    def _path(self, incident: Incident) -> str:
        """The incident's folder; the destination in force counts, if it still exists.

        Raises:
            BadInput: the template cannot give a path below the root.
        """
        naming = self._namings.get(incident.terms)
        if naming is None:
            naming = self._namings[incident.terms] = self._naming(incident.terms)
        return folder_for(incident, self._settings.name, naming)

    def _naming(self, terms: Terms) -> Naming:
        site = self._site
        found = site.destinations.get(terms.destination)
        return Naming(
            template=found.path if found else PathTemplate.parse(terms.path),
            root=found.root if found else terms.root,
            instance=site.instance,
            zone=site.zone,
        )


def _asked_before(incidents: Iterable[Incident]) -> list[IncidentId]:
    """Those that may have exports already: an open one was never asked for."""
    return [incident.id for incident in incidents if not incident.is_open]


def _is_new(clips: Sequence[Clip]) -> bool:
    return not any(clip.attempts for clip in clips)


def _by_incident(
    exports: Sequence[ExportRequest],
) -> dict[IncidentId, list[ExportRequest]]:
    found: dict[IncidentId, list[ExportRequest]] = defaultdict(list)
    for export in exports:
        found[export.incident].append(export)
    return found


@dataclass(slots=True, kw_only=True)
class _Draft:
    """What one plan gathers before it is saved."""

    current: dict[IncidentId, Incident]
    earlier: dict[IncidentId, list[ExportRequest]]
    running: list[int]
    left: Allowance
    most_planned: int
    planned: list[Planned] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        self.changes.append(change)
        self.current[change.after.id] = change.after

    def is_held(self, clips: Sequence[Clip]) -> bool:
        """Whether these clips wait for the next hour: only what is new is limited."""
        return self.left.is_used_up and _is_new(clips)

    def is_probed(
        self, destination: DestinationName, probing: frozenset[DestinationName]
    ) -> bool:
        """Whether this plan sends a held destination its one probe already."""
        return destination in probing and any(
            each.destination == destination for each in self.planned
        )
