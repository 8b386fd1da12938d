"""A clock that was ahead leaves waits of years behind; they are cut short."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.ids import IncidentId, RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.keeping.evidence import Record, RecordState
from evidenced.core.keeping.tag import Tag, TagState
from evidenced.core.keeping.waits import shortened, shortened_tag
from evidenced.core.window import Window
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.shortening import BATCH, FOR
from evidenced.pipeline.turn import Turn
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import ANNEX, DOOR, GATE, LOBBY, MAIN, ended, m, s, t
from fakes.running import Log
from fakes.world import make_world

YEARS = timedelta(days=20 * 365)
LONGEST = RetryPolicy().longest_wait
NOW = t("12:30")
NAME = IncidentId("i1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wait", "is_moved"),
    [(LONGEST, False), (LONGEST + s(1), True), (YEARS, True)],
)
def test_no_clip_waits_longer_than_the_longest_back_off(
    wait: timedelta, *, is_moved: bool
) -> None:
    incident = ended(LOBBY)
    late = incident.with_clips(replace(incident.clips[0], due_at=NOW + wait))
    change = shortened(late, MAIN, NOW, LONGEST)
    assert (change is not None) == is_moved
    if change is not None:
        assert (change.before, change.event) == (late, Event.SHORTENED)
        assert change.after == incident.with_clips(
            replace(incident.clips[0], due_at=NOW)
        )
        assert change.detail == {
            "cameras": ["lobby"],
            "next_try": "2026-11-23T12:30:00.000Z",
        }


def test_other_recorders_and_the_first_due_instant_are_left_alone() -> None:
    both = ended(LOBBY, GATE)
    far = both.with_clips(*(replace(clip, due_at=NOW + YEARS) for clip in both.clips))
    change = shortened(far, ANNEX, NOW, LONGEST)
    assert change is not None
    assert [clip.due_at for clip in change.after.clips] == [NOW + YEARS, NOW]
    before = t("12:02")  # its window has just ended, and settle has not
    change = shortened(far, MAIN, before, LONGEST)
    assert change is not None
    assert change.after.clips[0].due_at == both.clips[0].due_at > before
    assert shortened(both, MAIN, before - YEARS, LONGEST) is None


async def test_what_waits_for_years_after_a_step_of_the_clock_does_not(
    store: SqlStore,
) -> None:
    clock, log = FakeClock(NOW), Log()
    turn = Turn(make_world(store, clock, log), Agenda(clock), log.bound)
    clock.advance(FOR)
    await turn.once()
    clock.advance(FOR)
    await turn.once()  # long after the start
    incident = ended(LOBBY)
    far = NOW + YEARS
    waiting = incident.with_clips(replace(incident.clips[0], due_at=far))
    change = Change(before=None, after=waiting, event=Event.OPENED)
    record = Record(
        incident=NAME,
        state=RecordState.WANTED,
        wanted_at=far,
        due_at=far,
        survey="x",
        surveyed_at=far,
    )
    window = Window(start=NOW, end=NOW + m(1))
    tag = Tag(
        incident=NAME,
        camera=LOBBY.name,
        recorder=RecorderName("main"),
        server=LOBBY.server,
        device=LOBBY.device,
        window=window,
        state=TagState.ASKED,
        due_at=far,
        asked_at=far,
        asked=window,
    )
    await store.write(lambda tx: tx.ledger.save([change], NOW))
    await store.write(lambda tx: (tx.tags.save([tag]), tx.evidence.save(record)))
    await turn.once()
    assert await store.read(lambda view: view.queue.next_due(MAIN)) == far
    clock.jump(timedelta(seconds=-2))
    await turn.once()
    now = clock.now()
    dossier = await store.read(lambda view: view.dossier(NAME))
    assert dossier is not None
    assert [clip.due_at for clip in dossier.incident.clips] == [now]
    assert dossier.history[-1].event == Event.SHORTENED
    [kept] = await store.read(lambda view: view.evidence.of([NAME]))
    assert kept == replace(
        record, due_at=now, wanted_at=now, survey="", surveyed_at=None
    )
    [asked] = await store.read(lambda view: view.tags.of([NAME]))
    assert asked == replace(tag, due_at=now, asked_at=now)
    unasked = replace(tag, asked_at=None)
    assert shortened_tag(unasked, now) == replace(unasked, due_at=now)
    assert log.events("warning") == ["the clock was ahead: the next try is sooner"]
    await turn.once()
    assert len(log.events("warning")) == 1


async def test_however_many_they_are_one_look_moves_them_all(store: SqlStore) -> None:
    clock, log, far = FakeClock(NOW), Log(), NOW + YEARS
    turn = Turn(make_world(store, clock, log), Agenda(clock), log.bound)
    several = ended(LOBBY, DOOR)
    ids = [IncidentId(f"i{n}") for n in range(BATCH + 1)]
    clips = tuple(replace(clip, due_at=far) for clip in several.clips)
    changes = [
        Change(
            before=None,
            after=replace(several, id=name, clips=clips),
            event=Event.OPENED,
        )
        for name in ids
    ]
    record = Record(incident=NAME, state=RecordState.WANTED, wanted_at=far, due_at=far)

    def fill(tx: Tx) -> None:
        tx.ledger.save(changes, NOW)
        for name in ids:
            tx.evidence.save(replace(record, incident=name))

    await store.write(fill)
    await turn.once()
    later = NOW + LONGEST
    assert await store.write(lambda tx: tx.queue.due_beyond(MAIN, later, NOW)) == []
    assert await store.read(lambda view: view.evidence.beyond(later, 1)) == []
    [told] = log.calls("warning")
    assert told["incidents"] == BATCH + 1
