"""What to write for a time that could not be read, or that cannot be: for `explain`."""

import re
from datetime import UTC, datetime, timedelta

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.moment import TOLERANCE, read_moment
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.timewords import time_formats
from evidenced.core.instants import ZERO
from evidenced.core.spoken import spoken
from evidenced.core.wording import quote

_DAY_ALONE = re.compile(r"[\d./ -]+")
_DATE = re.compile(r"\d{4}|\d+[-/.]\d+[-/.]\d+")
_FARTHEST_ZONE = timedelta(hours=14)


def why_unread(rule: Rule, value: object) -> str:
    """What to write for a time that no form reads."""
    if isinstance(value, dict) and len(value) == 1:
        return f": the time is its key {quote(next(iter(value)))}"
    if not isinstance(value, str):
        return ""
    told = f": time_format '{rule.time_format}' does not fit it" * bool(
        rule.time_format
    )
    if formats := _formats(rule, value):
        return f"{told}: write {formats}"
    return told or _of_no_form(value)


def _of_no_form(value: str) -> str:
    if not _DATE.search(value):
        return ": it has no date; without `time` the receipt counts, which is right"
    if _DAY_ALONE.fullmatch(value.strip()):
        return ": it has no time of the day; without `time` the receipt counts"
    return ": time_format says how it is written, such as '%d-%m-%Y %H:%M:%S'"


def _formats(rule: Rule, value: str) -> str:
    """The `time_format` that reads it; with which it may be, where several do."""
    read = [
        (form, first)
        for form, first in time_formats(value.strip()).items()
        if not read_moment(
            value,
            received_at=datetime.max.replace(tzinfo=UTC) - TOLERANCE,
            absence=ZERO,
            zone=rule.timezone,
            time_format=form,
        ).is_from_receipt
    ]
    if len(read) == 1:
        return f"time_format = '{read[0][0]}'"
    return ", ".join(
        f"time_format = '{form}' if {first} is first" for form, first in read
    )


def why_ahead(rule: Rule, value: object, alarm: Alarm) -> str:
    """By how much a time is later than its receipt, and which mistake that may be."""
    found = read_moment(
        value,
        received_at=datetime.max.replace(tzinfo=UTC) - TOLERANCE,
        absence=ZERO,
        zone=rule.timezone,
        time_format=rule.time_format,
    )
    ahead = found.at - alarm.received_at
    told = f", {spoken(ahead)} later than it came"
    formats = ""
    if isinstance(value, str) and value.strip().isdecimal():  # 30112026200001
        formats = _formats(rule, value)
    if formats and not rule.time_format:
        return f"{told}: write {formats}"
    if isinstance(value, str) and value.endswith("Z") and ahead <= _FARTHEST_ZONE:
        key = rule.time.text if rule.time is not None else ""
        told += f": local time with a Z? replace({key}, 'Z', '') and timezone read that"
    return told
