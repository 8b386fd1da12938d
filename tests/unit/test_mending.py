"""JSON as firmware and scripts write it, and what it surely means."""

import time

import pytest

from evidenced.core.alarms.jsontext import read_json
from evidenced.core.alarms.mending import MAX_PARTS
from evidenced.core.errors import BadInput

ON = '{"s":"on","x":%s}'


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("nan", None),
        ("-nan", None),
        ("nan(ind)", None),
        ("-nan(snan)", None),
        ("1.#QNAN", None),
        ("-1.#IND00", None),
        ("1.#INF", None),
        ("-inf", None),
        ("Infinity", None),
        ("undefined", None),
        ("None", None),
        ("NULL", None),
        ("", None),
        ("True", True),
        ("FALSE", False),
        ("+5", 5),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5),
        ("007", 7),
        ("00", 0),
        ("-00.50", -0.5),
        ("21,5", 21.5),
        ("-21,5", -21.5),
        ('21,5,"y":1', 21.5),
        ("open", "open"),
        ("nothing", "nothing"),
        ("info", "info"),
        ("nanny", "nanny"),
        ("---", "---"),
        ("0x1F", "0x1F"),
        ("2026-11-30", "2026-11-30"),
        ("Tür", "Tür"),
        ("'off'", "off"),
        ("'it\\'s \"it\"'", 'it\'s "it"'),
        ("'C:\\dir'", "C:\\dir"),
        ('"C:\\path\\new"', "C:\\path\new"),
        ("[1,2,]", [1, 2]),
        ("[1,,2]", [1, None, 2]),
        ("[21,5]", [21, 5]),
        ("[]", []),
        ("{'a':{},}", {"a": {}}),
    ],
)
def test_another_value_in_the_message_is_odd(said: str, meant: object) -> None:
    read = read_json(ON % said)
    assert isinstance(read, dict)
    assert (read["s"], read["x"]) == ("on", meant)


@pytest.mark.parametrize(
    "said",
    [
        "{'s':'on'}",
        "{s:on}",
        '{"s":on}',
        '{"s":"on",}',
        '{"s":"on"}\0',
        '{"s":"on"}\0\0,"s":"of',
        '\x02{"s":"on"}\x03',
        '\ufeff{"s":"on"}\r\n',
    ],
)
def test_the_state_itself_is_written_oddly(said: str) -> None:
    assert read_json(said) == {"s": "on"}


@pytest.mark.parametrize(
    "said",
    [
        '{"s":"on"',
        '{"s":"on","x":"cut o',
        '{"s":"on","x":\'cut o',
        '{"s":"say "hi" now"}',
        '{"s":"on"}{"s":"off"}',
        '{"s":"on"} garbage',
        '{"s":1 "x":2}',
        '{"s":1 x:2}',
        "{s:on x:off}",
        '{"s":"on"},{"x":1}',
        "{",
        "on",
        "'on'",
        ",",
    ],
)
def test_what_may_have_said_anything_is_refused(said: str) -> None:
    with pytest.raises(BadInput, match="payload is not JSON at byte"):
        read_json(said)


def test_several_in_one_message_are_lines() -> None:
    with pytest.raises(BadInput, match='set format = "lines"'):
        read_json('{"s":"on"}\n{"s":"off"}')


@pytest.mark.parametrize("said", ["a,", '\\"', "\\'", "'\"", "{", "[,"])
def test_what_is_too_long_to_mend_costs_little(said: str) -> None:
    started = time.process_time()
    with pytest.raises(BadInput):
        read_json('["' + said * MAX_PARTS)
    assert time.process_time() - started < 5
