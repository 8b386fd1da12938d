"""Stills are fetched from a recorder as soon as it has them, out of exports' way.

Pictures of one camera after another: one question about when images were recorded, and
one for each picture. No request goes while an export is asked for, and none soon after
another; what it failed for says nothing of the line, so no export waits for a picture.
"""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Final

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import RecorderError
from evidenced.core.exports.line import Service
from evidenced.core.ids import CameraName, RecorderName
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.instants import HOUR, SECOND, ZERO
from evidenced.core.keeping import still as picturing
from evidenced.core.keeping.evidence import RecordState, want_again
from evidenced.core.keeping.still import (
    MOST_KEPT,
    NO_ROOM,
    NOT_TOLD,
    NOTHING,
    Still,
    StillState,
)
from evidenced.core.window import Window
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST, Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import BATCH as AT_ONCE
from evidenced.pipeline.world import World
from evidenced.ports import Tx

BATCH: Final = picturing.MOST
PAUSE: Final = SECOND / 4
"""Between two requests."""
COUNT_EVERY: Final = HOUR
"""How often it is counted what pictures take."""
GIVE_WAY: Final = timedelta(seconds=2)
"""How long a round waits at most while a storm of alarms is being stored."""


def draw_up(tx: Tx) -> set[RecorderName]:
    """Stills that were only noted in a storm become rows, a batch; of whose cameras."""
    wishes = tx.stills.wishes(AT_ONCE)
    known = {each.id: each for each in tx.incidents.get({w.incident for w in wishes})}
    stills = [still for each in wishes for still in each.stills(known[each.incident])]
    tx.stills.want(stills)
    tx.stills.grant(wishes)
    return {still.recorder for still in stills}


class Stills:
    """The loop of one recorder that fetches pictures."""

    def __init__(
        self, world: World, link: Link, agenda: Agenda, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._link = link
        self._agenda = agenda
        self._log = log.bind(recorder=link.settings.name)
        self.name = names.stills(link.settings.name)
        self._counted_at = -math.inf
        self._kept = 0
        """Bytes of all pictures, counted now and then."""

    async def run(self) -> None:
        """Forever: what is due, oldest first."""
        while True:
            before = self._world.now().at
            while await self.once():
                await asyncio.sleep(PAUSE.total_seconds())
                await self._world.storm.over(GIVE_WAY)
            await self._agenda.wait(self.name, *await self._next(before))

    async def _next(self, after: datetime) -> tuple[datetime | None, timedelta]:
        """When there is more to do, and how long to wait at most."""
        name, settle = self._link.settings.name, self._link.settings.settle
        due = await self._world.read(
            lambda view: view.stills.next_due(name, after - settle)
        )
        wait = self._link.wait(Service.FOLLOW) or REST
        return due and due + settle, SECOND if self._link.in_flight else wait

    async def once(self) -> bool:
        """The stills of one camera that are due; whether there may be more."""
        settings, now = self._link.settings, self._world.now()
        has_written = now.at - settings.settle
        due = await self._world.read(
            lambda view: view.stills.due(settings.name, has_written, BATCH)
        )
        if not due or self._world.is_stopping or self._link.in_flight:
            return False
        if await self._link.ready(Service.FOLLOW) is None:
            await self._let_go(due)
            return False
        if await self._is_full():
            for still in due:
                await self._put(still, picturing.give_up(still, NO_ROOM))
            return True
        first = due[0]
        key = first.incident, first.camera
        await self._fetch([s for s in due if (s.incident, s.camera) == key])
        return True

    async def _is_full(self) -> bool:
        """Whether no more pictures are kept; others are pruned meanwhile."""
        now = self._world.clock.monotonic()
        if now - self._counted_at >= COUNT_EVERY.total_seconds():
            self._kept = await self._world.read(lambda view: view.stills.kept_bytes())
            self._counted_at = now
        return self._kept >= MOST_KEPT

    async def _let_go(self, due: Sequence[Still]) -> None:
        """Those that were waited for long enough, while nobody could be asked."""
        now, patience = self._world.now(), self._link.settings.retry.give_up
        for still in due:
            if picturing.is_overdue(still, patience, now):
                why = self._link.problem or "the recorder did not answer"
                await self._put(still, picturing.give_up(still, why))

    async def _fetch(self, stills: Sequence[Still]) -> None:
        info = self._link.info
        offset = info.offset.applied if info and info.offset else ZERO
        camera = self._world.site.roster.cameras.get(stills[0].camera)
        is_there = camera is not None and camera.recorder == stills[0].recorder
        address = camera.address if camera and is_there else stills[0].address
        span = reduce(Window.hull, (each.span for each in stills)).shifted(offset)
        try:
            images = await self._link.port.recorded(address, span)
            for still in stills:
                found = picturing.nearest(still, [at - offset for at in images or ()])
                if images is None or found is None:
                    await self._missed(still, NOT_TOLD if images is None else NOTHING)
                    continue
                await asyncio.sleep(PAUSE.total_seconds())
                data = await self._link.port.picture(address, found + offset)
                if data is None:
                    await self._missed(still, NOTHING)
                else:
                    await self._put(still, picturing.take(still, found, data), data)
        except RecorderError as error:
            for still in stills:
                await self._missed(still, str(error))

    async def _missed(self, still: Still, why: str) -> None:
        await self._put(still, picturing.fail_try(still, why, self._world.now()))

    async def _put(self, before: Still, after: Still, data: bytes = b"") -> None:
        """Commit the step; the last one of a camera is told, and is for the record."""
        now = self._world.now().at

        def step(tx: Tx) -> bool:
            stills = tx.stills.of([before.incident])
            if before not in stills:  # it was fetched already, or pruned
                return False
            if after.state is StillState.KEPT:
                tx.stills.keep(after, data)
            else:
                tx.stills.save([after])
            left = [after if each == before else each for each in stills]
            if any(
                each.state is StillState.WANTED
                for each in left
                if each.camera == after.camera
            ):
                return False
            tx.history.write(_entry(left, after, now))
            _record_again(tx, left, now)
            return True

        self._kept += after.size_bytes
        if await self._world.write(step):
            self._agenda.hint(names.OUTBOX)
            self._agenda.hint(names.EVIDENCE)
        if after.state is StillState.NONE:
            self._log.info(
                "no picture could be had",
                incident=after.incident,
                camera=after.camera,
                why=after.message,
            )


def _waits(stills: Sequence[Still], camera: CameraName) -> bool:
    """Whether one of that camera is still to be had."""
    return any(s.state is StillState.WANTED for s in stills if s.camera == camera)


def _entry(stills: Sequence[Still], last: Still, now: datetime) -> Entry:
    """What the history says once all of a camera have come to an end."""
    of_camera = [each for each in stills if each.camera == last.camera]
    kept = [each for each in of_camera if each.state is StillState.KEPT]
    detail: dict[str, object] = {"camera": last.camera, "pictures": len(kept)}
    if len(kept) < len(of_camera):
        lacking = next(each for each in of_camera if each not in kept)
        detail |= {"lacking": len(of_camera) - len(kept), "text": lacking.message}
    detail["sha256"] = [each.sha256 for each in kept]
    return Entry(incident=last.incident, at=now, event=Event.PICTURED, detail=detail)


def _record_again(tx: Tx, stills: Sequence[Still], now: datetime) -> None:
    """A record that was written before its last picture came is written once more."""
    if any(each.state is StillState.WANTED for each in stills):
        return
    for record in tx.evidence.of([stills[0].incident]):
        if record.state is RecordState.WRITTEN:
            tx.evidence.save(want_again(record, record.incident, now))
