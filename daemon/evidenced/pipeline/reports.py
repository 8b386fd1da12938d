"""How a recorder is, by its link: for people, and from node to node."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from evidenced.core.exports.bandwidth import budget_at, next_change
from evidenced.core.exports.hold import Hold
from evidenced.core.exports.standstill import stuck_words
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase
from evidenced.core.recorder import SUSPICIOUS_OFFSET
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.reasons import REASONS
from evidenced.core.telling.trouble import TroubleKey
from evidenced.pipeline.link import Link
from evidenced.ports.control import RecorderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the holder of a recorder tells other nodes; `troubles` as sentences."""

    status: RecorderStatus
    troubles: tuple[tuple[NoticeKind, str, str], ...] = ()


_REPORT = TypeAdapter(Report)


def written(status: RecorderStatus, troubles: Mapping[TroubleKey, str]) -> str:
    """A report as a row holds it."""
    listed = tuple((kind, name, text) for (kind, name), text in troubles.items())
    return _REPORT.dump_json(Report(status=status, troubles=listed)).decode()


def read(text: str) -> Report | None:
    """The report; None where another version wrote what this one does not know."""
    try:
        return _REPORT.validate_json(text)
    except ValueError:
        return None


def status_of(link: Link, local: datetime) -> RecorderStatus:
    """How it is at this instant, which is in the site's zone."""
    info, settings = link.info, link.settings
    return RecorderStatus(
        name=link.settings.name,
        is_up=link.is_up,
        problem=link.problem,
        reason=link.reason,
        version=info.version if info else "",
        offset=info.offset.estimate if info and info.offset else None,
        exports=link.live,
        slots=settings.max_exports,
        budget=budget_at(settings.bandwidth, settings.bandwidth_windows, local),
        budget_until=next_change(settings.bandwidth_windows, local),
        answered_ago=link.answered_ago,
        next_try=link.next_try,
        limited_until=link.limited_until,
        holds=dict(link.holds.now),
        stuck={export.path: stuck_words(export) for export in link.stuck},
    )


def _held(hold: Hold) -> str:
    why = REASONS[hold.reason]
    if not hold.text:
        return why
    return phrase("{why}, it says: {text}", why=why, text=hold.text)


def troubles_of(link: Link) -> dict[TroubleKey, str]:
    """What is wrong with it, by kind and name, a sentence each."""
    found: dict[TroubleKey, str] = {}
    recorder = link.settings.name
    if not link.is_up and link.problem:
        found[NoticeKind.RECORDER, recorder] = link.problem
    for name, hold in link.holds.now.items():
        found[NoticeKind.DESTINATION, name] = _held(hold)
    if link.limited_until is not None:
        found[NoticeKind.QUEUE, recorder] = phrase(
            "limits.exports_per_recorder is reached; what is due goes on at "
            "{limited_until}, nothing is lost",
            limited_until=render_utc(link.limited_until),
        )
    for export in link.stuck:
        found[NoticeKind.STUCK, export.path] = stuck_words(export)
    offset = link.info.offset if link.info else None
    if offset is not None and abs(offset.estimate) > SUSPICIOUS_OFFSET:
        seconds = offset.estimate.total_seconds()
        found[NoticeKind.CLOCK, recorder] = phrase(
            "{seconds} s against this host's", seconds=f"{seconds:+.0f}"
        )
    return found
