"""The tables, enumerated: what they have works, what they lack raises."""

from itertools import combinations, product

import pytest

from evidenced.core.incidents.states import (
    CLIP_ENDED,
    CLIP_STEPS,
    EXPORT_LIVE,
    EXPORT_STEPS,
    INCIDENT_ENDED,
    ClipState,
    ExportState,
    IllegalStep,
    IncidentState,
    clip_step,
    export_step,
    incident_state,
)

C, I = ClipState, IncidentState  # noqa: E741 - two tables of many rows


def test_every_step_of_a_clip() -> None:
    for before, after in product(ClipState, ClipState):
        if after in CLIP_STEPS[before]:
            assert clip_step(before, after) is after
        else:
            with pytest.raises(IllegalStep, match=f"clip: {before} -> {after}"):
                clip_step(before, after)


def test_every_step_of_an_export() -> None:
    for before, after in product(ExportState, ExportState):
        if after in EXPORT_STEPS[before]:
            assert export_step(before, after) is after
        else:
            with pytest.raises(IllegalStep, match=f"export: {before} -> {after}"):
                export_step(before, after)


def test_nothing_leaves_exported_and_an_operator_retries_the_rest() -> None:
    assert CLIP_STEPS[C.EXPORTED] == frozenset()
    for state in CLIP_ENDED - {C.EXPORTED}:
        assert CLIP_STEPS[state] == {C.DUE}


def test_every_state_can_reach_an_end() -> None:
    for start in ClipState:
        reached, found = {start}, {start}
        while found:
            found = {n for each in found for n in CLIP_STEPS[each]} - reached
            reached |= found
        assert reached & CLIP_ENDED
    assert {state for state in ExportState if EXPORT_STEPS[state]} == EXPORT_LIVE


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
