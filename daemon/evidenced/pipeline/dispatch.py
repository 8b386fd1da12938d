"""Dispatch: from due clips to export requests. Intent, then request, then answer.

One loop for each recorder, so that one that is slow or down holds up no other. Whatever
a crash leaves between intent and answer is picked up by tracking: it looks the request
up in the recorder's list before anything is sent again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core import exporting
from evidenced.core.bandwidth import Budget, budget_at, free, request_bandwidth
from evidenced.core.destination import Naming, folder_for
from evidenced.core.errors import BadInput, Reason, RecorderError
from evidenced.core.export import ExportRequest
from evidenced.core.history import Change
from evidenced.core.ids import IncidentId
from evidenced.core.incident import Clip, Incident
from evidenced.core.instants import ZERO
from evidenced.core.paths import PathTemplate, with_suffix
from evidenced.core.recorder import Answer, SessionInfo
from evidenced.core.retry import RetryPolicy
from evidenced.core.states import ClipState, ExportState
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import LOOK_AGAIN, Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World
from evidenced.ports import Tx

BATCH = 128
"""Requests intended in one commit at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What planning needs to know of this moment."""

    now: datetime
    offset: timedelta
    slack: timedelta
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A request whose intent is committed, and since when it has been due."""

    export: ExportRequest
    due_at: datetime


class Planner:
    """One transaction's worth of planning for one recorder."""

    def __init__(self, world: World, link: Link, terms: Terms) -> None:
        self._world = world
        self._settings = link.settings
        self._terms = terms

    def plan(self, tx: Tx) -> list[Planned]:
        """Commit the intents that fit now, in queue order.

        The first that does not fit ends it: a large one is not overtaken for ever.
        """
        live = tx.live_exports(self._settings.name)
        slots = min(self._settings.max_exports - len(live), BATCH)
        if slots <= 0 or self._terms.budget.is_paused:
            return []
        due_by = self._terms.now - self._terms.slack
        queue = tx.due(self._settings.name, due_by, slots)
        current = {incident.id: incident for incident, _ in queue}
        used = _by_incident(tx.exports_of(current.keys()))
        running = [export.bandwidth for export in live]
        planned: list[Planned] = []
        changes: list[Change] = []
        for found, cohort in queue:
            for clips in self._requests(current[found.id], cohort, due_by):
                incident = current[found.id]
                bandwidth = self._bandwidth(incident)
                if len(planned) == slots or not free(
                    self._terms.budget, running, bandwidth
                ):
                    tx.save(changes, self._terms.now)
                    return planned
                earlier = used[incident.id]
                change, export = self._intend(tx, incident, clips, earlier, bandwidth)
                changes.append(change)
                current[incident.id] = change.after
                if export is not None:
                    earlier.append(export)
                    running.append(bandwidth)
                    due_at = min(clip.due_at for clip in clips)
                    planned.append(Planned(export=export, due_at=due_at))
        tx.save(changes, self._terms.now)
        return planned

    def _requests(
        self, incident: Incident, cohort: int, due_by: datetime
    ) -> list[tuple[Clip, ...]]:
        clips = [
            clip
            for clip in incident.clips
            if clip.state is ClipState.DUE
            and clip.recorder == self._settings.name
            and clip.cohort == cohort
            and clip.due_at <= due_by
        ]
        return exporting.split(clips, self._settings.max_devices)

    def _bandwidth(self, incident: Incident) -> int:
        return request_bandwidth(
            self._terms.budget.limit,
            self._settings.max_exports,
            incident.terms.bandwidth,
        )

    def _intend(
        self,
        tx: Tx,
        incident: Incident,
        clips: Sequence[Clip],
        earlier: Sequence[ExportRequest],
        bandwidth: int,
    ) -> tuple[Change, ExportRequest | None]:
        mine = [each for each in earlier if each.recorder == self._settings.name]
        try:
            base = self._path(incident)
        except BadInput as error:
            return exporting.reject(
                incident, clips, Reason.BAD_PATH, str(error), self._terms.now
            ), None
        held = [each.path for each in mine if each.state is not ExportState.REFUSED]
        intent = exporting.Intent(
            id=tx.new_export_id(),
            n=max((each.n for each in mine), default=0) + 1,
            path=exporting.free_path(base, held, with_suffix),
            bandwidth=bandwidth,
            offset=self._terms.offset,
            now=self._terms.now,
        )
        return exporting.request(incident, clips, intent)

    def _path(self, incident: Incident) -> str:
        """The incident's folder; the destination in force counts, if it still exists.

        Raises:
            BadInput: the template cannot give a path below the root.
        """
        site, terms = self._world.site, incident.terms
        found = site.destinations.get(terms.destination)
        naming = Naming(
            template=found.path if found else PathTemplate.parse(terms.path),
            root=found.root if found else terms.root,
            instance=site.instance,
            zone=site.zone,
        )
        return folder_for(incident, self._settings.name, naming)


def _by_incident(
    exports: Sequence[ExportRequest],
) -> dict[IncidentId, list[ExportRequest]]:
    found: dict[IncidentId, list[ExportRequest]] = defaultdict(list)
    for export in exports:
        found[export.incident].append(export)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one request went: an answer in a session, or an error."""

    export: ExportRequest
    at: datetime
    jitter: float
    session: SessionInfo | None = None
    answer: Answer | None = None
    error: RecorderError | None = None


def record(
    tx: Tx, outcomes: Sequence[Outcome], policy: RetryPolicy, now: datetime
) -> list[Change]:
    """Commit what became of requests that were sent.

    One that is no longer `requested` was adopted from the status list meanwhile: that
    counts, its answer only comes late.
    """
    ids = {outcome.export.incident for outcome in outcomes}
    current = {incident.id: incident for incident in tx.incidents(ids)}
    exports = {export.id: export for export in tx.exports_of(ids)}
    changes: list[Change] = []
    for outcome in outcomes:
        export = exports[outcome.export.id]
        if export.state is not ExportState.REQUESTED:
            continue
        change = _change(current[export.incident], export, outcome, policy)
        current[export.incident] = change.after
        changes.append(change)
    tx.save(changes, now)
    return changes


def _change(
    incident: Incident, export: ExportRequest, outcome: Outcome, policy: RetryPolicy
) -> Change:
    error, answer, session = outcome.error, outcome.answer, outcome.session
    if error is not None and error.is_sent:
        return exporting.unanswered(incident, export, error.reason, str(error))
    if error is not None:
        return exporting.not_sent(
            incident, export, error.reason, str(error), outcome.at
        )
    if answer is None or session is None:
        raise ValueError("an outcome has an error, or an answer in a session")
    if answer.code >= 0:
        return exporting.accept(incident, export, session.session, answer, outcome.at)
    patience = exporting.Patience(policy=policy, now=outcome.at, jitter=outcome.jitter)
    return exporting.refuse(incident, export, answer, patience)


class Dispatch:
    """The loop of one recorder that sends what is due."""

    def __init__(
        self,
        world: World,
        link: Link,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._link = link
        self._agenda = agenda
        self._metrics = metrics
        self._log = log.bind(recorder=link.settings.name)
        self._name = names.dispatch(link.settings.name)
        self._outcomes: asyncio.Queue[Outcome] = asyncio.Queue()

    async def run(self) -> None:
        """Forever: plan what fits, send it, and take down the answers."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_down(), name=f"answers:{self._name}")
            while True:
                while await self.once(group):
                    pass
                await self._wait()

    async def once(self, group: asyncio.TaskGroup) -> bool:
        """Plan one batch and start sending it; whether there may be more."""
        info = await self._link.ready()
        now = self._world.clock.now()
        first = await self._world.store.read(
            lambda view: view.next_due(self._link.settings.name)
        )
        self._agenda.plan(self._name, first if first and first > now else None)
        if self._world.is_stopping or info is None or first is None or first > now:
            return False
        terms = self._terms(info)
        planner = Planner(self._world, self._link, terms)
        planned = await self._world.store.write(planner.plan)
        for each in planned:
            self._link.in_flight.add(each.export.id)
            lag = self._world.clock.now() - each.due_at
            self._metrics.due_lag_seconds.observe(lag.total_seconds())
            group.create_task(self._send(each.export), name=f"export:{each.export.id}")
        if planned:
            self._agenda.hint(names.OUTBOX)
        elif first + terms.slack > now:
            # Not one that is past: it waits for a slot, and a wake-up would spin.
            self._agenda.plan(self._name, first + terms.slack)
        return len(planned) == BATCH

    def _terms(self, info: SessionInfo) -> Terms:
        now, settings = self._world.clock.now(), self._link.settings
        return Terms(
            now=now,
            offset=info.offset.applied if info.offset else ZERO,
            slack=info.offset.slack if info.offset else ZERO,
            budget=budget_at(
                settings.bandwidth,
                settings.bandwidth_windows,
                now.astimezone(self._world.site.zone),
            ),
        )

    async def _wait(self) -> None:
        probe = self._link.next_probe
        await self._agenda.wait(self._name, probe if probe > ZERO else LOOK_AGAIN)

    async def _send(self, export: ExportRequest) -> None:
        """One exchange; its outcome goes to the one who takes them down."""
        session = answer = failure = None
        try:
            session, answer = await self._link.port.export(export.order)
        except RecorderError as error:
            failure = error
        self._outcomes.put_nowait(
            Outcome(
                export=export,
                at=self._world.clock.now(),
                jitter=self._world.dice.jitter(),
                session=session,
                answer=answer,
                error=failure,
            )
        )

    async def _take_down(self) -> None:
        """Commit answers as they come; those that came together share a commit."""
        while True:
            outcomes = [await self._outcomes.get()]
            while not self._outcomes.empty() and len(outcomes) < BATCH:
                outcomes.append(self._outcomes.get_nowait())
            for outcome in outcomes:
                self._note(outcome)
            step = partial(
                record,
                outcomes=outcomes,
                policy=self._link.settings.retry,
                now=self._world.clock.now(),
            )
            changes = await self._world.store.write(step)
            self._link.in_flight -= {outcome.export.id for outcome in outcomes}
            self._tell(changes)

    def _note(self, outcome: Outcome) -> None:
        """The line's health and the answer's metric."""
        if outcome.error is not None:
            self._link.failed(outcome.error)
            code = str(outcome.error.reason)
        else:
            self._link.worked(outcome.session)
            code = str(outcome.answer.code) if outcome.answer else ""
        self._metrics.answers.labels(self._link.settings.name, code).inc()

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._log.info(
                f"export {change.event}",
                incident=change.after.id,
                state=change.after.state,
                **change.detail,
            )
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(self._name)
        self._agenda.hint(names.track(self._link.settings.name))
