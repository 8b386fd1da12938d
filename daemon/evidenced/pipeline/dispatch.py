"""Dispatch: from due clips to export requests. Intent, then request, then answer.

One loop for each recorder, so that one that is slow or down holds up no other. Whatever
a crash leaves between intent and answer is picked up by tracking: it looks the request
up in the recorder's list before anything is sent again.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.answers import newly_stuck, newly_unknown
from evidenced.core.exports.bandwidth import budget_at, next_change
from evidenced.core.exports.isolation import RecordedSpans, may_need_telling
from evidenced.core.exports.line import Service
from evidenced.core.incidents.history import Change
from evidenced.core.instants import SECOND, ZERO
from evidenced.core.recorder import Answer, ExportOrder, SessionInfo
from evidenced.core.trust import Now
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import LOOK_AGAIN, REST, Agenda
from evidenced.pipeline.answers import RequestOutcome, record, tell_lost
from evidenced.pipeline.counted import count_exports
from evidenced.pipeline.link import Link
from evidenced.pipeline.planner import BATCH, Capacity, Planned, Planner
from evidenced.pipeline.rationing import PER_RECORDER, Streaks
from evidenced.pipeline.shares import Shares
from evidenced.pipeline.world import World
from evidenced.ports import View
from evidenced.ports.recorder import NOT_OURS

LOOK_SOON = SECOND
"""Not sooner while the queue is stuck: a storm's clips are due one by one."""


class Dispatch:
    """The loop of one recorder that sends what is due."""

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
        self._name = names.dispatch(link.settings.name)
        self._shares = shares
        self._outcomes: asyncio.Queue[RequestOutcome] = asyncio.Queue()
        self._is_calm = asyncio.Event()
        self._until: datetime | None = None
        """When the next look at the queue may find more to do."""
        self._streaks = Streaks(metrics, self._log)

    async def run(self) -> None:
        """Forever: plan what fits, send it, and take down the answers."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_down(), name=f"answers:{self._name}")
            while True:
                while await self.once(group):
                    pass
                self._is_calm.set()
                await self._wait()

    async def once(self, group: asyncio.TaskGroup) -> bool:
        """Plan one batch and start sending it; whether there may be more."""
        info = await self._link.ready(Service.EXPORT)
        self._is_calm.clear()
        if info is None and self._link.limited_until is None:
            self._until = None  # nothing can be sent, whatever is due
            return False
        now = self._world.now()
        first = await self._world.read(self._first)
        is_any = first is not None and first <= now.at
        self._until = None if is_any else first
        if not is_any or self._is_hour_over(now.at):
            self._hold(None, now)
        is_ending = self._world.is_stopping or self._link.drains
        if is_ending or info is None or first is None or not is_any:
            return False
        moment = self._moment(info, now)
        planner = Planner(self._world.site, self._link.settings, moment)
        planned = await self._world.write(planner.plan)
        for each in planned:
            self._start(each, moment, group)
        if planner.rejected:
            self._tell(planner.rejected)
        # a plan that was cut short did not come to those that wait for the hour
        kept = self._link.limited_until if planner.is_cut else None
        self._hold(planner.held_until or kept, now)
        if planned:
            self._agenda.hint(names.OUTBOX)
        elif first + moment.slack > now.at:
            # Not one that is past: it waits for a slot, and a wake-up would spin.
            self._until = first + moment.slack
        else:
            self._until = await self._next_chance(now, moment.slack)
        return bool(planned or planner.rejected)

    def _first(self, view: View) -> datetime | None:
        """When there is something to send: the next due clip, or what never left."""
        name = self._link.settings.name
        waiting = [each.requested_at for each in view.exports.unsent(name)]
        due = view.queue.next_due(name)
        return min([*waiting, *([due] if due else [])], default=None)

    def _is_hour_over(self, now: datetime) -> bool:
        """Whether the hour is past that new exports wait for.

        Asked also while the recorder is away, so that nobody is told of a limit that
        holds nothing back any more.
        """
        until = self._link.limited_until
        return until is not None and until <= now

    def _hold(self, until: datetime | None, now: Now) -> None:
        """Note until when new exports wait for the limit; None if they do not.

        People are told once, when the waiting begins.
        """
        if until is not None and until != self._link.limited_until:
            self._streaks.met(PER_RECORDER, self._link.settings.name, now.monotonic)
        self._link.limit(until)
        self._streaks.look(now.monotonic)

    async def _next_chance(self, now: Now, slack: timedelta) -> datetime | None:
        """When to look again, while all that is due waits for a slot or a destination.

        That is when a held destination may be tried, the bandwidth or the hour changes,
        or another clip is due, which may go elsewhere.
        """
        later = await self._world.read(
            lambda view: view.queue.next_due(self._link.settings.name, now.at - slack)
        )
        local = now.at.astimezone(self._world.site.zone)
        budget = next_change(self._link.settings.bandwidth_windows, local)
        tries = [
            self._link.holds.next_try(now),
            later and later + slack,
            budget,
            self._link.limited_until,
        ]
        at = min((each for each in tries if each is not None), default=None)
        return at and max(at, now.at + LOOK_SOON)

    def _start(
        self, planned: Planned, moment: Capacity, group: asyncio.TaskGroup
    ) -> None:
        export = planned.export
        self._link.left(export.id)
        if planned.destination in moment.probing:
            self._link.holds.probe(planned.destination)
        group.create_task(self._send(planned), name=f"export:{export.id}")

    def _moment(self, info: SessionInfo, now: Now) -> Capacity:
        settings = self._link.settings
        closed = self._link.holds.closed(now) | self._shares.problems.keys()
        return Capacity(
            now=now.at,
            offset=info.offset.applied if info.offset else ZERO,
            slack=info.offset.slack if info.offset else ZERO,
            budget=budget_at(
                settings.bandwidth,
                settings.bandwidth_windows,
                now.at.astimezone(self._world.site.zone),
            ),
            closed=closed,
            probing=frozenset(self._link.holds.now) - closed,
            parked=self._link.parked,
            doubles=self._link.doubles,
            room=self._link.room,
        )

    async def _wait(self) -> None:
        rest = LOOK_AGAIN if self._link.info is None else REST
        wait = self._link.wait(Service.EXPORT) or rest
        await self._agenda.wait(self._name, self._until, wait)

    async def _send(self, planned: Planned) -> None:
        """Send one request, and hand its outcome to `_take_down`."""
        lag = self._world.now().at - planned.due_at
        self._metrics.due_lag_seconds.observe(lag.total_seconds())
        session = answer = failure = None
        recorded: RecordedSpans = {}
        is_taken = await self._shares.is_taken(planned.export)
        try:
            if not is_taken:
                session, answer = await self._ask(planned.export.order)
                recorded = await self._recorded(planned, answer)
        except RecorderError as error:
            failure = error
        self._outcomes.put_nowait(
            RequestOutcome(
                planned=planned,
                at=self._world.now(),
                jitter=self._world.dice.jitter(),
                session=session,
                answer=answer,
                recorded=recorded,
                error=failure,
                is_taken=is_taken,
            )
        )

    async def _ask(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        """What is committed is this node's; a request cannot be taken back."""
        if not self._world.left():
            raise RecorderError(
                Reason.UNREACHABLE,
                NOT_OURS,
                is_sent=False,
            )
        return await self._link.port.export(order)

    async def _recorded(self, planned: Planned, answer: Answer) -> RecordedSpans:
        """What the recorder has of each clip, where the cameras are to be told apart.

        A recorder that cannot be asked leaves it open: then the request is halved.
        """
        policy, now = self._link.settings.retry, self._world.now().sure
        if answer.reason is None or not may_need_telling(
            answer.reason, planned.clips, policy, now
        ):
            return {}
        recorded: dict[int, bool | None] = {}
        for device in planned.export.devices:
            asked = device.asked
            try:
                recorded[device.clip] = await self._link.port.has_video(
                    asked.address, asked.window
                )
            except RecorderError:
                break
        return recorded

    async def _take_down(self) -> None:
        """Commit answers as they come; those that came together share a commit."""
        while True:
            outcomes = [await self._outcomes.get()]
            await self._is_calm.wait()  # what is due goes out first
            while not self._outcomes.empty() and len(outcomes) < BATCH:
                outcomes.append(self._outcomes.get_nowait())
            now = self._world.now()
            step = partial(
                record,
                outcomes=outcomes,
                policy=self._link.settings.retry,
                limits=self._world.site.limits,
                now=now.at,
            )
            changes = await self._world.write(step)
            for change in changes:
                count_exports(self._metrics, change.exports)
            for outcome in outcomes:
                self._note(outcome, now)
            self._link.landed(o.planned.export.id for o in outcomes)
            self._tell(changes)

    def _note(self, outcome: RequestOutcome, now: Now) -> None:
        """The line's health, the destination's, and the answer's metric."""
        destination = outcome.planned.destination
        if outcome.error is not None:
            self._link.failed(Service.EXPORT, outcome.error)
            self._link.holds.unprobed(destination)
            code = str(outcome.error.reason)
        elif outcome.answer is not None:
            self._link.answered(Service.EXPORT, outcome.session)
            patience = self._link.patience(now)
            self._link.holds.answered(destination, outcome.answer, patience)
            code = outcome.answer.code
        else:
            self._link.holds.unprobed(destination)
            return
        self._metrics.answers.labels(self._link.settings.name, code).inc()

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._log.info(
                f"export {change.event}",
                incident=change.after.id,
                state=change.after.state,
                **change.detail,
            )
            if stuck := newly_stuck(change):
                self._log.warning(
                    "footage has been refused three times",
                    incident=change.after.id,
                    cameras=[clip.camera for clip in stuck],
                    why=stuck[0].message,
                )
            if unknown := newly_unknown(change):
                self._log.warning(
                    "the recorder does not know a camera",
                    incident=change.after.id,
                    one_of=[clip.camera for clip in unknown],
                    reason=unknown[0].reason,
                    code=unknown[0].code,
                    why=unknown[0].message,
                )
            tell_lost(self._log, change)
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(self._name)
        self._agenda.hint(names.track(self._link.settings.name))
