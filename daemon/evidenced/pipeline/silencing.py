"""Silences as people make and end them, and as time ends them.

Each beginning and end is in the history, and so in the audit chain.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents import silence as silent
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.silence import (
    MOST_IN_FORCE,
    Silence,
    SilenceOrder,
    Subject,
)
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase
from evidenced.core.telling.asking import name_meant
from evidenced.core.trust import Now
from evidenced.core.wording import suggest
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import BATCH, World
from evidenced.ports import Tx

BY_TIME = "time"
"""Who ended a silence that ran until its end."""


def run_out_step(tx: Tx, now: Now) -> list[Silence]:
    """Write into the history which silences have ended by themselves, for sure."""
    found = tx.silences.run_out(now.sure, BATCH)
    over = [silent.run_out(each) for each in found]
    tx.silences.save(over)
    for each in over:
        tx.history.write(_entry(each, Event.SILENCE_ENDED, BY_TIME, now.at))
    return over


class Silencing:
    """`ports.SilencePort`."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world = world
        self._agenda = agenda

    async def begin(self, order: SilenceOrder, who: str) -> Silence:
        """See ports.SilencePort."""
        order = self._known(order)
        now = self._world.now().at
        name = SilenceId(self._world.dice.token())
        made = silent.begin(order, name, who, now)

        def step(tx: Tx) -> None:
            if len(tx.silences.ending_after(now)) >= MOST_IN_FORCE:
                raise Refused(
                    f"{MOST_IN_FORCE} silences are in force; end one of them first"
                )
            tx.silences.save([made])
            tx.history.write(_entry(made, Event.SILENCE_BEGUN, who, now))

        await self._world.store.write(step)
        self._agenda.sooner(names.TURN, made.ends_at)
        self._agenda.hint(names.OUTBOX)
        return made

    async def end(self, name: SilenceId, who: str) -> Silence:
        """See ports.SilencePort."""
        now = self._world.now()

        def step(tx: Tx) -> Silence:
            found = tx.silences.get(name)
            if found is None:
                raise NotFound(f"there is no silence {name!r}")
            over = silent.end(found, who, now.sure)
            tx.silences.save([over])
            tx.history.write(_entry(over, Event.SILENCE_ENDED, who, now.at))
            tx.refused.hear(now.sure)
            return over

        over = await self._world.store.write(step)
        self._agenda.hint(names.OUTBOX)
        self._agenda.hint(names.TURN)
        return over

    def _known(self, order: SilenceOrder) -> SilenceOrder:
        """The same by its name: what people read is its label.

        A name that is misspelt would silence nothing.
        """
        site = self._world.site
        known: Mapping[Subject, Mapping[str, str]] = {
            Subject.RULE: {r.name: r.terms.label or r.name for r in site.rules},
            Subject.CAMERA: {n: c.label for n, c in site.roster.cameras.items()},
        }
        labels = known.get(order.subject)
        if labels is None:
            return order
        name = name_meant(order.name, labels)
        if name in labels:
            return replace(order, name=name)
        for other, those in known.items():
            if name_meant(order.name, those) in those:
                raise NotFound(
                    phrase(
                        "there is no {subject} {name}, that is a {other}: choose that",
                        subject=order.subject,
                        name=repr(name),
                        other=other,
                    )
                )
        hint = suggest(name, labels, what=f"{order.subject}s")
        raise NotFound(
            phrase(
                "there is no {subject} {name}; {hint}",
                subject=order.subject,
                name=repr(name),
                hint=hint,
            )
        )


def _entry(silence: Silence, event: Event, who: str, now: datetime) -> Entry:
    detail: dict[str, object] = {
        "silence": silence.id,
        str(silence.subject): silence.name,
        "until": render_utc(silence.until),
        "by": who,
        "author": silence.author,
        "comment": silence.comment,
    }
    if silence.is_planned(now):
        detail["from"] = render_utc(silence.starts_at)
    if silence.held_back:
        detail["held_back"] = silence.held_back
    return Entry(incident=None, at=now, event=event, detail=detail)
