"""Parts of plain text by name, from whoever sent it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.alarms.alarm import Reading, Signal
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.errors import BadInput
from fakes.rule import make_alarm, make_rule, read_alarm

EVENT = TextPattern.parse("Event:{event};SubEvent:{zone}")


@pytest.mark.parametrize(
    ("pattern", "text", "parts"),
    [
        ("Event:{e};Sub:{z}", "Event:Zone OK;Sub:Hall", {"e": "Zone OK", "z": "Hall"}),
        ("Event:{e};Sub:{z}", "Event:;Sub:", {"e": "", "z": ""}),
        ("Event:{e};Sub:{z}", "Event:a;b;Sub:c;Sub:d", {"e": "a;b", "z": "c;Sub:d"}),
        ("Event:{e};Sub:{z}", "event:a;Sub:b", {}),
        ("Event:{e};Sub:{z}", "Event:a", {}),
        ("{n} open", "12 open", {"n": "12"}),
        ("{n} open", "12 shut", {}),
        ("x{n}x", "x", {}),
        ('S:{o},N:"{n}"', 'S:1,N:"Front PIR"', {"o": "1", "n": "Front PIR"}),
    ],
)
def test_parts_stand_between_fixed_texts(
    pattern: str, text: str, parts: dict[str, str]
) -> None:
    assert TextPattern.parse(pattern).match(text) == parts


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("zone", "names no part"),
        ("{a}{b}", "nothing between them"),
        ("{a} {a}", "choose another name"),
        ("{payload}", "choose another name"),
        ("{1}", "names no part"),
        ("{a} {", "braces that are not one {name}"),
    ],
)
def test_no_pattern(pattern: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        TextPattern.parse(pattern)
    assert said in str(caught.value)


@given(st.lists(st.text("ab;:{}"), min_size=2, max_size=2))
def test_what_fits_is_the_text_again(parts: list[str]) -> None:
    text = f"Event:{parts[0]};SubEvent:{parts[1]}"
    found = EVENT.match(text)
    assert f"Event:{found['event']};SubEvent:{found['zone']}" == text


def test_a_hostile_text_is_read_in_one_pass() -> None:
    """As a regex of sixty captures it would not end while the test waits."""
    pattern = TextPattern.parse("a".join(f"{{n{n}}}" for n in range(60)) + "b")
    assert pattern.match("a" * 250_000) == {}


def test_a_rule_reads_them_like_fields() -> None:
    rule = make_rule(
        "panel",
        text=True,
        pattern="Event:{event};SubEvent:{zone}",
        when="event == 'Zone in alarm'",
        clear="event == 'Zone OK'",
        group_by=["zone"],
        cameras=["{zone}"],
    )
    on = read_alarm([rule], make_alarm("panel", "Event:Zone in alarm;SubEvent:Hall"))
    off = read_alarm([rule], make_alarm("panel", "Event:Zone OK;SubEvent:Hall"))
    assert isinstance(on, Reading)
    assert isinstance(off, Reading)
    assert [on.signal, off.signal] == [Signal.ACTIVE, Signal.CLEAR]
    assert on.key == off.key == "Hall"
    assert [str(camera) for camera in on.cameras] == ["Hall"]
    assert not isinstance(read_alarm([rule], make_alarm("panel", "Hello")), Reading)
