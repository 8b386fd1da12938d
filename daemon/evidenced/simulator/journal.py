"""What was asked and what came of it, so that tests can prove what a client did."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from evidenced.core.instants import render_utc
from evidenced.simulator.asked import AskedExport

KEPT = 10_000
"""Requests and exports that are remembered: hours of a busy test, some megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request. `at` is true time, `own_at` the recorder's clock.

    `code` is the recorder's result code, None where there was none; `outcome` says what
    happened on the wire ("answered", "hang", ...), so whether it arrived. `is_obeyed`:
    the request was handled, not lost. Passwords and digests are not kept.
    """

    at: datetime
    own_at: datetime
    command: str
    session: str | None
    query: Mapping[str, str]
    status: int | None
    code: int | None
    outcome: str
    is_obeyed: bool
    order: AskedExport | None = None
    exportid: int | None = None


@dataclass(slots=True, kw_only=True)
class ExportRecord:
    """One accepted export; `state` and the last two times change as it goes on.

    `state` is a JobState word, or "forgotten" when the recorder lost it unfinished;
    `forgotten_at` is there also for one that it lost later. `has_footage` is whether
    its files hold any, once they are written.
    """

    exportid: int
    session: str
    order: AskedExport
    size: float
    accepted_at: datetime
    own_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    forgotten_at: datetime | None = None
    state: str = "pending"
    has_footage: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRecord:
    """One tagVideoStart that was taken. `is_everything`: it tagged every camera."""

    own_at: datetime
    server: str
    device: str
    before: int
    after: int | None
    title: str
    is_everything: bool
    is_effective: bool


@dataclass(slots=True)
class Journal:
    requests: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=KEPT))
    exports: deque[ExportRecord] = field(default_factory=lambda: deque(maxlen=KEPT))
    tags: deque[TagRecord] = field(default_factory=lambda: deque(maxlen=KEPT))

    def as_json(self) -> dict[str, object]:
        return {
            "requests": [_request(record) for record in self.requests],
            "exports": [_export(record) for record in self.exports],
            "tags": [_tag(record) for record in self.tags],
        }


def _request(record: RequestRecord) -> dict[str, object]:
    return {
        "at": render_utc(record.at),
        "own_at": render_utc(record.own_at),
        "command": record.command,
        "session": record.session,
        "query": dict(record.query),
        "status": record.status,
        "code": record.code,
        "outcome": record.outcome,
        "is_obeyed": record.is_obeyed,
        "order": _order(record.order) if record.order else None,
        "exportid": record.exportid,
    }


def _export(record: ExportRecord) -> dict[str, object]:
    started, finished = record.started_at, record.finished_at
    return {
        "exportid": record.exportid,
        "session": record.session,
        **_order(record.order),
        "size": round(record.size),
        "accepted_at": render_utc(record.accepted_at),
        "own_at": render_utc(record.own_at),
        "started_at": render_utc(started) if started else None,
        "finished_at": render_utc(finished) if finished else None,
        "state": record.state,
    }


def _tag(record: TagRecord) -> dict[str, object]:
    return {
        "own_at": render_utc(record.own_at),
        "server": record.server,
        "device": record.device,
        "before": record.before,
        "after": record.after,
        "title": record.title,
        "is_everything": record.is_everything,
        "is_effective": record.is_effective,
    }


def _order(order: AskedExport) -> dict[str, object]:
    return {
        "path": order.path,
        "bandwidth": order.bandwidth,
        "devices": [
            {
                "server": device.server,
                "device": device.device,
                "start": render_utc(device.window.start),
                "end": render_utc(device.window.end),
            }
            for device in order.devices
        ],
    }
