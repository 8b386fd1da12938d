"""Finding what is ours in the recorder's lists, and what they say of it.

Why a number is not enough
--------------------------

The recorder numbers exports from 1 within one API session, and starts again at 1 in the
next one and after a restart of its plugin. So "export 3 is done" may be said of
somebody else's export:

    12:00  we ask for incident A, answer: export 3
    12:01  the plugin restarts
    12:02  an operator exports something in the vendor's client: export 3 again
    12:05  the list says: export 3, finished

Were the number believed, A would be called exported, and nobody would ask for its
footage again before the recorder has overwritten it. So an entry is ours only if path,
devices and windows are those of our order. The number decides nothing here; it is read
from the entry that matches, and may be another one at each look.


What may differ and still match
-------------------------------

A path is compared as Windows does: without regard to case and to the direction of its
slashes. Devices may stand in any order.

Whether the list tells UTC or local time is unknown, and so is whether it keeps the
milliseconds. So two instants are the same if they differ by whole quarters of an hour,
give or take a second: no time zone is off by anything else. Each instant is compared by
itself, for in one night of the year a window begins in one zone and ends in another.

Could that take another's export for ours? Its path, cameras and windows would have to
be the same too, and no two exports of an incident are ever sent to one path.


What an entry says
------------------

Words are not listed in the vendor's text, so an unknown word is neither done nor
failed: the export goes on being looked at. See `judge`.

Source: sense-api.md B2 2.8 to 2.12, B4.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from evidenced.core.exports.following import DONE_PERCENT, Followed, Verdict
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.instants import SECOND
from evidenced.core.keeping.tag import Tag, TagKey
from evidenced.core.recorder import DeviceWindow, ExportOrder
from evidenced.sense.address import sense_handle
from evidenced.sense.listed import (
    DeviceProgress,
    ListedDevice,
    ListedExport,
    ListedTag,
    Listing,
)

QUARTER = timedelta(minutes=15)
FURTHEST_ZONE = timedelta(hours=14)


def follow(exports: Iterable[ExportRequest], listing: Listing) -> Followed:
    """What the list says of these exports of ours.

    A list may be thousands of entries long, so they are looked up by their paths.
    """
    by_path: dict[str, list[ListedExport]] = defaultdict(list)
    for entry in listing.exports:
        by_path[_plain(entry.path)].append(entry)
    found = (
        (export, find(export.order, by_path.get(_plain(export.path), ())))
        for export in exports
    )
    verdicts = {
        export.id: replace(
            judge(export, entry), handle=sense_handle(entry.exportid, listing.session)
        )
        for export, entry in found
        if entry is not None
    }
    return Followed(session=listing.session, verdicts=verdicts)


def find(order: ExportOrder, listed: Iterable[ListedExport]) -> ListedExport | None:
    """The entry that is this order: the same path, devices and windows.

    Of several the one with the highest number, which is the newest.
    """
    matches = [each for each in listed if is_same(order, each)]
    return max(matches, key=lambda each: _number(each.exportid), default=None)


def is_same(order: ExportOrder, listed: ListedExport) -> bool:
    """Whether a listed export is this order."""
    if _plain(listed.path) != _plain(order.path):
        return False
    if len(listed.devices) != len(order.devices):
        return False
    pairs = list(zip(_by_device(order.devices), _sorted(listed.devices), strict=True))
    if any(ours.address != theirs.address for ours, theirs in pairs):
        return False
    return _windows_agree(pairs)


def _windows_agree(pairs: Sequence[tuple[DeviceWindow, ListedDevice]]) -> bool:
    """Same windows, to the second, in whatever time zone each end is told.

    Whether the list's times are UTC or local is unknown, and so is whether they carry
    milliseconds. In local time the clocks may change between a start and its end, or
    between two devices, so each instant is compared by itself: path and devices have
    said already whose export it is. Source: sense-api.md B4.
    """
    return all(
        _agrees(theirs.window.start - ours.window.start)
        and _agrees(theirs.window.end - ours.window.end)
        for ours, theirs in pairs
        if theirs.window is not None
    )


def _agrees(off: timedelta) -> bool:
    """Whether two instants are the same in two zones: whole quarters of an hour."""
    shift = QUARTER * round(off / QUARTER)
    return abs(off - shift) < SECOND and abs(shift) <= FURTHEST_ZONE


def _by_device(devices: Iterable[DeviceWindow]) -> list[DeviceWindow]:
    return sorted(devices, key=lambda each: each.address)


def _sorted(devices: Iterable[ListedDevice]) -> list[ListedDevice]:
    return sorted(devices, key=lambda each: each.address)


def find_tags(tags: Iterable[Tag], listed: Sequence[ListedTag]) -> dict[TagKey, str]:
    """What the list shows each of these tags of ours by; those that it lacks left out.

    Known by our title, on its camera. Not by times: whether the list tells UTC or local
    time is unknown. Source: sense-api.md B4.
    """
    found: dict[TagKey, str] = {}
    for tag in tags:
        for entry in listed:
            is_titled = entry.title.strip() == tag.title or tag.title in entry.comment
            if entry.address == tag.address and is_titled:
                found[tag.key] = entry.id
                break
    return found


def _plain(path: str) -> str:
    """A Windows path in the one spelling that compares."""
    return path.strip().replace("/", "\\").rstrip("\\").casefold()


def _number(exportid: str) -> tuple[bool, int, str]:
    """Sorts numbers by value, however long; Python reads no integer of 5000 digits."""
    is_number = exportid.isascii() and exportid.isdecimal()
    plain = exportid.lstrip("0") if is_number else exportid
    return is_number, len(plain) if is_number else 0, plain


def judge(export: ExportRequest, listed: ListedExport) -> Verdict:
    """Read a listed export as ours; the caller knows that it is.

    A device is done when its word or 100 percent says so, or when the export's word
    does and its own does not contradict. An unknown word is neither done nor failed.
    100 percent under a word of work is believed when it is seen again: 99.997 may have
    been rounded, or the file is being closed. Source: sense-api.md B2 2.8, 2.10, 2.12.
    """
    ours = sorted(export.devices, key=lambda each: each.asked.address)
    devices, done, failed = [], set(), set()
    for device, entry in zip(ours, _sorted(listed.devices), strict=True):
        state = _outcome(entry, listed.progress, device.percent)
        if state is DeviceProgress.DONE:
            done.add(device.clip)
        elif state is DeviceProgress.FAILED:
            failed.add(device.clip)
        percent = DONE_PERCENT if state is DeviceProgress.DONE else entry.percent
        devices.append(
            ExportedDevice(clip=device.clip, asked=device.asked, percent=percent)
        )
    return Verdict(
        devices=tuple(sorted(devices, key=lambda each: each.clip)),
        done=frozenset(done),
        failed=frozenset(failed),
    )


_BROKEN = {DeviceProgress.FAILED, DeviceProgress.CANCELLED}
_AT_WORK = {DeviceProgress.PENDING, DeviceProgress.RUNNING}


def _outcome(
    device: ListedDevice, whole: DeviceProgress, before: float | None
) -> DeviceProgress:
    """`before`: the percent that was seen the last time."""
    if device.progress in _BROKEN:
        return DeviceProgress.FAILED
    if device.progress is DeviceProgress.DONE or _is_full(device, before):
        return DeviceProgress.DONE
    if whole is DeviceProgress.DONE:
        return DeviceProgress.DONE
    if whole in _BROKEN:
        return DeviceProgress.FAILED
    return DeviceProgress.RUNNING


def _is_full(device: ListedDevice, before: float | None) -> bool:
    if (device.percent or 0.0) < DONE_PERCENT:
        return False
    return device.progress not in _AT_WORK or (before or 0.0) >= DONE_PERCENT
