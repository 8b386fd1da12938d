"""Cameras are watched before they are needed: `recorders.NAME.watch`.

One question now and then while the recorder has nothing better to do. What came of it
is a row each, so a restart asks nobody again and knows which cameras do not record.
"""

import asyncio
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from evidenced.core.camera import Camera
from evidenced.core.errors import RecorderError
from evidenced.core.exports import watching
from evidenced.core.exports.line import Service
from evidenced.core.exports.watching import CameraWatch, LookBack
from evidenced.core.ids import CameraName
from evidenced.core.instants import SECOND, ZERO
from evidenced.core.phrase import phrase
from evidenced.core.spoken import day_and_clock
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import TroubleKey
from evidenced.core.window import Window
from evidenced.pipeline import names
from evidenced.pipeline.agenda import LOOK_AGAIN, REST, Agenda
from evidenced.pipeline.idle import is_idle
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World

PAUSE: Final = SECOND
"""Between two questions about one camera."""


class Watching:
    """The loop of one recorder that asks whether its cameras record."""

    def __init__(
        self, world: World, link: Link, agenda: Agenda, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._link = link
        self._agenda = agenda
        self._log = log.bind(recorder=link.settings.name)
        self.name = names.watch(link.settings.name)
        self._known: dict[CameraName, CameraWatch] = {}
        """The rows; nobody else writes them."""

    async def run(self) -> None:
        """Forever: one camera after another."""
        await self.recall()
        while True:
            at = await self.once()
            rest = max(LOOK_AGAIN, self._link.wait(Service.FOLLOW))
            await self._agenda.wait(self.name, at, REST if at else rest)

    async def recall(self) -> None:
        """What was known before a restart."""
        own = list(self._cameras())
        found = await self._world.read(lambda view: view.watches.of(own))
        self._known = {each.camera: each for each in found}

    async def once(self) -> datetime | None:
        """Ask the camera whose turn it is; when the next one's is, if it is known."""
        if self._link.wait(Service.FOLLOW):
            return None
        cameras, now = self._cameras(), self._world.now()
        every = self._link.settings.watch
        turn = watching.turn_of(list(cameras), self._known, every, now.at)
        if turn is None or not now.is_trusted or self._world.is_stopping:
            return None
        name, at = turn
        if at > now.at:
            return at
        if not await is_idle(self._world, self._link):
            return None
        found = await self._ask(cameras[name])
        if found is None:
            return None
        await self._keep(found)
        turn = watching.turn_of(list(cameras), self._known, every, now.at)
        return turn and max(turn[1], now.at + SECOND)

    def troubles(self) -> dict[TroubleKey, str]:
        """The cameras that do not record, by their names."""
        found: dict[TroubleKey, str] = {}
        silent = [each for each in self._known.values() if each.silent_since]
        cameras = self._cameras() if silent and self._link.settings.watch else {}
        for watch in silent:
            name, camera = watch.camera, cameras.get(watch.camera)
            if camera is not None and watch.silent_since is not None:
                since = day_and_clock(watch.silent_since, self._world.site.zone)
                never = "" if watch.recorded_at else " or longer"
                found[NoticeKind.CAMERA, name] = phrase(
                    "recorder {recorder} has nothing of {label} since {since}{never}",
                    recorder=camera.recorder,
                    label=camera.label,
                    since=since,
                    never=never,
                )
        return found

    def _cameras(self) -> dict[CameraName, Camera]:
        used = self._world.site.used_cameras.get(self._link.settings.name, ())
        return {each.name: each for each in used}

    async def _ask(self, camera: Camera) -> CameraWatch | None:
        """What came of it; None where the recorder is wanted for something better.

        A failure says nothing of the camera, and nothing of the line either: who has
        to do with exports finds out by himself.
        """
        settings, now = self._link.settings, self._world.now().at
        before = self._known.get(camera.name)
        span = watching.lately(now, settings.watch, settings.settle)
        try:
            has_video = await self._has_video(camera, span)
            if has_video:
                return watching.records(camera.name, now, span)
            if has_video is None or (before and before.silent_since):
                return watching.unchanged(before, camera.name, now)
            search = LookBack(span)
            while (asked := search.next()) is not None:
                await asyncio.sleep(PAUSE.total_seconds())
                if not await is_idle(self._world, self._link):
                    return None
                has_video = await self._has_video(camera, asked)
                search.answer(asked, has_video=bool(has_video))
        except RecorderError as error:
            self._log.debug("camera could not be asked for", why=str(error))
            return watching.unchanged(before, camera.name, now)
        return watching.fell_silent(camera.name, now, search)

    async def _has_video(self, camera: Camera, span: Window) -> bool | None:
        """Asked by the recorder's own clock."""
        info = self._link.info
        offset = info.offset.applied if info and info.offset else ZERO
        return await self._link.port.has_video(camera.address, span.shifted(offset))

    async def _keep(self, found: CameraWatch) -> None:
        before = self._known.get(found.camera)
        await self._world.write(lambda tx: tx.watches.save([found]))
        self._known[found.camera] = found
        was = before.silent_since if before else None
        if found.silent_since and not was:
            self._log.warning("a camera does not record", camera=found.camera)
        elif was and not found.silent_since:
            self._log.info("a camera records again", camera=found.camera)
        if was != found.silent_since:
            self._agenda.hint(names.TROUBLES)
