"""Cameras are watched before they are needed: who is asked when, and what follows."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from evidenced.core.address import Address
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports import watching
from evidenced.core.exports.watching import (
    FURTHEST,
    PRECISE,
    CameraWatch,
    LookBack,
    turn_of,
)
from evidenced.core.ids import CameraName, SessionId
from evidenced.core.instants import DAY, HOUR, MINUTE, SECOND, ZERO
from evidenced.core.recorder import SessionInfo
from evidenced.core.site import Site
from evidenced.core.telling.judgement import Findings, Mood
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Watched
from evidenced.core.telling.verdict import verdict
from evidenced.core.window import Window
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.watching import Watching
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.running import Log
from fakes.world import (
    TOML,
    FixedDice,
    ScriptedRecorder,
    build_site,
    load_text,
    make_world,
)

LOBBY = CameraName("lobby")
NAMES = [CameraName(f"c{n}") for n in range(60)]


def test_questions_are_spread_evenly_and_each_camera_has_its_turn() -> None:
    known: dict[CameraName, CameraWatch] = {}
    asked: list[tuple[CameraName, datetime]] = []
    now = START
    for _ in range(3 * len(NAMES)):
        turn = turn_of(NAMES, known, HOUR, now)
        assert turn is not None
        name, at = turn
        now = max(now, at)
        known[name] = CameraWatch(camera=name, asked_at=now)
        asked.append((name, now))
    apart = {b - a for (_, a), (_, b) in pairwise(asked)}
    assert apart == {MINUTE}
    assert [name for name, _ in asked] == 3 * NAMES


def test_however_long_nobody_could_ask_they_are_not_asked_at_once() -> None:
    known = {name: CameraWatch(camera=name, asked_at=START) for name in NAMES}
    later = START + 3 * DAY
    assert turn_of(NAMES, known, HOUR, later) == (NAMES[0], START + MINUTE)
    known[NAMES[0]] = CameraWatch(camera=NAMES[0], asked_at=later)
    assert turn_of(NAMES, known, HOUR, later) == (NAMES[1], later + MINUTE)


def test_a_new_camera_goes_first_and_a_clock_that_was_ahead_counts_for_nothing() -> (
    None
):
    known = {LOBBY: CameraWatch(camera=LOBBY, asked_at=START)}
    assert turn_of([LOBBY, NAMES[0]], known, HOUR, START) == (
        NAMES[0],
        START + HOUR / 2,
    )
    ahead = {LOBBY: CameraWatch(camera=LOBBY, asked_at=START + DAY)}
    assert turn_of([LOBBY], ahead, HOUR, START) == (LOBBY, START)
    assert turn_of([LOBBY], {}, ZERO, START) is None
    assert turn_of([], {}, HOUR, START) is None


@given(st.integers(1, 31 * 24 * 60), st.sampled_from([MINUTE, HOUR, DAY]))
def test_since_when_nothing_is_recorded_is_found_by_few_questions(
    minutes: int, every: timedelta
) -> None:
    stopped = START - minutes * MINUTE
    empty = Window(start=START - min(every, START - stopped), end=START)
    search, questions = LookBack(empty), 0
    while (span := search.next()) is not None:
        search.answer(span, has_video=span.start < stopped)
        questions += 1
    assert questions <= 40
    if search.is_found:
        assert ZERO <= search.since - stopped <= PRECISE
    else:
        assert stopped <= search.since <= START - FURTHEST


class Filming(ScriptedRecorder):
    """Has footage up to an instant, or answers as it is told."""

    def __init__(self) -> None:
        super().__init__(
            lambda: SessionInfo(session=SessionId("s"), offset=None, version="")
        )
        self.until: datetime | None = START + 365 * DAY
        self.error: RecorderError | None = None
        self.asked = 0

    @override
    async def has_video(self, address: Address, window: Window) -> bool | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return None if self.until is None else window.start < self.until


def site_of(watch: str = "1h") -> Site:
    text = TOML.format(destination="", cameras='"lobby"')
    text = text.replace("[cameras.lobby]", f'watch = "{watch}"\n[cameras.lobby]')
    text += "[cameras.unused]\nserver = '1001'\ndevice = '2002'\n"
    return build_site(load_text(text).config)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    def __init__(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch, watch: str = "1h"
    ) -> None:
        monkeypatch.setattr("evidenced.pipeline.watching.PAUSE", ZERO)
        self.store, self.recorder = store, Filming()
        self.clock, self.log = FakeClock(START), Log()
        self.site = site_of(watch)
        self.start()

    def start(self) -> None:
        world = make_world(self.store, self.clock, self.log, self.site)
        [settings] = world.site.recorders.values()
        log = self.log.bound
        self.link = Link(settings, self.recorder, self.clock, FixedDice(), log)
        self.loop = Watching(world, self.link, Agenda(self.clock), log)


@pytest.fixture
def bench(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(store, monkeypatch)


async def test_each_camera_that_a_rule_uses_is_asked_once_in_the_time(
    bench: Bench,
) -> None:
    assert await bench.loop.once() == START + HOUR
    assert await bench.loop.once() == START + HOUR
    assert bench.recorder.asked == 1  # and not the one that no rule uses
    bench.clock.advance(HOUR)
    await bench.loop.once()
    assert bench.recorder.asked == 2
    assert bench.loop.troubles() == {}


async def test_one_that_does_not_record_is_told_with_since_when_until_it_does(
    bench: Bench,
) -> None:
    bench.recorder.until = START - 3 * DAY
    await bench.loop.once()
    [(key, text)] = bench.loop.troubles().items()
    assert key == (NoticeKind.CAMERA, LOBBY)
    stopped = bench.recorder.until + MINUTE
    assert f"{stopped:%H:%M}"[:4] in text
    asked = bench.recorder.asked
    bench.clock.advance(HOUR)
    await bench.loop.once()
    assert bench.recorder.asked == asked + 1  # since when is known
    assert bench.loop.troubles() == {key: text}
    bench.recorder.until = START + DAY
    bench.clock.advance(HOUR)
    await bench.loop.once()
    assert bench.loop.troubles() == {}
    assert "a camera does not record" in bench.log.events("warning")
    assert "a camera records again" in bench.log.events("info")


async def test_a_restart_forgets_nothing_and_asks_nobody_again(bench: Bench) -> None:
    bench.recorder.until = START - DAY
    await bench.loop.once()
    told, asked = bench.loop.troubles(), bench.recorder.asked
    bench.start()
    await bench.loop.recall()
    assert await bench.loop.once() == START + HOUR
    assert (bench.loop.troubles(), bench.recorder.asked) == (told, asked)


async def test_exports_go_first(bench: Bench) -> None:
    bench.link.seen(1)
    assert await bench.loop.once() is None
    assert bench.recorder.asked == 0
    bench.link.seen(0)
    await bench.loop.once()
    assert bench.recorder.asked == 1


@pytest.mark.parametrize("fails", [True, False])
async def test_a_recorder_that_does_not_tell_says_nothing_of_the_camera(
    bench: Bench, *, fails: bool
) -> None:
    error = RecorderError(Reason.SERVER_ERROR, "HTTP 500", is_sent=True)
    bench.recorder.until = None
    bench.recorder.error = error if fails else None
    assert await bench.loop.once() == START + HOUR
    assert bench.loop.troubles() == {}
    assert bench.link.is_up  # exports are asked for as ever


async def test_with_0_nobody_is_asked(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch, "0s")
    bench.recorder.until = START - DAY
    assert await bench.loop.once() is None
    assert (bench.recorder.asked, bench.loop.troubles()) == (0, {})


async def test_a_camera_that_is_configured_no_more_is_forgotten(bench: Bench) -> None:
    await bench.loop.once()
    await bench.store.write(lambda tx: tx.watches.forget([LOBBY]))
    assert await bench.store.read(lambda view: view.watches.all())
    await bench.store.write(lambda tx: tx.watches.forget([]))
    assert await bench.store.read(lambda view: view.watches.all()) == []


async def test_the_verdict_warns_of_it(bench: Bench) -> None:
    bench.recorder.until = START - DAY
    await bench.loop.once()
    watched = Watched([], 0.0)
    [trouble] = watched.look(bench.loop.troubles(), START, 0.0, ZERO)
    found = verdict(Findings(now=START, troubles=[trouble]))
    assert found.mood is Mood.WARN
    assert found.text.startswith("Camera lobby does not record: recorder main has")


def test_lately_ends_where_the_recorder_surely_has_written() -> None:
    window = watching.lately(START, HOUR, 15 * SECOND)
    assert window == Window(start=START - HOUR - 15 * SECOND, end=START - 15 * SECOND)


def test_a_recorder_that_writes_late_does_not_make_dead_cameras() -> None:
    """Seen: asked every 40 s, it had nothing of the last 45 s of any camera."""
    window = watching.lately(START, 10 * SECOND, 5 * SECOND)
    assert window == Window(start=START - 65 * SECOND, end=START - 5 * SECOND)
