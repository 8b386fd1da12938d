"""Two nodes over one store: whatever befalls either, all invariants hold.

More seeds: `pytest tests/simulation/test_nodes.py --seeds 5000`; one again: `--seed 7`.
"""

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import Connection

from evidenced.core.errors import StoreError
from evidenced.sense.transport import Transport
from simulation.drawing import draw
from simulation.invariants import violations
from simulation.leases import SimClaim
from simulation.nodes import NodesDriver, put_blows
from simulation.run import simulate

CHUNK = 1
TAIL = 120
SHORT = 5
"""Seeds of a run that asks for no number of its own: two nodes take twice as long."""
DEFAULT = 40


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" not in metafunc.fixturenames:
        return
    one = metafunc.config.getoption("seed")
    start, many = (metafunc.config.getoption(o) for o in ("seeds_from", "seeds"))
    many = SHORT if many == DEFAULT else many
    seeds = [one] if one is not None else range(start, start + many)
    chunks = [tuple(seeds[at : at + CHUNK]) for at in range(0, len(seeds), CHUNK)]
    metafunc.parametrize("seeds", chunks, ids=[str(chunk[0]) for chunk in chunks])


def problems_of(seed: int) -> tuple[list[str], str]:
    plan = draw(seed)
    put_blows(plan, seed)
    run = simulate(plan, NodesDriver)
    told = [plan.told(), "", *run.events[-TAIL:], f"again: --seed {seed}"]
    return violations(run), "\n".join(told)


def test_every_seed_keeps_what_must_hold(seeds: tuple[int, ...]) -> None:
    for seed in seeds:
        found, told = problems_of(seed)
        if found:
            pytest.fail("\n".join([*found, "", told]), pytrace=False)


def _takes_no_notice(patch: pytest.MonkeyPatch) -> None:
    """Steps are kept whoever has the lease."""

    def fence(
        _claim: SimClaim, _connection: Connection, _leases: object
    ) -> Mapping[None, StoreError]:
        return {}

    patch.setattr(SimClaim, "fence", fence)


def _sends_without_a_look(patch: pytest.MonkeyPatch) -> None:
    """What was begun under a lease goes out, however long that took."""
    patch.setattr(Transport, "_look_at_lease", lambda *_: None)


MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], int]] = {
    "is not fenced": (_takes_no_notice, 0),
    "sends without a look at its lease": (_sends_without_a_look, 0),
}
TRIES = 10

pytestmark = pytest.mark.timeout(300)  # a seed takes some seconds, more on a busy host


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_the_leases_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks, first = MUTANTS[name]
    breaks(monkeypatch)
    found = (problems_of(seed)[0] for seed in range(first, first + TRIES))
    assert any(each.startswith("nodes:") for told in found for each in told)
