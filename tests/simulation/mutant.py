"""A fault put into the product on purpose, which a seed must tell of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice

import pytest

from simulation.drawing import draw
from simulation.invariants import violations
from simulation.plan import Plan
from simulation.run import simulate

TRIES = 40
"""Seeds that are tried; most mutants are found by the first."""
Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Mutant:
    """`told` begins the violation that has to be found.

    Only plans with faults of the `family` can find it, if one is given, and none whose
    faults allow what `spoils` the check.
    """

    told: str
    breaks: Callable[[Patch], None]
    family: str = ""
    spoils: str = ""
    fits: Callable[[Plan], bool] = lambda _: True
    first: int = 0
    """The seed to begin with: one that was seen to find it."""

    def is_found(self, patch: Patch) -> bool:
        """Whether a seed tells of it."""
        self.breaks(patch)
        return any(
            told.startswith(self.told)
            for plan in islice(self._plans(), TRIES)
            for told in _violations(plan)
        )

    def _plans(self) -> Iterator[Plan]:
        """Seeds that can find it."""
        wants_calm = self.told == "calm:"
        for seed in count(self.first):
            plan = draw(seed)
            if (
                self.family in ("", *plan.families)
                and self.spoils not in plan.allows
                and plan.is_calm == wants_calm
                and self.fits(plan)
            ):
                yield plan


def _violations(plan: Plan) -> list[str]:
    """What a mutant brings down is a find too, but not the one looked for."""
    try:
        return violations(simulate(plan))
    except Exception:  # noqa: BLE001 - a mutant may break the checks themselves
        return []
