"""Any bytes become a value or Unreadable; what we render reads back as it was."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from evidenced.core.recorder import DeviceWindow, ExportOrder
from evidenced.core.window import Window
from evidenced.sense.address import read_address, sense_address
from evidenced.sense.document import Unreadable
from evidenced.sense.listed import DeviceProgress
from evidenced.sense.replies import (
    read_devices,
    read_exportid,
    read_exports,
    read_has_video,
    read_license,
    read_result,
)
from evidenced.sense.welcome import read_info, read_login
from evidenced.sense.wire import parse_timestamp, render_order, render_timestamp
from evidenced.sense.words import read_word

PIECES = st.sampled_from(
    [
        b"<result errorcode='0'>",
        b"<result errorcode=-48>",
        b"</result>",
        b"<exports count=2>",
        b"</exports>",
        b"<export>",
        b"</export>",
        b"<exportid>1</exportid>",
        b"<devices>",
        b"</devices>",
        b"<device>",
        b"</device>",
        b"<serverid>1",
        b"<deviceid>3</deviceid>",
        b"<starttime>2026-11-23 06:15:30</starttime>",
        b"<progress>50%</progress>",
        b"<status description='done'>",
        b"<utc>2026-11-23 06:15:30</utc>",
        b"<sessionkey>",
        b"<imagesequence>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?xml version='1.0' encoding='utf-16'?>",
        b"<!DOCTYPE a>",
        b"&lt;&#0;&#xD800;&x;",
        b"'",
        b'"',
        b"<",
        b">",
        b"/",
        b"=",
        b"\0",
        b"\xff\xfe",
    ]
)
REPLIES = st.one_of(
    st.binary(max_size=200),
    st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join),
    st.lists(PIECES, max_size=20).map(
        lambda pieces: b"<result errorcode='0'>" + b"".join(pieces) + b"</result>"
    ),
)


@pytest.mark.parametrize(
    "read",
    [
        lambda data: read_exportid(read_result(data)),
        lambda data: read_exports(read_result(data)),
        lambda data: read_devices(read_result(data)),
        lambda data: read_license(read_result(data)),
        lambda data: read_has_video(read_result(data)),
        read_info,
        lambda data: read_login(data, ()),
    ],
    ids=["answer", "exports", "devices", "license", "has_video", "info", "login"],
)
@given(data=REPLIES)
def test_any_bytes_are_a_value_or_unreadable(
    read: Callable[[bytes], object], data: bytes
) -> None:
    with suppress(Unreadable):
        read(data)


INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
WINDOWS = st.builds(
    lambda start, length: Window(
        start=start, end=start + timedelta(milliseconds=length)
    ),
    INSTANTS,
    st.integers(0, 10**9),
)
IDS = st.integers(0, 2**64 - 1).map(str)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]),
    max_size=50,
)
ORDERS = st.builds(
    ExportOrder,
    devices=st.lists(
        st.builds(
            DeviceWindow,
            address=st.builds(sense_address, IDS, IDS),
            window=WINDOWS,
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
    path=TEXTS,
    bandwidth=st.integers(0, 10**12),
)


@given(at=INSTANTS)
def test_timestamps_read_back(at: datetime) -> None:
    assert parse_timestamp(render_timestamp(at)) == at


@given(order=ORDERS)
def test_orders_are_well_formed_and_say_what_was_meant(order: ExportOrder) -> None:
    root = etree.fromstring(render_order(order))
    assert [child.tag for child in root] == ["devices", "path", "bandwidth"]
    assert (root.findtext("path") or "") == order.path
    assert root.findtext("bandwidth") == str(order.bandwidth)
    for element, asked in zip(root[0], order.devices, strict=True):
        uids = (element.findtext("serverid"), element.findtext("deviceid"))
        assert uids == read_address(asked.address)
        assert parse_timestamp(element.findtext("starttime") or "") == (
            asked.window.start
        )


@given(order=ORDERS, is_quoted=st.booleans())
def test_a_list_reads_back_well_formed_or_not(
    order: ExportOrder, is_quoted: bool
) -> None:
    devices = "".join(
        "<device><serverid>{}</serverid><deviceid>{}</deviceid>".format(
            *read_address(asked.address)
        )
        + f"<starttime>{render_timestamp(asked.window.start)}</starttime>"
        f"<endtime>{render_timestamp(asked.window.end)}</endtime>"
        "<progress>0</progress><status>pending</status></device>"
        for asked in order.devices
    )
    count = '"1"' if is_quoted else "1"
    data = (
        f'<result errorcode="0"><exports count={count}><export><exportid>9</exportid>'
        f"<path>{escape(order.path)}</path><status>busy</status>"
        f"<bandwidth>{order.bandwidth}</bandwidth><devices>{devices}</devices>"
        "</export></exports></result>"
    ).encode()
    (export,) = read_exports(read_result(data))
    assert export.path == order.path.strip()
    assert export.bandwidth == order.bandwidth
    assert [(d.address, d.window) for d in export.devices] == [
        (asked.address, asked.window) for asked in order.devices
    ]


@given(word=TEXTS)
def test_any_word_is_some_progress(word: str) -> None:
    assert read_word(word) in DeviceProgress
