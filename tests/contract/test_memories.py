"""What rules remember goes when nothing needs it."""

from datetime import timedelta
from pathlib import Path

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.memory import ConditionState, Memory
from evidenced.core.ids import ConditionName, GroupKey, RuleName
from evidenced.core.keeping.loss import LossKind
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import t
from fakes.world import TOML, build_site, load_text

OLD, NEW = t("12:00", 1), t("12:00", 20)
BEFORE = t("12:00", 10)
WAITING = Alarm(topic="t", payload=b"{}", received_at=OLD)
CONDITION = """[conditions.armed]
topic = "armed"
format = "text"
when = "payload == 'on'"
"""


def memory(key: str, **more: object) -> Memory:
    said = {"at": OLD, **more}
    return Memory(rule=RuleName("panic"), key=GroupKey(key), **said)  # type: ignore[arg-type]


def state(name: str) -> ConditionState:
    return ConditionState(
        name=ConditionName(name),
        holds=True,
        at=OLD,
        settings="s",
        topic="armed",
        payload="on",
    )


async def test_what_has_said_nothing_for_long_is_forgotten(tmp_path: Path) -> None:
    text = TOML.format(destination="", cameras='"lobby"') + CONDITION
    clock = FakeClock(BEFORE + timedelta(days=90))
    house = House(tmp_path, clock, build_site(load_text(text).config))
    kept = [
        memory("silent"),
        memory("heard", at=NEW),
        memory("waits", waiting=WAITING, due_at=NEW),
    ]
    await house.store.write(lambda tx: tx.memories.save(kept))
    states = [state("armed"), state("gone")]
    await house.store.write(lambda tx: tx.memories.save_states(states))
    await house.janitor._prune(BEFORE, clock.now())
    found = await house.read(lambda view: view.memories.of_rules([RuleName("panic")]))
    assert {each.key for each in found} == {"heard", "waits"}
    assert set(await house.read(lambda view: view.memories.condition_states())) == {
        "armed"
    }
    house.store.close()


async def test_what_could_not_be_read_goes_once_somebody_knows(tmp_path: Path) -> None:
    clock = FakeClock(OLD)
    text = TOML.format(destination="", cameras='"lobby"') + 'time = "at"\n'
    house = House(tmp_path, clock, build_site(load_text(text).config))
    await house.arrive(b"{")
    before = clock.now() + timedelta(days=1)
    await house.janitor._prune(before, clock.now())
    assert await house.read(lambda v: v.losses.get(LossKind.UNREADABLE, "panic"))
    await house.operate.acknowledge_unreadable("a test", "anna")
    await house.janitor._prune(before, clock.now())
    assert not await house.read(lambda v: v.losses.get(LossKind.UNREADABLE, "panic"))
    house.store.close()
