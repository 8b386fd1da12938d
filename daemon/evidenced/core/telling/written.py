"""An evidence record read back: what incident.json says, in a shape that is sure. Pure.

Whoever can write the share can write anything there; what is not of the shape that
`manifest` writes is no record, and the sentence says where.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import PureWindowsPath
from typing import TypeVar
from zoneinfo import ZoneInfo

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.instants import check_aware
from evidenced.core.keeping.evidence import RECORD
from evidenced.core.spoken import span_words
from evidenced.core.telling.manifest import FORMAT, VERSION

T = TypeVar("T")
_HEX = frozenset("0123456789abcdef")
_DIGITS = 64
"""Of a SHA-256, in hex."""
_LONGEST = 2**53
"""Beyond it a number is not the same for all who read JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file with footage as it was when it was hashed; `name` parts joined by /."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClip:
    """One camera's window, as a record tells it."""

    camera: str
    label: str
    start: datetime
    end: datetime
    state: str

    @property
    def name(self) -> str:
        """The label for people; the configured name where it has none."""
        return one_line(self.label or self.camera, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersedes:
    """The revision before, by its name in the folder and its hash."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRecord:
    """What an incident.json says.

    `folder` is its path on the recorder, `place` are the folders that lead to it from
    the root of the share, at least the last; `is_seen` is whether the host saw it.
    `key` is the id of the key that is said to sign, "" for none. `zone` is the site's
    local time; UTC where the record does not tell.
    """

    incident: str
    revision: int
    written: datetime
    instance: str
    site: str
    zone: tzinfo
    opened: datetime
    summary: str
    clips: tuple[WrittenClip, ...]
    folder: str
    place: tuple[str, ...]
    is_seen: bool
    files: tuple[WrittenFile, ...]
    others: tuple[str, ...]
    page: str
    supersedes: Supersedes | None
    key: str

    @property
    def site_name(self) -> str:
        """What people call the installation, and what programs do."""
        return f"{self.site} ({self.instance})" if self.site else self.instance

    @property
    def span(self) -> str:
        """When it was filmed, from the first camera's begin to the last one's end."""
        if not self.clips:
            return span_words(self.opened, self.opened, self.zone)
        start = min(clip.start for clip in self.clips)
        return span_words(start, max(clip.end for clip in self.clips), self.zone)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Each once, in the order of the record."""
        return tuple(dict.fromkeys(clip.name for clip in self.clips))


def read_record(data: bytes) -> WrittenRecord:
    """What these bytes say.

    Raises:
        BadInput: they are no record, or one that a newer evidenced has written.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise _damaged("it is no JSON") from None
    said = _Said(value, "")
    if said.maybe("format", str) != FORMAT:
        raise _damaged("its `format` is another")
    if said.number("version") > VERSION:
        raise BadInput(
            f"{RECORD} has form {said.number('version')}, written by a newer "
            f"evidenced; this one reads up to {VERSION}"
        )
    return _record_of(said)


def _record_of(said: "_Said") -> WrittenRecord:
    incident = said.within("incident")
    before = said.maybe("supersedes", dict)
    place = said.maybe("place", str)
    windows_path = PureWindowsPath(said.text("folder"))
    files = tuple(_file(each) for each in said.each("files"))
    if len({each.name for each in files}) < len(files):
        raise _damaged("two of its `files` have one name")
    return WrittenRecord(
        incident=incident.text("id"),
        revision=said.number("revision"),
        written=said.instant("written"),
        instance=said.text("instance"),
        site=said.maybe("site", str) or "",
        zone=_zone(said.maybe("zone", dict)),
        opened=incident.instant("opened"),
        summary=incident.maybe("summary", str) or incident.text("rule"),
        clips=tuple(_clip(each) for each in incident.each("clips")),
        folder=said.text("folder"),
        place=tuple((place or windows_path.name).split("/")),
        is_seen=said.maybe("seen", bool) is not False,
        files=files,
        others=tuple(said.texts("others")),
        page=said.digest("page"),
        supersedes=None if before is None else _former(_Said(before, "supersedes.")),
        key=said.maybe("signed_by", str) or "",
    )


def _former(said: "_Said") -> Supersedes:
    return Supersedes(file=said.text("file"), sha256=said.digest("sha256"))


def _file(said: "_Said") -> WrittenFile:
    return WrittenFile(
        name=said.text("name"), size=said.number("bytes"), sha256=said.digest("sha256")
    )


def _clip(said: "_Said") -> WrittenClip:
    return WrittenClip(
        camera=said.text("camera"),
        label=said.text("label"),
        start=said.instant("start"),
        end=said.instant("end"),
        state=said.text("state"),
    )


def _zone(said: Mapping[str, object] | None) -> tzinfo:
    """The zone by its name; where this machine has none of that name, by its offset."""
    name, word, offset = (
        (said or {}).get(each) for each in ("name", "word", "offset_s")
    )
    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    if isinstance(word, str) and type(offset) is int and abs(offset) < _DAY_S:
        return timezone(timedelta(seconds=offset), word)
    return UTC


_DAY_S = 86_400


class _Said:
    """A JSON object whose values are taken out by the shape that they must have."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise _damaged(f"its `{where.rstrip('.')}` is no object" if where else "")
        self._value: dict[str, object] = value
        self._where = where

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """The value; None where it is null or absent."""
        value = self._value.get(key)
        if value is None:
            return None
        if type(value) is not kind:
            raise self._wrong(key)
        return value

    def text(self, key: str) -> str:
        return self._must(key, str)

    def number(self, key: str) -> int:
        """From 0 on, and what every reader of JSON takes for the same."""
        value = self._must(key, int)
        if not 0 <= value <= _LONGEST:
            raise self._wrong(key)
        return value

    def digest(self, key: str) -> str:
        value = self._must(key, str)
        if len(value) != _DIGITS or not _HEX.issuperset(value):
            raise self._wrong(key)
        return value

    def instant(self, key: str) -> datetime:
        try:
            return check_aware(datetime.fromisoformat(self.text(key)))
        except ValueError:
            raise self._wrong(key) from None

    def within(self, key: str) -> "_Said":
        return _Said(self._must(key, dict), f"{self._where}{key}.")

    def each(self, key: str) -> Iterator["_Said"]:
        for n, value in enumerate(self._must(key, list)):
            yield _Said(value, f"{self._where}{key}[{n}].")

    def texts(self, key: str) -> Iterator[str]:
        for value in self._must(key, list):
            if not isinstance(value, str):
                raise self._wrong(key)
            yield value

    def _must(self, key: str, kind: type[T]) -> T:
        value = self.maybe(key, kind)
        if value is None:
            raise self._wrong(key)
        return value

    def _wrong(self, key: str) -> BadInput:
        return _damaged(f"its `{self._where}{key}` is not as evidenced writes it")


def _damaged(why: str) -> BadInput:
    end = f": {why}" if why else ""
    return BadInput(f"{RECORD} is no evidence record, or it is damaged{end}")
