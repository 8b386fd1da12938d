"""Faults that were in the product, put back: a seed must tell of each."""

from typing import Any

import pytest

from evidenced.core.alarms import message
from simulation.mutant import Mutant, Patch
from simulation.plan import ONE_FOLDER
from unit.test_put_back import PUT_BACK


def _tells_nobody_of_losses(patch: Patch) -> None:
    patch.setattr("evidenced.store.losses.StoredLosses.derive", lambda *_: None)


def _knows_repeats_by_their_text_alone(patch: Patch) -> None:
    """The same text under another time is another alarm."""
    key = message.ReadMessage._dedup_key

    def timeless(message: Any, moment: Any, ordered: Any) -> Any:
        found = key(message, moment, ordered)
        return None if found is None else message._rule.name

    patch.setattr(message.ReadMessage, "_dedup_key", timeless)


MUTANTS = {
    "takes paths of its own recorder only": Mutant(
        "7: 2 exports",
        PUT_BACK["takes paths of its own recorder only"].breaks,
        ONE_FOLDER,
        first=114,
    ),
    "tells nobody of losses": Mutant(
        "0: clip", _tells_nobody_of_losses, "our-fault", first=6
    ),
    "knows repeats by too little": Mutant(
        "0: a repeat", _knows_repeats_by_their_text_alone, "late", first=2
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_in_the_product_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
