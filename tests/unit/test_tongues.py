"""Dutch and German: sentences, plurals, days, and what was stored in English."""

from datetime import UTC, datetime, timedelta

import pytest

from evidenced.core.errors import Reason
from evidenced.core.phrase import DayForm, dated, kept, phrase, plural, said
from evidenced.core.spoken import moment, person, spoken
from evidenced.core.telling.asking import read_period
from evidenced.core.telling.judgement import Findings
from evidenced.core.telling.reasons import REASONS
from evidenced.core.telling.verdict import verdict
from evidenced.tongues import tongue
from fakes.listening import listener

NL, DE = tongue("nl"), tongue("de")
AT = datetime(2026, 11, 23, 6, 15, 30, tzinfo=UTC)


def test_numbers_choose_their_words() -> None:
    told = [plural("{n} incident", "{n} incidents", n) for n in (0, 1, 2)]
    assert [said(each, NL) for each in told] == [
        "0 incidenten",
        "1 incident",
        "2 incidenten",
    ]
    assert [said(each, DE) for each in told] == [
        "0 Vorfälle",
        "1 Vorfall",
        "2 Vorfälle",
    ]


@pytest.mark.parametrize(
    ("form", "nl", "de"),
    [
        (DayForm.DAY, "23 nov 2026", "23. Nov. 2026"),
        (DayForm.SHORT_DAY, "23 nov", "23. Nov."),
        (DayForm.WEEKDAY, "ma 23 nov", "Mo., 23. Nov."),
        (DayForm.LONG_DAY, "maandag 23 november 2026", "Montag, 23. November 2026"),
        (DayForm.LONG_DAY_OF_YEAR, "maandag 23 november", "Montag, 23. November"),
        (DayForm.DAY_OF_WEEK, "maandag", "Montag"),
    ],
)
def test_days_are_written_as_people_do(form: DayForm, nl: str, de: str) -> None:
    assert said(dated(AT, form), NL) == nl
    assert said(dated(AT, form), DE) == de


def test_lengths_and_instants() -> None:
    assert said(spoken(timedelta(hours=3, minutes=5)), NL) == "3 u 5 min"
    assert said(spoken(timedelta(seconds=2.5)), DE) == "2,5 s"
    later = AT + timedelta(days=3)
    assert said(moment(AT, later, UTC), NL) == "ma 23 nov 06:15:30"


def test_the_verdict() -> None:
    found = verdict(Findings(now=AT))
    assert said(found.text, NL) == "Geen incidenten in de laatste 24 uur."
    assert said(found.text, DE) == "Keine Vorfälle in den letzten 24 Stunden."


@pytest.mark.parametrize(
    ("stored", "nl"),
    [
        ("", ""),
        ("the recorder has no video of it", "de recorder heeft er geen video van"),
        ("Nothing waits.", "Er wacht niets."),
        ("cancelled by ann", "geannuleerd door ann"),
        (
            "Lobby, Hal missing: the recorder has no video of it (asked 16 times)",
            (
                "Lobby, Hal ontbreekt: de recorder heeft er geen video van "
                "(16 keer gevraagd)"
            ),
        ),
        ("/mnt/x is full: make room", "/mnt/x is vol: ruimte maken"),
        ("over after 5 min; alarms come in again", None),
        ("No video data", "No video data"),
        ("incident", "incident"),
        ("ann: the door was open", "ann: the door was open"),
        ("x" * 2000, "x" * 2000),
        ("{why} {name}", "{why} {name}"),
    ],
)
def test_what_was_stored_in_english_is_recognised(stored: str, nl: str | None) -> None:
    wanted = "voorbij na 5 min; alarmen komen weer binnen" if nl is None else nl
    assert NL.recognised(stored) == wanted
    assert said(kept(stored), NL) == wanted


def test_values_are_said_in_no_language() -> None:
    told = phrase("{cameras} missing", cameras="Exported")
    assert said(told, NL) == "Exported ontbreekt"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_in_every_language(reason: Reason) -> None:
    told = REASONS[reason]
    assert len({str(told), said(told, NL), said(told, DE)}) == 3


@pytest.mark.parametrize(
    ("stored", "nl"),
    [
        ("unnamed at 127.0.0.1", "naamloos op 127.0.0.1"),
        ("ann (unnamed at fe80::1)", "ann (naamloos op fe80::1)"),
        ("unnamed at the local socket", "naamloos op de lokale socket"),
        ("Operator", "Operator"),
        ("ann (root)", "ann (root)"),
    ],
)
def test_who_has_no_name_is_told_in_every_language(stored: str, nl: str) -> None:
    assert said(person(stored), NL) == nl
    assert str(person(stored)) == stored


@pytest.mark.parametrize("code", ["nl", "de"])
def test_the_day_that_the_search_field_suggests_is_one(code: str) -> None:
    said_there = tongue(code).of("camera, rule, text, tuesday, 7d \u2026")
    suggested = said_there.split(", ")[3]
    assert suggested != "tuesday"
    assert read_period(suggested, AT, UTC) == read_period("tuesday", AT, UTC)


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        tongue("xx")
    assert tongue("nl") is NL


def test_why_a_message_opened_nothing_is_recognised() -> None:
    heard = listener(
        '[[rules]]\nname = "r"\ncameras = ["lobby"]\n'
        'topics = ["a"]\nwhen = "x == `1`"\n'
    )
    heard.outcomes("b", {})
    heard.outcomes("a", {"x": 2})
    details = [each.detail for each in heard.refused()]
    assert len(details) == 2
    for detail in details:
        assert NL.recognised(detail) != detail
        assert DE.recognised(detail) != detail
