from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.instants import ZERO
from evidenced.core.spoken import (
    clock,
    day_and_clock,
    span,
    span_words,
    spoken,
    zone_word,
)
from evidenced.core.telling.lanes import gather
from evidenced.core.telling.shapes import (
    LABELS,
    LETTER,
    LINE,
    MARGIN,
    NAME,
    NARROW,
    WIDE,
    Mark,
    PictureLane,
    Timeline,
)
from evidenced.core.telling.story import Story, tell_story
from evidenced.core.telling.timeline import lay_out
from evidenced.core.telling.timescale import make_scale
from fakes.dossiers import CASES, Case, begun, exported, partial, running, waiting
from fakes.incident import AWAITS, LOBBY, SETTLES, happening, m, opened, s, t, window

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def story(case: Case) -> Story:
    return Story(dossier=case.dossier, now=case.now, settles=SETTLES)


def laid_out(case: Case, width: float = WIDE) -> Timeline:
    return lay_out(story(case), width)


def lane(timeline: Timeline, name: str) -> PictureLane:
    return next(each for each in timeline.lanes if each.name == name)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (s(0), "0 s"),
        (s(0.3), "0.3 s"),
        (s(9.95), "9.9 s"),
        (s(59), "59 s"),
        (s(90), "1 min 30 s"),
        (m(120), "2 h"),
        (m(60) + s(1), "1 h"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (s(-90), "-1 min 30 s"),
    ],
)
def test_durations_are_spoken(length: timedelta, words: str) -> None:
    assert spoken(length) == words


def test_instants_are_told_in_the_zone_that_people_live_in() -> None:
    at = t("23:30:15")
    assert clock(at, AMSTERDAM) == "00:30:15"
    assert day_and_clock(at, AMSTERDAM) == "24 Nov 2026 00:30:15"
    assert (zone_word(at, AMSTERDAM), zone_word(at, UTC)) == ("CET", "UTC")
    assert zone_word(at, ZoneInfo("Asia/Dubai")) == "UTC+0400"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_everything_lies_within_the_picture(name: str, width: float) -> None:
    timeline = laid_out(CASES[name](), width)
    assert [each.y for each in timeline.lanes] == sorted(
        {each.y for each in timeline.lanes}
    )
    assert timeline.lanes[-1].y < timeline.height
    for each in timeline.lanes:
        for bar in each.bars:
            assert timeline.left <= bar.x <= bar.x + bar.width <= width - MARGIN + 6
            assert bar.pre + bar.post <= bar.width + 0.01
        for mark in each.marks:
            assert (
                timeline.left <= mark.x <= mark.x + mark.width <= width - MARGIN + 0.01
            )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_label_has_a_place_of_its_own(name: str, width: float) -> None:
    """Left of all that is drawn to scale, or above it."""
    timeline = laid_out(CASES[name](), width)
    room = LABELS - MARGIN if width == WIDE else width - 2 * MARGIN
    for each in timeline.lanes:
        assert all(len(line) * LETTER <= room for line in each.lines)
        label = NAME + LINE * len(each.lines)
        assert each.bar_at > label if width == NARROW else each.height > label
        assert each.lines or not each.words
    assert timeline.left == (MARGIN + LABELS if width == WIDE else MARGIN)


def test_the_legend_tells_what_is_there_and_nothing_else() -> None:
    found = [key.words for key in laid_out(waiting()).keys]
    assert found == [
        "alarm",
        "before and after the alarm",
        "the recorder writes what it filmed",
        "refused",
        "next try",
    ]
    narrow = laid_out(waiting(), NARROW)
    assert all(key.x < NARROW - MARGIN for key in narrow.keys)
    assert len({key.y for key in narrow.keys}) > 1


def test_one_that_awaits_its_clear_says_how_long_at_most() -> None:
    case = begun()
    goes_on = opened(happening("12:00", LOBBY, rule=AWAITS))
    case.incident = goes_on
    found = lane(laid_out(case), "Lobby")
    assert found.words == "from 11:59:30, still open; until 12:30:00 at the latest"


def test_a_window_shows_its_rolls() -> None:
    bar = lane(laid_out(exported()), "Lobby").bars[0]
    assert (bar.label, bar.end_label) == ("30 s before", "2 min after")
    # seven minutes, half a minute and two of them are rolls
    assert bar.pre / bar.width == pytest.approx(0.5 / 7)
    assert bar.post / bar.width == pytest.approx(2 / 7)


def test_what_is_still_to_come_is_told_apart() -> None:
    case = begun()
    timeline = laid_out(case)
    bar = lane(timeline, "Lobby").bars[0]
    assert bar.future / bar.width == pytest.approx(80 / 150)
    assert timeline.now is not None
    assert timeline.now == pytest.approx(bar.x + bar.width - bar.future)
    assert lane(timeline, "Recorder main").words == "is asked at 12:02:15"


def test_attempts_are_marks_and_words() -> None:
    found = lane(laid_out(waiting()), "Recorder annex")
    assert found.words == "asked once; refused, Disk full (-60); next try 12:04:16"
    assert [mark.kind for mark in found.marks] == ["refused", "next"]
    assert [bar.kind for bar in found.bars] == ["settle"]


def test_an_export_shows_its_progress() -> None:
    timeline = laid_out(running())
    [_, bar] = lane(timeline, "Recorder main").bars
    assert (bar.kind, bar.done, bar.label) == ("exporting", 0.61, "61 %")
    [_, done] = lane(timeline, "Recorder annex").bars
    assert (done.kind, done.done, done.label) == ("exported", None, "")


def test_a_day_of_attempts_does_not_squeeze_the_footage() -> None:
    timeline = laid_out(partial())
    bar = lane(timeline, "Lobby").bars[0]
    assert bar.width > (WIDE - timeline.left) / 2
    found = lane(timeline, "Recorder main")
    [refused] = found.marks
    assert refused.count > 100
    assert refused.title.startswith(f"asked {refused.count} times from 12:02:15 to ")
    assert refused.title.endswith("refused: No video data (-48)")
    assert [spoken(each.length) for each in timeline.breaks] == ["1 d"]
    assert timeline.ticks[-1].label.startswith("24 Nov ")


def test_an_ended_incident_has_no_now() -> None:
    assert laid_out(exported()).now is None


def test_clock_times_do_not_lie_on_each_other() -> None:
    for make in CASES.values():
        for before, after in pairwise(laid_out(make(), NARROW).ticks):
            assert after.x - before.x > 20


def test_the_text_tells_the_whole_picture() -> None:
    assert tell_story(story(waiting())) == (
        "Rule rule-0, waiting. Opened on 23 Nov 2026 12:00:00 UTC. "
        "Alarms: 2, 12:00:00 to 12:01:10 on 23 Nov 2026, UTC. "
        "Gate: 11:59:30 to 12:03:10, 3 min 40 s, due. "
        "Recorder annex: asked once; refused, Disk full (-60); next try 12:04:16. "
        "Lobby: 11:59:30 to 12:03:10, 3 min 40 s, due. "
        "Door: 11:59:30 to 12:03:10, 3 min 40 s, due. "
        "Recorder main: asked 2 times; refused, No video data (-48); "
        "next try 12:04:11. Now it is 12:03:55."
    )


def test_marks_that_lie_on_each_other_become_one() -> None:
    marks = [Mark(x=x, kind="alarm", title=f"at {x}") for x in (1.0, 10.0, 20.0, 90.0)]
    assert gather(marks) == (
        Mark(x=1.0, width=19.0, kind="alarm", title="at 1.0\nand 2 more", count=3),
        Mark(x=90.0, kind="alarm", title="at 90.0"),
    )


def test_a_scale_is_true_inside_the_footage_and_monotone_everywhere() -> None:
    footage = [window("12:00", "12:10"), window("12:05", "12:20")]
    moments = [t("12:00") + m(n) for n in (-600, 30, 31, 900)]
    scale = make_scale(footage, moments, 0, 100)
    x = [scale.x(t("12:00") + m(n)) for n in range(-700, 1000, 7)]
    assert x == sorted(x)
    assert (x[0], x[-1]) == (0, 100)
    minute = scale.x(t("12:01")) - scale.x(t("12:00"))
    assert scale.x(t("12:20")) - scale.x(t("12:00")) == pytest.approx(20 * minute)
    assert 20 * minute > 50


def test_a_single_instant_has_a_place() -> None:
    scale = make_scale([], [t("12:00")], 0, 100)
    assert scale.x(t("12:00")) == 50
    assert scale.breaks == ()
    assert scale.instants[-1] - scale.instants[0] > ZERO


@pytest.mark.parametrize(
    ("start", "end", "told", "shortly"),
    [
        (
            "2026-10-25T00:30Z",
            "2026-10-25T01:30Z",
            "Sun 25 Oct 2026 02:30:00 CEST to 02:30:00 CET (00:30:00 to 01:30:00 UTC)",
            "Sun 25 Oct 02:30:00 CEST to 02:30:00 CET",
        ),
        (
            "2026-03-29T00:50Z",
            "2026-03-29T01:10Z",
            "Sun 29 Mar 2026 01:50:00 CET to 03:10:00 CEST (00:50:00 to 01:10:00 UTC)",
            "Sun 29 Mar 01:50:00 CET to 03:10:00 CEST",
        ),
        (
            "2026-11-23T22:50Z",
            "2026-11-23T23:10Z",
            (
                "Mon 23 Nov 2026 23:50:00 to 24 Nov 2026 00:10:00 CET "
                "(22:50:00 to 23:10:00 UTC)"
            ),
            "Mon 23 Nov 23:50:00 to Tue 24 Nov 00:10:00",
        ),
    ],
)
def test_a_window_over_a_change_of_clocks_says_both_zones(
    start: str, end: str, told: str, shortly: str
) -> None:
    """Seen: `02:30:00 to 02:30:00 CEST`."""
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert span_words(first, last, AMSTERDAM) == told
    assert span(first, last, now, AMSTERDAM) == shortly
