"""The check of the queue's order can fail: mutants as in test_checks.py."""

from datetime import timedelta
from typing import Any

import pytest

from evidenced.store import queue
from evidenced.store.schema import clips
from simulation.mutant import Mutant, Patch
from simulation.plan import Plan


def _ignores_ageing(patch: Patch) -> None:
    """Priority alone counts, however long something waits."""
    _weighs_a_point(patch, timedelta(days=1))


def _ignores_priority(patch: Patch) -> None:
    _weighs_a_point(patch, timedelta(0))


def _weighs_a_point(patch: Patch, weight: timedelta) -> None:
    patch.setattr("evidenced.core.incidents.clipping.RANK_PER_POINT", weight)
    patch.setattr("evidenced.core.incidents.incident.RANK_PER_POINT", weight)


def _takes_the_latest_first(patch: Patch) -> None:
    order: Any = queue._QUEUE.order_by(None)
    patch.setattr(queue, "_QUEUE", order.order_by(clips.c.rank.desc()))


def _is_near(plan: Plan) -> bool:
    return plan.shape.is_near


MUTANTS = {
    "ignores ageing": Mutant("queue:", _ignores_ageing, fits=_is_near, first=23),
    "ignores priority": Mutant("queue:", _ignores_priority),
    "takes the latest first": Mutant("queue:", _takes_the_latest_first),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_the_queue_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
