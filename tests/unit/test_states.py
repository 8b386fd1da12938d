"""The tables, enumerated: what they have works, what they lack raises."""

import re
from importlib.resources import files
from itertools import combinations, product
from typing import Any

import pytest

from evidenced.core.exports.line import LINES
from evidenced.core.incidents.states import (
    CLIP_ENDED,
    CLIP_LOST,
    CLIPS,
    EXPORTS,
    INCIDENT_ENDED,
    INCIDENTS,
    ClipState,
    IncidentState,
    incident_state,
)
from evidenced.core.keeping.evidence import RECORDS
from evidenced.core.keeping.footage import FOOTAGE
from evidenced.core.keeping.still import STILLS
from evidenced.core.keeping.tag import TAGS
from evidenced.core.machine import IllegalStep, Machine, Tone

C, I = ClipState, IncidentState  # noqa: E741 - two tables of many rows
PAGE = files("evidenced.web").joinpath("static/page.css").read_text()
COLOURS = {
    Tone.FILM: "rec",
    Tone.RUN: "live",
    Tone.GOOD: "good",
    Tone.PART: "warn",
    Tone.BAD: "bad",
    Tone.OFF: "quiet",
}
STEPPING: tuple[Machine[Any], ...] = (
    CLIPS,
    EXPORTS,
    TAGS,
    STILLS,
    RECORDS,
    FOOTAGE,
    LINES,
)


@pytest.mark.parametrize("machine", STEPPING, ids=lambda each: each.name)
def test_every_step(machine: Machine[Any]) -> None:
    for before, after in product(machine.table, machine.table):
        if after in machine[before].to:
            assert machine.step(before, after) is after
        else:
            told = f"{machine.name}: {before} -> {after}"
            with pytest.raises(IllegalStep, match=told):
                machine.step(before, after)


@pytest.mark.parametrize("machine", [*STEPPING, INCIDENTS], ids=lambda each: each.name)
def test_every_state_has_its_row_in_order(machine: Machine[Any]) -> None:
    states = list(machine.table)
    assert states == list(type(states[0]))
    assert all(facts.is_ended for facts in machine.table.values() if facts.is_lost)


@pytest.mark.parametrize("machine", STEPPING[:-1], ids=lambda each: each.name)
def test_every_state_can_reach_an_end(machine: Machine[Any]) -> None:
    for start in machine.table:
        reached, found = {start}, {start}
        while found:
            found = {n for each in found for n in machine[each].to} - reached
            reached |= found
        assert any(machine[state].is_ended for state in reached)


def test_an_operator_retries_whatever_ended() -> None:
    for state in CLIP_ENDED:
        assert CLIPS[state].to == {C.DUE}
        assert CLIPS[state].can_retry
    assert {C.MISSING, C.REJECTED} == CLIP_LOST


def test_one_word_has_one_colour_and_the_page_has_it() -> None:
    """The page and the tables of the terminal know a state by its word."""
    colours = {
        colour: rule
        for rule, colour in re.findall(r"(\.chip-.*) { color: var\(--(\w+)\);", PAGE)
    }
    tones: dict[str, Tone] = {}
    for machine in (CLIPS, EXPORTS, INCIDENTS, TAGS, RECORDS):
        for state, facts in machine.table.items():
            assert tones.setdefault(str(state), facts.tone) is facts.tone
            shown = re.findall(rf"\.chip-{state}\b", PAGE)
            if facts.tone is Tone.WAIT:  # what every chip has that says no other
                assert not shown
            else:
                assert f".chip-{state}" in colours[COLOURS[facts.tone]]


@pytest.mark.parametrize(
    ("clips", "expected"),
    [
        ((), I.FAILED),
        ((C.RECORDING, C.EXPORTING, C.EXPORTED), I.RECORDING),
        ((C.REQUESTED, C.DUE), I.EXPORTING),
        ((C.EXPORTING, C.MISSING), I.EXPORTING),
        ((C.DUE, C.EXPORTED), I.WAITING),
        ((C.EXPORTED, C.EXPORTED), I.EXPORTED),
        ((C.EXPORTED, C.MISSING), I.PARTIAL),
        ((C.EXPORTED, C.CANCELLED), I.PARTIAL),
        ((C.CANCELLED, C.CANCELLED), I.CANCELLED),
        ((C.CANCELLED, C.MISSING), I.FAILED),
        ((C.REJECTED,), I.FAILED),
    ],
)
def test_what_clips_come_to(
    clips: tuple[ClipState, ...], expected: IncidentState
) -> None:
    assert incident_state(clips) is expected
    assert incident_state(clips[::-1]) is expected


def test_an_incident_has_ended_when_all_its_clips_have() -> None:
    for size in (1, 2, 3):
        for clips in combinations(ClipState, size):
            has_ended = incident_state(clips) in INCIDENT_ENDED
            assert has_ended == (set(clips) <= CLIP_ENDED)
