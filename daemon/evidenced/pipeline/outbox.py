"""The outbox: what others are told of each change, by MQTT and by live subscribers.

Publication reads the history from where it left off, so a crash between commit and
publication only repeats the last state of an incident, and nothing is forgotten. Live
subscribers are told apart from it: they need no broker, and none makes them wait.
"""

import asyncio
import json
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Told
from evidenced.core.incidents.incident import Incident
from evidenced.core.telling.objects import retained_state
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.reading import BATCH, rest, told_after
from evidenced.pipeline.world import World
from evidenced.ports import Publisher, View

CURSOR = "outbox"
SUBSCRIBER_BACKLOG = 500
"""Entries kept for a live subscriber that does not read; then it is let go."""
TELL_HEAD = timedelta(hours=1)


class Feed:
    """Live subscribers; each has a bounded backlog and loses touch when it is full."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Told | None]] = set()
        self.head = 0
        """The last entry that was seen, whether anybody was told of it or not."""

    @property
    def is_heard(self) -> bool:
        """Whether anybody subscribes now."""
        return bool(self._queues)

    def changes(self) -> int:
        """See ports.Live."""
        return self.head

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[Told | None]]:
        """Entries from now on; None says that the backlog was full and it is over."""
        queue: asyncio.Queue[Told | None] = asyncio.Queue(SUBSCRIBER_BACKLOG + 1)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def tell(self, entries: Sequence[Told]) -> None:
        for queue in list(self._queues):
            for told in entries:
                if queue.qsize() >= SUBSCRIBER_BACKLOG:
                    self._queues.discard(queue)
                    queue.put_nowait(None)
                    break
                queue.put_nowait(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    entries: tuple[Told, ...]
    incidents: tuple[Incident, ...]
    exports: tuple[ExportRequest, ...]


class Outbox:
    """The loops that tell subscribers of each change, and publish each state."""

    def __init__(
        self, world: World, publisher: Publisher, agenda: Agenda, feed: Feed
    ) -> None:
        self._world = world
        self._publisher = publisher
        self._agenda = agenda
        self._feed = feed
        self._told_at = -math.inf

    async def run(self) -> None:
        """Forever: tell and publish what the history has that was not told yet."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_live(), name="feed")
            await self._publish_all()

    async def _tell_live(self) -> None:
        """Woken by every change; it wakes publication, which may wait for the broker.

        What nobody listens to is not read.
        """
        cursor = await self._head()
        self._agenda.hint(names.PUBLISH)
        while True:
            before, begun = cursor, self._world.clock.monotonic()
            entries: Sequence[Told] = ()
            if self._feed.is_heard:
                entries = await self._world.read(partial(told_after, after=cursor))
                self._feed.tell(entries)
                cursor = entries[-1].seq if entries else cursor
            else:
                cursor = await self._head()
            self._feed.head = cursor
            if cursor != before:
                self._agenda.hint(names.PUBLISH)
            self._agenda.hint(names.NOTIFY)
            if entries:
                await rest(self._world, begun)
            else:
                await self._agenda.wait(names.OUTBOX)

    async def _head(self) -> int:
        return (await self._world.read(lambda view: view.history.head())).seq

    async def _publish_all(self) -> None:
        """States as they change, what is to be taken back, and the audit head.

        While the broker is away it waits, and nobody with it.
        """
        cursor = await self._start()
        while True:
            begun = self._world.clock.monotonic()
            await self._tell_head(begun)
            page = await self._world.read(partial(_page, after=cursor))
            gone = await self._take_back()
            if page.entries:
                await self._publish(page)
                cursor = page.entries[-1].seq
                note = str(cursor)
                await self._world.write(lambda tx, n=note: tx.notes.save(CURSOR, n))  # type: ignore[misc]
                await rest(self._world, begun)
            if max(len(page.entries), gone) < BATCH:
                await self._agenda.wait(names.PUBLISH)

    async def _take_back(self) -> int:
        """Clear the retained states of incidents that were pruned; how many."""
        gone = await self._world.read(lambda view: view.retained.gone(BATCH))
        if gone:
            async with asyncio.TaskGroup() as group:
                for incident in gone:
                    clear = self._publisher.publish(topic(incident), b"")
                    group.create_task(clear, name=f"clear:{incident}")
            await self._world.write(lambda tx: tx.retained.taken_back(gone))
        return len(gone)

    async def _tell_head(self, now: float) -> None:
        """Each hour, so that rows cut off the end of the chain can be seen."""
        if now - self._told_at < TELL_HEAD.total_seconds():
            return
        self._told_at = now
        head = await self._world.read(lambda view: view.history.head())
        payload = json.dumps({"seq": head.seq, "hash": head.hash}).encode()
        await self._publisher.publish("audit", payload)

    async def _start(self) -> int:
        note = await self._world.read(lambda view: view.notes.get(CURSOR))
        return int(note) if note else 0

    async def _publish(self, page: _Page) -> None:
        exports: dict[IncidentId, list[ExportRequest]] = defaultdict(list)
        for export in page.exports:
            exports[export.incident].append(export)
        async with asyncio.TaskGroup() as group:
            for incident in page.incidents:
                state = retained_state(incident, exports[incident.id])
                payload = json.dumps(state, ensure_ascii=True).encode()
                group.create_task(
                    self._publisher.publish(topic(incident.id), payload),
                    name=f"publish:{incident.id}",
                )


def topic(incident: IncidentId) -> str:
    return f"incidents/{incident}"


def _page(view: View, after: int) -> _Page:
    told = told_after(view, after)
    ids = {each.entry.incident for each in told if each.entry.incident is not None}
    return _Page(
        entries=told,
        incidents=tuple(view.incidents.get(ids)),
        exports=tuple(view.exports.of(ids)),
    )
