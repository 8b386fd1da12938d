"""The order in which dispatch asks, watched in the very transaction that decides it.

Design: priority, lower first, minus one for each minute of waiting; equal ones oldest
first. So a clip waits since its first due instant, and a point is worth a minute. Only
what could not go is overtaken: not due, or its destination closed or being probed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

from typing_extensions import override

from evidenced.core.incidents.clipping import UNKNOWN_SETTLE
from evidenced.core.instants import MILLISECOND, to_ms
from evidenced.core.site import RecorderSettings, Site
from evidenced.pipeline.planner import Capacity, Planned, Planner
from evidenced.ports import Tx

CHANCE = 0.25
MINUTE_MS = 60_000
UNKNOWN_MS = UNKNOWN_SETTLE // MILLISECOND
Group = tuple[str, int]
"""An incident and a cohort: they are asked for together."""

USUAL = 50
"""The priority of a rule that says nothing."""

_WAITING = """SELECT c.incident, c.cohort, c.n, i.rule, c.destination,
    (SELECT max(o.end_at) FROM clips o
        WHERE o.incident = c.incident AND o.recorder = c.recorder), c.due_at
    FROM clips c JOIN incidents i ON i.id = c.incident
    WHERE c.recorder = ? AND c.state = 'due' AND c.due_at <= ?"""


def draws_near_priorities(seed: int) -> bool:
    """Whether the rules' priorities differ by minutes, so that waiting counts."""
    random = Random(f"{seed}-queue")  # noqa: S311 - repeatable on purpose
    return random.random() < CHANCE


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A clip; its `place` is its first due instant, later by a minute a point."""

    n: int
    place: int
    destination: str


Groups = dict[Group, list[_Waiting]]


class _Watched(Planner):
    """As the daemon's own; says what it asked for out of turn."""

    def __init__(
        self,
        site: Site,
        settings: RecorderSettings,
        moment: Capacity,
        *,
        priorities: Mapping[str, int],
        problems: list[str],
    ) -> None:
        super().__init__(site, settings, moment)
        self._priorities = priorities
        self._problems = problems

    @override
    def plan(self, tx: Tx) -> list[Planned]:
        before = self._waiting(tx)
        planned = super().plan(tx)
        asked = set(self._from_queue(planned, before))
        if asked and len(before) > 1:
            self._problems += self._overtaken(before, self._waiting(tx), asked)
        return planned

    def _from_queue(self, planned: list[Planned], before: Groups) -> Iterator[Group]:
        """What never left goes again, before the queue; the rest is of these groups."""
        for each in planned:
            group = str(each.export.incident), each.clips[0].cohort
            waited = {clip.n for clip in before.get(group, ())}
            if waited & {clip.n for clip in each.clips}:
                yield group

    def _waiting(self, tx: Tx) -> dict[Group, list[_Waiting]]:
        """All that could be asked for now but for slots and bandwidth."""
        due_by = to_ms(self._moment.now - self._moment.slack)
        settle = int(self._settings.settle.total_seconds() * 1000)
        database: Any = getattr(tx, "_db")  # noqa: B009 - the store's own
        values = (self._settings.name, due_by)
        found: dict[Group, list[_Waiting]] = defaultdict(list)
        for row in database.exec_driver_sql(_WAITING, values):
            incident, cohort, n, rule, destination, end, due = row
            points = self._priorities.get(rule, USUAL)
            # armed while no configuration knew the recorder: what is waited for then
            waits = UNKNOWN_MS if due == end + UNKNOWN_MS else settle
            place = end + waits + points * MINUTE_MS
            if destination not in self._moment.closed:
                found[incident, cohort].append(_Waiting(n, place, destination))
        return found

    def _overtaken(
        self,
        before: Groups,
        after: Groups,
        asked: set[Group],
    ) -> Iterator[str]:
        last = max(asked, key=lambda group: _place(before[group]))
        for group, clips in after.items():
            left = [c for c in clips if c.destination not in self._moment.probing]
            if left and _place(left) < _place(before[last]):
                yield (
                    f"queue: {last} was asked for on {self._settings.name} at "
                    f"{self._moment.now} before {group}, which was ready"
                )


def _place(clips: list[_Waiting]) -> int:
    return min(each.place for each in clips)


@contextmanager
def watched_queue(priorities: Mapping[str, int], problems: list[str]) -> Iterator[None]:
    """While the run goes on, `problems` hear of whatever goes out of turn."""
    planner = partial(_Watched, priorities=priorities, problems=problems)
    with patch("evidenced.pipeline.dispatch.Planner", planner):
        yield
