"""Faults that were in the product, put back: the test that was written for each tells.

Of those that no seed of the simulation comes upon soon, or at all; the others are its
mutants.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evidenced.core.alarms import deliveries, fields, message, moment
from evidenced.core.alarms.alarm import TimeSource
from evidenced.core.exports import line, standstill
from evidenced.core.incidents import incident, lifecycle
from evidenced.core.incidents.happening import find_agreeing
from evidenced.core.incidents.incident import Clip
from evidenced.core.window import Window
from evidenced.pipeline import answers, turn
from evidenced.pipeline.planner import Planner
from evidenced.sense import document, matching, replies
from evidenced.sense.document import Unreadable
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.exports import StoredExports
from unit import (
    test_backlogs,
    test_covering,
    test_doubles,
    test_intake,
    test_lifecycle,
    test_link,
    test_matching,
    test_moment,
    test_planner,
    test_rules,
    test_sense_pieces,
    test_standstill,
    test_unsent,
)

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class PutBack:
    """A fault, and the test that says what is right."""

    breaks: Callable[[Patch], None]
    tells: Callable[..., Any]


def _leaves_it_to_the_piece_before(patch: Patch) -> None:
    """What lies before a cut was dropped, though that piece may not have it."""

    def within(incident: Any, happening: Any) -> dict[Any, Window]:
        came_over = {
            clip.camera
            for clip in incident.clips
            if incident.continues and clip.window.start <= incident.first_at
        }
        windows = {}
        for camera, window in happening.windows.items():
            is_cut = camera.name in came_over
            start = max(window.start, incident.first_at) if is_cut else window.start
            if start < incident.cut_at:
                windows[camera] = Window(start=start, end=incident.cut_at)
        return windows

    patch.setattr(lifecycle, "_windows_within", within)


def _cuts_before_the_clear_is_read(patch: Patch) -> None:
    """An alarm of two hours ago was cut up to now, though its clear came with it."""
    patch.setattr(incident, "TOGETHER", timedelta(0))


def _goes_on_whatever_its_group_is_called(patch: Patch) -> None:
    """A reload that changed group_by let an open alarm be cut for ever."""
    step = turn.turn

    def goes_on(*values: Any, **keys: Any) -> Any:
        return step(*values, **keys | {"may_go_on": True})

    patch.setattr(turn, "turn", goes_on)


def _compares_the_clocks_of_two_messages(patch: Patch) -> None:
    """A clear whose time was before its alarm's ended nothing."""

    def agreeing(incidents: Any, over: Any) -> Any:
        at = over.reading.moment.latest
        return [each for each in find_agreeing(incidents, over) if each.last_at <= at]

    patch.setattr("evidenced.pipeline.taking.find_agreeing", agreeing)


def _takes_a_packet_id_for_the_message(patch: Patch) -> None:
    """A new alarm under an identifier that was free again was dropped as a repeat."""
    meant = deliveries._is_meant
    patch.setattr(
        deliveries,
        "_is_meant",
        lambda stamp, mark: meant(stamp._replace(over=deliveries.Over()), mark),
    )


def _reads_a_list_as_one_tree(patch: Patch) -> None:
    """A recorder with a long list was asked for nothing any more."""
    patch.setattr(document, "MAX_MARKUP", test_sense_pieces.MAX_MARKUP)
    patch.setattr(replies, "pieces", lambda data: [data])


def _looks_for_no_late_double(patch: Patch) -> None:
    """An export that was listed late ran on beside the one that took its place."""
    patch.setattr(StoredExports, "vanished", lambda *_: [])


def _lets_one_that_stands_still_keep_its_slot(patch: Patch) -> None:
    patch.setattr(standstill, "still", lambda *_: [])


def _takes_any_gap_for_harmless(patch: Patch) -> None:
    patch.setattr(Clip, "is_lacking", Clip.is_lost)


def _takes_paths_of_its_own_recorder_only(patch: Patch) -> None:
    """Two recorders were sent into one folder; one's files proved the other's."""
    free = Planner._free_path

    def own(planner: Any, incident: Any, earlier: Any) -> str:
        name = planner._settings.name
        return free(planner, incident, [e for e in earlier if e.recorder == name])

    patch.setattr(Planner, "_free_path", own)


def _waits_no_longer_each_time(patch: Patch) -> None:
    """403 on exports only was asked for again every few seconds, for ever."""
    back_off = line.back_off
    patch.setattr(
        line, "back_off", lambda policy, _, jitter: back_off(policy, 1, jitter)
    )


def _uses_32_cameras(patch: Patch) -> None:
    """An alarm that named forty lost eight without a word."""
    patch.setattr(fields, "MAX_ITEMS", 32)
    patch.setattr(message, "MAX_ITEMS", 32)


def _counts_what_never_left(patch: Patch) -> None:
    """Twenty requests that no recorder got used the hour's allowance up."""
    patch.setattr(answers, "give_back_exports", lambda *_: None)


def _wants_one_shift_for_both_ends(patch: Patch) -> None:
    """In the night in which the clocks change an export vanished each time."""

    def agree(pairs: Any) -> bool:
        told = [(ours.window, each.window) for ours, each in pairs if each.window]
        off = {getattr(b, e) - getattr(a, e) for a, b in told for e in ("start", "end")}
        return len(off) <= 1

    patch.setattr(matching, "_windows_agree", agree)


def _reads_a_long_number_as_its_beginning(patch: Patch) -> None:
    """A UID of twenty digits was a time of its first nineteen."""
    number = re.compile(r"([+-]?\d{1,19}(?:\.\d{1,9})?)\d*", re.ASCII)
    patch.setattr(moment, "_NUMBER", number)


PUT_BACK = {
    "uses 32 cameras": PutBack(
        _uses_32_cameras, test_rules.test_names_from_lists_are_bounded
    ),
    "counts what never left": PutBack(
        _counts_what_never_left,
        test_unsent.test_requests_that_never_left_use_up_no_allowance,
    ),
    "wants one shift for both ends": PutBack(
        _wants_one_shift_for_both_ends,
        partial(
            test_matching.test_clocks_may_change_within_a_window_or_between_two,
            end_too=False,
        ),
    ),
    "reads a long number as its beginning": PutBack(
        _reads_a_long_number_as_its_beginning,
        partial(
            test_moment.test_receipt_serves,
            value="17167089910108338829",
            source=TimeSource.UNREADABLE,
        ),
    ),
    "leaves it to the piece before": PutBack(
        _leaves_it_to_the_piece_before,
        test_lifecycle.test_a_late_alarm_of_a_camera_that_joined_after_the_cut_is_covered,
    ),
    "cuts before the clear is read": PutBack(
        _cuts_before_the_clear_is_read,
        test_backlogs.test_a_clear_that_comes_with_its_alarm_ends_it,
    ),
    "goes on whatever its group is called": PutBack(
        _goes_on_whatever_its_group_is_called,
        test_backlogs.test_an_alarm_that_no_clear_finds_any_more_ends_at_its_cut,
    ),
    "takes a packet id for the message": PutBack(
        _takes_a_packet_id_for_the_message,
        test_intake.test_what_was_over_when_it_came_has_no_repeat,
    ),
    "reads a list as one tree": PutBack(
        _reads_a_list_as_one_tree,
        partial(
            test_sense_pieces.test_a_list_beyond_what_fits_as_nodes_is_read_whole,
            is_well_formed=True,
        ),
    ),
    "looks for no late double": PutBack(
        _looks_for_no_late_double,
        test_doubles.test_one_that_turns_up_late_is_counted_and_deleted,
    ),
    "lets one that stands still keep its slot": PutBack(
        _lets_one_that_stands_still_keep_its_slot,
        test_standstill.test_one_that_stands_still_is_told_once_and_holds_no_slot,
    ),
    "takes any gap for harmless": PutBack(
        _takes_any_gap_for_harmless,
        test_covering.test_a_gap_over_the_alarm_is_a_loss_and_is_told,
    ),
    "takes paths of its own recorder only": PutBack(
        _takes_paths_of_its_own_recorder_only,
        test_planner.test_two_recorders_never_export_into_one_folder,
    ),
    "compares the clocks of two messages": PutBack(
        _compares_the_clocks_of_two_messages,
        test_backlogs.test_a_clear_counts_for_what_was_received_before_it,
    ),
    "waits no longer each time": PutBack(
        _waits_no_longer_each_time,
        test_link.test_a_line_that_is_down_is_probed_with_back_off,
    ),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.mark.parametrize("name", PUT_BACK)
async def test_a_fault_that_is_put_back_is_told_of(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    tells = PUT_BACK[name].tells
    values = {
        each.name: request.getfixturevalue(each.name)
        for each in inspect.signature(tells).parameters.values()
        if each.default is each.empty
    }
    PUT_BACK[name].breaks(monkeypatch)
    with pytest.raises((AssertionError, Unreadable)):
        await _run(tells, values)


async def _run(tells: Callable[..., Any], values: Mapping[str, Any]) -> None:
    found = tells(**values)
    if inspect.isawaitable(found):
        await found
