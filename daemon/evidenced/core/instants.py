"""Instants: aware UTC datetimes that carry milliseconds and no finer.

The recorder's timestamps have three decimals, and so has the store; an instant that
carried microseconds would change by being saved. Source: sense-api.md part A.
"""

from datetime import UTC, datetime, timedelta

ZERO = timedelta(0)
MILLISECOND = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def check_aware(at: datetime) -> datetime:
    """Return the instant itself when it is in UTC.

    Raises:
        ValueError: it is naive or in another zone, which is a bug of the caller.
    """
    if at.tzinfo is not UTC and at.utcoffset() != ZERO:
        raise ValueError(f"not an aware UTC instant: {at!r}")
    return at


def floor_ms(at: datetime) -> datetime:
    """The same instant in UTC, cut to whole milliseconds."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def render_utc(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z: 2026-11-23T06:15:30.250Z."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970, exact (never through a float)."""
    return (at - EPOCH) // MILLISECOND


def from_ms(value: int) -> datetime:
    """The instant that many milliseconds after 1970."""
    # by place and without divmod: a third of the time
    return EPOCH + timedelta(0, value // 1000, value % 1000 * 1000)


def is_datable(at: datetime) -> bool:
    """Whether it has a date in every zone, and room for rolls and a clock's offset.

    What others name, a person, a recorder, a file on a share, may be any instant: the
    first and the last day that there are have no local time in half of the world.
    """
    return EPOCH <= at < LAST


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
ANCIENT = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this no clock was set: devices start at 1970 or at 2000 minus a zone."""
