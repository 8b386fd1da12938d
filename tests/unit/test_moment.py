from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.alarms.alarm import Moment, TimeSource
from evidenced.core.alarms.moment import TOLERANCE, moment_of_receipt, read_moment
from evidenced.core.instants import SECOND, render_utc

RECEIVED = datetime(2026, 11, 23, 12, 0, 0, 999_999, tzinfo=UTC)
ABSENCE = timedelta(minutes=7)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # moves by half an hour


def read(value: object, zone: object = UTC, at: datetime = RECEIVED) -> Moment:
    assert isinstance(zone, ZoneInfo | timezone)
    return read_moment(value, received_at=at, absence=ABSENCE, zone=zone)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T06:15:30.250Z", "2026-11-23T06:15:30.250Z"),
        ("2026-11-23t06:15:30z", "2026-11-23T06:15:30.000Z"),
        ("2026-11-23 06:15:30.1", "2026-11-23T06:15:30.100Z"),
        ("2026-11-23T06:15:30,987654321+02:00", "2026-11-23T04:15:30.987Z"),
        ("2026-11-23T06:15:30.9999+0530", "2026-11-23T00:45:30.999Z"),
        ("2026-11-23T06:15:30-05", "2026-11-23T11:15:30.000Z"),
        ("2026-11-23T06:15Z", "2026-11-23T06:15:00.000Z"),
        ("20261123T061530Z", "2026-11-23T06:15:30.000Z"),
        ("20261123T061530.5+0100", "2026-11-23T05:15:30.500Z"),
        ("20261123061530", "2026-11-23T06:15:30.000Z"),
        ("2026/11/23 06:15:30", "2026-11-23T06:15:30.000Z"),
        ("2026-11-23 06:15:30 UTC", "2026-11-23T06:15:30.000Z"),
        ("2026-11-23 06:15:30 +01:00", "2026-11-23T05:15:30.000Z"),
        (" 2026-11-23T06:15:30Z ", "2026-11-23T06:15:30.000Z"),
        ("2026-11-23T06:15:30Z".ljust(64), "2026-11-23T06:15:30.000Z"),
        (1_718_987_129, "2024-06-21T16:25:29.000Z"),
        (1_718_987_129.308396, "2024-06-21T16:25:29.308Z"),
        (1_678_882_095.02, "2023-03-15T12:08:15.020Z"),
        (1_702_654_592_227, "2023-12-15T15:36:32.227Z"),
        (1_702_654_592_227.9, "2023-12-15T15:36:32.227Z"),
        (1_702_654_592_227_999, "2023-12-15T15:36:32.227Z"),
        (1_702_654_592_227_999_999, "2023-12-15T15:36:32.227Z"),
        ("1702654592227", "2023-12-15T15:36:32.227Z"),
        ("1718987129.308396123456", "2024-06-21T16:25:29.308Z"),
        ("+1718987129", "2024-06-21T16:25:29.000Z"),
        ("1718987129308396123", "2024-06-21T16:25:29.308Z"),
        ("2026-11-23T12:01:00Z", "2026-11-23T12:01:00.000Z"),  # ahead, but believed
    ],
)
def test_read_as_it_stands(value: object, expected: str) -> None:
    moment = read(value)
    assert render_utc(moment.at) == expected
    assert moment.earliest == moment.at == moment.latest
    assert moment.source is TimeSource.PAYLOAD
    check_utc(moment)


def check_utc(moment: Moment) -> None:
    """In UTC itself, whatever the host's zone is, and whole milliseconds."""
    for at in (moment.earliest, moment.at, moment.latest):
        assert at.tzinfo is UTC
        assert at.microsecond % 1000 == 0


U, F, A = TimeSource.UNREADABLE, TimeSource.FUTURE, TimeSource.ANCIENT


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (None, U),
        ("", U),
        (True, U),
        (False, U),
        ([], U),
        ({"a": 1}, U),
        ([1_718_987_129], U),
        ("23:58", U),
        ("2026-11-23", U),
        ("yesterday", U),
        ("2026-13-01T00:00:00Z", U),
        ("2026-02-30T00:00:00Z", U),
        ("2026-11-23T24:00:01Z", U),
        ("2026-11-23T25:00:00Z", U),
        ("2026-11-23T06:60:00Z", U),
        ("2026-11-23T06:15:61Z", U),
        ("2026-11-23 13:15:30 PM", U),
        ("2026-11-23 00:15:30 AM", U),
        ("11/23/2026 06:15:30", U),  # America's, or nobody's
        ("11/12/2026 06:15:30", U),
        ("Foo 23, 2026 06:15:30", U),
        ("2026-11-23T06:15:30+01:00Z", U),
        ("2026-11-23T06:15:30+24:00", U),
        ("2026-11-23T06:15:30+01:60", U),
        ("0000-01-01T00:00:00Z", U),
        ("0001-01-01T00:00:00+14:00", U),
        ("99999-01-01T00:00:00Z", U),
        ("٢٠٢٦-11-23T06:15:30Z", U),
        ("2026-11-23T06:15:30 PDT", U),
        ("1" * 1_000_000, U),
        ("1e9", U),
        (float("nan"), U),
        (float("inf"), U),
        (float("-inf"), U),
        (10**20, U),
        ("17167089910108338829", U),  # a UID, of which 19 digits would be a time
        (10**400, U),
        (-(10**400), U),
        (2_590_000_000, F),  # 2052
        ("2026-11-23T12:01:01Z", F),
        ("9999-12-31T23:59:59-14:00", U),
        (10**11 - 1, F),
        (10**11, A),  # milliseconds from here on: 1973
        (0, A),
        (-1, A),
        (-(10**19), A),
        (-0.5, A),
        (23_848, A),  # a clock never set
        (946_684_799, A),
        ("1999-12-31T23:59:59Z", A),
        ("20261123", A),  # a date without a time is a number, and an old one
        (5e-324, A),
    ],
)
def test_receipt_serves(value: object, source: TimeSource) -> None:
    moment = read(value)
    assert moment.source is source
    assert moment.at == moment.latest == RECEIVED.replace(microsecond=999_000)
    assert moment.earliest == moment.at - ABSENCE


@pytest.mark.parametrize(
    "text",
    [
        "2026/11/23 6:15:30",
        "2026.11.23 06:15:30",
        "2026-11-23 06:15:30 AM",
        "2026-11-23_06-15-30",
        "2026-11-23T06.15.30",
        "20261123061530.000",
        "20261123061530.0Z",
        "23.11.2026, 06:15:30",
        "23-Nov-2026 06:15:30",
        "23/Nov/2026:06:15:30 +0000",
        "23 November 2026 06:15:30",
        "Nov 23, 2026 6:15:30 AM",
        "Monday, November 23, 2026 6:15:30 a.m.",
        "Mon Nov 23 06:15:30 2026",
        "Mon Nov 23 06:15:30 +0000 2026",
        "Mon Nov 23 06:15:30 UTC 2026",
        "Mon, 23 Nov 2026 06:15:30 GMT",
        "Mon Nov 23 2026 06:15:30 GMT+0000 (Coordinated Universal Time)",
        "2026-11-23 06:15:30 +0000 UTC m=+0.5",
        "2026-11-23 07:15:30 UTC+1",
        "2026-11-23T06:15:30Z[UTC]",
        "2026-11-23T06:15:30+00:00Z",
        "/Date(1795414530000)/",
        "/Date(1795414530000+0100)/",
        "1795414530,0",
    ],
)
def test_what_can_be_read_in_one_way_is(text: str) -> None:
    moment = read(text)
    assert moment.source is TimeSource.PAYLOAD
    assert abs(moment.at - datetime(2026, 11, 23, 6, 15, 30, tzinfo=UTC)) < SECOND


def test_the_end_of_a_day_and_of_a_leap_second() -> None:
    assert read("2026-11-22T24:00:00Z").at == datetime(2026, 11, 23, tzinfo=UTC)
    assert read("2026-11-22T23:59:60Z").at == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-07-01T12:00:00", AMSTERDAM, "2026-07-01T10:00:00.000Z"),
        ("2026-01-01T12:00:00", AMSTERDAM, "2026-01-01T11:00:00.000Z"),
        ("2026-01-01T12:00:00Z", AMSTERDAM, "2026-01-01T12:00:00.000Z"),
        ("2019-08-12 01:02:03 PDT", LOS_ANGELES, "2019-08-12T08:02:03.000Z"),
        ("2019-01-12 01:02:03 pst", LOS_ANGELES, "2019-01-12T09:02:03.000Z"),
        # the abbreviation settles which of the two
        ("2026-10-25 02:30:00 CEST", AMSTERDAM, "2026-10-25T00:30:00.000Z"),
        ("2026-10-25 02:30:00 CET", AMSTERDAM, "2026-10-25T01:30:00.000Z"),
        # a device that does not move its clock in spring
        ("2026-03-29 02:30:00 CET", AMSTERDAM, "2026-03-29T01:30:00.000Z"),
    ],
)
def test_local_time(text: str, zone: ZoneInfo, expected: str) -> None:
    moment = read(text, zone)
    assert render_utc(moment.at) == expected
    assert moment.source is TimeSource.PAYLOAD
    check_utc(moment)


@pytest.mark.parametrize("text", ["2019-08-12 01:02:03 PST", "2019-08-12 01:02:03 EST"])
def test_an_abbreviation_not_in_use_is_unreadable(text: str) -> None:
    assert read(text, LOS_ANGELES).source is TimeSource.UNREADABLE


@pytest.mark.parametrize(
    ("text", "zone", "first", "second"),
    [
        ("2026-10-25T02:30:00", AMSTERDAM, "00:30:00.000Z", "01:30:00.000Z"),
        ("2026-04-05T01:45:00", LORD_HOWE, "14:45:00.000Z", "15:15:00.000Z"),
    ],
)
def test_a_time_that_exists_twice_spans_both(
    text: str, zone: ZoneInfo, first: str, second: str
) -> None:
    moment = read(text, zone)
    assert render_utc(moment.earliest).endswith(first)
    assert render_utc(moment.latest).endswith(second)
    assert moment.at == moment.latest
    assert moment.source is TimeSource.AMBIGUOUS
    check_utc(moment)


def test_of_two_the_one_in_the_future_is_ruled_out() -> None:
    received = datetime(2026, 10, 25, 0, 30, 5, tzinfo=UTC)
    moment = read("2026-10-25T02:30:00", AMSTERDAM, received)
    assert render_utc(moment.at) == "2026-10-25T00:30:00.000Z"
    assert moment.earliest == moment.latest
    assert moment.source is TimeSource.PAYLOAD


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-29T02:30:00", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:00:00", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:00:01", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:17:03", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:43:58.5", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:59:59.999", AMSTERDAM, "2026-03-29T01:00:00.000Z"),
        ("2025-10-05T02:15:00", LORD_HOWE, "2025-10-04T15:30:00.000Z"),
        ("2011-12-30T12:00:00", ZoneInfo("Pacific/Apia"), "2011-12-30T10:00:00.000Z"),
    ],
)
def test_a_time_that_never_was_is_the_instant_after_the_gap(
    text: str, zone: ZoneInfo, expected: str
) -> None:
    moment = read(text, zone)
    assert render_utc(moment.at) == expected
    assert moment.earliest == moment.latest
    assert moment.source is TimeSource.GAP
    check_utc(moment)


def test_without_a_time_the_absence_widens() -> None:
    moment = moment_of_receipt(RECEIVED, ABSENCE)
    assert moment.latest - moment.earliest == ABSENCE
    assert moment.source is TimeSource.RECEIVED
    assert moment.is_from_receipt


@pytest.mark.parametrize("absence", [timedelta.max, timedelta.min])
def test_an_absurd_absence_is_bounded(absence: timedelta) -> None:
    moment = moment_of_receipt(RECEIVED, absence)
    assert timedelta(0) <= moment.latest - moment.earliest < timedelta(days=400)


@pytest.mark.parametrize("word", ["UTC", "GMT", "utc", "Z"])
def test_utc_by_its_name_is_not_the_rule_s_own_zone(word: str) -> None:
    moment = read(f"2026-10-23T06:15:30 {word}", AMSTERDAM)
    assert render_utc(moment.at) == "2026-10-23T06:15:30.000Z"


def test_an_offset_may_have_59_minutes_and_no_more() -> None:
    assert (
        render_utc(read("2026-10-23T06:15:30+00:59").at) == "2026-10-23T05:16:30.000Z"
    )
    assert read("2026-10-23T06:15:30+00:60").source is TimeSource.UNREADABLE


@pytest.mark.parametrize(("more", "source"), [(0, TimeSource.PAYLOAD), (1, F)])
def test_the_tolerance_is_exact(more: int, source: TimeSource) -> None:
    received = RECEIVED.replace(microsecond=0)
    at = received + TOLERANCE + timedelta(milliseconds=more)
    assert read(render_utc(at), at=received).source is source
