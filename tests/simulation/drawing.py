"""The plan of a seed, drawn beforehand."""

from datetime import timedelta
from random import Random

from evidenced.simulator import Action, Scenario
from evidenced.simulator.scenario import (
    CameraScenario,
    InfoScenario,
    LoginScenario,
    OwnClock,
    Recording,
    SessionScenario,
    Xml,
)
from simulation.alarms import add_alarms, end_all
from simulation.boots import put_boot
from simulation.families import FAMILIES, FOOTAGE
from simulation.lists import put_lists
from simulation.plan import (
    ACTIVE_S,
    ANNEX,
    MAIN,
    Event,
    Plan,
    change,
    put_messages,
    put_near_priorities,
    put_records,
)
from simulation.queue import draws_near_priorities
from simulation.receivers import draw_messages
from simulation.recording import draw_recording
from simulation.silences import draw_silences
from simulation.site import Shape
from simulation.stills import put_stills
from simulation.stories import put_stories
from simulation.watching import put_stopped

FOOTAGE_CHANCE = 1 / 3
LIMITED = 3
"""Of five seeds the one in which alarms meet limits."""


def draw(seed: int) -> Plan:
    """The plan of a seed. Every eighth has no faults at all."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    shape = Shape(
        max_exports=random.choice((1, 2, 3)),
        max_devices=random.choice((1, 2, 32)),
        bandwidth=random.choice((0, 2_000_000, 3_000_000, 5_000_000)),
        settle=random.choice((3, 5)),
        limit=2 if seed % 5 == LIMITED else 0,
    )
    plan = Plan(
        seed=seed,
        shape=shape,
        window=random.choice((1, 2, 8, 64)),
        grows=random.random() < 0.5,
        shuffles=random.random() < 0.5,
    )
    rate = random.choice((50_000, 200_000))
    for name in (MAIN, ANNEX):
        base = 2000 if name == MAIN else 3000
        plan.scenarios[name] = Scenario(
            seed=seed,
            devices=tuple(
                CameraScenario(server="1001", device=str(base + n))
                for n in (1, 2, 3, 4)
            ),
            recording=Recording(lag=timedelta(seconds=2), rate=rate),
            xml=_dialect(random),
            login=LoginScenario(
                key_in=random.choice(
                    ("element", "nested-element", "attribute", "cookie")
                )
            ),
        )
    add_alarms(plan, random)
    if seed % 8:
        density = random.choice((0.1, 0.2, 0.45))
        chosen = [family for family in FAMILIES if random.random() < density]
        plan.families = chosen or [random.choice(tuple(FAMILIES))]
        for family in plan.families:
            FAMILIES[family](plan, random)
        _misbehave(plan)
    put_boot(plan)
    put_stories(plan)
    put_lists(plan)
    _sane(plan)
    end_all(plan)
    put_stopped(plan)
    put_stills(plan)
    recording = draw_recording(seed, ACTIVE_S, is_calm=plan.is_calm)
    if recording is not None:
        put_records(plan, recording)
    if draws_near_priorities(seed):
        put_near_priorities(plan)
    messages = draw_messages(seed, ACTIVE_S, is_calm=plan.is_calm)
    if messages is not None:
        put_messages(plan, messages)
    silences = draw_silences(seed, ACTIVE_S, is_calm=plan.is_calm)
    plan.events += [Event(at, kind, what) for at, kind, what in silences]
    plan.events.sort(key=lambda event: event.at)
    for name, faults in plan.faults.items():
        plan.scenarios[name] = plan.scenarios[name].model_copy(
            update={"faults": tuple(faults)}
        )
    return plan


def _misbehave(plan: Plan) -> None:
    """What becomes of footage, in every third seed with faults."""
    random = Random(f"{plan.seed}-footage")  # noqa: S311 - repeatable on purpose
    if random.random() >= FOOTAGE_CHANCE:
        return
    for name in random.sample(tuple(FOOTAGE), random.choice((1, 1, 2, 4))):
        FOOTAGE[name](plan, random)
        plan.families.append(name)


def _dialect(random: Random) -> Xml:
    return Xml(
        tag_case=random.choice(("lower", "upper", "title")),
        extra_nodes=random.random() < 0.3,
        malformed_list=random.random() < 0.2,
        times=random.choice(("ms", "s")),
        zone=random.choice(("UTC", "UTC", "Europe/Amsterdam")),
        progress=random.choice(("percent", "decimal", "sign", "absent", "zero")),
        status_as=random.choice(("text", "description")),
        success_code=random.choice((0, 0, 1)),
    )


def _sane(plan: Plan) -> None:
    """A recorder whose clock is off must tell its time, or no digest is right."""
    for name, scenario in plan.scenarios.items():
        if scenario.info.form == "absent" and scenario.clock != OwnClock():
            change(plan, name, info=InfoScenario())
        if (
            scenario.exports.listed == "session"
            and scenario.session != SessionScenario()
        ):
            # what ends after its session did is never seen to end
            plan.allows.add("not-exported")
        taken = any(each.action is Action.TAKE_ID for each in plan.faults[name])
        if taken and scenario.exports.parallel == 1:
            # somebody else's export has the only place for longer than give_up
            plan.allows.add("not-exported")
        restarted = any(
            each.action is Action.RESTART and each.keep_sessions
            for each in plan.faults[name]
        )
        if restarted and scenario.exports.listed == "session":
            # what no list shows is cut short while its files are seen to grow,
            # and the session goes on: nothing tells the part from the whole
            plan.allows.add("lies")
