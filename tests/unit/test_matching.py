"""Whether a listed export is ours, and what the list says of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.camera import Camera
from evidenced.core.incidents.export import ExportRequest
from evidenced.sense.address import ExportId, sense_address
from evidenced.sense.listed import DeviceProgress, ListedDevice, ListedExport
from evidenced.sense.matching import find, is_same, judge
from fakes.incident import DOOR, LOBBY, ended, m, requested, s

HOUR = timedelta(hours=1)


def asked(*cameras: Camera) -> ExportRequest:
    return requested(ended(*(cameras or (LOBBY, DOOR))))[1]


def listed(
    export: ExportRequest,
    *,
    exportid: str = "1",
    shift: timedelta = timedelta(0),
    progress: DeviceProgress = DeviceProgress.RUNNING,
    path: str | None = None,
) -> ListedExport:
    devices = tuple(
        ListedDevice(
            address=device.asked.address,
            window=device.asked.window.shifted(shift),
            percent=None,
            progress=DeviceProgress.UNKNOWN,
        )
        for device in export.devices
    )
    return ListedExport(
        exportid=ExportId(exportid),
        path=export.path if path is None else path,
        progress=progress,
        bandwidth=None,
        devices=devices,
    )


def with_device(entry: ListedExport, n: int, **what: object) -> ListedExport:
    devices = list(entry.devices)
    devices[n] = replace(devices[n], **what)  # type: ignore[arg-type]
    return replace(entry, devices=tuple(devices))


# ---- paths and devices


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        (r"V:\evidence\i1", True),
        (r"v:\EVIDENCE\I1", True),
        ("V:/evidence/i1", True),
        ("V:\\evidence\\i1\\", True),
        (" V:\\evidence\\i1 ", True),
        (r"V:\evidence\i1-2", False),
        (r"V:\evidence\i10", False),
        ("", False),
    ],
)
def test_a_path_is_compared_in_one_spelling(path: str, *, is_ours: bool) -> None:
    export = asked()
    assert is_same(export.order, listed(export, path=path)) == is_ours


def test_the_order_of_devices_does_not_matter() -> None:
    export = asked()
    entry = listed(export)
    assert is_same(export.order, replace(entry, devices=entry.devices[::-1]))


@pytest.mark.parametrize(
    "other",
    [
        lambda entry: replace(entry, devices=entry.devices[:1]),
        lambda entry: replace(entry, devices=()),
        lambda entry: replace(entry, devices=(*entry.devices, entry.devices[0])),
        lambda entry: with_device(entry, 0, address=sense_address("1001", "else")),
        lambda entry: with_device(entry, 0, address=sense_address("else", "2001")),
        lambda entry: replace(entry, devices=(entry.devices[0],) * 2),
    ],
)
def test_other_devices_are_another_export(other: object) -> None:
    export = asked()
    assert callable(other)
    assert not is_same(export.order, other(listed(export)))


# ---- windows


@pytest.mark.parametrize(
    ("shift", "is_ours"),
    [
        (timedelta(0), True),
        (s(0.999), True),
        (s(-0.999), True),
        (s(1), False),
        (HOUR, True),
        (-5 * HOUR, True),
        (5 * HOUR + m(45), True),
        (14 * HOUR, True),
        (14 * HOUR + m(15), False),
        (-14 * HOUR - m(15), False),
        (m(7), False),
        (HOUR + s(2), False),
        (24 * HOUR, False),
    ],
)
def test_windows_agree_to_the_second_in_one_zone(
    shift: timedelta, *, is_ours: bool
) -> None:
    export = asked()
    assert is_same(export.order, listed(export, shift=shift)) == is_ours


@pytest.mark.parametrize("end_too", [True, False])
def test_clocks_may_change_within_a_window_or_between_two(*, end_too: bool) -> None:
    """A list in local time, in the night in which it changes."""
    export = asked()
    entry = listed(export, shift=HOUR)
    window = entry.devices[0].window
    assert window is not None
    end = window.end + HOUR
    moved = window.shifted(HOUR) if end_too else replace(window, end=end)
    assert is_same(export.order, with_device(entry, 0, window=moved))


def test_a_window_of_another_length_is_another_export() -> None:
    export = asked()
    window = export.devices[0].asked.window
    longer = replace(window, end=window.end + s(30))
    assert not is_same(export.order, with_device(listed(export), 0, window=longer))


def test_a_list_without_windows_is_believed_for_path_and_devices() -> None:
    export = asked()
    entry = with_device(with_device(listed(export), 0, window=None), 1, window=None)
    assert is_same(export.order, entry)


# ---- duplicates


@pytest.mark.parametrize(
    ("ids", "newest"),
    [
        (["1", "2"], "2"),
        (["9", "10"], "10"),
        (["x", "2"], "2"),
        (["12", "x"], "12"),
        (["007", "5"], "007"),
        (["007", "10"], "10"),
        (["longer", "2"], "2"),
        (["aa", "b"], "b"),
        (["0b", "a"], "a"),
        (["9" * 5000, "3"], "9" * 5000),
    ],
)
def test_of_several_entries_the_newest_counts(ids: list[str], newest: str) -> None:
    """Seen: a number of 5000 digits raised; the list is the recorder's to fill."""
    export = asked()
    found = find(export.order, [listed(export, exportid=each) for each in ids])
    assert found is not None
    assert found.exportid == newest


def test_nothing_of_ours_is_found_in_another_s_list() -> None:
    export = asked()
    assert find(export.order, [listed(export, path="X:\\else")]) is None
    assert find(export.order, []) is None


# ---- progress


DONE, RUNNING, FAILED = "done", "running", "failed"
P = DeviceProgress


@pytest.mark.parametrize(
    ("whole", "own", "percent", "outcome"),
    [
        (P.RUNNING, P.RUNNING, None, RUNNING),
        (P.RUNNING, P.RUNNING, 99.9, RUNNING),
        (P.RUNNING, P.RUNNING, 100.0, RUNNING),
        (P.RUNNING, P.PENDING, 100.0, RUNNING),
        (P.RUNNING, P.UNKNOWN, 100.0, DONE),
        (P.DONE, P.RUNNING, 100.0, DONE),
        (P.RUNNING, P.DONE, None, DONE),
        (P.RUNNING, P.DONE, 50.0, DONE),
        (P.RUNNING, P.FAILED, 100.0, FAILED),
        (P.RUNNING, P.CANCELLED, None, FAILED),
        (P.DONE, P.UNKNOWN, None, DONE),
        (P.DONE, P.FAILED, None, FAILED),
        (P.FAILED, P.UNKNOWN, None, FAILED),
        (P.FAILED, P.DONE, None, DONE),
        (P.CANCELLED, P.RUNNING, 40.0, FAILED),
        (P.UNKNOWN, P.UNKNOWN, None, RUNNING),
        (P.UNKNOWN, P.UNKNOWN, 40.0, RUNNING),
        (P.PENDING, P.PENDING, 0.0, RUNNING),
    ],
)
def test_what_the_list_says_of_a_device(
    whole: DeviceProgress, own: DeviceProgress, percent: float | None, outcome: str
) -> None:
    export = asked(LOBBY)
    entry = with_device(
        listed(export, progress=whole), 0, progress=own, percent=percent
    )
    verdict = judge(export, entry)
    assert verdict.done == ({1} if outcome == DONE else set())
    assert verdict.failed == ({1} if outcome == FAILED else set())
    assert verdict.is_over == (outcome != RUNNING)
    expected = 100.0 if outcome == DONE else percent
    assert [device.percent for device in verdict.devices] == [expected]


@pytest.mark.parametrize("word", [P.RUNNING, P.PENDING])
def test_all_of_it_under_a_word_of_work_is_believed_the_second_time(
    word: DeviceProgress,
) -> None:
    """99.997 that is rounded says 100.00; a word may also stay as it is for ever."""
    export = asked(LOBBY)
    entry = with_device(listed(export), 0, progress=word, percent=100.0)
    first = judge(export, entry)
    assert not first.is_over
    again = replace(export, devices=first.devices)
    assert judge(again, entry).done == {1}
    back = judge(again, with_device(entry, 0, percent=99.0))
    assert not back.is_over


def test_an_entry_of_other_devices_is_not_judged() -> None:
    export = asked()
    entry = listed(export)
    with pytest.raises(ValueError, match="shorter"):
        judge(export, replace(entry, devices=entry.devices[:1]))


def test_each_device_is_judged_by_its_own_entry() -> None:
    export = asked()
    entry = with_device(listed(export), 1, progress=DeviceProgress.DONE)
    entry = with_device(entry, 0, percent=12.0)
    shuffled = replace(entry, devices=entry.devices[::-1])
    verdict = judge(export, shuffled)
    assert (verdict.done, verdict.failed) == (frozenset({2}), frozenset())
    assert [(each.clip, each.percent) for each in verdict.devices] == [
        (1, 12.0),
        (2, 100.0),
    ]
    assert [each.asked for each in verdict.devices] == [
        each.asked for each in export.devices
    ]


@pytest.mark.parametrize("which", ["start", "end"])
@pytest.mark.parametrize(("off", "is_ours"), [(0.999, True), (1, False)])
def test_windows_agree_to_less_than_a_second(
    which: str, off: float, *, is_ours: bool
) -> None:
    export = asked(LOBBY)
    entry = listed(export)
    window = export.devices[0].asked.window
    moved = replace(window, **{which: getattr(window, which) + s(off)})
    assert is_same(export.order, with_device(entry, 0, window=moved)) is is_ours


def test_a_device_without_times_does_not_vouch_for_the_next() -> None:
    export = asked(LOBBY, DOOR)
    entry = with_device(listed(export), 0, window=None)
    assert is_same(export.order, entry)
    other = export.devices[1].asked.window.shifted(s(5))
    for n in (0, 1):
        kept = with_device(listed(export), 1 - n, window=None)
        assert not is_same(export.order, with_device(kept, n, window=other))
