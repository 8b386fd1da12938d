"""A day in figures, and when its report is due."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.site import NoticePlan, ReportPlan
from evidenced.core.telling.judgement import Cause, Judgement, Matter, Mood
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.report import (
    ClipTally,
    DayReport,
    Figures,
    Tally,
    day_of,
    report_object,
    report_text,
)
from evidenced.core.telling.routing import Pile, Route
from evidenced.core.telling.trouble import Trouble
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.reporting import Reporting, last_report, trigger_of
from evidenced.store import StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.incident import t
from fakes.world import make_site, make_world

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAILY = ReportPlan(at=time(7), days=frozenset(range(7)), to=("duty",))


def tally(
    rule: str, state: IncidentState, reason: str, incidents: int, alarms: int
) -> Tally:
    return Tally(
        rule=rule, state=state, reason=reason, incidents=incidents, alarms=alarms
    )


FIGURES = Figures(
    incidents=[
        tally("door", IncidentState.EXPORTED, "", 40, 90),
        tally("door", IncidentState.FAILED, "no-video", 2, 2),
        tally("panic", IncidentState.WAITING, "", 1, 5),
        tally("gate", IncidentState.CANCELLED, "operator", 3, 7),
        tally("door", IncidentState.PARTIAL, "no-video", 1, 1),
        tally("door", IncidentState.PARTIAL, "operator", 1, 1),
    ],
    clips=[
        ClipTally(state=ClipState.MISSING, reason="no-video", clips=3),
        ClipTally(state=ClipState.REJECTED, reason="bad-path", clips=1),
        ClipTally(state=ClipState.MISSING, reason="recorder-fault", clips=5),
    ],
    troubles=[
        Trouble(
            kind=NoticeKind.RECORDER,
            name="main",
            text="connection refused",
            since=t("12:00"),
            ended_at=t("12:12"),
        ),
        Trouble(kind=NoticeKind.BROKER, name="", text="gone", since=t("23:00")),
    ],
    silences=[
        Silence(
            id=SilenceId("x"),
            subject=Subject.RULE,
            name="gate",
            starts_at=t("12:00"),
            until=t("18:00", 24),
            ends_at=t("18:00", 24),
            author="ann",
            comment="new motor",
        )
    ],
    not_taken={"stale": 2, "unmatched": 7},
)


FOUND = Judgement(
    mood=Mood.WARN,
    text="A clock is wrong.",
    causes=(
        Cause(
            matter=Matter.CLOCK,
            mood=Mood.WARN,
            text="A clock is wrong.",
            advice="Set it.",
        ),
    ),
)


async def judge() -> Judgement:
    return FOUND


def report(figures: Figures = FIGURES) -> DayReport:
    start, end = day_of(date(2026, 11, 23), AMSTERDAM)
    return DayReport(
        day=date(2026, 11, 23),
        start=start,
        end=end,
        now=t("06:00", 24),
        zone=AMSTERDAM,
        figures=figures,
        verdict=FOUND,
    )


def test_a_report_is_read_at_a_glance() -> None:
    assert report_text(report()).splitlines() == [
        "Monday 2026-11-23, as known at 2026-11-24 07:00",
        "A clock is wrong.",
        "",
        "needs somebody",
        "  A clock is wrong. Set it.",
        "",
        "alarms     106",
        "incidents  48",
        "exported   40",
        "partial    2, of them cancelled by an operator 1",
        "failed     2",
        "waiting    1",
        "cancelled  3",
        "not taken  9: unmatched 7, stale 2",
        (
            "missing clips: the recorder has a fault (5), "
            "the recorder has no video of it (3)"
        ),
        "rejected clips: the destination's folder cannot be written (1)",
        "",
        "by rule",
        "  door: 94 alarms, 44 incidents, 40 exported",
        "  gate: 7 alarms, 3 incidents, 0 exported",
        "  panic: 5 alarms, 1 incidents, 0 exported",
        "",
        "trouble",
        "  recorder main: 2026-11-23 13:00 for 12 min: connection refused",
        "  broker: 2026-11-24 00:00 for 7 h, goes on: gone",
        "",
        "silences in force",
        "  rule gate until 2026-11-24 19:00, ann: new motor",
    ]


def test_the_same_for_programs() -> None:
    value = report_object(report())
    assert value["day"] == "2026-11-23"
    assert value["start"] == "2026-11-22T23:00:00.000Z"
    assert (value["alarms"], value["incidents"]) == (106, 48)
    assert value["withdrawn"] == 1
    assert value["not_taken"] == {"stale": 2, "unmatched": 7}
    assert value["missing"] == {"recorder-fault": 5, "no-video": 3}


def test_more_than_are_kept_are_at_least_so_many() -> None:
    cut = replace(FIGURES, is_cut=True)
    assert "not taken  at least 9: unmatched 7, stale 2" in report_text(report(cut))


def test_a_quiet_day_is_short() -> None:
    nothing = Figures(incidents=[], clips=[], troubles=[], silences=[])
    quiet = Judgement(mood=Mood.GOOD, text="All footage is safe.")
    said = report_text(replace(report(nothing), verdict=quiet))
    assert len(said.splitlines()) == 10


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 23), 24)],
)
def test_a_day_is_as_long_as_the_clock_on_the_wall_says(day: date, hours: int) -> None:
    start, end = day_of(day, AMSTERDAM)
    assert end - start == timedelta(hours=hours)
    assert start.astimezone(AMSTERDAM).time() == time(0)


# ---- when


@pytest.mark.parametrize(
    ("days", "after", "expected"),
    [
        (range(7), "2026-11-23T06:00", "2026-11-24T06:00"),
        (range(7), "2026-11-23T05:59", "2026-11-23T06:00"),
        (range(5), "2026-11-27T06:00", "2026-11-30T06:00"),
        ((6,), "2026-11-23T06:00", "2026-11-29T06:00"),
        (range(7), "2026-03-28T06:00", "2026-03-29T05:00"),
    ],
)
def test_the_next_by_the_clock_on_the_wall(
    days: range, after: str, expected: str
) -> None:
    plan = ReportPlan(at=time(7), days=frozenset(days), to=("duty",))
    trigger = trigger_of(plan, AMSTERDAM)
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    wanted = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert trigger is not None
    assert last_report(trigger, at, wanted - timedelta(milliseconds=1)) is None
    assert last_report(trigger, at, wanted) == wanted


def test_of_several_that_were_missed_only_the_last_is_due() -> None:
    now = t("09:00", 26)
    daily = trigger_of(DAILY, AMSTERDAM)
    assert daily is not None
    assert last_report(daily, t("09:00", 23), now) == t("06:00", 26)
    assert last_report(daily, t("06:00", 26), now) is None
    assert last_report(daily, t("09:00", 1), now) == t("06:00", 26)


def test_without_days_or_receivers_there_is_none() -> None:
    assert trigger_of(replace(DAILY, days=frozenset()), AMSTERDAM) is None
    assert trigger_of(replace(DAILY, to=()), AMSTERDAM) is None


async def test_a_report_is_made_once_also_across_a_stop(tmp_path: Path) -> None:
    route = Route(name="duty", events=frozenset())
    plan = NoticePlan(routes=(route,), report=DAILY)
    site = replace(make_site(), notices=plan, zone=UTC)
    clock = FakeClock(START + timedelta(minutes=30))  # 06:30
    store = open_store(StoreSettings(directory=tmp_path))

    def loop() -> Reporting:
        return Reporting(make_world(store, clock, site=site), Agenda(clock), judge)

    async def waiting() -> list[Pile]:
        return await store.read(lambda view: view.piles.of("duty"))

    first = loop()
    await first.once()
    assert await waiting() == []
    clock.advance(timedelta(days=2, hours=1))  # two were missed
    again = loop()
    await again.once()
    [pile] = await waiting()
    assert (pile.kind, pile.subject) == (
        NoticeKind.REPORT,
        "report of Tuesday 2026-11-24",
    )
    assert pile.samples[0].text.startswith("Tuesday 2026-11-24, as known at")
    assert pile.due_at(route) == clock.now()
    await loop().once()
    assert len(await waiting()) == 1
    ahead = timedelta(days=20 * 365)
    clock.jump(ahead)
    await again.once()
    clock.jump(-ahead)
    await again.once()
    clock.advance(timedelta(days=1))
    await again.once()
    told = [pile.subject for pile in await waiting()]
    assert "report of Wednesday 2026-11-25" in told
    store.close()
