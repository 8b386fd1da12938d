"""What the recorder's replies say, in our own values. Pure.

Tolerates every variant that sense-api.md B12 calls unknown: names in any case, as
element or attribute, missing wrappers, unknown nodes, blanks around values.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.address import Address
from evidenced.core.instants import MILLISECOND, SECOND
from evidenced.core.recorder import Device
from evidenced.core.window import Window
from evidenced.sense.address import ExportId, read_address, sense_address
from evidenced.sense.document import Element, Unreadable, clean, pieces, read_document
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoReply:
    """What /info tells. The clock showed `utc`, or at most `precision` later."""

    utc: datetime
    precision: timedelta
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginReply:
    """`key` is None when the reply holds none; `code` when it has no errorcode."""

    code: int | None
    text: str
    key: str | None


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
    fields = _fields_of(root)
    code = _int_of(fields.get("errorcode", ""))
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
    named = (_own(node, "exportid") for node in result.root.walk())
    exportid = clean(next((text for text in named if text), ""), _ID_LENGTH)
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
    counts = (_int_of(_own(n, "count")) for n in result.root.walk() if n.name in _LISTS)
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
    found = (_read_device(_fields_of(node)) for node in nodes)
    return tuple(device for device in found if all(read_address(device.address)))


def _read_device(fields: Mapping[str, str]) -> Device:
    return Device(
        address=_address_of(fields),
        name=clean(fields.get("name", "")),
        kind=clean(fields.get("type", "")),
        status=clean(fields.get("status", "")),
        location=clean(fields.get("location", "")),
    )


def read_tags(result: Result) -> tuple[ListedTag, ...]:
    """The list of tags; entries that name no camera are left out."""
    nodes = (node for node in result.root.walk() if node.name == "videotag")
    found = (_read_tag(_fields_of(node)) for node in nodes)
    return tuple(tag for tag in found if all(read_address(tag.address)))


def _read_tag(fields: Mapping[str, str]) -> ListedTag:
    return ListedTag(
        id=clean(_first(fields, "id", "videotagid"), _ID_LENGTH),
        address=_address_of(fields),
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
    return any((_int_of(_own(node, "count")) or 0) > 0 for node in lists)


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
    read = (parse_timestamp(_fields_of(node).get("time", "")) for node in nodes)
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
    words = {_fields_of(node).get("api", "").lower() for node in blocks}
    return True if words & _YES else False if words & _NO else None


_NOT_LICENSED = -1
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


def read_info(data: bytes) -> InfoReply:
    """The reply of /info; the vendor's own sample, never closed, is read too.

    Raises:
        Unreadable: no time can be found in it.
    """
    fields = _fields_of(read_document(data, must_close=False).root)
    text = fields.get("utc", "")
    utc = parse_timestamp(text)
    if utc is None or not _EARLIEST <= utc.year < _LATEST:
        raise Unreadable("holds no readable utc")
    has_decimals = "." in text or "," in text
    return InfoReply(
        utc=utc,
        precision=MILLISECOND if has_decimals else SECOND,
        version=clean(fields.get("version", ""), _ID_LENGTH),
    )


_EARLIEST, _LATEST = 1970, 3000
"""Years of a clock that can be reckoned with; a flat battery shows the first."""


def read_login(data: bytes, cookies: tuple[str, ...]) -> LoginReply:
    """The reply of /webservice. Where the key stands is unknown, so it is searched.

    Source: sense-api.md B1 1.10 and "Tolerant handling". `cookies` are the Set-Cookie
    headers as they came.

    Raises:
        Unreadable: neither a cookie nor XML.
    """
    key = next(filter(None, map(_key_of_cookie, cookies)), None)
    try:
        root = read_document(data).root
    except Unreadable:
        if key is None:
            raise
        return LoginReply(code=None, text="", key=key)
    fields = _fields_of(root)
    return LoginReply(
        code=_int_of(fields.get("errorcode", "")),
        text=clean(fields.get("description", "")),
        key=key or _find_key(root),
    )


def _key_of_cookie(header: str) -> str | None:
    name, _, value = header.partition(";")[0].partition("=")
    return _usable_key(value) if name.strip().lower() == "sessionkey" else None


def _find_key(root: Element) -> str | None:
    """The best named of all elements and attributes that could be the key."""
    found: dict[int, str] = {}
    for node in root.walk():
        for name, value in ((node.name, node.text), *node.attributes.items()):
            rank = next((i for i, fits in enumerate(_RANKS) if fits(name)), None)
            key = _usable_key(value)
            if rank is not None and key is not None:
                found.setdefault(rank, key)
    return found[min(found)] if found else None


# An exact name before one that merely contains it: <sessiontimeout> is no key.
_RANKS: tuple[Callable[[str], bool], ...] = (
    lambda name: "sessionkey" in name,
    lambda name: name in {"session", "sessionid"},
    lambda name: name == "key",
    lambda name: "session" in name and "time" not in name,
    lambda name: "key" in name,
)


def _usable_key(text: str) -> str | None:
    """The key as the Cookie header can carry it."""
    text = text.strip().strip('"')
    is_token = text.isascii() and text.isprintable() and not set(text) & set(' ;,"')
    return text if is_token and 0 < len(text) <= _KEY_LENGTH else None


_KEY_LENGTH = 512
_ID_LENGTH = 64
_PATH_LENGTH = 4096
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DEVICE_ID = ("deviceid", "cameraid")


def _read_export(node: Element) -> ListedExport:
    fields = _fields_of(node)
    word, progress = _read_status(fields)
    return ListedExport(
        exportid=ExportId(clean(_first(fields, "exportid", "id"), _ID_LENGTH)),
        # Compared with what was asked: only control characters go, which no path has.
        path=_CONTROL.sub(" ", fields.get("path", "")[:_PATH_LENGTH]),
        progress=progress,
        bandwidth=_int_of(fields.get("bandwidth", "")),
        devices=tuple(_read_listed_devices(node)),
        word=word,
    )


def _read_listed_devices(export: Element) -> Iterator[ListedDevice]:
    for node in export.walk(stop={"export"}):
        if node.name != "device":
            continue
        fields = _fields_of(node)
        address = _address_of(fields)
        if not read_address(address).device:
            continue
        word, progress = _read_status(fields)
        yield ListedDevice(
            address=address,
            window=_read_window(fields),
            percent=_percent_of(fields.get("progress", "")),
            progress=progress,
            word=word,
        )


def _address_of(fields: Mapping[str, str]) -> Address:
    server = clean(fields.get("serverid", ""), _ID_LENGTH)
    return sense_address(server, clean(_first(fields, *_DEVICE_ID), _ID_LENGTH))


def _read_window(fields: Mapping[str, str]) -> Window | None:
    start = parse_timestamp(_first(fields, "starttime", "startdate"))
    end = parse_timestamp(_first(fields, "endtime", "enddate"))
    if start is None or end is None or end < start:
        return None
    return Window(start=start, end=end)


def _read_status(fields: Mapping[str, str]) -> tuple[str, DeviceProgress]:
    """The status word and what it means: the status itself, or its `description`.

    getClips carries the word in status@description. Source: sense-api.md B2 2.8.
    """
    words = [word for name in ("status", "description") if (word := fields.get(name))]
    known = (word for word in words if read_word(word) is not DeviceProgress.UNKNOWN)
    word = next(known, words[0] if words else "")
    return clean(word, _ID_LENGTH), read_word(word)


# Whatever is looked for at any depth ends here: else a row of them that are never
# closed, each in the one before, would cost the square of its length.
_BOUNDARIES = frozenset(
    {"export", "exports", "device", "devices", "videotag", "license"}
)


def _fields_of(node: Element) -> dict[str, str]:
    """The first value of each name, of the node itself and not of a device in it.

    Fields that were never closed hold the next ones, so it looks below them too.
    """
    fields: dict[str, str] = {}
    for below in node.walk(stop=_BOUNDARIES):
        for name, value in ((below.name, below.text), *below.attributes.items()):
            if name not in fields and (text := value.strip()):
                fields[name] = text
    return fields


def _first(fields: Mapping[str, str], *names: str) -> str:
    return next((fields[name] for name in names if name in fields), "")


def _own(node: Element, name: str) -> str:
    """The value as the node's text, when it is so named, or as its attribute."""
    text = node.text.strip() if node.name == name else ""
    return text or node.attributes.get(name, "").strip()


def _int_of(text: str) -> int | None:
    digits = text.strip().removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:
        return int(text)
    return None


_DIGITS = 15


def _percent_of(text: str) -> float | None:
    """0 to 100; None for anything else. A decimal comma and a percent sign may be."""
    try:
        percent = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        return None
    is_sane = math.isfinite(percent) and 0 <= percent <= 100  # noqa: PLR2004 - per cent
    return percent if is_sane else None
