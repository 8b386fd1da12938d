"""Finding an export in a list: ours always, another's never."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.address import Address
from evidenced.core.exports.exporting import Intent, free_path, request, split
from evidenced.core.folders.paths import with_suffix
from evidenced.core.incidents.incident import Clip
from evidenced.sense.address import ExportId
from evidenced.sense.listed import DeviceProgress, ListedDevice, ListedExport
from evidenced.sense.matching import find, judge
from fakes.incident import ended, s

BASE = ended()


@st.composite
def some_clips(draw: st.DrawFn) -> tuple[Clip, ...]:
    devices = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    return tuple(
        replace(
            BASE.clips[0],
            n=n,
            address=Address(str(device)),
            window=BASE.clips[0].window.shifted(s(draw(st.integers(0, 900)))),
        )
        for n, device in enumerate(devices, 1)
    )


@given(some_clips(), st.integers(1, 4))
def test_each_clip_is_in_one_request_and_each_device_once(
    clips: tuple[Clip, ...], most: int
) -> None:
    parts = split(clips, most)
    assert sorted(clip.n for part in parts for clip in part) == [c.n for c in clips]
    for part in parts:
        assert 1 <= len(part) <= most
        assert len({clip.address for clip in part}) == len(part)


@given(
    some_clips(),
    st.integers(-56, 56),
    st.integers(-999, 999),
    st.randoms(),
    st.lists(st.sampled_from(list(product(DeviceProgress, [None, 0.0, 50.0, 100.0])))),
)
def test_ours_is_found_in_any_zone_and_order_and_judged_by_clip(
    clips: tuple[Clip, ...],
    quarters: int,
    off_ms: int,
    chance: object,
    words: list[tuple[DeviceProgress, float | None]],
) -> None:
    part = split(clips, 32)[0]
    incident = replace(BASE, clips=part)
    intent = Intent(
        id=1,
        n=1,
        path=r"V:\e\x",
        bandwidth=0,
        offset=s(3),
        now=BASE.span.end,
    )
    _, export = request(incident, part, intent)
    words = [*words, *[(DeviceProgress.UNKNOWN, None)] * len(part)][: len(part)]
    shift = timedelta(minutes=15 * quarters, milliseconds=off_ms)
    devices = [
        ListedDevice(
            address=device.asked.address,
            window=device.asked.window.shifted(shift),
            percent=percent,
            progress=progress,
        )
        for device, (progress, percent) in zip(export.devices, words, strict=True)
    ]
    chance.shuffle(devices)  # type: ignore[attr-defined]
    entry = ListedExport(
        exportid=ExportId("5"),
        path="v:/E/X/",
        progress=DeviceProgress.RUNNING,
        bandwidth=None,
        devices=tuple(devices),
    )
    other = replace(entry, exportid=ExportId("9"), path=r"V:\e\x-2")
    assert find(export.order, [other, entry]) is entry
    seen = replace(export, devices=judge(export, entry).devices)
    verdict = judge(seen, entry)
    assert not verdict.done & verdict.failed
    for device, (progress, percent) in zip(export.devices, words, strict=True):
        is_broken = progress in {DeviceProgress.FAILED, DeviceProgress.CANCELLED}
        is_done = not is_broken and (
            progress is DeviceProgress.DONE or percent == 100.0
        )
        assert (device.clip in verdict.done) == is_done
        assert (device.clip in verdict.failed) == is_broken
    assert [each.asked for each in verdict.devices] == [
        each.asked for each in export.devices
    ]


@given(st.sets(st.integers(1, 12)))
def test_no_suffix_is_used_twice(taken: set[int]) -> None:
    used = {with_suffix(r"V:\e\x", n) for n in taken}
    assert free_path(r"V:\e\x", used, with_suffix) not in used
