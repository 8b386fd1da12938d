"""What people type into the one field of the list."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.telling.asking import (
    Names,
    ask,
    name_meant,
    read_instant,
    read_period,
)

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 30, 14, 5, tzinfo=ZONE)
"""A Monday."""
NAMES = Names(
    cameras={"kelder": "Kelder", "voor-1": "Voordeur binnen", "voor-2": "Voordeur"},
    rules={"toegang": "Toegang geweigerd", "door-forced": "", "magazijn": ""},
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-11-30", "2026-12-01"),
        ("Yesterday", "2026-11-29", "2026-11-30"),
        ("monday", "2026-11-30", "2026-12-01"),
        ("last monday", "2026-11-23", "2026-11-24"),
        ("tue", "2026-11-24", "2026-11-25"),
        ("last Tuesday", "2026-11-24", "2026-11-25"),
        ("tuesday 14:00", "2026-11-24T14:00", "2026-11-24T15:00"),
        ("02:10", "2026-11-30T02:10", "2026-11-30T03:10"),
        ("2026-10-25", "2026-10-25", "2026-10-26"),
        ("23 nov", "2026-11-23", "2026-11-24"),
        ("24 dec", "2025-12-24", "2025-12-25"),
        ("24 december 2024", "2024-12-24", "2024-12-25"),
        ("7d", "2026-11-23T14:05", "2026-11-30T14:05"),
        ("30s", "2026-11-30T14:04:30", "2026-11-30T14:05"),
        ("02:10:30", "2026-11-30T02:10:30", "2026-11-30T03:10:30"),
        ("2 h", "2026-11-30T12:05", "2026-11-30T14:05"),
    ],
)
def test_a_time(text: str, start: str, end: str) -> None:
    found = read_period(text, NOW, ZONE)
    assert found is not None
    assert (found.start, found.end) == (local(start), local(end))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (" now ", "2026-11-30T14:05"),
        ("2026-11-23T06:15:30Z", "2026-11-23T07:15:30"),
        ("2026-11-23 07:15:30", "2026-11-23T07:15:30"),
        ("2026-11-23", "2026-11-23"),
        ("tuesday 14:00", "2026-11-24T14:00"),
        ("14:00", "2026-11-30T14:00"),
        ("yesterday", "2026-11-29"),
        ("7d", "2026-11-23T14:05"),
    ],
)
def test_an_instant(text: str, at: str) -> None:
    assert read_instant(text, NOW, ZONE) == local(at)


BEYOND = (
    "0001-01-01",
    "9999-12-31",
    "1 jan 0001",
    "0001-01-01 00:00",
    "9999-12-31 23:59",
    "0001-01-01T00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)
"""Days that have no local time in half of the world."""


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/New_York"])
@pytest.mark.parametrize("text", BEYOND)
def test_a_day_beyond_all_zones_is_no_time(text: str, zone: str) -> None:
    there = ZoneInfo(zone)
    assert read_period(text, NOW, there) is None
    assert read_instant(text, NOW, there) is None
    assert ask(text, NAMES, NOW, there).text is not None


@pytest.mark.parametrize("text", ["", "noon", "25:00", "12:60:01", "2026-13-01"])
def test_no_instant(text: str) -> None:
    assert read_instant(text, NOW, ZONE) is None


def test_the_night_in_which_clocks_change_has_25_hours() -> None:
    found = read_period("2026-10-25", NOW, ZONE)
    assert found is not None
    assert found.end.timestamp() - found.start.timestamp() == 25 * 3600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tu",
        "tomato",
        "99:99",
        "31 feb",
        "7 x",
        "nov",
        "2026-13-01",
        "last",
        "0 nov",
    ],
)
def test_no_time(text: str) -> None:
    assert read_period(text, NOW, ZONE) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", IncidentFilter()),
        ("4711", IncidentFilter(text="4711")),
        ("Gaps kelder", IncidentFilter(camera="kelder", gapped=True)),
        ("KELDER", IncidentFilter(camera="kelder")),
        ("voordeur binnen", IncidentFilter(camera="voor-1")),
        ("voordeur", IncidentFilter(camera="voor-2")),
        ("voor-1 achter", IncidentFilter(camera="voor-1", text="achter")),
        ("toegang geweigerd 4711", IncidentFilter(rule="toegang", text="4711")),
        ("toeg", IncidentFilter(rule="toegang")),
        (
            "door-forced failed",
            IncidentFilter(rule="door-forced", states=(IncidentState.FAILED,)),
        ),
        ("kel voor-2", IncidentFilter(camera="kelder", text="voor-2")),
        ("voo", IncidentFilter(text="voo")),
        ("ke", IncidentFilter(text="ke")),
    ],
)
def test_what_is_meant(text: str, wanted: IncidentFilter) -> None:
    assert ask(text, NAMES, NOW, ZONE) == wanted


def test_a_camera_of_the_last_tuesday() -> None:
    found = ask("kelder last tuesday", NAMES, NOW, ZONE)
    assert found.camera == "kelder"
    assert found.since == local("2026-11-24")
    assert found.until == local("2026-11-25")
    assert found.text is None


def test_a_duration_ends_now() -> None:
    found = ask("7d", NAMES, NOW, ZONE)
    assert found.until == NOW
    assert found.since == NOW - timedelta(days=7)


def test_a_label_is_as_good_as_a_name() -> None:
    assert name_meant("Voordeur Binnen", NAMES.cameras) == "voor-1"
    assert name_meant("nobody", NAMES.cameras) == "nobody"


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("dinsdag", "tuesday"),
        ("Dienstag", "tuesday"),
        ("vorige dinsdag", "last tuesday"),
        ("letzten Dienstag", "last tuesday"),
        ("gisteren", "yesterday"),
        ("heute", "today"),
        ("gestern 14:00", "yesterday 14:00"),
        ("eergisteren", "2026-11-28"),
        ("vorgestern", "28 nov"),
        ("letzte dienstag", "last tuesday"),
        ("24. nov", "24 nov"),
        ("3 maart", "3 march"),
        ("3 März", "3 mar"),
        ("12 okt", "12 october"),
        ("5 mei", "5 may"),
    ],
)
def test_days_are_said_in_the_languages_of_the_page(said: str, english: str) -> None:
    meant = read_period(said.lower(), NOW, ZONE)
    assert meant is not None
    assert meant == read_period(english, NOW, ZONE)


@pytest.mark.parametrize("text", ["die", "mit", "son", "don"])
def test_a_short_word_of_another_language_is_no_day(text: str) -> None:
    assert read_period(text, NOW, ZONE) is None
