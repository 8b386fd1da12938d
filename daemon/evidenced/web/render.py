"""How recorders and shares do as the API's objects. Names are promises. Pure."""

from datetime import datetime

from evidenced.core.instants import render_utc
from evidenced.core.telling.objects import JsonObject, utc
from evidenced.ports.status import RecorderStatus, ShareStatus


def share_object(status: ShareStatus) -> JsonObject:
    return {
        "destination": status.destination,
        "up": status.problem is None,
        "problem": status.problem,
        "no_records": status.no_records,
    }


def recorder_object(status: RecorderStatus, now: datetime) -> JsonObject:
    """`clock_offset_s` is recorder minus host, null where unknown."""
    offset, wait = status.offset, status.next_try
    return {
        "name": status.name,
        "up": status.is_up,
        "problem": status.problem,
        "reason": status.reason,
        "version": status.version,
        "clock_offset_s": None if offset is None else offset.total_seconds(),
        "exports": status.exports,
        "limited_until": utc(status.limited_until),
        "next_try": None if wait is None else render_utc(now + wait),
        "holds": [
            {
                "destination": name,
                "reason": hold.reason,
                "message": hold.text,
                "since": render_utc(hold.since),
                "refusals": hold.failures,
                "next_try": render_utc(hold.next_try),
            }
            for name, hold in status.holds.items()
        ],
    }
