"""Protection: the recorder is asked to keep footage from being overwritten.

One loop for each recorder. A tag is asked for as soon as its row is committed; its
intent is committed before the request, and Ok only means that the request was
understood: the recorder's list confirms. What was asked once is looked up in the list
before it is asked again, so a crash or a lost answer sets no tag twice.

Nothing here ever releases a tag.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.camera import Camera
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.line import Service
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.ids import CameraName, IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import ZERO, render_utc
from evidenced.core.keeping import tag as tagging
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.tag import TAG_OPEN, Tag, TagKey, TagOrder, TagState
from evidenced.core.recorder import Answer
from evidenced.core.trust import Now
from evidenced.core.window import Window
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST, Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World
from evidenced.ports import Tx

BATCH = 32
"""Tags asked for in one round; their intents share a commit."""
SLACK = timedelta(seconds=5)
"""How much wider a tag is than the window: requests take a while."""
_OF_THE_REQUEST = frozenset({Reason.BAD_REQUEST, Reason.RECORDER_FAULT})
"""Failures that say nothing of the line to the recorder."""

Moved = tuple[Tag, Entry | None]
"""A tag after a step, and what the history says of it."""


class Protect:
    """The loop of one recorder that asks for tags and looks for them."""

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
        self.name = names.protect(link.settings.name)

    async def run(self) -> None:
        """Forever: what is due, oldest first."""
        while True:
            now = self._world.now().at
            while await self.once():
                pass
            upcoming = await self._world.read(
                lambda view: view.tags.next_due(self._link.settings.name)
            )
            # one that is past waits for the recorder
            until = upcoming if upcoming is not None and upcoming > now else None
            line = self._link.wait(Service.PROTECT) if upcoming else ZERO
            wait = line or REST
            await self._agenda.wait(self.name, until, wait)

    async def once(self) -> bool:
        """One round; whether there may be more to do at once."""
        name, now = self._link.settings.name, self._world.now().at
        due = await self._world.read(lambda view: view.tags.due(name, now, BATCH))
        if not due or self._world.is_stopping:
            return False
        if await self._link.ready(Service.PROTECT) is None:
            return False
        open_ = [tag for tag in due if not _was_asked(tag)]
        doubtful = [tag for tag in due if _was_asked(tag)]
        if doubtful:
            listed = await self._list(doubtful)
            if listed is not None:
                open_ += await self._compare(doubtful, listed)
        await self._ask(open_)
        return len(due) >= BATCH and not self._link.wait(Service.PROTECT)

    async def _list(self, doubtful: Sequence[Tag]) -> Mapping[TagKey, str] | None:
        """The recorder's tags; None where it cannot be asked, which proves nothing."""
        try:
            listed = await self._link.port.tagged(doubtful)
        except RecorderError as error:
            self._failed(error)
            text, now = str(error), self._world.now()
            policy = self._link.settings.retry
            await self._move(doubtful, lambda tag: _unseen(tag, text, policy, now))
            return None
        self._link.answered(Service.PROTECT)
        return listed

    async def _compare(
        self, doubtful: Sequence[Tag], listed: Mapping[TagKey, str]
    ) -> list[Tag]:
        """Confirm what the list shows; returns those to be asked for once more now."""
        now, settings = self._world.now(), self._link.settings
        step = partial(
            _compared,
            listed=listed,
            policy=settings.retry,
            patience=settings.timeout,
            now=now,
        )
        moved = await self._move(doubtful, step)
        for tag in moved:
            if tag.state is TagState.CONFIRMED:
                self._metrics.tags.labels(settings.name, TagState.CONFIRMED).inc()
        return [
            tag
            for tag in moved
            if tag.state is TagState.WANTED and tag.due_at == now.at
        ]

    async def _ask(self, wanted: Sequence[Tag]) -> None:
        """Intents in one commit, then each request, and its answer."""
        now = self._world.now().at
        if not wanted:
            return
        furthest = self._link.settings.can.furthest_tag or ZERO
        old = [t for t in wanted if tagging.is_too_old(t, now, SLACK, furthest)]
        await self._move(old, tagging.give_up)
        wanted = [tag for tag in wanted if tag not in old]
        cameras = self._world.site.roster.cameras
        step = partial(
            _intend, wanted=wanted, cameras=cameras, now=now, furthest=furthest
        )
        for tag, order in await self._world.write(step):
            if self._world.is_stopping:
                return  # the next start looks in the list for those not sent
            await self._send(tag, order)

    async def _send(self, tag: Tag, order: TagOrder) -> None:
        if self._link.wait(Service.PROTECT):  # the line went down with one before it
            await self._not_had(tag, Answer(text=self._link.problem or ""))
            return
        try:
            answer = await self._link.port.tag(order)
        except RecorderError as error:
            self._failed(error)
            if not error.is_sent:
                await self._not_had(tag, Answer(reason=error.reason, text=str(error)))
            return
        self._link.answered(Service.PROTECT)
        if answer.reason is not None:
            await self._not_had(tag, answer)

    async def _not_had(self, tag: Tag, answer: Answer) -> None:
        """It is not set: the recorder refused it, or never got the request."""
        now, policy = self._world.now(), self._link.settings.retry

        def refused(each: Tag) -> Tag:
            after = tagging.fail_try(each, answer, policy, now)
            return replace(after, asked=None)

        await self._move([tag], refused)

    async def _move(self, tags: Sequence[Tag], step: Callable[[Tag], Tag]) -> list[Tag]:
        """Commit the step on each tag as it is by now, and tell what it came to."""
        now = self._world.now().at
        moved = await self._world.write(partial(_moved, tags=tags, step=step, now=now))
        was = {tag.key: tag for tag in tags}
        for tag in moved:
            self._tell(was[tag.key], tag)
        if moved:
            self._agenda.hint(names.OUTBOX)
        return moved

    def _tell(self, before: Tag, after: Tag) -> None:
        if after.state is TagState.REFUSED:
            self._metrics.tags.labels(after.recorder, TagState.REFUSED).inc()
        if after.failures > before.failures and (
            tagging.is_told(after) or after.state is TagState.REFUSED
        ):
            self._log.warning(
                "footage cannot be protected from being overwritten",
                incident=after.incident,
                camera=after.camera,
                code=after.code,
                why=after.message,
                is_final=after.state is TagState.REFUSED,
            )
        elif after.state is TagState.CONFIRMED:
            self._log.info(
                "footage is protected", incident=after.incident, camera=after.camera
            )

    def _failed(self, error: RecorderError) -> None:
        if error.reason not in _OF_THE_REQUEST:
            self._link.failed(Service.PROTECT, error)


def _was_asked(tag: Tag) -> bool:
    """Whether the recorder may have it without our knowing."""
    return tag.asked is not None


def _unseen(tag: Tag, text: str, policy: RetryPolicy, now: Now) -> Tag:
    """The list could not be had: still doubtful, and looked for later."""
    return tagging.fail_try(tag, Answer(text=text), policy, now, is_known=False)


def _compared(
    tag: Tag,
    *,
    listed: Mapping[TagKey, str],
    policy: RetryPolicy,
    patience: timedelta,
    now: Now,
) -> Tag:
    if tag.key in listed:
        return tagging.confirm(tag, listed[tag.key], now.at)
    if tag.state is TagState.WANTED:  # absent at an earlier look, and still
        return replace(tag, asked=None, due_at=now.at)
    if tag.asked_at and not now.has_come(tag.asked_at + patience, patience):
        return replace(tag, due_at=now.at + min(tagging.LOOK_AFTER, patience))
    return tagging.fail_try(tag, Answer(text=NOT_LISTED), policy, now)


NOT_LISTED = "the recorder took the request, and its list does not show the tag"


def _intend(
    tx: Tx,
    wanted: Sequence[Tag],
    cameras: Mapping[CameraName, Camera],
    now: datetime,
    furthest: timedelta,
) -> list[tuple[Tag, TagOrder]]:
    """Commit what is about to be asked; what changed meanwhile waits for its turn."""
    ids = {tag.incident for tag in wanted}
    current = _current(tx, ids)
    incidents = {incident.id: incident for incident in tx.incidents.get(ids)}
    asked = [
        tagging.order_for(
            tag.placed(cameras.get(tag.camera)),
            _comment(incidents[tag.incident]),
            now,
            SLACK,
            furthest,
        )
        for tag in wanted
        if current.get(tag.key) == tag
    ]
    tx.tags.save([tag for tag, _ in asked])
    for tag, order in asked:
        tx.history.write(_entry(tag, Event.TAG_ASKED, now, {"title": order.title}))
    return asked


def _moved(
    tx: Tx, tags: Sequence[Tag], step: Callable[[Tag], Tag], now: datetime
) -> list[Tag]:
    """Each tag after the step, unless it was asked anew or went away meanwhile."""
    current = _current(tx, {tag.incident for tag in tags})
    found = [
        (known, step(known))
        for tag in tags
        if (known := current.get(tag.key)) is not None
        and (known.n, known.state) == (tag.n, tag.state)
    ]
    tx.tags.save([after for _, after in found])
    note_untagged(tx, {after.incident for _, after in found}, now)
    for before, after in found:
        entry = _told(before, after, now)
        if entry is not None:
            tx.history.write(entry)
    return [after for _, after in found]


def note_untagged(tx: Tx, ids: Collection[IncidentId], now: datetime) -> None:
    """Whether nobody keeps the footage of these incidents; whoever can says so now."""
    for name in ids:
        tags = tx.tags.of([name])
        found = tagging.loss_of_tags(tags, now)
        if found is not None or not any(t.state in TAG_OPEN for t in tags):
            tx.losses.settle(LossKind.UNTAGGED, name, found)


def _current(tx: Tx, ids: set[IncidentId]) -> Mapping[TagKey, Tag]:
    return {tag.key: tag for tag in tx.tags.of(ids)}


def _told(before: Tag, after: Tag, now: datetime) -> Entry | None:
    """What the history says of a step; a failure is told once, and at the end."""
    if after.kept is not None and after.kept != before.kept:
        return _entry(after, Event.TAGGED, now, {"tag": after.tag_id}, after.kept)
    is_worse = after.failures > before.failures
    if is_worse and (tagging.is_told(after) or after.state is TagState.REFUSED):
        detail = {"code": after.code, "text": after.message, "tag_state": after.state}
        return _entry(after, Event.UNTAGGED, now, detail)
    return None


def _entry(
    tag: Tag,
    event: Event,
    now: datetime,
    detail: Mapping[str, object],
    window: Window | None = None,
) -> Entry:
    """Of the tag's window, or of the part of it that the step is about."""
    window = window or tag.window
    said: dict[str, object] = {
        "camera": tag.camera,
        "start": render_utc(window.start),
        "end": render_utc(window.end),
        **detail,
    }
    if tag.message:
        said.setdefault("text", tag.message)
    return Entry(incident=tag.incident, at=now, event=event, detail=said)


def _comment(incident: Incident) -> str:
    """Plain, for whoever reads the recorder's list of tags a year later."""
    opened = render_utc(incident.opened_at)
    return f"Rule {incident.rule}, alarm at {opened}. Release it when it is not needed."
