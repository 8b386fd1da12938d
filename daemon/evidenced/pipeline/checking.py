"""Whether there is footage: each export that a recorder calls done is looked at here.

An export that is `checking` is a row that waits for its share: no look is skipped, and
none counts while the share cannot be looked at. See `core.exports.checking`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports import checking
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.retry import Patience, RetryPolicy
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.states import ExportState
from evidenced.core.trust import Now
from evidenced.metrics import Metrics
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.answers import tell_lost
from evidenced.pipeline.counted import count_exports
from evidenced.pipeline.shares import Shares, why_of
from evidenced.pipeline.world import World
from evidenced.ports import Tx

BATCH = 32
"""Exports that are looked at before what was seen is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one look came to: footage or none, or why it could not be made."""

    export: ExportRequest
    sighting: Sighting | None = None
    is_seen_from_here: bool = True
    why: str = ""


class Checking:
    """The loop that looks into the folders of what was exported."""

    def __init__(
        self,
        world: World,
        shares: Shares,
        agenda: Agenda,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._shares = shares
        self._agenda = agenda
        self._metrics = metrics
        self._log = log

    async def run(self) -> None:
        """Forever: what is due, oldest first."""
        while True:
            while await self.once():
                pass
            upcoming = await self._world.read(lambda view: view.exports.next_check())
            await self._agenda.wait(names.CHECK, upcoming)

    async def once(self) -> bool:
        """One batch of looks; whether there may be more."""
        now = self._world.now()
        due = await self._world.read(lambda view: view.exports.to_check(now.at, BATCH))
        if not due or self._world.is_stopping:
            return False
        looked = [await self._look(export) for export in due]
        changes = await self._world.write(
            partial(self._step, looked=looked, now=self._world.now())
        )
        self._tell(changes)
        return len(due) == BATCH

    async def _look(self, export: ExportRequest) -> Looked:
        self._shares.waiting.pop(export.id, None)
        if not self._shares.covers(export):
            return Looked(export=export, is_seen_from_here=False)
        try:
            sighting = await self._shares.sighting(export)
        except OSError as error:  # TimeoutError is one
            why = why_of(error)
            told = f"footage waits to be looked at: {why}"
            self._shares.waiting[export.id] = export.destination, told
            if not export.failures:
                self._agenda.hint(names.SHARES)  # does it see what is wrong, too?
            log = self._log.debug if export.failures else self._log.warning
            log(
                "an export waits for its share to be looked at",
                incident=export.incident,
                path=export.path,
                why=why,
            )
            return Looked(export=export, why=why)
        return Looked(export=export, sighting=sighting)

    def _step(self, tx: Tx, looked: Sequence[Looked], now: Now) -> list[Change]:
        """Take each a step further, unless it went on meanwhile."""
        ids = {each.export.incident for each in looked}
        current = {each.id: each for each in tx.incidents.get(ids)}
        still = {each.id for each in tx.exports.of(ids) if each.check_at is not None}
        changes, waiting = [], []
        for each in looked:
            export = each.export
            if export.id not in still:
                continue
            if each.why:
                jitter = self._world.dice.jitter()
                waiting.append(checking.put_off(export, now.at, jitter))
                continue
            is_there = each.sighting is not None or not each.is_seen_from_here
            if not is_there and not checking.is_denied(export):
                stable = self._world.site.care.stable
                waiting.append(checking.look_again(export, now.at, stable))
                continue
            incident, patience = (
                current[export.incident],
                self._patience(export.recorder, now),
            )
            change = (
                checking.confirm(incident, export, each.sighting, patience)
                if is_there
                else checking.deny(incident, export, patience)
            )
            current[export.incident] = change.after
            changes.append(change)
        tx.exports.save(waiting)
        tx.ledger.save(changes, now.at)
        return changes

    def _patience(self, recorder: RecorderName, now: Now) -> Patience:
        """By its recorder's policy, or the usual one where it was taken away."""
        settings = self._world.site.recorders.get(recorder)
        policy = settings.retry if settings else RetryPolicy()
        return Patience(policy=policy, now=now, jitter=self._world.dice.jitter())

    def _tell(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        for change in changes:
            [export] = change.exports
            count_exports(self._metrics, change.exports)
            told = {"incident": change.after.id, **change.detail}
            self._log.info(f"export {change.event}", state=change.after.state, **told)
            if export.state is ExportState.EMPTY:
                self._log.warning(
                    "no footage lies where the recorder says that it exported", **told
                )
            elif "too_small" in change.detail:
                self._log.warning(
                    "an export is far too small to be all of its footage", **told
                )
            tell_lost(self._log, change)
            self._agenda.hint(names.dispatch(export.recorder))
            self._agenda.hint(names.cover(export.recorder))
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(names.EVIDENCE)
