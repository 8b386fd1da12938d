"""State machines as tables: what is so in each state, and where it can go from there.

A step that the table lacks raises and changes nothing. What a state means to others
(has it ended, is the footage lost, may an operator retry it, in which colour is it
shown) stands in the same row, so that a new state is thought through in one place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class Tone(StrEnum):
    """How a state is shown to people; each page and table has one colour for each."""

    FILM = "film"
    WAIT = "wait"
    RUN = "run"
    GOOD = "good"
    PART = "part"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Generic[S]):
    """One row of a table.

    `to` are the states that can follow. `by` says who moves a row on, `crash` what a
    crash means that finds a row in this state. `is_ended` is whether nothing more
    happens to it by itself, `is_lost` whether it ended without what was wanted though
    nobody decided so.
    """

    to: frozenset[S] = frozenset()
    by: str
    crash: str
    tone: Tone
    is_ended: bool = False
    is_lost: bool = False

    @property
    def can_retry(self) -> bool:
        """Whether an operator may take it back from where it ended."""
        return self.is_ended and bool(self.to)


class IllegalStep(RuntimeError):  # noqa: N818 - a bug, not a condition to handle
    """A step that the table lacks."""


class Machine(Generic[S]):
    """The table of one kind of row, in the order in which its states are declared."""

    def __init__(self, name: str, table: Mapping[S, Facts[S]]) -> None:
        self.name = name
        self.table = table

    def __getitem__(self, state: S) -> Facts[S]:
        return self.table[state]

    def step(self, before: S, after: S) -> S:
        """The state after the step; staying is a step only where the table says so.

        Raises:
            IllegalStep: the table has no such step.
        """
        if after not in self.table[before].to:
            raise IllegalStep(f"{self.name}: {before} -> {after}")
        return after

    def which(self, holds: Callable[[Facts[S]], bool]) -> frozenset[S]:
        """The states of which this is so."""
        return frozenset(state for state, facts in self.table.items() if holds(facts))
