"""The real pipeline, store and client against everything that a seed throws at them.

More seeds: `pytest tests/simulation --seeds 5000 -n 2`; one again: `--seed 1234`.
"""

import pytest

from simulation.invariants import violations
from simulation.plan import draw
from simulation.run import simulate

CHUNK = 10
"""Seeds in one test: workers share them evenly, and pytest itself costs little."""
TAIL = 120


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one = metafunc.config.getoption("seed")
    seeds = [one] if one is not None else range(metafunc.config.getoption("seeds"))
    if "first" in metafunc.fixturenames:
        chunks = [tuple(seeds[at : at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
        metafunc.parametrize(
            ("first", "seeds"), [(chunk[0], chunk) for chunk in chunks]
        )


def test_every_seed_keeps_what_must_hold(first: int, seeds: tuple[int, ...]) -> None:
    assert first == seeds[0]
    for seed in seeds:
        told = failure_of(seed)
        if told:
            pytest.fail(told, pytrace=False)


def failure_of(seed: int) -> str:
    """What is wrong with a seed, with its plan and last events; empty if nothing."""
    plan = draw(seed)
    run = simulate(plan)
    found = violations(run)
    if not found:
        return ""
    return "\n".join(
        [*found, "", plan.told(), "", *run.events[-TAIL:], f"again: --seed {seed}"]
    )


def test_a_seed_runs_the_same_way_twice() -> None:
    first, second = simulate(draw(9)), simulate(draw(9))
    assert first.events == second.events
    assert len(first.events) > 50
