"""What a flood of alarms may cause, and that nothing of it is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.line import Service
from evidenced.core.ids import IncidentId, SessionId
from evidenced.core.incidents.allowance import SHARED, Limits
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.recorder import Answer, ExportOrder, SessionInfo
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import BATCH, Interpret
from evidenced.pipeline.link import Link
from evidenced.pipeline.rationing import TOPICS, Streaks, Topics
from evidenced.pipeline.shares import Shares
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.incident import ended, t
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, ToldShare, make_site, make_world

GROUPED = """
[mqtt]
url = "mqtt://127.0.0.1"
[recorders.main]
url = "http://127.0.0.1"
username = "export"
password = { env = "UNUSED" }
nonce = "n"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\\evidence\\{rule}-{id}'
[[rules]]
name = "panic"
topics = ["panic/{zone}"]
when = "on"
clear = "off"
group_by = ["zone"]
cameras = ["lobby"]
post_roll = "2m"
max_length = "10m"
"""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def limited(**limits: int) -> Site:
    return replace(build_site(load_text(GROUPED).config), limits=Limits(**limits))


class Bench:
    """Alarms of many zones; what became of them."""

    def __init__(self, store: SqlStore, site: Site) -> None:
        self.store, self.clock, self.log = store, FakeClock(), Log()
        self.metrics = Metrics("test")
        dice = Tokens()
        self.world = make_world(store, self.clock, self.log, site)
        self.world.dice = dice
        self.start()

    def start(self) -> None:
        """As after a restart: nothing in memory."""
        self.interpret = Interpret(
            self.world, Agenda(self.clock), self.metrics, self.log.bound
        )

    async def say(self, *zones: str, payload: str = '{"on": true}', **of: Any) -> None:
        now = self.clock.now()
        alarms = [
            Alarm(
                topic=f"panic/{zone}", payload=payload.encode(), received_at=now, **of
            )
            for zone in zones
        ]
        await self.store.write(partial(accept, alarms=alarms))
        while await self.interpret.once():
            pass

    async def incidents(self) -> list[Incident]:
        wanted = IncidentFilter(limit=500)
        return (await self.store.read(lambda view: view.incidents.search(wanted)))[::-1]

    async def keys(self) -> Counter[str]:
        return Counter(each.key for each in await self.incidents())

    def count(self, limit: str, of: str = "panic") -> float:
        value: float = self.metrics.limited.labels(limit, of)._value.get()
        return value


class Tokens(FixedDice):
    def __init__(self) -> None:
        self._n = 0

    def token(self) -> str:  # type: ignore[explicit-override]
        self._n += 1
        return f"{self._n:08}"


async def test_beyond_the_limit_of_an_hour_alarms_share_an_incident(
    store: SqlStore,
) -> None:
    bench = Bench(store, limited(incidents_per_rule=3))
    await bench.say(*(f"z{n}" for n in range(10)))
    assert await bench.keys() == {"z0": 1, "z1": 1, "z2": 1, SHARED: 1}
    joined = (await bench.incidents())[-1]
    assert joined.alarms == 7
    # every alarm is there, with its payload, and its footage is asked for
    dossier = await store.read(lambda view: view.dossier(joined.id))
    assert dossier is not None
    assert [kept.topic for kept in dossier.alarms] == [
        f"panic/z{n}" for n in range(3, 10)
    ]
    assert dossier.history[0].detail["limit"] == "incidents_per_rule"
    assert dossier.history[0].detail["group"] == "z3"
    [clip] = joined.clips
    assert clip.window.end == bench.clock.now() + 2 * MINUTE


async def test_it_is_told_once_and_counted(store: SqlStore) -> None:
    bench = Bench(store, limited(incidents_per_rule=1))
    await bench.say(*(f"z{n}" for n in range(BATCH + 50)))
    assert len(bench.log.events("warning")) == 1
    assert bench.count("incidents_per_rule") == BATCH + 49
    bench.clock.advance(2 * HOUR)
    await bench.say("quiet")
    assert bench.log.events("info").count("within the limit again") == 1


async def test_alarms_that_go_on_with_an_incident_are_not_limited(
    store: SqlStore,
) -> None:
    bench = Bench(store, limited(incidents_per_rule=1))
    await bench.say("a", "a", "a")
    assert await bench.keys() == {"a": 1}
    assert bench.count("incidents_per_rule") == 0


async def test_a_restart_gives_nobody_a_new_hour(store: SqlStore) -> None:
    bench = Bench(store, limited(incidents_per_rule=2))
    await bench.say("a", "b")
    bench.start()
    bench.clock.advance(MINUTE)
    await bench.say("c")
    assert await bench.keys() == {"a": 1, "b": 1, SHARED: 1}


async def test_the_next_hour_has_its_own_incidents(store: SqlStore) -> None:
    bench = Bench(store, limited(incidents_per_rule=1))
    await bench.say("a", "b")
    bench.clock.advance(HOUR)
    await bench.say("c")
    assert await bench.keys() == {"a": 1, "c": 1, SHARED: 1}


async def test_a_time_of_its_own_makes_no_alarm_count_less(store: SqlStore) -> None:
    """The hour is the host's: who sends may write any time into an alarm."""
    site = build_site(
        load_text(GROUPED.replace("when =", 'time = "at"\nwhen =')).config
    )
    bench = Bench(store, replace(site, limits=Limits(incidents_per_rule=2)))
    for days in range(4):
        at = render_utc(START - timedelta(days=days))
        await bench.say("z", payload=f'{{"on": true, "at": "{at}"}}')
    assert await bench.keys() == {"z": 2, SHARED: 2}


async def test_a_clear_of_a_group_ends_no_shared_incident(store: SqlStore) -> None:
    bench = Bench(store, limited(incidents_per_rule=1))
    await bench.say("a", "b", "c")
    joined = (await bench.incidents())[-1]
    assert not joined.is_active
    await bench.say("b", payload='{"off": true}')
    assert (await bench.incidents())[-1] == joined
    # the group that has its own ends as ever
    await bench.say("a", payload='{"off": true}')
    assert not (await bench.incidents())[0].is_active


async def test_beyond_the_limit_of_a_topic_an_alarm_has_no_incident_of_its_own(
    store: SqlStore,
) -> None:
    text = GROUPED.replace('group_by = ["zone"]', 'group_by = ["who"]').replace(
        "when =", 'fields = { who = "who" }\nwhen ='
    )
    site = build_site(load_text(text).config)
    bench = Bench(store, replace(site, limits=Limits(alarms_per_topic=2)))
    for who in "abcd":
        await bench.say("x", payload=f'{{"on": true, "who": "{who}"}}')
    await bench.say("y", payload='{"on": true, "who": "e"}')
    assert await bench.keys() == {"a": 1, "b": 1, SHARED: 1, "e": 1}
    assert bench.count("alarms_per_topic") == 2
    bench.clock.advance(MINUTE)
    await bench.say("x", payload='{"on": true, "who": "f"}')
    assert (await bench.keys())["f"] == 1


async def test_what_the_broker_had_queued_is_no_flood(store: SqlStore) -> None:
    bench = Bench(store, limited(alarms_per_topic=1))
    for _ in range(3):
        await bench.say("a", payload='{"on": true}', absence=HOUR)
        await bench.say("a", payload='{"off": true}')
        bench.clock.advance(timedelta(seconds=1))
    assert bench.count("alarms_per_topic") == 0


def test_topics_that_are_counted_are_bounded() -> None:
    topics = Topics()
    for n in range(3 * TOPICS):
        assert not topics.is_over(f"t{n}", 1, START)
    assert len(topics._counted) == TOPICS
    assert topics.is_over(f"t{3 * TOPICS - 1}", 1, START)


# ---- exports


class Accepting(ScriptedRecorder):
    """Takes every request and counts it."""

    def __init__(self) -> None:
        super().__init__(lambda: INFO)
        self.asked = 0

    async def export(  # type: ignore[explicit-override]
        self, order: ExportOrder
    ) -> tuple[SessionInfo, Answer]:
        self.asked += 1
        return INFO, Answer(
            reason=Reason.NO_VIDEO, code="-48", text=f"no video in {order.path}"
        )


INFO = SessionInfo(session=SessionId("s"), offset=None, version="")


class Desk:
    """Dispatch of one recorder with a limit on its exports."""

    def __init__(self, store: SqlStore, limit: int) -> None:
        self.clock, self.log = FakeClock(t("13:00")), Log()
        self.metrics = Metrics("test")
        site = replace(make_site(), limits=Limits(exports_per_recorder=limit))
        settings = replace(next(iter(site.recorders.values())), max_exports=8)
        site = replace(site, recorders={settings.name: settings})
        self.world = make_world(store, self.clock, self.log, site)
        self.recorder = Accepting()
        log = self.log.bound
        self.link = Link(settings, self.recorder, self.clock, FixedDice(), log)
        agenda = Agenda(self.clock)
        shares = Shares(self.world, ToldShare(), agenda, log)
        self.dispatch = Dispatch(
            self.world, self.link, agenda, self.metrics, log, shares
        )

    async def run(self) -> int:
        """Send what may be sent; how many requests there were by now."""
        async with asyncio.TaskGroup() as group:
            while await self.dispatch.once(group):
                pass
        await take_down(self.dispatch)
        return self.recorder.asked


async def take_down(dispatch: Dispatch) -> None:
    """Let the answers that are there become rows."""
    if dispatch._outcomes.empty():
        return
    dispatch._is_calm.set()
    link, news = dispatch._link, asyncio.Event()
    landed = link.landed

    def told(exports: Iterable[int]) -> None:
        landed(exports)
        news.set()

    with patch.object(link, "landed", told):
        task = asyncio.create_task(dispatch._take_down())
        async with asyncio.timeout(60):
            while link.in_flight:
                await news.wait()
                news.clear()
    task.cancel()
    await asyncio.wait({task})


async def save(store: SqlStore, *names: str) -> None:
    incidents = [replace(ended(), id=IncidentId(name)) for name in names]
    changes = [Change(before=None, after=i, event=Event.OPENED) for i in incidents]
    await store.write(lambda tx: tx.ledger.save(changes, t("06:00")))


async def test_exports_beyond_the_limit_wait_for_the_next_hour(
    store: SqlStore,
) -> None:
    await save(store, *(f"i{n}" for n in range(5)))
    desk = Desk(store, limit=3)
    assert await desk.run() == 3
    assert (
        desk.log.events("warning").count(
            "more than a limit allows; see limits in the configuration"
        )
        == 1
    )
    again = Desk(store, limit=3)  # a restart gives nobody a new hour
    assert await again.run() == 0
    assert again.link.limited_until == t("13:00") + HOUR
    again.clock.advance(HOUR)
    assert await again.run() >= 2
    assert again.link.limited_until is None


async def test_it_looks_again_when_the_hour_is_over(store: SqlStore) -> None:
    await save(store, "i1", "i2")
    desk = Desk(store, limit=1)
    await desk.run()
    # the clip that was refused is due again before
    assert desk.dispatch._until is not None
    assert desk.dispatch._until <= t("13:00") + HOUR
    assert desk.link.limited_until == t("13:00") + HOUR


async def test_a_full_recorder_does_not_end_the_wait_for_the_hour(
    store: SqlStore,
) -> None:
    await save(store, "i1", "i2")
    desk = Desk(store, limit=1)
    await desk.run()
    desk.link.settings = replace(desk.link.settings, max_exports=0)  # none is free
    await desk.run()
    assert desk.link.limited_until == t("13:00") + HOUR
    desk.clock.advance(HOUR)
    await desk.run()
    assert desk.link.limited_until is None


async def test_an_hour_ends_while_the_recorder_is_away_too(store: SqlStore) -> None:
    await save(store, "i1", "i2")
    desk = Desk(store, limit=1)
    await desk.run()
    desk.clock.advance(HOUR)
    error = RecorderError(Reason.UNREACHABLE, "refused", is_sent=False)
    desk.link.failed(Service.EXPORT, error)
    await desk.run()
    assert desk.link.limited_until is None


async def test_what_is_asked_for_again_is_not_held(store: SqlStore) -> None:
    await save(store, "i1", "i2", "i3")
    desk = Desk(store, limit=1)
    assert await desk.run() == 1
    desk.clock.advance(timedelta(minutes=11))  # the longest wait is over
    assert await desk.run() == 2


def test_a_streak_is_over_an_hour_after_the_limit_was_met_last() -> None:
    log = Log()
    streaks = Streaks(Metrics("test"), log.bound)
    for now in (0.0, 3599.0, 3599.0 + 3600.0):
        streaks.look(now)
        streaks.met("incidents_per_rule", "panic", now)
    assert len(log.events("warning")) == 2
