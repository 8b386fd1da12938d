"""What takes input from outside: any bytes give a value or a typed error, soon.

Each target is a function of bytes. It returns where the input was taken or refused as
promised; whatever else escapes it is a bug. Hypothesis and atheris drive the same ones.
"""

import ipaddress
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser

from evidenced.config.compile import build_site
from evidenced.config.load import ConfigUnreadable, load_text
from evidenced.core.alarms.expression import Expression, ExpressionError
from evidenced.core.alarms.moment import read_moment
from evidenced.core.alarms.payload import PLAIN, PayloadFormat, Wrapping, read_payload
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput
from evidenced.core.folders.paths import MAX_PATH_UNITS, PathTemplate
from evidenced.core.ids import FieldValue
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.spoken import stamp
from evidenced.core.telling.asking import Names, ask, read_instant, read_period
from evidenced.sense.document import Unreadable
from evidenced.sense.replies import (
    Result,
    read_devices,
    read_exportid,
    read_exports,
    read_has_video,
    read_license,
    read_result,
    read_tags,
)
from evidenced.sense.welcome import read_info, read_login
from evidenced.simulator import Request, Scenario, Simulator, read_scenario
from evidenced.simulator.drawn import draw
from evidenced.web.answers import is_for_people
from evidenced.web.bodies import (
    MAX_FIELD,
    MAX_FIELDS,
    SilenceBody,
    TriggerBody,
    form_fields,
    read_fields,
    read_json,
)
from evidenced.web.doors import local_name
from evidenced.web.guard import foreign, is_own_host, unmarked
from evidenced.web.login import own_path
from evidenced.web.peers import Peers
from evidenced.web.query import read_filter, read_id, read_time
from evidenced.web.sessions import cookie_of
from evidenced.web.users import read_basic
from fakes.clock import START, FakeClock
from fakes.rule import TRICKY, make_alarm, read_alarm
from fuzz import records, stamps

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ZONES = tuple(map(ZoneInfo, ("Asia/Tokyo", "UTC", "America/New_York")))
NAMES = Names(cameras={"lobby": "Front door"}, rules={"door-forced": "Door"})
PICTURE = draw("lobby", START)
SCENARIO = Path("scenario.toml")


CONFIG = rb"""
[mqtt]
url = "mqtt://broker.example"
[recorders.main]
url = "http://sense.example"
username = "export"
password = "secret"
nonce = "AR5chsWVZagPfMpB"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{rule}-{id}'
[[rules]]
name = "panic-button"
topics = ["panic/{zone}"]
group_by = ["zone"]
cameras = ["lobby"]
"""


@dataclass(frozen=True, kw_only=True)
class Target:
    """`words` are what inputs are made of; `samples` are good ones to begin with.

    Between `begin` and `end` anything is taken further than by itself.
    """

    run: Callable[[bytes], None]
    words: tuple[bytes, ...]
    samples: tuple[bytes, ...] = ()
    begin: bytes = b""
    end: bytes = b""


def _payload(data: bytes) -> None:
    for payload_format in PayloadFormat:
        with suppress(BadInput):
            read_payload(data, Wrapping(format=payload_format))
    for topic in ("s/d/e", "z5/x"):
        read_alarm(TRICKY, make_alarm(topic, data))


def _topic(data: bytes) -> None:
    """A pattern and a topic, apart by a line's end."""
    pattern, _, topic = data.decode(errors="replace").partition("\n")
    read_alarm(TRICKY, make_alarm(topic, b'{"state":"on"}'))
    with suppress(BadInput):
        TopicPattern.parse(pattern).match(topic)
    with suppress(BadInput):
        TextPattern.parse(pattern).match(topic)


def _time(data: bytes) -> None:
    text = _text(data)
    values: list[object] = [text]
    with suppress(BadInput):
        values.append(read_payload(data, PLAIN).messages[0])
    for value in values:
        moment = read_moment(
            value, received_at=START, absence=timedelta(hours=1), zone=AMSTERDAM
        )
        assert moment.earliest <= moment.at <= START + timedelta(minutes=1)
    with suppress(BadInput):
        read_time("at", text)


def _asking(data: bytes) -> None:
    """What is typed into the field of the list, and as a time of a command."""
    text = _text(data)
    for zone in ZONES:
        ask(text, NAMES, START, zone)
        period, at = read_period(text, START, zone), read_instant(text, START, zone)
        for each in (*((period.start, period.end) if period else ()), at):
            assert each is None or stamp(each, zone)


def _picture(data: bytes) -> None:
    """What a recorder gives for a picture."""
    with suppress(ValueError):
        width, height = picture_size(data)
        assert width > 0
        assert height > 0


def _path(data: bytes) -> None:
    """A template and a captured value, apart by a line's end."""
    template, _, value = _text(data).partition("\n")
    template = template.encode(errors="replace").decode()
    values: Mapping[str, FieldValue] = {
        "site": value,
        "rule": "r",
        "id": "i",
        "doors": (value, "b"),
    }
    with suppress(BadInput):
        parsed = PathTemplate.parse(template)
        path = parsed.render(values, {"opened": START, "ended": START}, AMSTERDAM)
        assert len(path) <= MAX_PATH_UNITS
        assert min(path) >= " "
        assert not {".", ".."} & {each.strip() for each in path.split("\\")}


def _expression(data: bytes) -> None:
    """An expression and a JSON document, apart by a line's end."""
    text, _, document = data.partition(b"\n")
    with suppress(BadInput, ExpressionError):
        value = read_payload(document, PLAIN).messages[0]
        Expression.parse(_text(text)).is_true(value)


def _config(data: bytes) -> None:
    with suppress(BadInput, ConfigUnreadable):
        build_site(load_text(data.decode(errors="replace")).config)


READERS = (
    *(read_exportid, read_exports, read_devices, read_has_video),
    *(read_license, read_tags),
)


def _replies(data: bytes) -> None:
    with suppress(Unreadable):
        read_info(data)
    with suppress(Unreadable):
        read_login(data, (_text(data),))
    with suppress(Unreadable):
        _result(read_result(data))


def _result(result: Result) -> None:
    for read in READERS:
        with suppress(Unreadable):
            read(result)


def _scenario(data: bytes) -> None:
    """Without a file: making and removing one took most of the time."""
    with suppress(BadInput):
        Simulator(read_scenario(data, SCENARIO), FakeClock())


def _http(data: bytes) -> None:
    text = _text(data)
    with suppress(BadInput):
        read_filter(parse_qsl(text, keep_blank_values=True))
    for model in (TriggerBody, SilenceBody):
        with suppress(BadInput):
            read_json(model, data)
    read_id(text)


def _form(data: bytes) -> None:
    with suppress(BadInput):
        fields = form_fields(data)
        assert len(fields) <= MAX_FIELDS
        assert max(map(len, fields.values()), default=0) <= MAX_FIELD
        assert own_path(fields.get("next", "/")).startswith("/")
        for model in (TriggerBody, SilenceBody):
            with suppress(BadInput):
                read_fields(model, fields)


PROXIED = Peers(["127.0.0.1", "10.0.0.0/8", "unix"])


def _headers(data: bytes) -> None:
    """Lines of a request's head, as aiohttp's own parser lets them pass."""
    parser = HttpRequestParser(Mock(), Mock(), 2**16)
    lines = data.replace(b"\r", b"").replace(b"\n", b"\r\n")
    try:
        found, _, _ = parser.feed_data(b"POST / HTTP/1.1\r\n" + lines + b"\r\n\r\n")
    except HttpProcessingError:
        return
    for message, payload in found:
        rest = Mock(), Mock(), Mock(), Mock()
        _head(web.BaseRequest(message, payload, *rest, remote="127.0.0.1"))


def _head(request: web.BaseRequest) -> None:
    method, headers = request.method, request.headers
    for peers in (Peers(), PROXIED):
        ipaddress.ip_address(peers.address_of(request))
        peers.is_tls(request)
    is_own_host(headers.get("Host"), {"evidence.example"})
    for path in ("/api/x", "/login"):
        if foreign(method, headers) is None:
            unmarked(method, headers, path)
    read_basic(headers.get("Authorization", ""))
    assert cookie_of(request).isascii()
    name = local_name("root", headers.get("X-Evidenced-For", ""))
    assert name.isascii()
    assert name.isprintable()
    is_for_people(request)


def _order(data: bytes) -> None:
    """The double of the recorder must stand what a client sends, too."""
    simulator = Simulator(Scenario(), FakeClock())
    xml = {"content-type": "application/xml"}
    for path in ("/webservice", "/webservice?command=exportVideo"):
        simulator.handle(Request.to("POST", path, body=data, headers=xml))


def _text(data: bytes) -> str:
    """With lone surrogates, as JSON may have them."""
    return data.decode("utf-8", "surrogateescape")


def _words(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split())


JSON_WORDS = (
    *_words(
        '{ } [ ] , : " \\ \\ud800 \\u0000 null true NaN 1e999 -0.0 0 9999999999999'
    ),
    *_words('"state" "zones" "t" "v" "id" "on" "off" "2026-10-25T02:30:00" "a":'),
)
TARGETS: Mapping[str, Target] = {
    "payload": Target(
        run=_payload,
        words=JSON_WORDS,
        samples=(
            b'{"state":"on","t":1795413600,"id":7,"v":["a","b"]}',
            b'{"state":"off","t":"2026-10-25T02:30:00"}',
            b"ON",
        ),
    ),
    "topic": Target(
        run=_topic,
        words=(*_words("a / + # {a} {b} { } $SYS $share / // \xc3\xb8"), b"\n", b"\0"),
        samples=(b"access/{site}/+/#\naccess/hq/x/y", b"zone {z} open\nzone 5 open"),
    ),
    "time": Target(
        run=_time,
        words=(
            *_words(
                "2026 -11 -23 T 06:15:30 . , 999999999 Z +01:00 -0000 CET CEST W47"
            ),
            *_words("1795413600 000 e9 -1 24:00:00 :60 2026-10-25T02:30:00 20261123"),
        ),
        samples=(b"2026-11-23T06:15:30.250+01:00", b"20261123T061530Z", b"1795413600"),
    ),
    "path": Target(
        run=_path,
        words=(
            *_words(
                r"V:\ \\ \ / nas share {site} {rule} {id} {doors} {opened} {ended}"
            ),
            *_words(
                "{opened:%Y} %Y %m { } : .. . CON nul* ~1 \xe2\x80\xae \xf0\x9f\x94\xa5"
            ),
            *(b" ", b"\n", b"\0", b"\x1b", b"\xed\xa0\x80"),
        ),
        samples=(
            rb"V:\evidence\{rule}\{opened:%Y-%m}\{site}-{id}" + b"\nhq",
            rb"\\nas\share\{id}" + b"\n../x",
        ),
    ),
    "expression": Target(
        run=_expression,
        words=(
            *_words(
                "a b @ . * [] [0] [?a] [::0] | || && ! == < ` ' ( ) { } , : length("
            ),
            *_words(
                "floor( to_number( sort_by( &a max( join( contains( `1e999` 'x' -1"
            ),
            *(b"\n", *JSON_WORDS),
        ),
        samples=(b'state == \'on\' && zones[?id > `1`]\n{"zones":[{"id":1}]}',),
    ),
    "config": Target(
        run=_config,
        words=(
            *_words(
                "[mqtt] [recorders.main] [cameras.c] [destinations.d] [[rules]] [web]"
            ),
            *_words(
                "url = 'mqtt://h' 'http://h' username password nonce server device"
            ),
            *_words(
                "path name topics [ ] { } , include bandwidth_windows 1h '' 0 -1 1e99"
            ),
            *(
                b"\n",
                b"\n\n",
                b'"',
                b"'",
                b'"""',
                b"#",
                b"2026-01-01",
                b"inf",
                b"\\u0000",
            ),
        ),
        samples=(CONFIG,),
    ),
    "replies": Target(
        run=_replies,
        begin=b"<result errorcode='0'>",
        end=b"</result>",
        words=(
            *_words(
                "<result errorcode='0'> errorcode=-48 </result> <exports> </exports>"
            ),
            *_words(
                "<export> </export> <exportid>1</exportid> <devices> </devices> <!--"
            ),
            *_words(
                "<device> </device> <serverid>1 <deviceid>3</deviceid> <status> -->"
            ),
            *_words("<starttime>2026-11-23 50% <progress> <sessionkey> <![CDATA[ ]]>"),
            *_words(
                "<videotaglist> <videotag> </videotag> <license> api=true </license>"
            ),
            *_words("<?xml <!DOCTYPE <!ENTITY &a; &#0; &#xD800; &lt; ' \" > < / ="),
            b"\0",
        ),
        samples=(
            (
                b"<result errorcode='0'><exports count='1'><export>"
                b"<exportid>1</exportid><path>V:\\a</path><status>busy</status>"
                b"<progress>50</progress><devices><device><serverid>1</serverid>"
                b"<deviceid>2</deviceid><starttime>2026-11-23 06:15:30.000</starttime>"
                b"</device></devices></export></exports></result>"
            ),
            b"<result errorcode='0'><sessionkey>KEY</sessionkey></result>",
            (
                b"<result errorcode='0'><systemstatus><license api='true'/>"
                b"</systemstatus><videotaglist><videotag><id>1</id><serverid>1"
                b"</serverid><deviceid>2</deviceid><title>t</title></videotag>"
                b"</videotaglist></result>"
            ),
            b"<apiinfo><utc>2026-11-23 06:00:00</utc><version>2</version></apiinfo>",
        ),
    ),
    "form": Target(
        run=_form,
        words=(
            *_words(
                "name= password= next=/ next=// rule= camera= topic= for=2h until="
            ),
            *_words(
                "comment= author= & ; = %00 %ff %u1234 %e2%80%ae + %2f%2f %5c // %"
            ),
            *(b"\n", b"\0", b"\xff", b"\xed\xa0\x80"),
        ),
        samples=(
            b"name=anna&password=x&next=%2Fincidents",
            b"rule=door&camera=&topic=&for=2h&comment=works+here",
        ),
    ),
    "headers": Target(
        run=_headers,
        words=(
            *(b"Host: ", b"Origin: ", b"Sec-Fetch-Site: ", b"Authorization: Basic "),
            *(b"Cookie: evidenced=", b"X-Forwarded-For: ", b"X-Forwarded-Proto: "),
            *(b"X-Evidenced-For: ", b"X-Evidenced: 1", b"Content-Type: ", b"Accept: "),
            *_words(
                "application/json text/html http:// https:// [::1] 127.0.0.1 :8470"
            ),
            *_words("cross-site same-origin none null YTpi ==== 10.0.0.1 , ; = root é"),
            *(b"\n", b"\xff", b"\xed\xa0\x80", b'"', b"\\", b"[", b"]", b"%"),
        ),
        samples=(
            b"Host: 127.0.0.1:8470\nOrigin: http://127.0.0.1:8470\nAccept: text/html",
            b"Host: a\nAuthorization: Basic YTpi\nX-Forwarded-For: 1.2.3.4, 10.0.0.1",
        ),
    ),
    "scenario": Target(
        run=_scenario,
        words=(
            *_words(
                "[login] [session] [clock] [exports] [[faults]] [[devices]] [words]"
            ),
            *_words(
                "seed offset jumps lag rate gaps roots 'V:\\\\a' action 'cut' at lasts"
            ),
            *_words(
                "= { } [ ] , '1h' '-5s' 1 0 -1 true zone 'UTC' '../x' chance 0.5 nan"
            ),
            b"\n",
        ),
        samples=(
            (
                b"seed=1\n[clock]\noffset='5s'\njumps=[{at='1m',by='-3s'}]\n"
                b"[[faults]]\naction='cut'\ncommand='exportVideo'\nnth=2\n"
            ),
        ),
    ),
    "http": Target(
        run=_http,
        words=(
            *_words(
                "state= rule= camera= since= until= q= limit= cursor= & = %00 %ed%a0%80"
            ),
            *_words("waiting 2026-11-23T06:15:30Z 500 \xd9\xa3 + %2B"),
            *_words('{"rule": "r" "fields" "at"'),
            *JSON_WORDS,
        ),
        samples=(
            b"state=waiting,failed&since=2026-11-23T06:15:30.250Z&limit=50",
            b'{"rule":"r","fields":{"a":"b"},"at":"2026-11-23T06:15:30Z"}',
        ),
    ),
    "order": Target(
        run=_order,
        words=(
            *_words(
                "<exportvideo> </exportvideo> <devices> <device> </device> </devices>"
            ),
            *_words(
                "<path>V:\\a</path> <bandwidth>0</bandwidth> <serverid>1001</serverid>"
            ),
            *_words("<![CDATA[ ]]> <!-- &#0; <!DOCTYPE ' \" > < = <login> <username>"),
        ),
    ),
    "record": Target(
        run=records.run_record,
        words=records.RECORD_WORDS,
        samples=(records.GOOD,),
        begin=records.GOOD[:-3] + b",",
        end=b"}",
    ),
    "statement": Target(
        run=records.run_statement,
        words=records.RECORD_WORDS,
        samples=(records.STATEMENT,),
        begin=records.STATEMENT[:-3] + b",",
        end=b"}",
    ),
    "asking": Target(
        run=_asking,
        words=(
            *_words("today tuesday last 7d 9999w 14:00 25:00 23 nov 29 feb 1 jan"),
            *_words("0001-01-01 9999-12-31 2026-11-23T06:15:30Z +14:00 -14:00 T 0000"),
            *_words("lobby front door-forced exported gaps now gisteren Fr mrt"),
            *(b" ", b"\xd9\xa3", b"\xc2\xb2", b"\0", b"-", b":"),
        ),
        samples=(b"front door last tuesday 14:00 exported", b"23 nov 2026"),
    ),
    "picture": Target(
        run=_picture,
        words=(
            *(
                PICTURE[:2],
                PICTURE[-2:],
                b"\xff",
                b"\xff\xff",
                b"\xff\xc0",
                b"\xff\xda",
            ),
            *(b"\xff\xe0", b"\xff\xd8", b"\0", b"\0\x02", b"\0\x11", b"\xff\xc2"),
        ),
        samples=(PICTURE,),
        begin=PICTURE[:2],
        end=PICTURE[-2:],
    ),
    "signature": Target(
        run=records.run_signature,
        words=records.SIGNATURE_WORDS,
        samples=(records.SIGNED,),
    ),
    "import": Target(
        run=records.run_import,
        words=records.RECORD_WORDS,
        samples=(records.GOOD,),
        begin=records.GOOD[:-3] + b",",
        end=b"}",
    ),
    "folder": Target(
        run=records.run_folder,
        words=records.FOLDER_WORDS,
        samples=(b"fmore", b"la", b"uincident.html", b"dinner"),
    ),
    "stamp": Target(
        run=stamps.run_stamp,
        words=stamps.STAMP_WORDS,
        samples=(stamps.GOOD,),
    ),
    "heads": Target(
        run=stamps.run_heads,
        words=stamps.HEAD_WORDS,
        samples=(stamps.TEXT.encode(), stamps.LINE),
    ),
}
