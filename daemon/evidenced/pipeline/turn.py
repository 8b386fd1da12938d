"""The passing of time: windows end, long alarms are cut, late footage is told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from evidenced.core.ids import RecorderName, RuleName
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.happening import Settles
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.lifecycle import turn
from evidenced.core.instants import EPOCH, render_utc
from evidenced.core.site import Clearing
from evidenced.core.trust import Now
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.hinting import hint_cameras
from evidenced.pipeline.lasting import lasting_step
from evidenced.pipeline.progress import Pulse
from evidenced.pipeline.silencing import run_out_step
from evidenced.pipeline.stranding import strand_all
from evidenced.pipeline.taking import Taken
from evidenced.pipeline.withheld import resume_step
from evidenced.pipeline.world import BATCH, World
from evidenced.ports import Tx


def turn_step(
    tx: Tx,
    now: Now,
    settles: Settles,
    new_id: NewId,
    clearing: Mapping[RuleName, Clearing],
) -> list[Change]:
    """Move on every incident whose next moment has come, up to a batch.

    `clearing` are the rules that can clear one: a reload may have taken others away.
    One that groups in another way than when the incident began may never find it.
    """
    changes: list[Change] = []
    for incident in tx.queue.turning(now.at, now.sure, BATCH):
        rule = clearing.get(incident.rule)
        changes += turn(
            incident,
            now,
            settles,
            new_id,
            may_go_on=rule is not None and rule.grouping == incident.terms.grouping,
            clear_within=rule and rule.within,
        )
    tx.ledger.save(changes, now.at)
    return changes


def late_step(tx: Tx, now: Now) -> list[Change]:
    """Mark incidents whose footage is later than `alert_after`, each once."""
    changes = [
        Change(
            before=incident,
            after=replace(incident, is_late_told=True),
            event=Event.LATE,
            detail={"end": render_utc(incident.span.end)},
        )
        for incident in tx.queue.late(now.sure, BATCH)
    ]
    tx.ledger.save(changes, now.at)
    return changes


class Turn:
    """The loop that compares the store's instants with the clock."""

    def __init__(self, world: World, agenda: Agenda, log: FilteringBoundLogger) -> None:
        self._world = world
        self._agenda = agenda
        self._log = log
        self._looked_at = EPOCH
        self.progress = Pulse(world.clock)

    async def run(self) -> None:
        """Forever; wakes at the next instant that the store knows."""
        while True:
            while await self.once():
                pass
            upcoming = await self._world.read(
                lambda view: (
                    view.queue.next_turn(self._looked_at),
                    view.memories.next_due(),
                )
            )
            known = [at for at in upcoming if at is not None]
            await self._agenda.wait(names.TURN, min(known, default=None))

    async def once(self) -> bool:
        """One batch; whether there may be more."""
        now = self._world.now()
        self._looked_at = now.at
        site, new_id = self._world.site, self._world.new_id
        changes, late, over, resumed, lasted = await self._world.write(
            lambda tx: (
                turn_step(tx, now, site.settles, new_id, site.clearing),
                late_step(tx, now),
                run_out_step(tx, now),
                resume_step(tx, site, now, new_id),
                lasting_step(tx, now, site, new_id),
            )
        )
        stranded = await strand_all(self._world, self._log)
        self.progress.made()
        for change in late:
            self._log.warning("footage is late", incident=change.after.id)
        for silence in over:
            self._log.info("silence has ended", silence=silence.id, about=silence.name)
        self._tell_resumed(resumed)
        opened = {name for each in (*resumed, *lasted) for name in each.recorders}
        hint_cameras(self._world, self._agenda, opened)
        for taken in lasted:
            self._log.info("an alarm has lasted", incident=taken.incident)
        if changes or late or over or stranded or resumed or lasted:
            self._agenda.hint(names.OUTBOX)
        for recorder in sorted(_recorders(changes)):
            self._agenda.hint(names.dispatch(recorder))
        done = [len(changes), len(late), len(over), len(resumed), len(lasted)]
        return max(stranded, *done) >= BATCH

    def _tell_resumed(self, resumed: Sequence[Taken]) -> None:
        for each in resumed:
            text = "an alarm is still on as its silence ends"
            self._log.info(text, incident=each.incident, rule=each.rule)


def _recorders(changes: list[Change]) -> set[RecorderName]:
    return {clip.recorder for change in changes for clip in change.after.clips}
