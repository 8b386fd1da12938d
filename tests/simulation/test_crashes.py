"""One run, killed at each of its moments in turn: before and after every commit, and
between any two awaits.

`--seeds` says how many moments: all of them from some thousands on.
"""

from collections.abc import Callable

import pytest

from simulation.invariants import violations
from simulation.plan import Plan, draw
from simulation.run import Run, simulate

SEED = 8
"""Without faults of its own; a dozen incidents on both recorders."""
SHARE = 20
"""One moment for so many seeds."""
IN_PART = 10

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parts, so that workers share the moments, and no test lasts for minutes."""
    if "part" in metafunc.fixturenames:
        parts = max(1, metafunc.config.getoption("seeds") // (SHARE * IN_PART))
        metafunc.parametrize("part", [(n, parts) for n in range(parts)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_any_moment_breaks_nothing(kind: str, part: tuple[int, int]) -> None:
    moments, crashes_at = KINDS[kind]
    last = moments(simulate(draw(SEED)))
    n, parts = part
    step = max(1, last // (parts * IN_PART))
    for number in range(1 + n * step, last + 1, parts * step):
        plan = draw(SEED)
        plan.families.append("crash")
        crashes_at(plan, number)
        run = simulate(plan)
        assert violations(run) == [], f"killed {kind}: {number} of {last}"
