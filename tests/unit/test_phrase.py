"""Sentences that remember their template: English as text, another language at a door.

The language here is a made-up one, which says templates in capitals.
"""

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta

from evidenced.core.alarms.payload import one_line
from evidenced.core.phrase import (
    ENGLISH,
    DayForm,
    bare,
    dated,
    decimal,
    filled,
    glued,
    joined,
    kept,
    phrase,
    plural,
    said,
    sentence_of,
)
from evidenced.core.spoken import moment, spoken


class Loud:
    """Says every template in capitals, and days by number."""

    code = "loud"

    def of(self, template: str) -> str:
        parts = template.replace("}", "{").split("{")
        return "".join(
            f"{{{part}}}" if n % 2 else part.upper() for n, part in enumerate(parts)
        )

    def counted(self, one: str, several: str, number: int) -> str:
        return self.of(one if number == 1 else several)

    def date(self, day: date, form: DayForm) -> str:
        return f"{day:%Y-%m-%d}/{form.name}"

    def number(self, value: float, digits: int) -> str:
        return f"{value:.{digits}f}".replace(".", ",")

    def recognised(self, text: str) -> str:
        return f"<{text}>"


LOUD = Loud()


def test_it_is_english_text_for_all_who_want_text() -> None:
    told = phrase("{camera} is missing", camera="Lobby")
    assert told == "Lobby is missing"
    assert json.dumps({"text": told}) == '{"text": "Lobby is missing"}'
    assert said(told, ENGLISH) == "Lobby is missing"
    for same in (copy.deepcopy(told), pickle.loads(pickle.dumps(told))):  # noqa: S301
        assert same == told


def test_values_that_are_phrases_are_said_too() -> None:
    why = phrase("the recorder has no video of it")
    told = phrase("{camera} missing: {why}", camera="lobby", why=why)
    assert told == "lobby missing: the recorder has no video of it"
    assert said(told, LOUD) == "lobby MISSING: THE RECORDER HAS NO VIDEO OF IT"


def test_values_are_never_templates() -> None:
    told = phrase("{name} waits", name="{name} {why}", why="x")
    assert told == "{name} {why} waits"
    assert filled("{a} and {b}", {"a": 1}, ENGLISH) == "1 and {b}"


def test_a_number_chooses_the_template() -> None:
    told = [plural("{n} try", "{n} tries", n) for n in (0, 1, 2)]
    assert told == ["0 tries", "1 try", "2 tries"]
    assert [said(each, LOUD) for each in told] == ["0 TRIES", "1 TRY", "2 TRIES"]


def test_what_is_put_together_stays_a_phrase() -> None:
    first, second = phrase("late"), phrase("lost")
    assert said(joined("; ", [first, "x", second]), LOUD) == "LATE; x; LOST"
    assert said(glued("- ", first, "!"), LOUD) == "- LATE!"
    assert said(first + "; " + second, LOUD) == "LATE; LOST"
    assert said("a " + first, LOUD) == "a LATE"


def test_what_is_cut_is_cut_after_it_was_said() -> None:
    told = phrase("a rather long sentence")
    assert said(one_line(told, 10), LOUD) == "A RATHER …"
    assert said(sentence_of(told), LOUD) == "A RATHER LONG SENTENCE."
    assert sentence_of("is it?") == "Is it?"
    assert said(bare(sentence_of(told)), LOUD) == "A RATHER LONG SENTENCE"


def test_instants_and_lengths_are_said_by_the_language() -> None:
    at, now = (
        datetime(2026, 11, 23, 6, 15, tzinfo=UTC),
        datetime(2026, 11, 30, tzinfo=UTC),
    )
    assert moment(at, now, UTC) == "Mon 23 Nov 06:15:00"
    assert said(moment(at, now, UTC), LOUD) == "2026-11-23/WEEKDAY 06:15:00"
    assert said(dated(at, DayForm.LONG_DAY), ENGLISH) == "Monday 23 November 2026"
    assert said(spoken(timedelta(minutes=2, seconds=30)), LOUD) == "2 MIN 30 S"
    assert said(spoken(timedelta(seconds=2.5)), LOUD) == "2,5 S"
    assert said(decimal(2.5), ENGLISH) == "2.5"


def test_what_was_stored_is_left_to_the_language() -> None:
    told = phrase("{text} since {since}", text=kept("no answer"), since="06:15")
    assert told == "no answer since 06:15"
    assert said(told, LOUD) == "<no answer> SINCE 06:15"
    assert kept("") == ""
