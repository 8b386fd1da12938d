"""Entries of the history as sentences."""

from datetime import UTC, timedelta, timezone

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.telling.sentences import MOST, count, sentence
from fakes.clock import START

HERE = timezone(timedelta(hours=1))
AT = "2026-11-23T06:15:30.000Z"
NO_INCIDENT = {
    Event.SILENCE_BEGUN,
    Event.SILENCE_ENDED,
    Event.TROUBLE_BEGUN,
    Event.TROUBLE_ENDED,
    Event.PRUNED,
    Event.RESTORED,
    Event.STAMPED,
}
"""Events that are in no incident's history."""


def told(event: str, **detail: object) -> str:
    entry = Entry(incident=IncidentId("i"), at=START, event=event, detail=detail)
    return sentence(entry, HERE)


@pytest.mark.parametrize(
    ("event", "detail", "text"),
    [
        (
            Event.OPENED,
            {"clips": {"1": {"to": "recording"}}, "time_source": "payload"},
            "incident opened, 1 camera; time from the message",
        ),
        (
            Event.OPENED,
            {"unknown_cameras": ["attic"]},
            "incident opened, 0 cameras; 1 camera of the alarm not configured",
        ),
        (
            Event.PICTURED,
            {"camera": "yard", "pictures": 0, "lacking": 3, "text": "it is dark"},
            "no picture of yard; 3 could not be had: it is dark",
        ),
        (Event.EXTENDED, {}, "one more alarm"),
        (
            Event.EXTENDED,
            {"end": AT},
            "one more alarm: the window now ends at 07:15:30",
        ),
        (
            Event.EXTENDED,
            {"unknown_cameras": ["attic"], "short": ["lobby", "gate"]},
            (
                "one more alarm; 1 camera of the alarm not configured; "
                "2 cameras with the least window, 1 s"
            ),
        ),
        (Event.CLEARED, {"end": AT}, "the alarm cleared: the window ends at 07:15:30"),
        (Event.ENDED, {"end": AT}, "ended; the recorder still writes what it filmed"),
        (
            Event.ENDED,
            {"cut": AT, "goes_on_as": "j"},
            "cut at 07:15:30, its longest; goes on as incident j",
        ),
        (
            Event.FAILED,
            {"clips": {"1": {"to": "missing"}, "2": {"to": "due"}}},
            "the recorder could not finish the export; gives up 1 camera",
        ),
        (
            Event.VANISHED,
            {"clips": {"1": {"to": "missing"}}, "text": "at 31 %"},
            "the recorder lost the export: at 31 %; gives up 1 camera",
        ),
        (
            Event.REFUSED,
            {
                "code": -48,
                "reason": "no-video",
                "text": "No videodata",
                "next_try": AT,
            },
            (
                "the recorder has no video of it (-48): No videodata; "
                "asks again at 07:15:30"
            ),
        ),
        (
            Event.REFUSED,
            {"reason": "bad-path", "text": "it leaves the root"},
            (
                "not asked for (the destination's folder cannot be written): "
                "it leaves the root"
            ),
        ),
        (
            Event.ISOLATED,
            {"code": -48, "reason": "no-video", "apart": [["a"], ["b"]]},
            (
                "the recorder has no video of it (-48); from now on in 2 requests, "
                "to tell cameras apart"
            ),
        ),
        (
            Event.ADOPTED,
            {"known_as": "7"},
            (
                "the answer was lost; the export was found in the recorder's list, "
                "number 7"
            ),
        ),
        (
            Event.ADOPTED,
            {},
            "the answer was lost; the export was found by its files",
        ),
        (
            Event.EXPORTED,
            {"path": r"V:\e\i", "failed": [2]},
            r"exported to V:\e\i; 1 camera failed",
        ),
        (Event.CANCELLED, {"by": "anna"}, "cancelled by anna"),
        (
            Event.CANCELLED,
            {"by": "anna", "tags": "tags stay"},
            "cancelled by anna; tags stay",
        ),
        (
            Event.CANCELLED,
            {"export": 1, "text": "deleted"},
            "the export is not wanted any more: deleted",
        ),
        (
            Event.RETRIED,
            {"by": "anna"},
            "anna asks for the footage that is missing again",
        ),
        (
            Event.RETRIED,
            {"by": "anna", "what": "evidence record"},
            "anna asks for the evidence record again",
        ),
        (
            Event.REQUESTED,
            {"clips": {n: {"camera": n, "to": "requested"} for n in "abc"}},
            "asks the recorder for a, b, c",
        ),
        (
            Event.REQUESTED,
            {
                "clips": {n: {"camera": n, "to": "requested"} for n in "abcd"},
                "devices": [1, 2, 3, 4],
            },
            "asks the recorder for 4 cameras",
        ),
        (
            Event.VANISHED,
            {
                "clips": {
                    "1": {"camera": "lobby", "from": "exporting", "to": "missing"},
                    "2": {"camera": "door", "from": "exporting", "to": "due"},
                }
            },
            "the recorder lost the export; gives up lobby",
        ),
        (Event.LATE, {"end": AT}, "footage is late: the window ended at 07:15:30"),
        (
            Event.RECORDED,
            {"signed_by": None},
            "evidence record written beside the footage, hashed, not signed",
        ),
        (
            Event.UNTAGGED,
            {"camera": "lobby", "text": "licence"},
            "the recorder does not keep the footage of lobby: licence",
        ),
    ],
)
def test_an_entry_is_one_sentence(
    event: Event, detail: dict[str, object], text: str
) -> None:
    assert told(event, **detail) == text


@pytest.mark.parametrize("event", sorted(set(Event) - NO_INCIDENT))
def test_each_event_of_an_incident_has_words_of_its_own(event: Event) -> None:
    assert told(event) != event


@pytest.mark.parametrize("wrong", ["yesterday", 7, None, ["x"]])
def test_what_an_older_version_wrote_differently_is_left_out(wrong: object) -> None:
    assert told(Event.EXTENDED, end=wrong) == "one more alarm"


def test_an_event_of_a_later_version_is_told_by_its_word() -> None:
    assert told("teleported", text="to Mars") == "teleported: to Mars"


def test_what_the_recorder_says_stays_one_short_line() -> None:
    text = told(Event.NOT_SENT, text="a\nb\x1b[31m" + "x" * 2 * MOST)
    assert text.isprintable()
    assert len(text) <= MOST


def test_times_are_of_the_zone_that_is_asked_for() -> None:
    entry = Entry(incident=None, at=START, event=Event.LATE, detail={"end": AT})
    assert sentence(entry, UTC).endswith("06:15:30")


@pytest.mark.parametrize(("n", "text"), [(0, "0 clips"), (1, "1 clip"), (2, "2 clips")])
def test_numbers_agree_with_their_nouns(n: int, text: str) -> None:
    assert count(n, "clip") == text
