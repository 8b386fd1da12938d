"""Windows as sets of instants: whatever the order, the same instants are kept."""

from datetime import timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.incidents.happening import find_touching
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend
from evidenced.core.window import Window, merge
from fakes.incident import SETTLES, Ids, camera, happening, opened, rule, s, t, turn

BASE = t("12:00")
CAMERAS = (camera("a"), camera("b", pre_roll=s(5), post_roll=s(300)))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 200))
    return Window(start=BASE + s(start), end=BASE + s(start + draw(st.integers(0, 40))))


def seconds(many: list[Window] | tuple[Window, ...]) -> set[int]:
    """The whole seconds that half-open windows hold."""
    return {
        second
        for each in many
        for second in range(
            int((each.start - BASE).total_seconds()),
            int((each.end - BASE).total_seconds()),
        )
    }


@given(st.lists(windows(), max_size=12))
def test_merged_windows_are_sorted_and_apart_and_cover_the_same(
    many: list[Window],
) -> None:
    merged = merge(many)
    assert seconds(merged) == seconds(many)
    for before, after in pairwise(merged):
        assert before.end < after.start
    assert merge(merged) == merged
    assert merge(reversed(many)) == merged


def kept(incident: Incident) -> dict[str, set[int]]:
    found: dict[str, list[Window]] = {}
    for clip in incident.clips:
        found.setdefault(clip.camera, []).append(clip.window)
    return {name: seconds(many) for name, many in found.items()}


def joined(offsets: list[int]) -> Incident:
    """One incident that takes all alarms, whether or not each touches by itself."""
    incident = opened(happening(BASE + s(offsets[0]), *CAMERAS, now=BASE))
    for offset in offsets[1:]:
        alarm = happening(BASE + s(offset), *CAMERAS, now=BASE)
        incident = extend(incident, alarm, Ids())[-1].after
    return incident


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=8), st.randoms())
def test_the_order_of_alarms_changes_no_window(
    offsets: list[int], chance: Random
) -> None:
    shuffled = list(offsets)
    chance.shuffle(shuffled)
    assert kept(joined(offsets)) == kept(joined(shuffled))


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=8))
def test_an_alarm_twice_equals_once(offsets: list[int]) -> None:
    twice = [each for offset in offsets for each in (offset, offset)]
    assert kept(joined(offsets)) == kept(joined(twice))


@given(st.lists(st.integers(0, 240), min_size=1, max_size=25))
def test_pieces_cover_what_one_long_incident_would_and_nothing_twice(
    waits: list[int],
) -> None:
    """Repeated alarms without a clear, in order, each while the last piece is open."""
    short = rule(max_length=timedelta(minutes=5))
    ids = Ids()
    at, alarms = BASE, [BASE]
    pieces: dict[str, Incident] = {}
    latest = opened(happening(at, *CAMERAS, rule=short), ids)
    pieces[latest.id] = latest
    for wait in waits:
        at += s(wait)
        alarm = happening(at, *CAMERAS, rule=short)
        if find_touching([latest], alarm) is None:
            break
        alarms.append(at)
        for change in extend(latest, alarm, ids):
            pieces[change.after.id] = change.after
        latest = pieces[change.after.id]
    for each in CAMERAS:
        pre = each.pre_roll if each.pre_roll is not None else short.pre_roll
        post = each.post_roll if each.post_roll is not None else short.post_roll
        wanted = seconds([Window(start=a - pre, end=a + post) for a in alarms])
        parts = [
            seconds([clip.window])
            for piece in pieces.values()
            for clip in piece.clips
            if clip.camera == each.name
        ]
        assert set().union(*parts) == wanted
        assert sum(len(part) for part in parts) == len(wanted)


@given(st.integers(1, 2000), st.lists(st.integers(1, 2000), max_size=5))
def test_pieces_of_a_long_alarm_tile_it(length: int, turns: list[int]) -> None:
    """However time is looked at, the pieces together are one window without a gap."""
    awaits = rule(clear=True, max_length=s(100))
    ids = Ids()
    incident = opened(happening(BASE, CAMERAS[0], rule=awaits), ids)
    pieces = {incident.id: incident}
    for after in sorted(turns):
        if after > length:
            break
        for change in turn(incident, BASE + s(after), SETTLES, ids):
            pieces[change.after.id] = change.after
            incident = change.after
    over = happening(BASE + s(length), CAMERAS[0], rule=awaits)
    for change in clear(incident, over, ids):
        pieces[change.after.id] = change.after
    tiles = sorted(clip.window for each in pieces.values() for clip in each.clips)
    assert tiles[0].start == BASE - awaits.pre_roll
    for before, after_ in pairwise(tiles):
        assert before.end == after_.start
        assert before.end == BASE + s(100) * round((before.end - BASE) / s(100))
    assert tiles[-1].end == BASE + s(length) + awaits.post_roll
