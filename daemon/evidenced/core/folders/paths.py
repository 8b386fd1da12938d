r"""Destination paths: the administrator's template, filled with values nobody checked.

A template is written by the administrator, so what is wrong in it is said (BadInput).
Values come out of alarms, so whatever is wrong in them is made harmless instead: an
alarm must not lose its evidence because of a door's name. A value ends up inside one
folder name and can never make a second one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import takewhile
from typing import TypeVar

from evidenced.core.errors import BadInput
from evidenced.core.folders.foldernames import (
    MAX_NAME,
    MAX_READ,
    clean,
    illegal_character,
    is_long,
    is_plain,
    name_fault,
    safe_name,
    utf16_units,
)
from evidenced.core.ids import FieldValue

T = TypeVar("T")

FILE_ROOM = 83
r"""UTF-16 units for the recorder's own file names below the folder: `\`, the ids of a
server and a device of 20 digits each, two instants, dashes, dot and extension. How it
names files is not documented (sense-api.md B10)."""
MAX_PATH_UNITS = 259 - FILE_ROOM
"""UTF-16 units of a whole path: Windows takes no file whose path is longer than 259."""
SUFFIX_ROOM = 6
"""Of those, kept free for `with_suffix`: "-2" up to "-99999"."""
MAX_VALUE = 80
SHRINK = (MAX_VALUE, 40, 20, 12)
"""How long values may be, tried in turn until the whole path is short enough."""
DEFAULT_FORMAT = "%Y-%m-%d_%H-%M-%S"

_INSTANTS = frozenset({"opened", "ended"})
_SEPARATORS = re.compile(r"[\\/]+")
_ANCHOR = re.compile(
    r"(?P<drive>[A-Za-z]:)[\\/]"
    r"|[\\/]{2}(?P<server>[^\\/{}]+)[\\/]+(?P<share>[^\\/{}]+)(?=[\\/]|$)"
    r"|[\\/](?![\\/])"
)
_TOKEN = re.compile(
    r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<text>[^{}\\/]+)|(?P<sep>[\\/]+)"
    r"|(?P<stray>[{}])"
)
_NAME = re.compile(r"[^\s\\/]+")
_DIRECTIVES = re.compile(r"([^%]|%[-_0^#]?[aAbBcCdDeFgGHIjklmMnpPrRStTuUVwWxXyYzZ%])+")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    format: str | None


_Segment = str | tuple[str | _Field, ...]
"""A folder's name as it stands, or what it is made of."""


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A parsed template. Made by `parse`; equal when the text is."""

    text: str
    _anchor: str
    _segments: tuple[_Segment, ...]
    names: frozenset[str]
    """Every name in braces, `opened` and `ended` included."""

    @classmethod
    def parse(cls, text: str) -> "PathTemplate":
        """Read what the administrator wrote.

        Raises:
            BadInput: one sentence with the column and what to write instead.
        """
        start = _ANCHOR.match(text)
        if start is None:
            raise BadInput(
                "column 1: the path must begin with a drive (V:\\) or a share "
                "(\\\\server\\share\\), the recorder has no folder to start from"
            )
        anchor = _anchor_text(start)
        segments = _parse_segments(text, start.end())
        if not segments:
            raise BadInput(
                f"column {len(text) + 1}: a folder is missing after {anchor!r}, "
                "for example {rule}-{id}"
            )
        names = frozenset(
            piece.name
            for segment in segments
            if not isinstance(segment, str)
            for piece in segment
            if isinstance(piece, _Field)
        )
        return cls(text, anchor, segments, names)

    @property
    def is_on_any_drive(self) -> bool:
        """Whether it begins with a folder that Windows knows one of on each drive."""
        return self.text.startswith("\\") and not self._anchor

    def render(
        self,
        values: Mapping[str, FieldValue],
        instants: Mapping[str, datetime],
        zone: tzinfo,
    ) -> str:
        """The path for these values; instants are written in `zone`'s local time.

        A value that is missing or empty becomes "_". Long values are shortened and end
        in a hash of the whole value: a name that gets too long is never cut itself, for
        what keeps two incidents apart is {id}, which mostly stands last.

        Raises:
            BadInput: too long however short the values are: the template is wrong.
        """
        units, is_cut = 0, False
        for limit in SHRINK:
            filled = {
                name: clean(values[name], MAX_VALUE if name == "id" else limit)
                for name in self.names
                if name in values
            }
            names = [_fill(each, filled, instants, zone) for each in self._segments]
            is_cut = any(map(is_long, names))
            path = self._joined(safe_name(name) for name in names)
            units = utf16_units(path)
            if units <= MAX_PATH_UNITS - SUFFIX_ROOM and not is_cut:
                return path
        if is_cut:
            raise BadInput(
                f"a folder's name comes to more than {MAX_NAME} characters: write less "
                "around the values"
            )
        raise BadInput(
            f"the path comes to {units} characters and at most "
            f"{MAX_PATH_UNITS - SUFFIX_ROOM} are possible: use fewer or shorter folders"
        )

    @property
    def fixed_part(self) -> str:
        """The leading folders that no value can change, then "_" for any others."""
        literal = takewhile(lambda each: isinstance(each, str), self._segments)
        fixed = [str(each) for each in literal]
        others = ["_"] if len(fixed) < len(self._segments) else []
        return self._joined(fixed + others)

    def _joined(self, names: Iterable[str]) -> str:
        separator = "/" if self.text.startswith("/") and not self._anchor else "\\"
        return separator.join((self._anchor, *names))


def below(path: str, root: str) -> tuple[str, ...] | None:
    """The folder names that lead from root to path; None if path is not below root.

    Root itself is not below root: a second try beside it would be outside. Windows
    does not tell upper and lower case apart, so neither does this.
    """
    inner, outer = _split(path), _split_root(root)
    if inner is None or outer is None or _fold(inner[0]) != _fold(outer[0]):
        return None
    depth = len(outer[1])
    if any(_fold(a) != _fold(b) for a, b in zip(inner[1], outer[1], strict=False)):
        return None
    return inner[1][depth:] or None


def nearest(
    path: str, roots: Iterable[tuple[str, T]]
) -> list[tuple[tuple[str, ...], T]]:
    """What has a root that the path lies below, with the way from there.

    The shortest way first: roots may be the same, or lie within each other.
    """
    found = [
        (folders, what)
        for root, what in roots
        if (folders := below(path, root)) is not None
    ]
    return sorted(found, key=lambda each: len(each[0]))


def within(path: str, root: str) -> bool:
    """Whether the path surely is below root: the last guard before a request.

    Of a storm's paths only the last name differs: a plain one in a folder that is
    known to lie there needs no look at the others.
    """
    parent, _, name = path.rpartition("\\")
    is_short = path.isascii() and len(path) <= MAX_PATH_UNITS
    if is_short and is_plain(name) and _leads_below(parent, root):
        return True
    return below(path, root) is not None


@lru_cache(maxsize=256)
def _leads_below(parent: str, root: str) -> bool:
    """Whether whatever lies in this folder is below root."""
    return below(parent, root) is not None


def with_suffix(path: str, n: int) -> str:
    """The path for the nth try: an export that vanished is not written over."""
    return path if n == 1 else f"{path}-{n}"


def fits(template: PathTemplate, root: str) -> list[str]:
    """What is wrong with this pair, whatever the values will be; empty if nothing."""
    if _split(root) is None:
        fault = (
            f"root {root!r} must be a folder written out from its drive (V:\\) or "
            "share (\\\\server\\share\\), without .. and names that Windows refuses"
        )
        return [fault]
    longest = dict.fromkeys(template.names, "W" * MAX_READ)
    try:
        template.render(longest, _LONG_INSTANTS, _FAR_ZONE)
    except BadInput as error:
        return [f"path {template.text!r}: {error}"]
    if not within(template.fixed_part, root):
        fault = (
            f"path {template.text!r} must begin with the root {root!r} written out, "
            "and go on with at least one folder below it"
        )
        return [fault]
    return []


_FAR_ZONE = timezone(timedelta(hours=13, minutes=45))
_LONG_INSTANTS = dict.fromkeys(
    _INSTANTS, datetime(2026, 9, 23, 22, 59, 59, tzinfo=_FAR_ZONE)
)


def _anchor_text(start: re.Match[str]) -> str:
    r"""Where a path begins, in one spelling: "V:", "\\server\share" or nothing."""
    if start["drive"]:
        return start["drive"]
    if not start["server"]:
        return ""
    for name in (start["server"], start["share"]):
        if fault := name_fault(name):
            raise BadInput(f"column {start.start() + 1}: share name {name!r} {fault}")
    return f"\\\\{start['server']}\\{start['share']}"


def _parse_segments(text: str, start: int) -> tuple[_Segment, ...]:
    """The folders after the anchor.

    Runs of separators count as one, as they do on Windows.
    """
    segments: list[_Segment] = []
    pieces: list[str | _Field] = []
    column = start + 1
    for token in _TOKEN.finditer(text, start):
        if token["sep"]:
            segments += _checked(pieces, column)
            pieces, column = [], token.end() + 1
        elif token["stray"]:
            raise BadInput(
                f"column {token.start() + 1}: a lone {token[0]!r}; write "
                f"{token[0] * 2!r} for the character itself"
            )
        elif token["field"] is not None:
            pieces.append(_parse_field(token["field"], token.start() + 1))
        else:
            pieces.append(token["text"] or token["brace"][0])
    return (*segments, *_checked(pieces, column))


def _checked(pieces: list[str | _Field], column: int) -> Iterator[_Segment]:
    """The segment, if there is one."""
    if not pieces:
        return
    is_literal = all(isinstance(piece, str) for piece in pieces)
    literal = "".join(piece for piece in pieces if isinstance(piece, str))
    # around a value only its characters count: the name as a whole is made safe later
    fault = name_fault(literal) if is_literal else illegal_character(literal)
    if fault:
        raise BadInput(f"column {column}: folder name {literal!r} {fault}")
    yield literal if is_literal else tuple(pieces)


def _parse_field(field: str, column: int) -> _Field:
    name, colon, spec = field.partition(":")
    if not _NAME.fullmatch(name) or not spec.isprintable():
        raise BadInput(f"column {column}: {{{field}}} is not a name in braces")
    if not colon:
        return _Field(name, DEFAULT_FORMAT if name in _INSTANTS else None)
    if name not in _INSTANTS:
        raise BadInput(
            f"column {column}: {{{name}}} takes no format, only opened and ended do"
        )
    if _SEPARATORS.search(spec):
        raise BadInput(
            f"column {column}: a format stays inside one folder name; write "
            "{opened:%Y}\\{opened:%m} for two"
        )
    if not _DIRECTIVES.fullmatch(spec):
        raise BadInput(
            f"column {column}: {spec!r} is not a date format; %Y-%m-%d_%H-%M-%S is one"
        )
    return _Field(name, spec)


def _fill(
    segment: _Segment,
    values: Mapping[str, str],
    instants: Mapping[str, datetime],
    zone: tzinfo,
) -> str:
    if isinstance(segment, str):
        return segment  # checked when it was parsed
    parts: list[str] = []
    for piece in segment:
        if isinstance(piece, str):
            parts.append(piece)
        elif piece.format is None:
            parts.append(values.get(piece.name, "_"))
        else:
            local = instants[piece.name].astimezone(zone)
            parts.append(clean(local.strftime(piece.format), MAX_VALUE))
    return "".join(parts)


def _split(path: str) -> tuple[str, tuple[str, ...]] | None:
    """Anchor and folder names; None if anything in it is not plainly a folder name."""
    start = _ANCHOR.match(path)
    if start is None or utf16_units(path) > MAX_PATH_UNITS:
        return None
    names = tuple(name for name in _SEPARATORS.split(path[start.end() :]) if name)
    try:
        anchor = _anchor_text(start)
    except BadInput:
        return None
    longest = MAX_NAME + SUFFIX_ROOM
    return None if any(name_fault(n, longest) for n in names) else (anchor, names)


@lru_cache(maxsize=64)
def _split_root(root: str) -> tuple[str, tuple[str, ...]] | None:
    """Remembered: there are as many as destinations."""
    return _split(root)


def _fold(name: str) -> str:
    """Case as NTFS folds it: one character to one, so that two names stay two."""
    if name.isascii():
        return name.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in name)
