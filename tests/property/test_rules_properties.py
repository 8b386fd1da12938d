"""Whatever anybody sends: a reading or a refusal, nothing else, within bounds."""

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from evidenced.core.alarms.alarm import NotTaken, Outcome, Reading, TimeSource
from evidenced.core.alarms.expression import Expression, ExpressionError
from evidenced.core.alarms.fields import MAX_ITEMS, MAX_VALUE, expand_cameras, group_key
from evidenced.core.alarms.moment import TOLERANCE, read_moment
from evidenced.core.alarms.payload import (
    PayloadFormat,
    Wrapping,
    keepable,
    read_payload,
)
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.alarms.unpacking import Packing
from evidenced.core.errors import BadInput
from evidenced.core.ids import FieldValue
from fakes.rule import RECEIVED, TRICKY, make_alarm, read_alarm

# Hypothesis draws naive datetimes between naive bounds.
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (1990, 2035))
Y2001 = FIRST.replace(year=2001)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["on", "off", "\ud800", "2026-10-25T02:30:00", "@a", "a/b"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["state", "zones", "t", "v", "id"]) | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
OBJECTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("state", "zones", "t", "v", "id"), JSON)
)
SYNTAX = [
    *"ab.*@&|!()[]{},:=<>?`'\"-1 ",
    "&&",
    "||",
    "==",
    "length(",
    "[?",
    "[]",
    "not_null(",
]
PAYLOADS = st.binary(max_size=300) | (JSON | OBJECTS).map(
    lambda value: json.dumps(value).encode()
)
TOPICS = (
    st.lists(st.text(max_size=5), min_size=1, max_size=4).map("/".join)
    | st.just("s/d/e")
    | st.just("z5/x")
)
ABSENCES = st.timedeltas(timedelta(0), timedelta(days=30))


@given(TOPICS, PAYLOADS, st.booleans(), ABSENCES)
@example(
    "s/d/e",
    b'{"state":"on","v":[[[[1e400]]]],"t":-1e999,"id":{}}',
    False,
    RECEIVED - RECEIVED,
)
@example("s/d/e", b'{"state":"on","t":' + b"9" * 90 + b"}", False, RECEIVED - RECEIVED)
def test_anything_gives_a_reading_or_a_refusal(
    topic: str, payload: bytes, retained: bool, absence: timedelta
) -> None:
    alarm = make_alarm(topic, payload, retained=retained, absence=absence)
    result = read_alarm(TRICKY, alarm)
    if isinstance(result, NotTaken):
        assert result.outcome in {
            Outcome.UNMATCHED,
            Outcome.RETAINED,
            Outcome.STALE,
            Outcome.INVALID,
        }
        assert len(result.detail) <= 500
        result.detail.encode()
        return
    _check_bounds(result)
    assert read_alarm(TRICKY, alarm) == result


def _check_bounds(reading: Reading) -> None:
    for value in reading.fields.values():
        texts = (value,) if isinstance(value, str) else value
        assert len(texts) <= MAX_ITEMS
        for text in texts:
            assert len(text) <= MAX_VALUE
            assert not any(char < " " for char in text)
            text.encode()
    assert len(reading.cameras) <= MAX_ITEMS + 1
    reading.key.encode()


@given(
    st.binary(max_size=200),
    st.sampled_from(PayloadFormat),
    st.sampled_from(["utf-8", "latin-1", "utf-16", "shift_jis", "cp1252"]),
    st.sampled_from(Packing),
)
def test_any_bytes_parse_or_are_bad_input(
    raw: bytes, form: PayloadFormat, encoding: str, packing: Packing
) -> None:
    wrapping = Wrapping(format=form, encoding=encoding, unpack=packing)
    try:
        read_payload(raw, wrapping)
    except BadInput as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


@given(st.binary(max_size=100), st.integers(6, 50))
def test_what_is_kept_is_bounded_and_storable(raw: bytes, limit: int) -> None:
    kept = keepable(raw, limit)
    assert len(kept.encode()) <= limit
    assert "\0" not in kept
    kept.encode()


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(SYNTAX), max_size=15).map("".join)
)
def test_any_text_is_an_expression_or_bad_input(text: str) -> None:
    try:
        Expression.parse(text)
    except BadInput as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


EXPRESSIONS = [
    Expression.parse(text)
    for text in (
        "v > `1`",
        "sort_by(@, &v)[0].v",
        "max(v)",
        "*.v[] | [?@ > `3`]",
        "join(',', v)",
        "floor(v)",
        "avg(v)",
        "to_string(@)",
        "v[::-1]",
        "{a: v, b: @}",
        "!v && keys(@)",
        "bits(v)",
        "from_json(v)",
        "split(v, '/')[0]",
        "substr(v, `-3`, `2`)",
        "replace(upper(trim(v)), 'A', topic())",
        "captured('x') == lower(v)",
    )
]


@given(JSON, st.sampled_from(EXPRESSIONS))
def test_evaluation_fails_in_one_way(value: object, expression: Expression) -> None:
    try:
        holds = expression.is_true(value)
    except ExpressionError as error:
        holds, said = False, str(error)
    else:
        said = ""
    assert isinstance(holds, bool)
    assert len(said) < 300


LEVELS = st.sampled_from(["a", "b", "", "$a", "a b", "é"])
FILTERS = st.lists(LEVELS | st.just("+"), min_size=1, max_size=4).flatmap(
    lambda levels: st.sampled_from([levels, [*levels, "#"], ["#"]])
)


@given(FILTERS, st.lists(LEVELS, min_size=1, max_size=5))
def test_match_agrees_with_paho(levels: list[str], topic_levels: list[str]) -> None:
    topic_filter, topic = "/".join(levels), "/".join(topic_levels)
    assume(topic_filter)
    assume(topic)
    pattern = TopicPattern.parse(topic_filter)
    assert pattern.filter == topic_filter
    assert (pattern.match(topic) is not None) is topic_matches_sub(topic_filter, topic)


@given(st.lists(LEVELS | st.just("+"), min_size=1, max_size=4), st.data())
def test_captures_match_as_their_filter_does(
    levels: list[str], data: st.DataObject
) -> None:
    named = [
        f"{{n{index}}}" if level == "+" else level for index, level in enumerate(levels)
    ]
    topic = [data.draw(LEVELS) if level == "+" else level for level in levels]
    assume(any(levels))
    pattern = TopicPattern.parse("/".join(named))
    found = pattern.match("/".join(topic))
    assert pattern.filter == "/".join(levels)
    if levels[0] == "+" and topic[0].startswith("$"):
        assert found is None
    else:
        assert found == {
            f"n{index}": topic[index]
            for index, level in enumerate(levels)
            if level == "+"
        }


@given(st.text(alphabet="a/+#{}$x_1é\0", max_size=20))
def test_any_text_is_a_pattern_or_bad_input(text: str) -> None:
    try:
        pattern = TopicPattern.parse(text)
    except BadInput:
        return
    assert "{" not in pattern.filter
    assert pattern.filter.count("/") == text.count("/")


VALUES = st.text(alphabet="a,/%2FC", max_size=4)
FIELDS = st.dictionaries(
    st.sampled_from("abc"),
    VALUES.filter(bool) | st.lists(VALUES, min_size=1, max_size=3).map(tuple),
)


@given(FIELDS, FIELDS)
def test_different_values_have_different_keys(
    one: dict[str, FieldValue], other: dict[str, FieldValue]
) -> None:
    names = ("a", "b", "c")
    same_key = group_key(names, one) == group_key(names, other)
    assert same_key is (one == other)


@given(FIELDS, st.lists(st.sampled_from(["x", "@x", "{a}", "@{a}{b}", "q{c}"])))
def test_groups_come_from_templates_only(
    fields: dict[str, FieldValue], templates: list[str]
) -> None:
    refs = expand_cameras(templates, fields)
    assert len(set(refs)) == len(refs)
    has_group = any(template.startswith("@") for template in templates)
    assert any(ref.is_group for ref in refs) is has_group


ZONES = st.sampled_from(
    [
        UTC,
        timezone(timedelta(hours=-9, minutes=-30)),
        ZoneInfo("Europe/Amsterdam"),
        ZoneInfo("Australia/Lord_Howe"),
        ZoneInfo("Africa/Casablanca"),
    ]
)
INSTANTS = st.datetimes(
    FIRST,
    LAST,
    timezones=st.just(UTC),
)
LOCAL = st.datetimes(FIRST, LAST).map(lambda at: at.isoformat())
TIMES = (
    JSON | st.integers() | st.floats() | LOCAL | st.text(alphabet="0123456789-:TZ. ")
)


@given(TIMES, INSTANTS, ABSENCES, ZONES)
def test_a_moment_is_always_within_bounds(
    value: object, received_at: datetime, absence: timedelta, zone: timezone
) -> None:
    moment = read_moment(value, received_at=received_at, absence=absence, zone=zone)
    assert moment.earliest <= moment.at <= moment.latest
    assert moment.latest <= received_at + TOLERANCE
    for at in (moment.earliest, moment.at, moment.latest):
        assert at.microsecond % 1000 == 0
    if moment.is_from_receipt:
        assert timedelta(0) <= received_at - moment.at < timedelta(milliseconds=1)
    else:
        assert moment.earliest.year >= 2000
        assert moment.latest - moment.earliest <= timedelta(hours=2)


@given(
    st.datetimes(Y2001, LAST),
    ZONES,
    st.sampled_from([0, 1]),
)
def test_local_time_comes_back(at: datetime, zone: timezone, fold: int) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    real = at.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    local = real.astimezone(zone).replace(tzinfo=None)
    moment = read_moment(
        local.isoformat(),
        received_at=datetime(2036, 1, 1, tzinfo=UTC),
        absence=timedelta(0),
        zone=zone,
    )
    assert real in {moment.earliest, moment.latest}
    assert moment.source in {TimeSource.PAYLOAD, TimeSource.AMBIGUOUS}


@given(
    st.datetimes(Y2001, LAST, timezones=st.just(UTC)),
    st.sampled_from([0, 3, 6, 9]),
    st.booleans(),
)
def test_epoch_units_are_told_apart(at: datetime, digits: int, is_text: bool) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    number = at_ms * 10**digits // 1000
    moment = read_moment(
        str(number) if is_text else number,
        received_at=datetime(2036, 1, 1, tzinfo=UTC),
        absence=timedelta(0),
        zone=UTC,
    )
    expected = at if digits else at.replace(microsecond=0)
    assert moment.at == expected
    assert moment.source is TimeSource.PAYLOAD
