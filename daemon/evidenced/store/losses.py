"""Losses: one row an incident or rule; those that nobody has acknowledged by index."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, or_, select

from evidenced.core.ids import IncidentId
from evidenced.core.instants import to_ms
from evidenced.core.keeping.loss import (
    OF_INCIDENTS,
    OF_RULES,
    Loss,
    LossKind,
    is_more,
    losses_after,
    unplaced,
)
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import Step, StorePart
from evidenced.store.schema import incidents, losses

_L = losses.c
_IS_OPEN = _L.acknowledged_at.is_(None)
_OF_KIND = select(losses).where(_IS_OPEN, _L.kind == bindparam("kind"))
_OLDEST = _OF_KIND.order_by(_L.since, _L.name).limit(bindparam("most"))
_COUNT = select(_L.kind, func.count().label("losses")).where(_IS_OPEN)
_COUNT = _COUNT.group_by(_L.kind)
_KNOWN = select(func.count()).where(
    _L.acknowledged_at >= bindparam("since"), _L.kind != LossKind.UNTAGGED.value
)
_ONE = select(losses).where(_L.kind == bindparam("kind"), _L.name == bindparam("name"))
_SAVE = upsert(losses, "kind", "name")
_DROP = delete(losses).where(
    _L.kind == bindparam("of_kind"), _L.name == bindparam("of")
)
_PRUNE = delete(losses).where(
    _L.acknowledged_at < bindparam("before"),
    _L.kind != LossKind.ALTERED.value,  # its footage would be found altered anew
    or_(
        _L.kind.in_([kind.value for kind in OF_RULES.values()]),
        ~select(incidents.c.id).where(incidents.c.id == _L.name).exists(),
    ),
)
_OPEN_OF = select(losses).where(
    _IS_OPEN,
    _L.kind.in_([kind.value for kind in OF_INCIDENTS]),
    _L.name.in_(bindparam("ids", expanding=True)),
)
_LOSS = Codec(
    Loss,
    acknowledged=("acknowledged_at", "acknowledged_by", "comment"),
)


class StoredLosses(StorePart):
    """Open until somebody acknowledges them."""

    def open(self, limit: int) -> list[Loss]:
        """Those that nobody has acknowledged, of each kind so many, the oldest."""
        return [
            loss
            for kind in LossKind
            for loss in self._values(_LOSS, _OLDEST, kind=kind.value, most=limit)
        ]

    def open_of(self, kind: LossKind) -> list[Loss]:
        """Those of one kind; of rules there are as many as rules."""
        return self._values(_LOSS, _OF_KIND, kind=kind.value)

    def count_open(self) -> dict[LossKind, int]:
        """How many there are of each kind."""
        found = {row["kind"]: row["losses"] for row in self._rows(_COUNT)}
        return {kind: found.get(kind.value, 0) for kind in LossKind}

    def count_known(self, since: datetime) -> int:
        """What was lost and somebody has acknowledged since then."""
        return self._db.scalar(_KNOWN, {"since": to_ms(since)}) or 0

    def get(self, kind: LossKind, name: str) -> Loss | None:
        found = self._rows(_ONE, kind=kind.value, name=name)
        return _LOSS.value(found[0]) if found else None

    def of(self, incident: IncidentId) -> list[Loss]:
        """What is lost of one incident; first what nobody has acknowledged."""
        found = [each for kind in OF_INCIDENTS if (each := self.get(kind, incident))]
        return sorted(found, key=lambda each: not each.is_open)  # stable

    def save(self, losses: Iterable[Loss]) -> None:
        self._many(_SAVE, [_LOSS.row(loss) for loss in losses])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """What these steps lost, or brought after all."""
        for before, after in steps:
            found = losses_after(before, after, at)
            if isinstance(found, Loss):
                self.save([self._as_known(found, is_new=is_more(before, after))])
            elif found is not None:
                self.settle(LossKind.INCIDENT, found, None)

    def _as_known(self, found: Loss, *, is_new: bool) -> Loss:
        """What was known already is told in other words, and by nothing else."""
        known = None if is_new else self.get(found.kind, found.name)
        return found if known is None else replace(known, text=found.text)

    def note_unplaced(
        self, incident: IncidentId, names: Iterable[str], at: datetime
    ) -> None:
        """An alarm of it names cameras that nobody configured."""
        known = self.get(LossKind.UNPLACED, incident)
        found = unplaced(known, incident, names, at)
        self.settle(LossKind.UNPLACED, incident, found)

    def settle(self, kind: LossKind, incident: IncidentId, found: Loss | None) -> None:
        """What is lost of this kind now; the same as before stays known."""
        known = self.get(kind, incident)
        if found is None and known is not None:
            self._db.execute(_DROP, {"of_kind": kind.value, "of": incident})
        elif found is not None and (known is None or known.text != found.text):
            self.save([found])

    def open_among(self, incidents: Collection[IncidentId]) -> list[Loss]:
        """What is lost of these incidents and nobody has acknowledged."""
        return [_LOSS.value(row) for row in self._by_ids(_OPEN_OF, incidents)]

    def prune(self, before: datetime) -> None:
        """What somebody acknowledged before, of incidents that are not here any more.

        And of messages that nobody could read. What nobody acknowledged stays.
        """
        self._db.execute(_PRUNE, {"before": to_ms(before)})
