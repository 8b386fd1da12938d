"""Faults that were in the product, put back: a seed must tell of each."""

from typing import Any

import pytest

from evidenced.core.alarms import reading
from evidenced.pipeline import turn
from simulation.mutant import Mutant, Patch


def _goes_on_whatever_its_group_is_called(patch: Patch) -> None:
    """A reload that changed group_by let an open alarm be cut for ever."""
    step = turn.turn

    def goes_on(*values: Any, **keys: Any) -> Any:
        return step(*values, **keys | {"may_go_on": True})

    patch.setattr(turn, "turn", goes_on)


def _tells_nobody_of_losses(patch: Patch) -> None:
    patch.setattr("evidenced.store.losses.StoredLosses.derive", lambda *_: None)


def _knows_repeats_by_their_text_alone(patch: Patch) -> None:
    """The same text under another time is another alarm."""
    key = reading._Message._dedup_key

    def timeless(message: Any, moment: Any) -> Any:
        found = key(message, moment)
        return None if found is None else message._rule.name

    patch.setattr(reading._Message, "_dedup_key", timeless)


MUTANTS = {
    "goes on whatever its group is called": Mutant(
        "4: not quiet", _goes_on_whatever_its_group_is_called, "regrouped", first=39
    ),
    "tells nobody of losses": Mutant(
        "0: clip", _tells_nobody_of_losses, "our-fault", first=6
    ),
    "knows repeats by too little": Mutant(
        "0: a repeat", _knows_repeats_by_their_text_alone, "late"
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_in_the_product_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
