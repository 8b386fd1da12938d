"""Every variant of a reply that the vendor's documents leave open."""

from datetime import UTC, datetime, timedelta

import pytest

from evidenced.core.recorder import Device
from evidenced.core.window import Window
from evidenced.sense.address import ExportId, read_address, sense_address
from evidenced.sense.document import Unreadable
from evidenced.sense.listed import DeviceProgress, ListedExport
from evidenced.sense.replies import (
    NoResult,
    read_devices,
    read_exportid,
    read_exports,
    read_has_video,
    read_license,
    read_result,
)
from evidenced.sense.welcome import read_info, read_login

AT = datetime(2026, 11, 23, 6, 15, 30, tzinfo=UTC)
WINDOW = Window(start=AT, end=AT + timedelta(seconds=90, milliseconds=500))

WELL_FORMED = rb"""<?xml version="1.0" encoding="UTF-8"?>
<result errorcode="0"><exports count="1"><export><exportid>7</exportid>
<path>V:\evidence\1</path><status>busy</status><bandwidth>500</bandwidth>
<devices><device><serverid>1</serverid><deviceid>3</deviceid>
<starttime>2026-11-23 06:15:30.000</starttime>
<endtime>2026-11-23 06:17:00.500</endtime>
<progress>42</progress><status>busy</status></device></devices>
</export></exports></result>"""

VENDOR_SAMPLE = WELL_FORMED.replace(
    b'<?xml version="1.0" encoding="UTF-8"?>', b'<!--?xml version="1.0" ?-->'
).replace(b'count="1"', b"count=1")


def listed(data: bytes) -> tuple[ListedExport, ...]:
    return read_exports(read_result(data))


@pytest.mark.parametrize(
    "data",
    [
        WELL_FORMED,
        VENDOR_SAMPLE,
        # the stray opening tag of the printed sample, and a device never closed
        VENDOR_SAMPLE.replace(b"</device></devices>", b"<device> </device></devices>"),
        VENDOR_SAMPLE.replace(b"</device></devices>", b"</devices>"),
        WELL_FORMED.replace(b'errorcode="0"', b"ERRORCODE=0").replace(b"t>", b"T>"),
        WELL_FORMED.upper().replace(b"EVIDENCE", b"evidence"),
        WELL_FORMED.replace(b"<exports", b"<new/><exports new='1'"),
        WELL_FORMED.replace(b'<exports count="1">', b"").replace(b"</exports>", b""),
        WELL_FORMED.replace(b"<devices>", b"").replace(b"</devices>", b""),
        WELL_FORMED.replace(b' errorcode="0"', b""),
        WELL_FORMED.replace(b"<path>", b"<path>  ").replace(b"</path>", b" \n</path>"),
        WELL_FORMED.replace(b"30.000<", b"30 <").replace(b">42<", b"> 42 <"),
        WELL_FORMED.replace(b">42<", b">42.0 %<"),
        WELL_FORMED.replace(b">42<", b">42,00<"),
        WELL_FORMED.replace(b"<status>busy</status>", b'<status description="busy"/>'),
        WELL_FORMED.replace(
            b"<status>busy</status>",
            b"<status>2<description>busy</description></status>",
        ),
        WELL_FORMED.replace(b"<device>", b'<device status="busy">').replace(
            b"<status>busy</status></device>", b"</device>"
        ),
        WELL_FORMED.replace(
            b"<export><exportid>7</exportid>", b'<export exportid="7">'
        ),
    ],
)
def test_one_export_in_every_dialect(data: bytes) -> None:
    (export,) = listed(data)
    (device,) = export.devices
    assert export.exportid == ExportId("7")
    assert export.path == r"V:\evidence\1"
    assert export.bandwidth == 500
    assert export.progress is DeviceProgress.RUNNING
    assert device.address == sense_address("1", "3")
    assert device.window == WINDOW
    assert device.percent == 42
    assert device.progress is DeviceProgress.RUNNING


def test_devices_never_closed_keep_their_own_fields() -> None:
    data = b"""<result errorcode=0><exports count=2>
    <export><exportid>1</exportid><devices>
    <device><serverid>1</serverid><deviceid>3</deviceid><progress>10</progress>
    <device><serverid>1</serverid><deviceid>4</deviceid><status>done</status>
    </devices></export>
    <export><exportid>2</exportid><status>failed</status></export>
    </exports></result>"""
    first, second = listed(data)
    assert [
        (read_address(d.address).device, d.percent, d.progress) for d in first.devices
    ] == [
        ("3", 10.0, DeviceProgress.UNKNOWN),
        ("4", None, DeviceProgress.DONE),
    ]
    assert first.progress is DeviceProgress.UNKNOWN
    assert (second.devices, second.progress) == ((), DeviceProgress.FAILED)


@pytest.mark.parametrize("text", ["", "x", "-1", "101", "nan", "inf", "1e999", "1_0%%"])
def test_progress_that_is_none(text: str) -> None:
    (export,) = listed(WELL_FORMED.replace(b">42<", f">{text}<".encode()))
    assert export.devices[0].percent is None


@pytest.mark.parametrize("text", ["", "soon", "2026-11-23 06:17:01.000"])
def test_a_window_that_cannot_be_read_is_none(text: str) -> None:
    data = WELL_FORMED.replace(b"2026-11-23 06:15:30.000", text.encode())
    assert listed(data)[0].devices[0].window is None


def test_an_unknown_word_is_shown_and_means_nothing() -> None:
    data = WELL_FORMED.replace(b"<status>busy", b"<status>archiving")
    (export,) = listed(data)
    assert (export.progress, export.word) == (DeviceProgress.UNKNOWN, "archiving")


def test_an_empty_list() -> None:
    assert listed(b'<result errorcode="0"><exports count="0"/></result>') == ()
    assert listed(b'<result errorcode="0"/>') == ()
    assert listed(b'<result errorcode="0"><exports><export/></exports></result>') == ()


def test_a_repaired_list_must_hold_what_it_counts() -> None:
    with pytest.raises(Unreadable, match="counts 2 exports and holds 1"):
        listed(VENDOR_SAMPLE.replace(b"count=1", b"count=2"))


@pytest.mark.parametrize("size", range(20, len(WELL_FORMED) - 8, 7))
def test_a_list_cut_off_anywhere_is_no_list(size: int) -> None:
    with pytest.raises(Unreadable):
        listed(WELL_FORMED[:size])


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (
            b'<result errorcode="0"><export><exportid>12</exportid></export></result>',
            (0, "", "12"),
        ),
        (
            b"<RESULT ErrorCode=0><Export><ExportID> 12 </ExportID></Export></RESULT>",
            (0, "", "12"),
        ),
        (
            b'<result><export exportid="12"/></result>',
            (0, "", "12"),
        ),
        (
            b'<result errorcode="3"><exportid>12</exportid></result>',
            (3, "", "12"),
        ),
        (b'<result errorcode="0"/>', (0, "", None)),
        (
            (
                b'<result errorcode="-48"><description> No\x07 video </description>'
                b"</result>"
            ),
            (-48, "No\ufffd video", None),
        ),
        (
            b'<result errorcode="-2"><exportid>12</exportid></result>',
            (-2, "", None),
        ),
        (b"<result><errorcode>-61</errorcode></result>", (-61, "", None)),
    ],
)
def test_answers(data: bytes, answer: tuple[int, str, str | None]) -> None:
    result = read_result(data)
    assert (result.code, result.text, read_exportid(result)) == answer


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>Log in<br></body></html>",
        b"<!DOCTYPE html><html></html>",
        b"",
        b"Bad gateway",
        b"<apiinfo/>",
    ],
)
def test_what_is_no_result_may_be_a_login_page(data: bytes) -> None:
    with pytest.raises(NoResult):
        read_result(data)


@pytest.mark.parametrize(
    "data",
    [
        b'<result errorcode="0"><export>',
        b'<?xml version="1.0"?><Result errorc',
        b'<result errorcode="0"><export><exportid>1</exportid',
    ],
)
def test_a_damaged_result_is_no_sign_of_an_ended_session(data: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        read_result(data)
    assert not isinstance(raised.value, NoResult)


def test_an_errorcode_that_is_no_number() -> None:
    with pytest.raises(Unreadable):
        read_result(b'<result errorcode="oops"><exports/></result>')


def test_devices() -> None:
    data = b"""<result errorcode="0"><devices count="3">
    <device><name>Lobby  </name><serverid>17167089910108338829 </serverid>
    <deviceid>3</deviceid><status>ok</status><type>camera</type><brand>x</brand>
    <location>Hall</location></device>
    <Device name="Door" ServerID="1" DeviceID="4"/>
    <device><name>none</name></device></devices></result>"""
    assert read_devices(read_result(data)) == (
        Device(
            address=sense_address("17167089910108338829", "3"),
            name="Lobby",
            kind="camera",
            status="ok",
            location="Hall",
        ),
        Device(address=sense_address("1", "4"), name="Door"),
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('0"><imagesequence count="1"><img><time>x</time></img></imagesequence>', True),
        ('0"><imagesequence><image/></imagesequence>', True),
        ('0"><imagesequence count="1"></imagesequence>', True),
        ('0"><imagesequence count="0"/>', False),
        ('0"><imagesequence/>', False),
        ('0">', None),
        ('-48">', False),
        ('-11">', False),
        ('-2">', None),
        ('-17">', None),
        ('-4">', None),
        ('-18">', None),
    ],
)
def test_has_video(body: str, found: bool | None) -> None:
    data = f'<result errorcode="{body}</result>'.encode()
    assert read_has_video(read_result(data)) is found


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (
            (
                b"<apiinfo><utc>2026-11-23 06:15:30</utc><version>2.7.3</version>"
                b"</apiinfo>"
            ),
            "2.7.3",
        ),
        (
            (
                b"<apiinfo><utc>2026-11-23 06:15:30<version>2.7.3</version></utc></x>"
                b"</apiinfo>"
            ),
            "2.7.3",
        ),
        (b"<apiinfo><utc>2026-11-23 06:15:30<version>2.7.3</apiinfo></info>", "2.7.3"),
        (
            b"<!--?xml ?--><ApiInfo>\n<UTC> 2026-11-23 06:15:30 \n<Version>2</Version>",
            "2",
        ),
        (b'<apiinfo utc="2026-11-23T06:15:30Z"/>', ""),
    ],
)
def test_info_even_as_the_vendor_prints_it(data: bytes, version: str) -> None:
    info = read_info(data)
    assert info.utc == AT
    assert info.precision == timedelta(seconds=1)
    assert info.version == version


def test_info_with_milliseconds_is_that_precise() -> None:
    info = read_info(b"<apiinfo><utc>2026-11-23 06:15:30.250</utc></apiinfo>")
    assert info.precision == timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<apiinfo/>",
        b"<apiinfo><utc>2026-11-23 06:15",
        b"<apiinfo><utc>now</utc></apiinfo>",
        b"<apiinfo><utc>9999-12-31 23:59:59</utc></apiinfo>",
        b"<!DOCTYPE html><html></html>",
    ],
)
def test_info_without_a_time(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_info(data)


@pytest.mark.parametrize(
    ("data", "cookies"),
    [
        (b"<result errorcode='0'/>", ("SessionKey=K1; path=/; HttpOnly",)),
        (b"OK", ("a=b", "sessionkey=K1")),
        (b"<result errorcode='0'><sessionkey>K1</sessionkey></result>", ()),
        (b"<result errorcode='0' SessionKey='K1'/>", ()),
        (b"<result errorcode='0'><user key='no'/><session>K1</session></result>", ()),
        (b"<r><sessiontimeout>30</sessiontimeout><key>K1</key></r>", ()),
        (b"<r><session><key>K1</key></session></r>", ()),
        (b"<r><apisession>K1</apisession></r>", ()),
        (b"<AuthenticateUser><x loginkey='K1'/></AuthenticateUser>", ()),
        (b"<result errorcode=0><sessionkey>K1</sessionkey></result>", ()),
    ],
)
def test_where_the_session_key_may_stand(data: bytes, cookies: tuple[str, ...]) -> None:
    assert read_login(data, cookies).key == "K1"


@pytest.mark.parametrize(
    "key", ["", "a b", "a;b", "a\r\nSet-Cookie: x", "é", "x" * 600, "a,b"]
)
def test_a_key_that_no_header_can_carry_is_none(key: str) -> None:
    data = f"<r><sessionkey>{key}</sessionkey></r>".encode()
    assert read_login(data, ()).key is None


def test_a_refused_login() -> None:
    data = b"<result errorcode='-9'><description>no such user</description></result>"
    login = read_login(data, ())
    assert (login.code, login.text, login.key) == (-9, "no such user", None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<license><api>true</api></license>", True),
        ("<license><API> True </API></license>", True),
        ('<license api="1"/>', True),
        ("<license><api>false</api></license>", False),
        ("<license><productid>7</productid></license>", None),
        ("<api>true</api>", None),
    ],
)
def test_the_license_is_read_in_every_form(text: str, found: bool | None) -> None:
    reply = f'<result errorcode="0"><systemstatus>{text}</systemstatus></result>'
    assert read_license(read_result(reply.encode())) is found


def test_a_status_that_is_refused_for_want_of_a_license_says_so() -> None:
    assert read_license(read_result(b'<result errorcode="-1"/>')) is False
    assert read_license(read_result(b'<result errorcode="-18"/>')) is None
