"""What a wrong clock did once is found: put back, a seed must tell."""

from dataclasses import replace
from typing import Any

import pytest

from evidenced.core.alarms.reading import read_alarm
from evidenced.core.incidents.lifecycle import turn
from evidenced.core.instants import to_ms
from evidenced.pipeline.silencing import run_out_step
from evidenced.pipeline.turn import Turn
from evidenced.ports import Tx
from evidenced.store.queue import Queue
from simulation.boots import FAMILY
from simulation.mutant import Mutant, Patch
from simulation.plan import Plan


def _dates_rows_back(patch: Patch) -> None:
    once = Turn.once
    query = "UPDATE incidents SET finished_at = ? WHERE finished_at > ?"

    async def dated(loop: Turn) -> bool:
        now = to_ms(loop._world.clock.now())

        def step(tx: Tx) -> None:
            tx.ledger._db.exec_driver_sql(query, (now, now))

        await loop._world.write(step)
        return await once(loop)

    patch.setattr(Turn, "once", dated)


def _dates_ends_by_a_clock_that_is_behind(patch: Patch) -> None:
    patch.setattr("evidenced.store.ledger.Ledger._come", 0)


def _by_the_clock(now: Any) -> Any:
    return replace(now, sure=now.at, is_trusted=True)


def _ends_silences_by_any_clock(patch: Patch) -> None:
    patch.setattr(
        "evidenced.pipeline.turn.run_out_step",
        lambda tx, now: run_out_step(tx, _by_the_clock(now)),
    )


def _calls_alarms_stale_by_any_clock(patch: Patch) -> None:
    patch.setattr(
        "evidenced.pipeline.understanding.read_alarm",
        lambda switchboard, alarm, _sure: read_alarm(switchboard, alarm),
    )


def _cuts_by_any_clock(patch: Patch) -> None:
    turning = Queue.turning
    patch.setattr(
        Queue, "turning", lambda queue, now, _sure, most: turning(queue, now, now, most)
    )
    patch.setattr(
        "evidenced.pipeline.turn.turn",
        lambda incident, now, *rest, **more: turn(
            incident, _by_the_clock(now), *rest, **more
        ),
    )


def _is_behind(plan: Plan) -> bool:
    return not plan.ahead


def _is_ahead(plan: Plan) -> bool:
    return plan.ahead > 0


MUTANTS = {
    "dates rows back": Mutant(
        "10:", _dates_rows_back, FAMILY, fits=_is_behind, first=117
    ),
    "dates ends by a clock that is behind": Mutant(
        "10:",
        _dates_ends_by_a_clock_that_is_behind,
        FAMILY,
        fits=_is_behind,
        first=367,
    ),
    "ends silences by any clock": Mutant(
        "time: silence", _ends_silences_by_any_clock, FAMILY, fits=_is_ahead
    ),
    "calls alarms stale by any clock": Mutant(
        "time:", _calls_alarms_stale_by_any_clock, FAMILY, fits=_is_ahead, first=17
    ),
    "cuts by any clock": Mutant(
        "time: doors", _cuts_by_any_clock, FAMILY, fits=_is_ahead, first=17
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_clock_that_decides_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
