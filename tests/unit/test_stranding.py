"""What becomes of clips whose recorder was taken out of the configuration."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.answers import strand
from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents import operating
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import extend
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.keeping.tag import Tag, TagState
from evidenced.pipeline import stranding
from evidenced.pipeline import turn as turning
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.turn import Turn
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import (
    ANNEX,
    GATE,
    LOBBY,
    SETTLES,
    Ids,
    ended,
    happening,
    opened,
    requested,
    t,
)
from fakes.running import Log
from fakes.world import make_world

NOW = t("14:00")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def test_what_waits_and_what_runs_ends_with_the_reason() -> None:
    waiting = strand(ended(GATE), (), ANNEX, NOW).after
    assert waiting.state is IncidentState.FAILED
    assert waiting.reason is Reason.NO_RECORDER
    incident, export = requested(ended(GATE))
    change = strand(incident, [export], ANNEX, NOW)
    assert change.after.state is IncidentState.FAILED
    assert [each.finished_at for each in change.exports] == [NOW]


def test_other_recorders_and_open_windows_go_on() -> None:
    both = strand(ended(LOBBY, GATE), (), ANNEX, NOW).after
    assert [clip.state for clip in both.clips] == [ClipState.DUE, ClipState.REJECTED]
    assert both.state is IncidentState.WAITING
    recording = opened(happening("12:00", GATE))
    assert strand(recording, (), ANNEX, NOW).after == recording


def test_a_retry_after_the_recorder_is_back_asks_again() -> None:
    incident, export = requested(ended(GATE))
    gone = strand(incident, [export], ANNEX, NOW).after
    again = operating.retry(gone, "eve", NOW).after
    assert again.state is IncidentState.WAITING
    assert again.reason is None


def test_one_that_comes_back_is_not_asked_before_it_has_settled() -> None:
    """While it is away, clears and alarms go on moving the windows of its clips."""
    incident = opened(happening("12:00", GATE))
    alarm = replace(happening("12:01", GATE), settles={})
    clip = extend(incident, alarm, Ids())[-1].after.clips[0]
    assert clip.due_at - clip.window.end >= SETTLES[ANNEX]


async def put(store: SqlStore, incident: Incident, *exports: object) -> None:
    change = Change(
        before=None,
        after=incident,
        event=Event.OPENED,
        exports=exports,  # type: ignore[arg-type]
    )
    await store.write(lambda tx: tx.ledger.save([change], NOW))


async def test_the_turn_ends_them_however_many(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stranding, "BATCH", 2)
    monkeypatch.setattr(turning, "BATCH", 2)
    clock, log = FakeClock(NOW), Log()
    turn = Turn(make_world(store, clock), Agenda(clock), log.bound)
    for n in range(5):
        await put(store, replace(ended(GATE), id=IncidentId(f"w{n}")))
    await put(store, replace(ended(LOBBY), id=IncidentId("ours")))
    incident, export = requested(replace(ended(GATE), id=IncidentId("runs")))
    await put(store, incident, replace(export, incident=incident.id))
    main = RecorderName("main")
    assert await store.read(lambda v: v.queue.recorders_needed()) == {main, ANNEX}
    while await turn.once():
        pass
    assert await store.read(lambda view: view.queue.recorders_needed()) == {main}
    counts = await store.read(lambda view: view.incidents.counts())
    assert counts[IncidentState.FAILED] == 6
    assert counts[IncidentState.WAITING] == 1
    assert sum(each["incidents"] for each in log.calls("warning")) == 6
    assert {each["recorder"] for each in log.calls("warning")} == {ANNEX}


async def test_a_tag_that_was_wanted_there_ends_too(store: SqlStore) -> None:
    clock, log = FakeClock(NOW), Log()
    await put(store, ended(LOBBY))
    [clip] = ended(GATE).clips
    tag = Tag(
        incident=ended(LOBBY).id,
        camera=clip.camera,
        recorder=ANNEX,
        address=clip.address,
        window=clip.window,
        state=TagState.WANTED,
        due_at=NOW + timedelta(hours=9),
    )
    await store.write(lambda tx: tx.tags.save([tag]))
    assert not await Turn(make_world(store, clock), Agenda(clock), log.bound).once()
    [after] = await store.read(lambda view: view.tags.of([tag.incident]))
    assert (after.state, after.due_at) == (TagState.REFUSED, None)
    assert ANNEX not in await store.read(lambda view: view.queue.recorders_needed())
