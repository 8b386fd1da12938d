"""What an evidence record says, read back."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.errors import BadInput
from evidenced.core.spoken import span_words
from evidenced.core.telling.written import _zone, read_record
from fakes.incident import t

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "or it is damaged"),
        (b'{"format": "x"}', "its `format` is another"),
        (b'{"format": "evidenced-record"}', "its `version` is not as evidenced"),
        (b'{"format": "evidenced-record", "version": true}', "its `version` is not"),
        (b'{"format": "evidenced-record", "version": 2}', "written by a newer"),
        (b'{"format": "evidenced-record", "version": 1}', "its `incident` is not"),
    ],
)
def test_what_is_no_record_is_told_with_the_place(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_record(data)


def test_a_zone_that_this_machine_has_not_is_known_by_its_offset() -> None:
    named = {"name": "Europe/Amsterdam", "word": "CET", "offset_s": 3600}
    assert _zone(named) == AMSTERDAM
    for name in ("Mars/Olympus", "../etc/passwd", "", None, 5):
        zone = _zone(named | {"name": name})
        assert zone.utcoffset(None) == timedelta(hours=1)
        assert zone.tzname(None) == "CET"
    for wrong in ({}, {"word": "X", "offset_s": 10**9}, {"word": "X", "offset_s": "1"}):
        assert _zone(wrong) is UTC
    assert _zone(None) is UTC


def test_a_span_says_days_where_they_differ() -> None:
    start = t("12:00")
    assert span_words(start, t("12:05"), UTC) == (
        "Mon 23 Nov 2026 12:00:00 to 12:05:00 UTC"
    )
    assert span_words(start, t("12:05"), AMSTERDAM) == (
        "Mon 23 Nov 2026 13:00:00 to 13:05:00 CET (12:00:00 to 12:05:00 UTC)"
    )
    late = t("22:58")
    assert span_words(late, late + timedelta(minutes=5), AMSTERDAM) == (
        "Mon 23 Nov 2026 23:58:00 to 24 Nov 2026 00:03:00 CET "
        "(22:58:00 to 23:03:00 UTC)"
    )
    after = t("23:30")
    assert span_words(after, after, AMSTERDAM) == (
        "Tue 24 Nov 2026 00:30:00 to 00:30:00 CET "
        "(Mon 23 Nov 2026 23:30:00 to 23:30:00 UTC)"
    )
