"""The real pipeline, store and client against everything that a seed throws at them.

More seeds: `pytest tests/simulation --seeds 5000 -n 2`, others by `--seeds-from 5000`;
one again: `--seed 1234`.
"""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.pipeline.intake import Intake
from evidenced.simulator import Action, Strike
from evidenced.store.messages import StoredInbox
from simulation.comparing import held_up
from simulation.drawing import draw
from simulation.invariants import violations
from simulation.plan import ACTIVE_S, ANNEX
from simulation.run import simulate

CHUNK = 5
"""Seeds in one test: workers share them evenly, and pytest itself costs little."""
TAIL = 120
CALM = (0, 8, 16)
"""Seeds without faults."""
RECORDED = 33
"""With records, messages, and faults of both."""
HUGE = 600055
"""With lists so long that they are read aside."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one = metafunc.config.getoption("seed")
    start, many = (metafunc.config.getoption(o) for o in ("seeds_from", "seeds"))
    seeds = [one] if one is not None else range(start, start + many)
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


@pytest.mark.parametrize("action", [Action.REFUSE, Action.HANG, Action.GARBAGE])
def test_a_recorder_that_is_down_holds_up_no_other(action: Action) -> None:
    for seed in CALM:
        calm = simulate(draw(seed))
        plan = draw(seed)
        down = Strike(action=action, at=timedelta(0), lasts=timedelta(seconds=ACTIVE_S))
        other = plan.scenarios[ANNEX].model_copy(update={"faults": (down,)})
        plan.scenarios[ANNEX] = other
        plan.families.append("down")
        run = simulate(plan)
        assert violations(run) == []
        assert list(held_up(calm, run)) == []


@pytest.mark.parametrize("seed", [9, RECORDED, HUGE])
def test_a_seed_runs_the_same_way_twice(seed: int) -> None:
    first, second = simulate(draw(seed)), simulate(draw(seed))
    assert first.events == second.events
    assert len(first.events) > 50


class _TimeOut(BaseException):
    """As pytest's own: no Exception."""


@pytest.mark.parametrize("moment", ["commit", "await"])
def test_a_run_that_is_broken_off_spoils_none_after_it(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def late(_: Intake) -> None:
        raise _TimeOut

    def saves(inbox: StoredInbox, alarms: Sequence[Alarm]) -> None:
        save(inbox, alarms)
        raise _TimeOut

    save = StoredInbox.save
    with monkeypatch.context() as patch:
        if moment == "commit":
            patch.setattr(StoredInbox, "save", saves)
        else:
            patch.setattr(Intake, "_room", late)
        with pytest.raises(_TimeOut):
            simulate(draw(CALM[0]))
    run = simulate(draw(CALM[0]))
    assert violations(run) == []
