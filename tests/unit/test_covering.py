"""What a recorder has of a window, by few questions; gaps with their instants."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from evidenced.core.address import Address
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports import covering
from evidenced.core.exports.covering import (
    MOST_QUESTIONS,
    SHORTEST_GAP,
    Questions,
    conclude,
)
from evidenced.core.exports.exporting import prove
from evidenced.core.exports.growth import Sighting
from evidenced.core.ids import IncidentId, SessionId
from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel, retry
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.loss import Loss, acknowledged, loss_of, losses_after
from evidenced.core.recorder import SessionInfo
from evidenced.core.telling.notice import NoticeKind, notice_of
from evidenced.core.telling.sentences import sentence
from evidenced.core.window import Window
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.covering import TRIES, Covering
from evidenced.pipeline.link import Link
from evidenced.ports import Tx
from evidenced.sense.replies import in_utc
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import FakeClock
from fakes.incident import DOOR, LOBBY, ended, patience, requested, s, t
from fakes.running import Log
from fakes.world import FixedDice, ScriptedRecorder, make_world

START = t("12:00")


def images(window: Window, every: float, holes: Sequence[Window]) -> list[datetime]:
    count = int(window.length / s(every)) + 1
    found = [window.start + s(every) * n for n in range(count)]
    return [
        at
        for at in found
        if at < window.end and not any(h.start <= at < h.end for h in holes)
    ]


def play(
    window: Window, recorded: Sequence[datetime], most: int = 600
) -> tuple[Questions, Coverage]:
    questions = Questions(window)
    while (span := questions.next()) is not None:
        inside = [at for at in recorded if span.start <= at < span.end]
        questions.answer(span, inside[:most])
    assert questions.asked <= MOST_QUESTIONS
    return questions, covering.covered(questions, timedelta(0))


def of(seconds: float) -> Window:
    return Window(start=START, end=START + s(seconds))


def hole(start: float, end: float) -> Window:
    return Window(start=START + s(start), end=START + s(end))


@pytest.mark.parametrize("seconds", [1, 20, 150, 1800, 4 * 3600])
def test_a_whole_window_is_whole(seconds: float) -> None:
    window = of(seconds)
    _, coverage = play(window, images(window, 1, []))
    assert (coverage.state, coverage.gaps) == (CoverageState.WHOLE, ())


@pytest.mark.parametrize(
    "gap", [(0, 23.5), (40, 60), (100, 150), (70, 75.5), (0, 150), (3, 149)]
)
@pytest.mark.parametrize("every", [0.04, 1.0])
def test_a_gap_is_told_with_its_instants(
    gap: tuple[float, float], every: float
) -> None:
    window = of(150)
    _, coverage = play(window, images(window, every, [hole(*gap)]))
    [found] = coverage.gaps
    assert abs(found.start - (START + s(gap[0]))) <= s(every)
    assert abs(found.end - (START + s(gap[1]))) <= s(every)
    assert coverage.state is CoverageState.GAPS


@given(
    st.lists(st.tuples(st.integers(0, 290), st.integers(7, 60)), max_size=3),
    st.sampled_from([0.5, 1.0]),
)
def test_every_gap_is_found_and_none_is_invented(
    holes: list[tuple[int, int]], every: float
) -> None:
    window = of(300)
    wanted = [hole(at, min(at + length, 300)) for at, length in holes]
    recorded = images(window, every, wanted)
    _, coverage = play(window, recorded)
    for each in wanted:
        if each.length >= SHORTEST_GAP + s(2):
            assert any(
                gap.start <= each.start + s(1) and each.end - s(1) <= gap.end
                for gap in coverage.gaps
            )
    for gap in coverage.gaps:
        assert not any(gap.start < at < gap.end for at in recorded)


def test_key_images_far_apart_are_no_gaps() -> None:
    window = of(300)
    _, coverage = play(window, images(window, 8, []))
    assert coverage.state is CoverageState.WHOLE
    _, coverage = play(window, images(window, 8, [hole(100, 180)]))
    assert len(coverage.gaps) == 1


def test_of_a_recorder_that_tells_few_the_rest_is_said_to_be_unseen() -> None:
    window = of(1800)
    questions, coverage = play(window, images(window, 0.04, []), most=100)
    assert coverage.state is CoverageState.WHOLE
    assert s(30) < coverage.unseen < s(120)
    assert questions.asked == MOST_QUESTIONS
    _, coverage = play(window, images(window, 0.04, [hole(600, 1200)]), most=100)
    assert coverage.state is CoverageState.GAPS


@pytest.mark.parametrize("hours", [-11, -5, 0, 1, 2, 5.75])
def test_local_times_are_understood(hours: float) -> None:
    window = of(600)
    meant = [START, START + s(1), START + s(599)]
    said = [at + timedelta(hours=hours) for at in meant]
    assert in_utc(said, window) == tuple(meant)
    whole_seconds = [at - s(0.4) for at in said]
    assert in_utc(whole_seconds, window)[0] == START


class Telling(ScriptedRecorder):
    """Says what it has recorded."""

    def __init__(self, has: Sequence[datetime] | Exception | None) -> None:
        super().__init__(
            lambda: SessionInfo(session=SessionId("s"), offset=None, version="")
        )
        self.has = has
        self.asked = 0

    @override
    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        self.asked += 1
        if isinstance(self.has, Exception):
            raise self.has
        if self.has is None:
            return None
        return tuple(at for at in self.has if window.start <= at < window.end)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Bench:
    """An exported clip and its recorder."""

    def __init__(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch, recorder: Telling
    ) -> None:
        monkeypatch.setattr("evidenced.pipeline.covering.PAUSE", timedelta(0))
        self.store, self.recorder = store, recorder
        self.clock, self.log = FakeClock(t("12:10")), Log()
        world = make_world(store, self.clock, self.log)
        [settings] = world.site.recorders.values()
        log = self.log.bound
        self.link = Link(settings, recorder, self.clock, FixedDice(), log)
        self.loop = Covering(world, self.link, Agenda(self.clock), log)

    async def begin(self) -> Window:
        incident, export = requested(ended())
        seen = Sighting(files=1, size_bytes=1)
        first = Change(
            before=None, after=incident, event=Event.REQUESTED, exports=(export,)
        )
        steps = [first, *prove(incident, export, seen, patience(t("12:10")))]
        await self.store.write(lambda tx: tx.ledger.save(steps, t("12:10")))
        return incident.clips[0].window


async def look(bench: Bench) -> Incident:
    while await bench.loop.once():
        pass
    [incident] = await bench.store.read(lambda v: v.incidents.get([IncidentId("i1")]))
    return incident


async def test_a_gap_over_the_alarm_is_a_loss_and_is_told(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch, Telling([]))
    window = await bench.begin()
    lost = Window(start=START - s(2), end=START + s(30))
    bench.recorder.has = images(window, 1, [lost])
    incident = await look(bench)
    [clip] = incident.clips
    assert clip.coverage is not None
    assert clip.coverage.is_loss
    assert clip.is_lacking
    assert loss_of(incident) == "no footage of Lobby at the alarm (a gap)"
    entries = await store.read(lambda v: v.history.after(0, 99))
    [entry] = [entry for _, entry in entries if entry.event == Event.COVERED]
    notice = notice_of(entry, incident, {})
    assert notice is not None
    assert notice.kind is NoticeKind.GAP
    assert notice.text.startswith("lobby: nothing recorded 2026-11-23T11:59:5")
    asked = bench.recorder.asked
    await look(bench)
    assert bench.recorder.asked == asked


async def told(bench: Bench) -> list[str]:
    """What the history, and so the timeline, says of what the recorder has."""
    entries = await bench.store.read(lambda v: v.history.after(0, 99))
    found = [entry for _, entry in entries if entry.event == Event.COVERED]
    assert not [each for each in found if "state" in each.detail]
    return [sentence(entry, UTC) for entry in found]


async def test_that_a_clip_is_whole_is_told_once_and_to_nobody_s_phone(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch, Telling([]))
    bench.recorder.has = images(await bench.begin(), 1, [])
    incident = await look(bench)
    assert await told(bench) == ["the recorder has all of the footage of lobby"]
    await look(bench)
    assert len(await told(bench)) == 1
    entries = await store.read(lambda v: v.history.after(0, 99))
    assert notice_of(entries[-1][1], incident, {}) is None


async def test_a_gap_beside_the_alarm_is_told_and_no_loss(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch, Telling([]))
    window = await bench.begin()
    later = Window(start=START + s(20), end=START + s(40))
    bench.recorder.has = images(window, 1, [later])
    [clip] = (await look(bench)).clips
    assert clip.coverage is not None
    assert (clip.coverage.state, clip.is_lacking) == (CoverageState.GAPS, False)


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_recorder_that_cannot_be_asked_leaves_it_unknown(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, *, is_silent: bool
) -> None:
    error = RecorderError(Reason.SERVER_ERROR, "HTTP 500", is_sent=True)
    bench = Bench(store, monkeypatch, Telling(None if is_silent else error))
    await bench.begin()
    for _ in range(TRIES):
        [clip] = (await look(bench)).clips
        bench.clock.advance(timedelta(hours=1))
    assert clip.coverage is not None
    assert clip.coverage.state is CoverageState.UNKNOWN
    assert clip.coverage.text
    assert await told(bench) == [
        f"whether the footage of lobby is whole is not known: {clip.coverage.text}"
    ]


async def test_nothing_is_asked_while_an_export_runs(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, monkeypatch, Telling([]))
    window = await bench.begin()
    bench.recorder.has = images(window, 1, [])
    bench.link.seen(1)
    [clip] = (await look(bench)).clips
    assert (clip.coverage, bench.recorder.asked) == (None, 0)
    bench.link.seen(0)
    [clip] = (await look(bench)).clips
    assert clip.coverage == replace(
        Coverage(state=CoverageState.WHOLE), unseen=clip.coverage.unseen
    )


def gapped() -> Incident:
    """Exported, and the recorder had nothing at the instant of the alarm."""
    incident = ended(LOBBY, DOOR)
    clips = [clip.moved(ClipState.REQUESTED).exported() for clip in incident.clips]
    whole = incident.with_clips(*clips).settled(t("12:30"))
    gap = Window(start=whole.opened_at - s(5), end=whole.opened_at + s(5))
    found = Coverage(state=CoverageState.GAPS, gaps=(gap,))
    return conclude(whole, whole.clips[0], found, []).after


def found_anew(before: Incident, *gaps: Window) -> Incident:
    """The same clip, asked about once more."""
    found = Coverage(state=CoverageState.GAPS, gaps=gaps)
    return conclude(before, before.clips[0], found, []).after


async def test_a_gap_that_has_grown_counts_though_the_smaller_one_was_acknowledged(
    store: SqlStore,
) -> None:
    before = gapped()
    at, [gap] = t("13:00"), before.clips[0].coverage.gaps  # type: ignore[union-attr]
    wider = Window(start=gap.start - s(30), end=gap.end)
    smaller = Window(start=gap.start + s(1), end=gap.end)
    beside = Window(start=gap.end + s(20), end=gap.end + s(30))
    text = loss_of(before)
    lost = losses_after(None, before, at)
    assert isinstance(lost, Loss)
    for gaps, is_open in [((smaller,), False), ((wider,), True), ((gap, beside), True)]:
        after = found_anew(before, *gaps)

        def step(tx: Tx, after: Incident = after) -> Loss | None:
            tx.losses.save([acknowledged(lost, "anna", "seen", at)])
            tx.losses.derive([(before, after)], at)
            return tx.losses.get(lost.kind, lost.name)

        known = await store.write(step)
        assert known is not None
        assert (known.is_open, known.text) == (is_open, text), gaps


def test_neither_a_retry_nor_its_withdrawal_hides_a_gap_over_the_alarm() -> None:
    before = gapped()
    assert loss_of(before) == "no footage of Lobby at the alarm (a gap)"
    asked = retry(before, "anna", t("13:00"), again=True).after
    assert loss_of(asked) == loss_of(before)
    assert losses_after(before, asked, t("13:00")) is None
    withdrawn = cancel(asked, "anna", t("13:01"), "wrong one").after
    assert loss_of(withdrawn) == loss_of(before)
    assert withdrawn.clips[0].coverage == before.clips[0].coverage


def test_other_footage_is_asked_about_anew() -> None:
    asked = retry(gapped(), "anna", t("13:00"), again=True).after
    clip = asked.clips[0].moved(ClipState.REQUESTED).exported()
    assert (clip.coverage, clip.is_lacking) == (None, False)
