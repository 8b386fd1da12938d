"""Exports that stand still: their recorder lists them, and their progress is the same.

A recorder that works on one export at a time lets the others wait: one that has not
begun is not stuck while an earlier one moves. Where its folder can be seen, files that
grow are progress too, for a recorder may tell none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.exports.growth import Sighting
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase
from evidenced.core.trust import Now


def progressed(
    export: ExportRequest,
    devices: tuple[ExportedDevice, ...],
    now: datetime,
    *,
    is_growing: bool,
) -> ExportRequest:
    """With the progress of now, and when it last changed."""
    is_new = is_growing or export.moved_at is None or devices != export.devices
    return replace(export, devices=devices, moved_at=now if is_new else export.moved_at)


def still(
    running: Iterable[ExportRequest], now: Now, after: timedelta
) -> list[ExportRequest]:
    """Of a recorder's running exports those that have not moved for so long."""
    found = []
    is_any_moving = False
    for export in sorted(running, key=lambda each: each.id):
        since = export.moved_at or export.requested_at
        if now.sure - min(since, now.sure) < after:
            is_any_moving = True
        elif export.percent or not is_any_moving:
            found.append(export)
    return found


def stuck_words(export: ExportRequest) -> str:
    """What people read of one that is stuck."""
    since = export.moved_at or export.requested_at
    return phrase(
        "the export of incident {incident} at recorder {recorder} to "
        "{path} stands at {percent} % since {since}; its slot is given to "
        "others, and it is watched on: look at it at the recorder",
        incident=export.incident,
        recorder=export.recorder,
        path=export.path,
        percent=f"{export.percent:.0f}",
        since=render_utc(since),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stillness:
    """Of exports that stand still: those that are `stuck`, and whose files grow."""

    stuck: tuple[ExportRequest, ...] = ()
    growing: frozenset[int] = frozenset()


class Standstill:
    """What was seen of them at the look before: one look alone may come too early.

    After a recorder's absence the first look finds all as it was.
    """

    def __init__(self) -> None:
        self._before: dict[int, Sighting | None] = {}

    def look(
        self, exports: Iterable[ExportRequest], found: Mapping[int, Sighting]
    ) -> Stillness:
        """`found` is what lies in the folders of these exports that are `still`."""
        seen = {export.id: (export, found.get(export.id)) for export in exports}
        before, self._before = self._before, {n: at for n, (_, at) in seen.items()}
        known = {n: each for n, each in seen.items() if n in before}
        return Stillness(
            stuck=tuple(each for n, (each, at) in known.items() if at == before[n]),
            growing=frozenset(n for n, (_, at) in known.items() if at != before[n]),
        )
