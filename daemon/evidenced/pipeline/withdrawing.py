"""What runs at a recorder and is not wanted: cancelled, or asked for again meanwhile.

It keeps its slot and its bandwidth until the recorder has deleted it, or is done.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from evidenced.core.address import Handle
from evidenced.core.errors import RecorderError
from evidenced.core.exports import exporting
from evidenced.core.exports.following import Followed
from evidenced.core.exports.line import Service
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import HOUR
from evidenced.pipeline.agenda import LOOK_AGAIN
from evidenced.pipeline.link import Link
from evidenced.pipeline.world import World
from evidenced.ports import Tx

DOUBLES_FOR = HOUR
"""How long a recorder may take to show an export that it took."""
DOUBLES_EVERY_S = LOOK_AGAIN.total_seconds()


def withdraw_step(
    tx: Tx, export: ExportRequest, text: str, now: datetime
) -> list[Change]:
    """Commit that an export was deleted at the recorder, unless it ended meanwhile."""
    incident = _incident(tx, export)
    still = [each for each in tx.exports.live(export.recorder) if each.id == export.id]
    changes = [exporting.withdraw(incident, each, text, now) for each in still]
    tx.ledger.save(changes, now)
    return changes


def turned_up_step(
    tx: Tx, export: ExportRequest, text: str, now: datetime
) -> list[Change]:
    """Commit that a double was deleted at the recorder."""
    incident = _incident(tx, export)
    changes = [exporting.turn_up(incident, export, text, now)]
    tx.ledger.save(changes, now)
    return changes


def _incident(tx: Tx, export: ExportRequest) -> Incident:
    [incident] = tx.incidents.get([export.incident])
    return incident


def _still_running(
    lost: Iterable[ExportRequest], followed: Followed
) -> list[ExportRequest]:
    """Those that the recorder shows and is at, by the names it has for them now."""
    return [
        replace(each, handle=verdict.handle)
        for each in lost
        if (verdict := followed.verdicts.get(each.id)) is not None
        and not verdict.is_over
    ]


class Withdrawing:
    """Deletes exports at one recorder; `tell` hears of each step."""

    def __init__(
        self, world: World, link: Link, tell: Callable[[Sequence[Change]], None]
    ) -> None:
        self._world = world
        self._link = link
        self._tell = tell
        self._looked_at: float | None = None
        """When doubles were looked for, in monotonic seconds."""

    async def withdraw(self, export: ExportRequest) -> None:
        """Delete an export whose clips were cancelled; a failure is tried next look."""
        text = await self._deleted(export)
        if text is None:
            return
        now = self._world.now().at
        self._tell(
            await self._world.write(
                partial(withdraw_step, export=export, text=text, now=now)
            )
        )

    async def end_doubles(self) -> None:
        """What was given up for lost may only have been slow to show.

        It was asked for again since, so it would run twice, outside of slots and
        bandwidth: it is looked for as long as a slow recorder may take, now and then.
        """
        now, name = self._world.clock.monotonic(), self._link.settings.name
        if self._looked_at is not None and now - self._looked_at < DOUBLES_EVERY_S:
            return
        since = self._world.now().at - DOUBLES_FOR
        lost = await self._world.read(lambda view: view.exports.vanished(name, since))
        running: list[ExportRequest] = []
        if lost:
            if await self._link.ready(Service.FOLLOW) is None:
                return
            try:
                followed = await self._link.port.follow(lost)
            except RecorderError as error:
                self._link.failed(Service.FOLLOW, error)
                return
            self._link.answered(Service.FOLLOW)
            running = _still_running(lost, followed)
        self._looked_at = now
        self._link.found_doubles(tuple(each.bandwidth for each in running))
        for export in running:
            text = await self._deleted(export)
            if text is not None:
                at = self._world.now().at
                step = partial(turned_up_step, export=export, text=text, now=at)
                self._tell(await self._world.write(step))
                self._looked_at = None  # to see that it is gone, and give its slot back

    async def _deleted(self, export: ExportRequest) -> str | None:
        """What the recorder said to its deletion; None where it is not deleted.

        It may be done, unknown, or go on: the next look at the list will tell, and
        until then it keeps its slot and its bandwidth.
        """
        handle = export.handle
        if handle is None or not await self._is_its_own(handle, export):
            return None
        if self._link.wait(Service.WITHDRAW):
            return None
        try:
            answer = await self._link.port.delete_export(handle)
        except RecorderError as error:
            self._link.failed(Service.WITHDRAW, error)
            return None
        self._link.answered(Service.WITHDRAW)
        if answer.reason is not None:
            return None
        return f"deleted at the recorder, answer {answer.code} {answer.text}".strip()

    async def _is_its_own(self, handle: Handle, export: ExportRequest) -> bool:
        """Whether no other export of ours is known by it, or may be in a moment.

        A recorder that counts anew in each session shows one of an earlier session by a
        number that another one has by now, or gets as its answer comes.
        """
        if self._link.in_flight:
            return False
        name = self._link.settings.name
        live = await self._world.read(lambda view: view.exports.live(name))
        return all(each.handle != handle for each in live if each.id != export.id)
