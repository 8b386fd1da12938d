from datetime import UTC, datetime, timedelta, timezone

import pytest

from evidenced.core.recorder import DeviceWindow, ExportOrder
from evidenced.core.window import Window
from evidenced.sense.address import sense_address
from evidenced.sense.digest import compute_digest
from evidenced.sense.listed import DeviceProgress
from evidenced.sense.wire import (
    parse_timestamp,
    render_digest_login,
    render_order,
    render_plain_login,
    render_seconds,
    render_timestamp,
)
from evidenced.sense.words import read_word

AT = datetime(2026, 11, 23, 6, 15, 30, 250_000, tzinfo=UTC)


def an_order(path: str = r"V:\evidence\1", bandwidth: int = 500) -> ExportOrder:
    window = Window(start=AT, end=AT + timedelta(minutes=2))
    return ExportOrder(
        devices=(
            DeviceWindow(
                address=sense_address("17167089910108338829", "3"),
                window=window,
            ),
            DeviceWindow(
                address=sense_address("1", "19"),
                window=window.shifted(timedelta(seconds=1)),
            ),
        ),
        path=path,
        bandwidth=bandwidth,
    )


def test_digest_is_the_documented_example() -> None:
    digest = compute_digest(
        username="user",
        password="password",
        nonce="AR5chsWVZagPfMpB",
        timestamp="2013-09-04 08:38:43",
    )
    assert digest == "804a2cba7610088a6c7975777e6349daefadcdf9"


def test_order_is_the_documented_form_byte_for_byte() -> None:
    assert render_order(an_order()).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<export><devices>"
        "<device><serverid>17167089910108338829</serverid><deviceid>3</deviceid>"
        "<starttime>2026-11-23 06:15:30.250</starttime>"
        "<endtime>2026-11-23 06:17:30.250</endtime></device>"
        "<device><serverid>1</serverid><deviceid>19</deviceid>"
        "<starttime>2026-11-23 06:15:31.250</starttime>"
        "<endtime>2026-11-23 06:17:31.250</endtime></device>"
        "</devices><path>V:\\evidence\\1</path><bandwidth>500</bandwidth></export>"
    )


def test_order_escapes_markup_and_carries_utf8() -> None:
    body = render_order(an_order(path='V:\\a&b <"é€">', bandwidth=0)).decode()
    assert '<path>V:\\a&amp;b &lt;"é€"&gt;</path>' in body
    assert "<bandwidth>0</bandwidth>" in body


@pytest.mark.parametrize("path", ["a\0b", "a\x1bb", "a\ud800b"])
def test_order_refuses_what_xml_cannot_carry(path: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - lxml and the codec have own words
        render_order(an_order(path=path))


def test_logins() -> None:
    assert render_plain_login("a<b", "p&w").endswith(
        b"<AuthenticateUser><username>a&lt;b</username>"
        b"<password>p&amp;w</password></AuthenticateUser>"
    )
    assert render_digest_login(
        username="u", nonce="n", timestamp="2013-09-04 08:38:43", digest="d"
    ).endswith(
        b"<AuthenticateUserDigest><username>u</username><nonce>n</nonce>"
        b"<timestamp>2013-09-04 08:38:43</timestamp><digest>d</digest>"
        b"</AuthenticateUserDigest>"
    )


def test_timestamps_are_rendered_in_utc_with_three_decimals_or_none() -> None:
    amsterdam = AT.astimezone(timezone(timedelta(hours=1)))
    assert render_timestamp(amsterdam) == "2026-11-23 06:15:30.250"
    assert render_timestamp(AT.replace(microsecond=0)) == "2026-11-23 06:15:30.000"
    assert render_seconds(amsterdam) == "2026-11-23 06:15:30"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23 06:15:30.250",
        " 2026-11-23 06:15:30.250  ",
        "2026-11-23T06:15:30.250Z",
        "2026-11-23 06:15:30,250",
        "2026-11-23 06:15:30.250999",
        "2026-11-23 07:15:30.250+01:00",
    ],
)
def test_timestamp_variants(text: str) -> None:
    assert parse_timestamp(text) == AT


def test_timestamp_without_milliseconds() -> None:
    assert parse_timestamp("2026-11-23 06:15:30") == AT.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "23-11-2026 06:15:30",
        "2026-13-01 00:00:00",
        "2026-11-23 25:00:00",
        "0001-01-01 00:00:00+14:00",
        "9" * 5000,
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("word", "progress"),
    [
        ("pending", DeviceProgress.PENDING),
        ("Busy", DeviceProgress.RUNNING),
        (" In progress... ", DeviceProgress.RUNNING),
        ("FINISHED ", DeviceProgress.DONE),
        ("failed", DeviceProgress.FAILED),
        ("Cancelled", DeviceProgress.CANCELLED),
        ("not finished", DeviceProgress.UNKNOWN),
        ("3", DeviceProgress.UNKNOWN),
        ("", DeviceProgress.UNKNOWN),
    ],
)
def test_words(word: str, progress: DeviceProgress) -> None:
    assert read_word(word) is progress
