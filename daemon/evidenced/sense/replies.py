"""What the recorder's replies say, in our own values. Pure.

Tolerates every variant that sense-api.md B12 calls unknown: names in any case, as
element or attribute, missing wrappers, unknown nodes, blanks around values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.instants import SECOND
from evidenced.core.recorder import Device
from evidenced.core.window import Window
from evidenced.sense.address import ExportId, read_address
from evidenced.sense.document import Element, Unreadable, clean, pieces, read_document
from evidenced.sense.fields import (
    ID_LENGTH,
    address_of,
    fields_of,
    first_named,
    int_of,
    own_value,
    percent_of,
    window_of,
)
from evidenced.sense.listed import DeviceProgress, ListedDevice, ListedExport, ListedTag
from evidenced.sense.wire import parse_timestamp
from evidenced.sense.words import read_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A `<result>`: 0 or greater is success. Source: sense-api.md B3.

    `rest` are further pieces of a list that is too long to be nodes at once. `picture`
    is what came in the place of a result: an image, which tells no code.
    """

    code: int
    text: str
    root: Element
    is_repaired: bool
    rest: tuple[bytes, ...] = ()
    picture: bytes = b""


class NoResult(Unreadable):
    """Something else than a `<result>`, such as the page of a login.

    The session may have ended. A damaged `<result>` is only Unreadable.
    """


def read_result(data: bytes) -> Result:
    """The reply to a command.

    A reply without an errorcode passes as 0 when it carries a known payload.

    Raises:
        NoResult: it is something else.
        Unreadable: it began as a result and is damaged.
    """
    if data.startswith(_JPEG):
        return Result(
            code=0, text="", root=Element("image"), is_repaired=False, picture=data
        )
    first, *rest = pieces(data)
    try:
        document = read_document(first)
    except Unreadable as damage:
        if b"<result" in data[:_PROLOG_LENGTH].lower():
            raise
        raise NoResult(str(damage)) from None
    root = document.root
    fields = fields_of(root)
    code = int_of(fields.get("errorcode", ""))
    if code is None:
        if not any(node.name in _PAYLOADS for node in root.walk()):
            raise NoResult(f"is no <result> but <{clean(root.name, 40)}>")
        if "errorcode" in fields:
            raise Unreadable("has an errorcode that is not a number")
        code = 0
    return Result(
        code=code,
        text=clean(fields.get("description", "")),
        root=root,
        is_repaired=document.is_repaired,
        rest=tuple(rest),
    )


_JPEG = b"\xff\xd8"
_PROLOG_LENGTH = 500
_PAYLOADS = frozenset(
    {"export", "exports", "devices", "imagesequence", "videotaglist", "systemstatus"}
)


def read_exportid(result: Result) -> ExportId | None:
    """The number of an export that was begun, if the answer names one."""
    if result.code < 0:
        return None
    named = (own_value(node, "exportid") for node in result.root.walk())
    exportid = clean(next((text for text in named if text), ""), ID_LENGTH)
    return ExportId(exportid) if exportid else None


def read_exports(result: Result) -> tuple[ListedExport, ...]:
    """The status list, entries that say nothing at all left out.

    Raises:
        Unreadable: the list had to be repaired and holds fewer exports than it counts.
    """
    listed = _exports_of(result.root)
    is_repaired = result.is_repaired
    for piece in result.rest:
        document = read_document(piece)
        listed += _exports_of(document.root)
        is_repaired = is_repaired or document.is_repaired
    counts = (
        int_of(own_value(n, "count")) for n in result.root.walk() if n.name in _LISTS
    )
    counted = next((count for count in counts if count is not None), 0)
    if is_repaired and len(listed) < counted:
        raise Unreadable(f"counts {counted} exports and holds {len(listed)}")
    return tuple(e for e in listed if e.exportid or e.path or e.devices)


def _exports_of(root: Element) -> list[ListedExport]:
    return [_read_export(node) for node in root.walk() if node.name == "export"]


_LISTS = frozenset({"exports"})


def read_devices(result: Result) -> tuple[Device, ...]:
    """The device list; entries without a server or device id are left out."""
    nodes = (node for node in result.root.walk() if node.name == "device")
    found = (_read_device(fields_of(node)) for node in nodes)
    return tuple(device for device in found if all(read_address(device.address)))


def _read_device(fields: Mapping[str, str]) -> Device:
    return Device(
        address=address_of(fields),
        name=clean(fields.get("name", "")),
        kind=clean(fields.get("type", "")),
        status=clean(fields.get("status", "")),
        location=clean(fields.get("location", "")),
    )


def read_tags(result: Result) -> tuple[ListedTag, ...]:
    """The list of tags; entries that name no camera are left out."""
    nodes = (node for node in result.root.walk() if node.name == "videotag")
    found = (_read_tag(fields_of(node)) for node in nodes)
    return tuple(tag for tag in found if all(read_address(tag.address)))


def _read_tag(fields: Mapping[str, str]) -> ListedTag:
    return ListedTag(
        id=clean(first_named(fields, "id", "videotagid"), ID_LENGTH),
        address=address_of(fields),
        title=clean(fields.get("title", "")),
        comment=clean(fields.get("comment", "")),
    )


def read_has_video(result: Result) -> bool | None:
    """Whether getImageSequence found an image; None when the answer does not tell.

    -48 and -11 (no image found) say that there is none. -2 and -17 speak of the device,
    -4 of our request. The images' times are not looked at: whether they are local is
    unknown (B4), and the recorder was given the limits.
    """
    if result.code in _NO_IMAGE:
        return False
    if result.code < 0:
        return None
    nodes = list(result.root.walk())
    if any(node.name in {"img", "image"} for node in nodes):
        return True
    lists = [node for node in nodes if node.name == "imagesequence"]
    if not lists:
        return None
    return any((int_of(own_value(node, "count")) or 0) > 0 for node in lists)


_NO_IMAGE = frozenset({-48, -11})
MOST_IMAGES = 600
"""Entries of one answer that are asked for; ten minutes of one a second."""


def read_images(result: Result) -> tuple[datetime, ...] | None:
    """The times of getImageSequence as they stand; None when the answer does not tell.

    Entries without a readable time do not count; a list of nothing else tells nothing.
    """
    if result.code in _NO_IMAGE:
        return ()
    has_video = read_has_video(result)
    if has_video is None:
        return None
    nodes = (node for node in result.root.walk() if node.name in {"img", "image"})
    read = (parse_timestamp(fields_of(node).get("time", "")) for node in nodes)
    times = sorted(at for at in read if at is not None)
    return None if has_video and not times else tuple(times)


def in_utc(times: Sequence[datetime], window: Window) -> tuple[datetime, ...]:
    """The instants meant. Whether replies tell UTC or local time is unknown (B4).

    Local time differs by quarters of an hour, and the recorder was given the limits:
    what lies within a window that is shorter than that has one reading. Times without
    decimals may lie up to a second before their window.
    """
    meant = (at - _QUARTER * ((at - window.start + SECOND) // _QUARTER) for at in times)
    return tuple(sorted(max(at, window.start) for at in meant))


_QUARTER = timedelta(minutes=15)


def read_license(result: Result) -> bool | None:
    """Whether getSystemStatus tells of an API license; None when it does not tell.

    -1 is also what a command answers whose license is missing. Source: sense-api.md
    B3, B6 (`api` in the block `license`), B7.
    """
    if result.code == _NOT_LICENSED:
        return False
    blocks = (node for node in result.root.walk() if node.name == "license")
    words = {fields_of(node).get("api", "").lower() for node in blocks}
    return True if words & _YES else False if words & _NO else None


_NOT_LICENSED = -1
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


_PATH_LENGTH = 4096
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def _read_export(node: Element) -> ListedExport:
    fields = fields_of(node)
    word, progress = _read_status(fields)
    return ListedExport(
        exportid=ExportId(clean(first_named(fields, "exportid", "id"), ID_LENGTH)),
        # Compared with what was asked: only control characters go, which no path has.
        path=_CONTROL.sub(" ", fields.get("path", "")[:_PATH_LENGTH]),
        progress=progress,
        bandwidth=int_of(fields.get("bandwidth", "")),
        devices=tuple(_read_listed_devices(node)),
        word=word,
    )


def _read_listed_devices(export: Element) -> Iterator[ListedDevice]:
    for node in export.walk(stop={"export"}):
        if node.name != "device":
            continue
        fields = fields_of(node)
        address = address_of(fields)
        if not read_address(address).device:
            continue
        word, progress = _read_status(fields)
        yield ListedDevice(
            address=address,
            window=window_of(fields),
            percent=percent_of(fields.get("progress", "")),
            progress=progress,
            word=word,
        )


def _read_status(fields: Mapping[str, str]) -> tuple[str, DeviceProgress]:
    """The status word and what it means: the status itself, or its `description`.

    getClips carries the word in status@description. Source: sense-api.md B2 2.8.
    """
    words = [word for name in ("status", "description") if (word := fields.get(name))]
    known = (word for word in words if read_word(word) is not DeviceProgress.UNKNOWN)
    word = next(known, words[0] if words else "")
    return clean(word, ID_LENGTH), read_word(word)
