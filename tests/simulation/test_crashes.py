"""One run, killed at each of its moments in turn: before and after every commit,
between any two awaits, and amid every change of a file on the share.

`--seeds` says how many moments: all of them from some thousands on.
"""

from collections.abc import Callable

import pytest

from simulation.drawing import draw
from simulation.invariants import violations
from simulation.plan import Plan, put_records
from simulation.recording import RecordPlan
from simulation.run import Run, simulate

SEED = 8
"""Without faults of its own; a dozen incidents on both recorders."""
SHARE = 20
"""One moment for so many seeds."""
IN_PART = 6

_Kind = tuple[Callable[[Run], int], Callable[[Plan, int], None]]
KINDS: dict[str, _Kind] = {
    "before a commit": (
        lambda run: run.disk.commits,
        lambda plan, n: plan.crash_before.add(n),
    ),
    "after a commit": (
        lambda run: run.disk.commits,
        lambda plan, n: plan.crash_after.add(n),
    ),
    "between two awaits": (
        lambda run: run.ground.loop.turns,
        lambda plan, n: plan.crash_turns.add(n),
    ),
}
WITH_RECORDS: dict[str, _Kind] = {
    **KINDS,
    "amid a change on the share": (
        lambda run: run.share.changes,
        lambda plan, n: put_records(plan, RecordPlan(killed_at=frozenset({n}))),
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parts, so that workers share the moments, and no test lasts for minutes."""
    if "part" in metafunc.fixturenames:
        parts = max(1, metafunc.config.getoption("seeds") // (SHARE * IN_PART))
        metafunc.parametrize("part", [(n, parts) for n in range(parts)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_any_moment_breaks_nothing(kind: str, part: tuple[int, int]) -> None:
    crash_at_each(kind, KINDS[kind], part, lambda: draw(SEED))


@pytest.mark.parametrize("kind", WITH_RECORDS)
def test_a_crash_at_any_moment_leaves_whole_records(
    kind: str, part: tuple[int, int]
) -> None:
    def drawn() -> Plan:
        plan = draw(SEED)
        put_records(plan, RecordPlan())
        return plan

    crash_at_each(kind, WITH_RECORDS[kind], part, drawn)


def crash_at_each(
    what: str, kind: _Kind, part: tuple[int, int], drawn: Callable[[], Plan]
) -> None:
    moments, crashes_at = kind
    last = moments(simulate(drawn()))
    n, parts = part
    step = max(1, last // (parts * IN_PART))
    for number in range(1 + n * step, last + 1, parts * step):
        plan = drawn()
        plan.families.append("crash")
        crashes_at(plan, number)
        run = simulate(plan)
        assert violations(run) == [], f"killed {what}: {number} of {last}"
