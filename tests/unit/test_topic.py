import pytest

from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", {}),
        ("a/b", "a/b/c", None),
        ("a/b", "a", None),
        ("a/b", "A/b", None),
        ("a/+/c", "a/b/c", {}),
        ("a/+/c", "a//c", {}),
        ("a/{x}/c", "a/b/c", {"x": "b"}),
        ("a/{x}/c", "a//c", {"x": ""}),
        ("a/{x}", "a", None),
        ("a/{x}", "a/b/c", None),
        ("{site}/{door}", "s 1/d&2", {"site": "s 1", "door": "d&2"}),
        ("/{x}", "/b", {"x": "b"}),
        ("/{x}", "b", None),
        ("{x}", "/b", None),
        ("a/#", "a", {}),
        ("a/#", "a/", {}),
        ("a/#", "a/b/c", {}),
        ("a/#", "ab", None),
        ("{x}/#", "a", {"x": "a"}),
        ("#", "a/b", {}),
        ("#", "/", {}),
        ("#", "$SYS/load", None),
        ("+/load", "$SYS/load", None),
        ("{x}/load", "$SYS/load", None),
        ("$SYS/+", "$SYS/load", {}),
        ("axis/{x}/$source/port", "axis/1/$source/port", {"x": "1"}),
        ("a/{x}", "a/$b", {"x": "$b"}),
        ("vista/Get/Zone{n}", "vista/Get/Zone5", {"n": "5"}),
        ("vista/Get/Zone{n}", "vista/Get/Zone", None),
        ("vista/Get/Zone{n}", "vista/Get/Door5", None),
        ("{n}x/a", "$5x/a", None),
        ("a/{s}-{d}/b", "a/hq-north-2/b", {"s": "hq", "d": "north-2"}),
        ("a/{s}-{d}/b", "a/hq-/b", None),
        ("a/{s:hq|annex}/{x}", "a/annex/1", {"s": "annex", "x": "1"}),
        ("a/{s:hq|annex}/{x}", "a/hqs/1", None),
        ("a/{s:h.}-{x}", "a/hq-1", None),
        ("p/{name}_recorder/state", "p/porch_recorder/state", {"name": "porch"}),
        ("a.b/{x}", "aXb/1", None),
        ("a/{x}", "a/new\nline", {"x": "new\nline"}),
    ],
)
def test_match(pattern: str, topic: str, expected: dict[str, str] | None) -> None:
    assert TopicPattern.parse(pattern).match(topic) == expected


@pytest.mark.parametrize(
    ("pattern", "topic_filter", "names"),
    [
        ("access/{site}/{door}/forced", "access/+/+/forced", ("site", "door")),
        ("z/+/action", "z/+/action", ()),
        ("vista/Zone{n}/#", "vista/+/#", ("n",)),
        ("/SPC//{x}", "/SPC//+", ("x",)),
    ],
)
def test_filter_and_names(
    pattern: str, topic_filter: str, names: tuple[str, ...]
) -> None:
    parsed = TopicPattern.parse(pattern)
    assert parsed.filter == topic_filter
    assert parsed.names == names


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("", "is empty"),
        ("a/#/b", "'#' before its end"),
        ("a/b#", "'#' glued"),
        ("a/b+", "'+' glued"),
        ("a/{x}+", "'+' glued"),
        ("a/{x}/{x}", "captures {x} twice"),
        ("a/{x", "not one {name}"),
        ("a/x}", "not one {name}"),
        ("a/{x}{y}", "nothing between them"),
        ("a/{{x}}", "not one {name}"),
        ("a/{x:}", "empty value"),
        ("a/{x:a|}", "empty value"),
        ("a/{}", "no name"),
        ("a/{x-y}", "no name"),
        ("a/{1x}", "no name"),
        ("a/{ä}", "no name"),
        ("$share/group/a", "shared subscription"),
        ("$SYS{x}/a", "begins with '$'"),
        ("a\0b", "control character"),
        ("a\ud800b", "control character"),
        ("x" * 65_536, "65535 bytes"),
    ],
)
def test_refused_with_the_reason(pattern: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        TopicPattern.parse(pattern)
    text = str(caught.value)
    assert complaint in text
    assert "\n" not in text
    assert len(text) < 400


def test_equal_by_text() -> None:
    assert TopicPattern.parse("a/{x}") == TopicPattern.parse("a/{x}")
    assert TopicPattern.parse("a/{x}") != TopicPattern.parse("a/{y}")
    assert repr(TopicPattern.parse("a/{x}")) == "TopicPattern(text='a/{x}')"
