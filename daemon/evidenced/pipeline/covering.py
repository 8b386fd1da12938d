"""What a recorder has recorded of clips that are exported, asked while it is idle.

One clip after another, a question now and then, and none while an export runs there or
is due. Answers are kept in memory until a clip is through: a restart asks anew.
"""

import asyncio
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import RecorderError
from evidenced.core.exports import covering
from evidenced.core.exports.covering import Questions
from evidenced.core.exports.line import Service
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Clip
from evidenced.core.instants import SECOND
from evidenced.pipeline import names
from evidenced.pipeline.agenda import REST, Agenda
from evidenced.pipeline.idle import is_idle
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World
from evidenced.ports import Tx, View

PAUSE = SECOND
"""Between two questions, so that a recorder with slow disks does other things, too."""
NOT_TOLD = "the recorder does not tell what it has recorded"
NEVER_IDLE = "the recorder was never idle enough to be asked"
TRIES = 3
"""After so many failures of one clip it stays unknown."""
Asked = tuple[IncidentId, Clip, ExportRequest, ExportedDevice]


class Covering:
    """The loop of one recorder that asks what it has."""

    def __init__(
        self, world: World, link: Link, agenda: Agenda, log: FilteringBoundLogger
    ) -> None:
        self._world = world
        self._link = link
        self._agenda = agenda
        self._log = log.bind(recorder=link.settings.name)
        self.name = names.cover(link.settings.name)
        self._failures: dict[tuple[IncidentId, int], int] = {}

    async def run(self) -> None:
        """Forever: a clip at a time, while there is nothing better to do."""
        while True:
            is_more = await self.once()
            pause = PAUSE if is_more else REST
            await self._agenda.wait(self.name, at_most=pause)

    async def once(self) -> bool:
        """One clip; whether there may be more."""
        asked = await self._world.read(self._next)
        if asked is None or self._world.is_stopping:
            return False
        name, clip, export, device = asked
        late = clip.window.end + self._link.settings.retry.give_up
        if self._world.now().sure >= late and not await is_idle(
            self._world, self._link
        ):
            await self._conclude(name, clip, covering.unknown(NEVER_IDLE))
            return True
        try:
            found = await self._ask(device, export.offset)
        except RecorderError as error:
            self._link.failed(Service.FOLLOW, error)
            tries = self._failures.get((name, clip.n), 0) + 1
            self._failures[name, clip.n] = tries
            if tries < TRIES:
                return False
            found = covering.unknown(str(error))
        if found is None:
            return False
        self._failures.pop((name, clip.n), None)
        await self._conclude(name, clip, found)
        return True

    def _next(self, view: View) -> Asked | None:
        found = view.queue.uncovered(self._link.settings.name)
        if found is None:
            return None
        incident, clip = found
        for export in reversed(view.exports.of([incident.id])):
            for device in export.devices:
                if device.clip == clip.n and not device.has_failed:
                    return incident.id, clip, export, device
        return None

    async def _ask(self, device: ExportedDevice, offset: timedelta) -> Coverage | None:
        """What it came to; None where the recorder is wanted for something better."""
        questions = Questions(device.asked.window)
        while (span := questions.next()) is not None:
            if questions.asked:
                await asyncio.sleep(PAUSE.total_seconds())
            if not await is_idle(self._world, self._link):
                return None
            images = await self._link.port.recorded(device.asked.address, span)
            if images is None:
                return covering.unknown(NOT_TOLD)
            questions.answer(span, images)
        return covering.covered(questions, offset)

    async def _conclude(self, name: IncidentId, clip: Clip, coverage: Coverage) -> None:
        now = self._world.now().at

        def step(tx: Tx) -> list[Change]:
            dossier = tx.dossier(name)
            if dossier is None or clip not in dossier.incident.clips:
                return []
            alarms = (alarm.at for alarm in dossier.alarms)
            change = covering.conclude(dossier.incident, clip, coverage, alarms)
            tx.ledger.save([change], now)
            return [change]

        for change in await self._world.write(step):
            if coverage.state is CoverageState.GAPS:
                self._log.warning(
                    "the recorder has gaps in the footage of a clip",
                    incident=name,
                    **change.detail,
                )
            else:
                self._log.info("clip compared", incident=name, **change.detail)
            self._agenda.hint(names.OUTBOX)
            self._agenda.hint(names.EVIDENCE)
