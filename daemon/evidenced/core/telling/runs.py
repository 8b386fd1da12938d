"""Runs: a recorder that says the same for hours is told in a line, not in hundreds."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from evidenced.core.incidents.history import Event

T = TypeVar("T")
TRIES = frozenset({Event.REQUESTED, Event.REFUSED})
"""What repeats while a recorder refuses."""
FOLDED = 6
"""Tries in a row that are shown one by one; of a longer run the first and the last."""


def fold(told: Sequence[T], is_try: Callable[[T], bool]) -> list[list[T]]:
    """In runs: the middle of many tries in a row is one, all else stands alone."""
    runs: list[list[T]] = []
    for are_tries, found in groupby(told, key=is_try):
        run = list(found)
        if are_tries and len(run) > FOLDED:
            runs += [[run[0]], run[1:-1], [run[-1]]]
        else:
            runs += [[each] for each in run]
    return runs
