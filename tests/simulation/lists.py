"""Recorders whose lists are late or long, or whose names nobody resolves for a while.

Dice of their own: what a seed did before there were such recorders it does still.
"""

from datetime import timedelta
from random import Random

from evidenced.core.ids import RecorderName
from evidenced.simulator import Action, Strike
from simulation.plan import ACTIVE_S, ANNEX, MAIN, Event, Plan, change
from simulation.watching import stopped_of  # who is asked while nothing runs

LISTED_LATE, LONG_LIST, NAMELESS = "listed-late", "long-list", "nameless"
SLOW = 40_000
"""Bytes a second: an export takes minutes."""


def put_lists(plan: Plan) -> None:
    """Let some seeds have them."""
    if plan.is_calm:
        return
    random = Random(f"{plan.seed}-lists")  # noqa: S311 - repeatable on purpose
    name = random.choice((MAIN, ANNEX))
    if random.random() < 0.06 and not stopped_of(plan.seed):
        _put_late(plan, random, name)
    if random.random() < 0.03:
        plan.families.append(LONG_LIST)
        _put(plan, name, listed_before=random.choice((1000, 3000)))
    if random.random() < 0.05:
        plan.families.append(NAMELESS)
        at = random.uniform(0.0, ACTIVE_S - 60.0)
        event = Event(at, "nameless", (name, random.choice((3.0, 30.0, 120.0))))
        plan.events.append(event)


def _put_late(plan: Plan, random: Random, name: RecorderName) -> None:
    """Answers are lost, and what was taken shows later than anybody waits for it.

    Exports take long meanwhile, so that both run when the first one turns up.
    """
    plan.families.append(LISTED_LATE)
    plan.allows |= {"repeats", "peaks"}
    plan.quiet_s *= 3
    late = timedelta(seconds=random.choice((15, 60)))
    ids = random.choice(("session", "plugin"))
    _put(plan, name, listed="all", listed_after=late, disk_speed=SLOW, ids=ids)
    plan.faults[name].append(
        Strike(
            action=Action.HANG,
            command="exportVideo",
            at=timedelta(seconds=round(random.uniform(20.0, ACTIVE_S - 80.0), 3)),
            lasts=timedelta(seconds=60),
            after=True,
        )
    )


def _put(plan: Plan, name: RecorderName, **settings: object) -> None:
    exports = plan.scenarios[name].exports
    change(plan, name, exports=exports.model_copy(update=settings))
