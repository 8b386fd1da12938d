"""Losses: one row an incident or rule; those that nobody has acknowledged by index."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, func, literal_column, select

from evidenced.core.ids import IncidentId
from evidenced.core.instants import to_ms
from evidenced.core.keeping.loss import Loss, LossKind, losses_after
from evidenced.store.codec import Codec
from evidenced.store.dialect import upsert
from evidenced.store.part import Step, StorePart
from evidenced.store.schema import losses

_L = losses.c
_IS_OPEN = _L.acknowledged_at.is_(None)
_OPEN = (
    select(losses)
    .where(_IS_OPEN)
    .order_by(_L.since, _L.kind, _L.name)
    .limit(bindparam("most"))
)
_OF_KIND = select(losses).where(_IS_OPEN, _L.kind == bindparam("kind"))
_COUNT = select(_L.kind, func.count().label("losses")).where(_IS_OPEN)
_COUNT = _COUNT.group_by(_L.kind)
_ONE = select(losses).where(_L.kind == bindparam("kind"), _L.name == bindparam("name"))
_SAVE = upsert(losses, "kind", "name")
_DROP = delete(losses).where(
    _L.kind == literal_column(f"'{LossKind.INCIDENT}'"), _L.name == bindparam("of")
)
_DROP_ALTERED = delete(losses).where(
    _L.kind == literal_column(f"'{LossKind.ALTERED}'"), _L.name == bindparam("of")
)
_PRUNE = delete(losses).where(
    _L.kind == literal_column(f"'{LossKind.UNREADABLE}'"),
    _L.acknowledged_at < bindparam("before"),
)
_LOSS = Codec(
    Loss,
    acknowledged=("acknowledged_at", "acknowledged_by", "comment"),
)


class StoredLosses(StorePart):
    """Open until somebody acknowledges them."""

    def open(self, limit: int) -> list[Loss]:
        """Those that nobody has acknowledged, the oldest first."""
        return self._values(_LOSS, _OPEN, most=limit)

    def open_of(self, kind: LossKind) -> list[Loss]:
        """Those of one kind; of rules there are as many as rules."""
        return self._values(_LOSS, _OF_KIND, kind=kind.value)

    def count_open(self) -> dict[LossKind, int]:
        """How many there are of each kind."""
        found = {row["kind"]: row["losses"] for row in self._rows(_COUNT)}
        return {kind: found.get(kind.value, 0) for kind in LossKind}

    def get(self, kind: LossKind, name: str) -> Loss | None:
        found = self._rows(_ONE, kind=kind.value, name=name)
        return _LOSS.value(found[0]) if found else None

    def of(self, incident: IncidentId) -> Loss | None:
        """What is lost of one incident; of two the one that nobody has acknowledged."""
        kinds = (LossKind.INCIDENT, LossKind.ALTERED)
        found = [each for kind in kinds if (each := self.get(kind, incident))]
        return next((each for each in found if each.is_open), next(iter(found), None))

    def save(self, losses: Iterable[Loss]) -> None:
        self._many(_SAVE, [_LOSS.row(loss) for loss in losses])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """What these steps lost, or brought after all."""
        found = [losses_after(before, after, at) for before, after in steps]
        self.forget(each for each in found if isinstance(each, str))
        self.save(each for each in found if isinstance(each, Loss))

    def settle_altered(self, incident: IncidentId, found: Loss | None) -> None:
        """What its footage has lost on shares now; the same as before stays known."""
        known = self.get(LossKind.ALTERED, incident)
        if found is None:
            self._db.execute(_DROP_ALTERED, {"of": incident})
        elif known is None or known.text != found.text:
            self.save([found])

    def prune(self, before: datetime) -> None:
        """Of messages that nobody could read, what somebody has taken note of."""
        self._db.execute(_PRUNE, {"before": to_ms(before)})

    def forget(self, incidents: Iterable[IncidentId]) -> None:
        """They lack nothing any more, or are gone."""
        self._many(_DROP, [{"of": each} for each in incidents])
