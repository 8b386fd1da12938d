"""The checks of silences can fail: mutants as in test_checks.py."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from evidenced.core.alarms.alarm import Moment, TimeSource
from evidenced.core.incidents.silence import Silences
from evidenced.core.incidents.withheld import Withheld
from simulation.mutant import Mutant, Patch
from simulation.plan import Plan


def _silences_nothing(patch: Patch) -> None:
    patch.setattr(Silences, "part", lambda _, found, *__: (found, None))


def _silences_every_rule(patch: Patch) -> None:
    def whole(found: Silences, _rule: str, _topic: str, at: datetime) -> Any:
        return next((each for each in found._rules if each.is_in_force(at)), None)

    patch.setattr(Silences, "_whole", whole)


def _resumes_nothing(patch: Patch) -> None:
    patch.setattr(Withheld, "is_on", lambda *_: False)


def _exports_the_time_of_asking(patch: Patch) -> None:
    def later(held: Withheld) -> Moment:
        at = held.moment.at + timedelta(hours=1)
        return Moment(at=at, earliest=at, latest=at, source=TimeSource.OPERATOR)

    patch.setattr(Withheld, "by_hand", later)


def _silences(plan: Plan) -> bool:
    return any(event.kind == "silence" for event in plan.events)


def _asks(plan: Plan) -> bool:
    return any(event.kind == "export_after_all" for event in plan.events)


def _lasts(plan: Plan) -> bool:
    """Nothing keeps the check from saying when an alarm was on."""
    return _silences(plan) and not {"reload", "recorder-gone", "host-clock"} & {
        *plan.families
    }


MUTANTS: dict[str, Any] = {
    "silences nothing": Mutant("silence:", _silences_nothing, fits=_silences, first=18),
    "silences every rule": Mutant(
        "silence:", _silences_every_rule, fits=_silences, first=10
    ),
    "resumes nothing": Mutant("silence:", _resumes_nothing, fits=_lasts, first=34),
    "exports the time of asking": Mutant(
        "silence:", _exports_the_time_of_asking, fits=_asks, first=19
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_silences_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
