"""Tags that protect footage at a recorder: what is wanted, asked for and confirmed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from evidenced.core.errors import Reason
from evidenced.core.ids import (
    CameraName,
    DeviceId,
    IncidentId,
    RecorderName,
    ServerId,
)
from evidenced.core.instants import from_ms, to_ms
from evidenced.core.keeping.tag import Tag, TagState, merge_wanted, tags_after
from evidenced.core.window import Window
from evidenced.store.dialect import upsert
from evidenced.store.part import Row, Step, StorePart, chunks, instant, ms
from evidenced.store.schema import tags

_OF = (
    select(tags)
    .where(tags.c.incident.in_(bindparam("ids", expanding=True)))
    .order_by(tags.c.incident, tags.c.camera)
)
_DUE = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at <= bindparam("now"))
    .order_by(tags.c.due_at)
    .limit(bindparam("most"))
)
_BEYOND = (
    select(tags)
    .where(tags.c.recorder == bindparam("recorder"), tags.c.due_at > bindparam("later"))
    .limit(bindparam("most"))
)
_NEXT = select(func.min(tags.c.due_at)).where(
    tags.c.recorder == bindparam("recorder"), tags.c.due_at.is_not(None)
)
NEXT_TAGGED = select(func.min(tags.c.recorder)).where(
    tags.c.due_at.is_not(None), tags.c.recorder > bindparam("after")
)
_WAITING = select(func.count()).where(tags.c.due_at.is_not(None))
_SAVE = upsert(tags, "incident", "camera")


class StoredTags(StorePart):
    """One a camera of an incident."""

    def of(self, incidents: Collection[IncidentId]) -> list[Tag]:
        return [
            _tag_of(row)
            for some in chunks(incidents)
            for row in self._rows(self._locked(_OF), ids=some)
        ]

    def due(self, recorder: RecorderName, now: datetime, limit: int) -> list[Tag]:
        """Tags that the recorder is to be asked for, or looked for in its list."""
        found = self._rows(_DUE, recorder=recorder, now=to_ms(now), most=limit)
        return [_tag_of(row) for row in found]

    def beyond(self, recorder: RecorderName, later: datetime, limit: int) -> list[Tag]:
        """Those that are not due before `later`."""
        values = {"later": to_ms(later), "most": limit}
        found = self._rows(_BEYOND, recorder=recorder, **values)
        return [_tag_of(row) for row in found]

    def next_due(self, recorder: RecorderName) -> datetime | None:
        """When the next of them is due."""
        return instant(self._db.scalar(_NEXT, {"recorder": recorder}))

    def waiting(self) -> int:
        """Tags that are not confirmed."""
        return self._db.scalar(_WAITING) or 0

    def save(self, tags: Iterable[Tag]) -> None:
        self._many(_SAVE, [_tag_row(tag) for tag in tags])

    def derive(self, steps: Iterable[Step], at: datetime) -> None:
        """Make tags wanted by what these steps did to incidents."""
        wanted = [
            tag for before, after in steps for tag in tags_after(before, after, at)
        ]
        if wanted:
            known = {
                (tag.incident, tag.camera): tag
                for tag in self.of({tag.incident for tag in wanted})
            }
            self.save(
                merge_wanted(known.get((tag.incident, tag.camera)), tag)
                for tag in wanted
            )

    def forget(self, incidents: Sequence[IncidentId]) -> None:
        self._db.execute(delete(tags).where(tags.c.incident.in_(incidents)))


def _tag_row(tag: Tag) -> dict[str, Any]:
    return {
        "incident": tag.incident,
        "camera": tag.camera,
        "recorder": tag.recorder,
        "server": tag.server,
        "device": tag.device,
        "start_at": to_ms(tag.window.start),
        "end_at": to_ms(tag.window.end),
        "state": tag.state.value,
        "due_at": ms(tag.due_at),
        "n": tag.n,
        "asked_at": ms(tag.asked_at),
        "asked_start": tag.asked and to_ms(tag.asked.start),
        "asked_end": tag.asked and to_ms(tag.asked.end),
        "kept_start": tag.kept and to_ms(tag.kept.start),
        "kept_end": tag.kept and to_ms(tag.kept.end),
        "failures": tag.failures,
        "tag_id": tag.tag_id,
        "code": tag.code,
        "reason": tag.reason and tag.reason.value,
        "message": tag.message,
    }


def _tag_of(row: Row) -> Tag:
    return Tag(
        incident=IncidentId(row["incident"]),
        camera=CameraName(row["camera"]),
        recorder=RecorderName(row["recorder"]),
        server=ServerId(row["server"]),
        device=DeviceId(row["device"]),
        window=Window(start=from_ms(row["start_at"]), end=from_ms(row["end_at"])),
        state=TagState(row["state"]),
        due_at=instant(row["due_at"]),
        n=row["n"],
        asked_at=instant(row["asked_at"]),
        asked=_window(row["asked_start"], row["asked_end"]),
        kept=_window(row["kept_start"], row["kept_end"]),
        failures=row["failures"],
        tag_id=row["tag_id"],
        code=row["code"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        message=row["message"],
    )


def _window(start: int | None, end: int | None) -> Window | None:
    if start is None or end is None:
        return None
    return Window(start=from_ms(start), end=from_ms(end))
