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


async def test_the_hour_of_a_rule_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    text = "[limits]\nincidents_per_rule = 1\n" + TOML
    clock = FakeClock(OLD)
    site = build_site(load_text(text.format(destination="", cameras='"lobby"')).config)
    house = House(tmp_path, clock, site)
    await house.arrive()
    used = "limit:incidents_per_rule:panic"
    await house.store.write(lambda tx: tx.notes.save(f"{used}-gone", "then 1"))
    await house.janitor._prune(BEFORE, clock.now())
    assert await house.read(lambda view: view.notes.get(used))
    assert await house.read(lambda view: view.notes.get(f"{used}-gone")) is None
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
