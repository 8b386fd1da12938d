"""An evidence record read back: what incident.json says, in a shape that is sure. Pure.

Whoever can write the share can write anything there; what is not of the shape that
`manifest` writes is no record, and the sentence says where.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import PureWindowsPath
from zoneinfo import ZoneInfo

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import RECORD, is_still
from evidenced.core.spoken import span_words
from evidenced.core.telling.manifest import FORMAT, VERSION
from evidenced.core.telling.said import Said, said_in
from evidenced.core.wording import shortened

WHAT = f"{RECORD} is no evidence record"


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
        return shortened(one_line(self.label or self.camera, 200), 60)


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
    stills: tuple[WrittenFile, ...]
    page: str
    supersedes: Supersedes | None
    key: str
    held: str = ""
    """Who held the incident then, and why; "" where nobody did."""

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


def telling_parts(way: Sequence[str], incident: str) -> int:
    r"""How many folders at the end of a way tell whose it is: 1, or up to its id.

    A template may end in a folder that each incident has, such as `{id}\footage`.
    """
    found = (n for n, part in enumerate(reversed(way), start=1) if incident in part)
    return next(found, 1)


def read_record(data: bytes) -> WrittenRecord:
    """What these bytes say.

    Raises:
        BadInput: they are no record, or one that a newer evidenced has written.
    """
    said = said_in(data, WHAT)
    if said.maybe("format", str) != FORMAT:
        raise said.damaged("its `format` is another")
    if said.number("version") > VERSION:
        raise BadInput(
            f"{RECORD} has form {said.number('version')}, written by a newer "
            f"evidenced; this one reads up to {VERSION}"
        )
    return _record_of(said)


def _record_of(said: Said) -> WrittenRecord:
    incident = said.within("incident")
    before = said.maybe("supersedes", dict)
    place = said.maybe("place", str)
    windows_path = PureWindowsPath(said.text("folder"))
    files = tuple(_file(each) for each in said.each("files"))
    if len({each.name for each in files}) < len(files):
        raise said.damaged("two of its `files` have one name")
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
        stills=tuple(_still(each) for each in said.some("stills")),
        page=said.digest("page"),
        supersedes=None if before is None else _former(said.of(before, "supersedes")),
        key=said.maybe("signed_by", str) or "",
        held=_held(incident),
    )


def _held(incident: Said) -> str:
    found = incident.maybe("held", dict)
    if found is None:
        return ""
    said = incident.of(found, "held")
    return one_line(f"by {said.text('by')}: {said.text('comment')}", 300)


def _former(said: Said) -> Supersedes:
    return Supersedes(file=said.text("file"), sha256=said.digest("sha256"))


def _file(said: Said) -> WrittenFile:
    return WrittenFile(
        name=said.text("name"), size=said.number("bytes"), sha256=said.digest("sha256")
    )


def _still(said: Said) -> WrittenFile:
    """Under no other name: else a record could call any file a picture."""
    found = _file(said)
    if not is_still(found.name):
        raise said.damaged(f"{one_line(found.name, 60)} is no name of a picture")
    return found


def _clip(said: Said) -> WrittenClip:
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
