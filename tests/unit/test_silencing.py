"""Silences over a real store: what arrives under one, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.core.alarms.alarm import Alarm, Outcome, TimeSource
from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import GroupKey, SilenceId
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject
from evidenced.core.keeping.kept import (
    MOST_WITHHELD,
    REFUSED_ALARMS,
    Dossier,
    IncidentFilter,
    RefusedAlarm,
)
from evidenced.metrics import Metrics
from evidenced.pipeline import silencing
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import accept
from evidenced.pipeline.interpret import Interpret
from evidenced.pipeline.operate import Operate
from evidenced.pipeline.silencing import Silencing
from evidenced.pipeline.turn import Turn
from evidenced.pipeline.world import World
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import TOML, make_site, make_world

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TEXT = (
    TOML.format(destination="", cameras='"lobby"')
    + """
[cameras.yard]
server = "1001"
device = "2002"
[[rules]]
name = "door"
topics = ["door/{door}"]
when = "s == 'on'"
clear = "s == 'off'"
time = "at"
group_by = ["door"]
cameras = ["lobby", "yard"]
clear_within = "3h"
"""
)
SITE = build_site(load_text(TEXT).config)
REGROUPED = build_site(
    load_text(TEXT.replace("{door}", "{gate}").replace('["door"]', '["gate"]')).config
)
ALARM = Alarm(topic="panic/north", payload=b"{}", received_at=START)


def order(
    subject: Subject = Subject.RULE, name: str = "panic", until: datetime = START + HOUR
) -> SilenceOrder:
    return SilenceOrder(subject=subject, name=name, until=until, comment="a drill")


class Bench:
    """The loops that silences concern, by hand."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.log = Log()
        self.metrics = Metrics("test")
        self.directory = directory
        self.open()

    def open(self) -> None:
        self.store: SqlStore = open_store(StoreSettings(directory=self.directory))
        self.world: World = make_world(self.store, self.clock, self.log, SITE)
        agenda = Agenda(self.clock)
        self.silencing = Silencing(self.world, agenda)
        self.operate = Operate(self.world, agenda)
        self.turn = Turn(self.world, agenda, self.log.bound)
        self.interpret = Interpret(self.world, agenda, self.metrics, self.log.bound)

    def reopen(self) -> None:
        self.store.close()
        self.open()

    async def alarm(
        self, at: datetime, topic: str = "panic/north", payload: bytes = b"{}"
    ) -> list[Incident]:
        """One that arrives then; all incidents after it, the newest first."""
        each = replace(ALARM, received_at=at, topic=topic, payload=payload)
        await self.store.write(partial(accept, alarms=[each]))
        assert await self.interpret.once()
        return await self.incidents()

    async def door(self, at: datetime, state: str = "on") -> list[Incident]:
        return await self.alarm(at, "door/north", b'{"s": "%s"}' % state.encode())

    async def incidents(self) -> list[Incident]:
        return await self.store.read(
            lambda view: view.incidents.search(IncidentFilter())
        )

    async def kept(self) -> list[RefusedAlarm]:
        return await self.store.read(lambda view: view.refused.newest(99))

    async def dossier(self, incident: Incident) -> Dossier:
        found = await self.store.read(lambda view: view.dossier(incident.id))
        assert found is not None
        return found

    async def pass_to(self, at: datetime) -> None:
        self.clock.advance(at - self.clock.now())
        await self.turn.once()

    async def entries(self) -> list[Entry]:
        found = await self.store.read(lambda view: view.history.after(0, 99))
        return [entry for _, entry in found if entry.incident is None]

    async def next_turn(self, after: datetime) -> datetime | None:
        return await self.store.read(lambda view: view.queue.next_turn(after))

    async def in_force(self) -> list[Silence]:
        now = self.clock.now()
        return await self.store.read(lambda view: view.silences.ending_after(now))

    def counted(self, outcome: str) -> float:
        return float(self.metrics.alarms.labels("panic", outcome)._value.get())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "state")
    yield made
    made.store.close()


async def test_what_arrives_under_a_silence_opens_nothing_and_is_kept(
    bench: Bench,
) -> None:
    await bench.silencing.begin(order(), "ann")
    assert await bench.alarm(START) == []
    assert await bench.alarm(START + timedelta(seconds=20)) == []
    assert (bench.counted("silenced"), bench.counted("opened")) == (2, 0)
    _, first = await bench.kept()
    text = "lobby: silenced by ann until 2026-11-23T07:00:00.000Z: a drill"
    assert (first.outcome, first.detail) == (Outcome.SILENCED, text)
    assert first.withheld is not None
    assert first.withheld.fields == {"zone": "north"}
    assert [each.held_back for each in await bench.in_force()] == [2]
    await bench.pass_to(START + 2 * HOUR)
    assert await bench.incidents() == []


async def test_what_a_planned_one_holds_back_is_counted_from_its_start(
    bench: Bench,
) -> None:
    later = replace(order(until=START + 2 * HOUR), start=START + HOUR)
    made = await bench.silencing.begin(later, "ann")
    assert len(await bench.alarm(START)) == 1
    assert len(await bench.alarm(START + HOUR)) == 1
    await bench.pass_to(START + 3 * HOUR)
    begun, ended = await bench.entries()
    assert begun.detail["from"] == "2026-11-23T07:00:00.000Z"
    assert (ended.event, ended.detail["held_back"]) == ("silence-ended", 1)
    kept = await bench.store.read(lambda view: view.silences.get(made.id))
    assert kept is not None
    assert (kept.held_back, kept.is_over) == (1, True)


async def test_a_batch_after_the_end_is_told_apart_by_receipt(bench: Bench) -> None:
    """The rules may read a message long after it came."""
    await bench.silencing.begin(order(), "ann")
    await bench.pass_to(START + 2 * HOUR)
    assert await bench.alarm(START + timedelta(minutes=59)) == []
    assert len(await bench.alarm(START + HOUR)) == 1


async def test_an_end_by_hand_counts_from_then_on(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    bench.clock.advance(60)
    await bench.silencing.end(made.id, "bob")
    assert await bench.in_force() == []
    assert await bench.alarm(START) == []
    assert len(await bench.alarm(START + HOUR / 2)) == 1
    begun, ended = await bench.entries()
    assert (begun.event, ended.event) == ("silence-begun", "silence-ended")
    assert begun.detail == {
        "silence": made.id,
        "rule": "panic",
        "until": "2026-11-23T07:00:00.000Z",
        "by": "ann",
        "author": "ann",
        "comment": "a drill",
    }
    assert ended.detail["by"] == "bob"


async def test_time_ends_one_once_and_the_turn_wakes_for_it(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    assert await bench.next_turn(START) == made.ends_at
    for at in (START + HOUR - timedelta(seconds=1), START + HOUR, START + 2 * HOUR):
        await bench.pass_to(at)
    begun, ended = await bench.entries()
    assert (ended.event, ended.detail["by"]) == ("silence-ended", "time")
    assert ended.at == START + HOUR
    assert begun.at == START
    assert await bench.next_turn(START + HOUR) is None


async def test_one_survives_a_restart(bench: Bench) -> None:
    made = await bench.silencing.begin(order(Subject.TOPIC, "panic/+"), "ann")
    bench.reopen()
    assert await bench.in_force() == [made]
    assert await bench.alarm(START) == []


async def test_a_silence_of_another_topic_is_not_this_ones(bench: Bench) -> None:
    await bench.silencing.begin(order(Subject.TOPIC, "panic/south"), "ann")
    assert len(await bench.alarm(START)) == 1


async def test_one_is_of_what_people_read(bench: Bench) -> None:
    """A label is as good as a name, in whatever letters."""
    made = await bench.silencing.begin(order(Subject.CAMERA, " LOBBY"), "ann")
    assert (made.name, made.subject) == ("lobby", Subject.CAMERA)


@pytest.mark.parametrize(
    ("subject", "name", "says"),
    [
        (Subject.RULE, "panik", "there is no rule 'panik'"),
        (Subject.CAMERA, "loby", "there is no camera 'loby'"),
        (Subject.RULE, "Lobby", "no rule 'Lobby', that is a camera: choose that"),
    ],
)
async def test_a_misspelt_name_is_told(
    bench: Bench, subject: Subject, name: str, says: str
) -> None:
    with pytest.raises(NotFound, match=says):
        await bench.silencing.begin(order(subject, name), "ann")
    with pytest.raises(NotFound, match="there is no silence 'x'"):
        await bench.silencing.end(SilenceId("x"), "ann")
    assert await bench.entries() == []


async def test_there_are_so_many_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silencing, "MOST_IN_FORCE", 1)
    first = await bench.silencing.begin(order(), "ann")
    with pytest.raises(Refused, match="1 silences are in force"):
        await bench.silencing.begin(order(), "ann")
    await bench.pass_to(first.ends_at)
    monkeypatch.setattr(bench.world.dice, "token", lambda: "bbbbbbbb")
    later = order(until=START + 2 * HOUR)
    assert (await bench.silencing.begin(later, "ann")).starts_at == first.ends_at


async def test_past_ones_are_listed_bounded_and_pruned(bench: Bench) -> None:
    made = await bench.silencing.begin(order(), "ann")
    now = START + 2 * HOUR
    await bench.pass_to(now)
    past = await bench.store.read(lambda view: view.silences.past(now, 9))
    assert past == [replace(made, is_over=True)]
    assert await bench.store.read(lambda view: view.silences.past(now, 0)) == []
    await bench.store.write(lambda tx: tx.past.prune(now, now, 9))
    assert await bench.store.read(lambda view: view.silences.past(now, 9)) == []


# ---- still on when it ends


DOOR = order(name="door")


async def test_an_alarm_that_is_still_on_opens_its_incident_as_the_silence_ends(
    bench: Bench,
) -> None:
    """Also after a restart: what is on is a row."""
    await bench.silencing.begin(DOOR, "ann")
    assert await bench.door(START) == []
    assert await bench.door(START + MINUTE) == []
    bench.reopen()
    assert await bench.next_turn(START + MINUTE) == START + HOUR
    await bench.pass_to(START + HOUR + MINUTE)
    [incident] = await bench.incidents()
    assert (incident.opened_at, incident.is_active) == (START + HOUR, True)
    assert (incident.fields, incident.alarms) == ({"door": "north"}, 1)
    dossier = await bench.dossier(incident)
    [alarm] = dossier.alarms
    assert alarm.received_at == START + MINUTE
    assert (alarm.payload, alarm.time_source) == (b'{"s": "on"}', TimeSource.SILENCE)
    assert [each.incident for each in await bench.kept()] == [incident.id, None]
    await bench.pass_to(START + 2 * HOUR)
    assert len([each for each in await bench.incidents() if each.is_active]) == 1


async def test_one_that_no_clear_finds_any_more_ends_at_its_cut(bench: Bench) -> None:
    """A reload in the meantime has given the rule's groups other names."""
    await bench.silencing.begin(DOOR, "ann")
    await bench.door(START)
    bench.world.adopt(REGROUPED)
    await bench.pass_to(START + HOUR)
    bench.clock.advance(MINUTE)
    [incident] = await bench.door(bench.clock.now(), "off")
    assert incident.is_active
    await bench.pass_to(START + 9 * HOUR)
    [incident] = await bench.incidents()
    assert not incident.is_active


async def test_one_whose_clear_came_opens_nothing(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    await bench.door(START)
    await bench.door(START + MINUTE, "off")
    cleared, _ = await bench.kept()
    assert (cleared.outcome, cleared.detail) == (
        Outcome.CLEARED,
        "ends what was silenced",
    )
    await bench.pass_to(START + 2 * HOUR)
    assert await bench.incidents() == []


async def test_a_clear_of_the_same_batch_counts(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    batch = [
        replace(ALARM, topic="door/north", payload=b'{"s": "%s"}' % state)
        for state in (b"on", b"off")
    ]
    await bench.store.write(partial(accept, alarms=batch))
    await bench.interpret.once()
    await bench.pass_to(START + 2 * HOUR)
    assert await bench.incidents() == []


async def test_an_end_by_hand_is_an_end(bench: Bench) -> None:
    made = await bench.silencing.begin(DOOR, "ann")
    await bench.door(START)
    bench.clock.advance(60)
    await bench.silencing.end(made.id, "bob")
    await bench.turn.once()
    [incident] = await bench.incidents()
    assert incident.opened_at == START + MINUTE


async def test_what_was_read_after_the_end_is_resumed_as_well(bench: Bench) -> None:
    """It came under the silence and waited in the inbox until that was over."""
    await bench.silencing.begin(DOOR, "ann")
    await bench.pass_to(START + 2 * HOUR)
    await bench.door(START + MINUTE)
    await bench.turn.once()
    [incident] = await bench.incidents()
    assert incident.opened_at == START + HOUR


async def test_a_silenced_camera_is_left_out_and_joins_as_its_silence_ends(
    bench: Bench,
) -> None:
    await bench.silencing.begin(order(Subject.CAMERA, "yard"), "ann")
    [incident] = await bench.door(START)
    assert [clip.camera for clip in incident.clips] == ["lobby"]
    opened, *_ = (await bench.dossier(incident)).history
    text = "yard: silenced by ann until 2026-11-23T07:00:00.000Z: a drill"
    assert opened.detail["silenced"] == [text]
    [kept] = await bench.kept()
    assert (kept.outcome, kept.detail) == (Outcome.SILENCED, text)
    await bench.pass_to(START + HOUR)
    newest = (await bench.incidents())[0]
    assert newest.is_active
    assert {clip.camera for clip in newest.clips} == {"lobby", "yard"}
    assert (await bench.kept())[0].incident == newest.id


async def test_another_silence_goes_on_withholding(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    bench.world.dice.token = lambda: "bbbbbbbb"  # type: ignore[method-assign]
    longer = order(Subject.CAMERA, "yard", START + 2 * HOUR)
    await bench.silencing.begin(longer, "bob")
    await bench.door(START)
    await bench.pass_to(START + HOUR)
    [incident] = await bench.incidents()
    assert [clip.camera for clip in incident.clips] == ["lobby"]
    await bench.pass_to(START + 2 * HOUR)
    newest = (await bench.incidents())[0]
    assert {clip.camera for clip in newest.clips} == {"lobby", "yard"}
    [kept] = await bench.kept()
    assert kept.withheld is not None
    assert kept.withheld.until is None


async def test_a_silence_that_follows_at_once_withholds_it_whole(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    for camera in ("lobby", "yard"):
        bench.world.dice.token = lambda each=camera: each  # type: ignore[misc]
        longer = order(Subject.CAMERA, camera, START + 2 * HOUR)
        await bench.silencing.begin(longer, "bob")
    await bench.door(START)
    await bench.pass_to(START + HOUR)
    [kept] = await bench.kept()
    assert kept.withheld is not None
    assert kept.withheld.until == START + 2 * HOUR
    assert await bench.incidents() == []


async def test_a_clear_that_is_taken_as_lost_ends_it(bench: Bench) -> None:
    await bench.silencing.begin(order(name="door", until=START + 3 * HOUR), "ann")
    await bench.door(START)
    await bench.pass_to(START + 3 * HOUR)
    assert await bench.incidents() == []


async def test_a_rule_that_is_gone_resumes_nothing(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    await bench.door(START)
    bench.world.adopt(make_site())
    await bench.pass_to(START + HOUR)
    assert await bench.incidents() == []
    [kept] = await bench.kept()
    assert kept.number is not None
    with pytest.raises(Refused, match="there is no rule door now"):
        await bench.operate.export(kept.number, "bob")


# ---- exported after all


async def test_footage_is_exported_after_all_with_the_alarms_own_time(
    bench: Bench,
) -> None:
    await bench.silencing.begin(order(name="door"), "ann")
    at = b"2026-11-23T05:58:00Z"
    payload = b'{"s": "on", "at": "%s", "x": "\x7f"}' % at
    await bench.alarm(START, "door/north", payload)
    await bench.door(START, "off")
    bench.clock.advance(timedelta(days=30))
    [silenced] = [a for a in await bench.kept() if a.outcome is Outcome.SILENCED]
    assert silenced.number is not None
    incident = await bench.operate.export(silenced.number, "bob")
    assert (incident.opened_at, incident.is_active) == (START - 2 * MINUTE, False)
    assert [clip.camera for clip in incident.clips] == ["lobby", "yard"]
    opened, *_ = (await bench.dossier(incident)).history
    assert (opened.detail["by"], opened.detail["alarm"]) == ("bob", silenced.number)
    [alarm] = (await bench.dossier(incident)).alarms
    assert alarm.whole is not None, "the text that is kept is not the message's bytes"
    assert alarm.whole.size == len(payload)
    assert [a.incident for a in await bench.kept()] == [None, incident.id]
    with pytest.raises(Refused, match=f"exported already: incident {incident.id}"):
        await bench.operate.export(silenced.number, "bob")


async def test_what_cannot_be_exported_after_all_says_why(bench: Bench) -> None:
    await bench.alarm(START, "nobody/listens")
    [kept] = await bench.kept()
    assert kept.number is not None
    with pytest.raises(Refused, match="no rule took it now; `evidenced trigger"):
        await bench.operate.export(kept.number, "bob")
    with pytest.raises(NotFound, match="there is no alarm 99 among those"):
        await bench.operate.export(99, "bob")


async def test_a_repeat_of_what_was_silenced_is_an_alarm(bench: Bench) -> None:
    """Its window was not ordered because of the earlier one."""
    await bench.silencing.begin(order(name="door"), "ann")
    payload = b'{"s": "on", "at": "2026-11-23T05:58:00Z"}'
    assert await bench.alarm(START, "door/north", payload) == []
    assert len(await bench.alarm(START + 2 * HOUR, "door/north", payload)) == 1


# ---- bounds


async def test_what_is_on_is_kept_beyond_others_but_bounded(bench: Bench) -> None:
    await bench.silencing.begin(DOOR, "ann")
    await bench.door(START)
    [kept] = await bench.kept()
    assert kept.withheld is not None
    over = replace(kept, number=None, withheld=None)
    await bench.store.write(lambda tx: tx.refused.save([over] * (REFUSED_ALARMS + 5)))
    held = await bench.store.read(lambda view: view.refused.get(kept.number or 0))
    assert held == kept
    many = [
        replace(
            kept, number=None, withheld=replace(kept.withheld, key=GroupKey(str(n)))
        )
        for n in range(MOST_WITHHELD)
    ]
    await bench.store.write(lambda tx: tx.refused.save(many))
    found = await bench.store.read(lambda view: view.refused.newest(2 * MOST_WITHHELD))
    assert len(found) == MOST_WITHHELD
