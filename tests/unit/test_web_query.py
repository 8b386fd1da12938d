from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.errors import BadInput
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.web.bodies import SilenceBody, TriggerBody, read_json
from evidenced.web.query import PARAMETERS, read_filter, read_time

AT = datetime(2026, 11, 23, 6, 15, 30, 250_000, tzinfo=UTC)


def test_nothing_asked_is_the_default() -> None:
    assert read_filter([]) == IncidentFilter()


def test_everything_asked() -> None:
    assert read_filter(
        [
            ("state", "waiting,exporting"),
            ("state", "failed"),
            ("rule", "door-forced"),
            ("camera", "lobby"),
            ("since", "2026-11-23T06:15:30.250Z"),
            ("until", "2026-11-23T08:15:30.250+01:00"),
            ("q", "noord ø"),
            ("limit", "500"),
        ]
    ) == IncidentFilter(
        states=(
            IncidentState.WAITING,
            IncidentState.EXPORTING,
            IncidentState.FAILED,
        ),
        rule="door-forced",
        camera="lobby",
        since=AT,
        until=AT.replace(hour=7),
        text="noord ø",
        limit=500,
    )


def test_empty_values_are_as_good_as_none() -> None:
    assert read_filter([(name, "") for name in PARAMETERS]) == IncidentFilter()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("state", "done", "state is 'done'; there are recording, waiting,"),
        ("limit", "0", "limit is '0'; write a number from 1 to 500"),
        ("limit", "501", "from 1 to 500"),
        ("limit", "٣", "from 1 to 500"),
        ("limit", "-1", "from 1 to 500"),
        ("since", "yesterday", "since is 'yesterday'; write a time with its zone"),
        ("since", "2026-11-23T06:15:30", "with its zone"),
        ("until", "0001-01-01T00:00:00+14:00", "with its zone"),
        ("cursor", "!!", "cursor is '!!'; take `next`"),
        ("cursor", "YWJj", "take `next`"),
        ("cursor", "OTk5OTk5OTk5OTk5OTk5IGE", "take `next`"),
        ("q", "a\x00b", "no control characters"),
        ("rule", "x" * 201, "at most 200"),
        ("coverage", "whole", "coverage is 'whole'; there is gaps"),
        ("stat", "waiting", "a parameter is 'stat'; there is state, rule,"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_filter([(name, value)])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parameter_given_twice_is_no_choice_of_ours() -> None:
    with pytest.raises(BadInput, match="rule is given 2 times"):
        read_filter([("rule", "a"), ("rule", "b")])


def test_a_plus_that_became_a_space_is_read() -> None:
    assert read_time("since", "2026-11-23T07:15:30.250 01:00") == AT


@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=300))))
def test_any_query_is_a_filter_or_a_sentence(pairs: list[tuple[str, str]]) -> None:
    try:
        wanted = read_filter(pairs)
    except BadInput as fault:
        said = str(fault)
    else:
        said = ""
        assert 1 <= wanted.limit <= 500
    assert not said or said.isprintable()
    assert len(said) < 300


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body_is_refused_in_a_sentence(raw: bytes) -> None:
    for model in (TriggerBody, SilenceBody):
        with pytest.raises(BadInput) as caught:
            read_json(model, raw)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the body is not JSON"),
        (b"\xff", "the body is not JSON in UTF-8"),
        (b"[" * 60_000, "the body is not JSON"),
        (b'{"rule": NaN}', "rule is nan; write a text"),
        (b"9" * 9000, "the body is not JSON"),
        (b"[]", "has to be a JSON object"),
        (b"{}", "rule is missing"),
        (b'{"rule": ""}', "write a name"),
        (b'{"rule": "a\\ud800"}', "the body is not JSON"),
        (b'{"rule": "a", "time": "x"}', "a key is 'time'; there are rule,"),
        (b'{"rule": "a", "at": 12}', "at is 12; write a text"),
        (b'{"rule": "a", "at": "12:00"}', "at is '12:00'; write a time"),
        (b'{"rule": "a", "fields": []}', "fields is []; write an object"),
        (b'{"rule": "a", "fields": {"a b": "x"}}', "is 'a b'; use letters"),
        (b'{"rule": "a", "fields": {"a": 1}}', "fields.a is 1; write a text"),
        (b'{"rule": "a", "fields": {"a": "x\\ny"}}', "fields.a is 'x\\\\ny'"),
    ],
)
def test_what_is_wrong_in_a_trigger_is_named(raw: bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_json(TriggerBody, raw)
    assert said.replace("\\\\", "\\") in str(caught.value)


def test_a_trigger() -> None:
    trigger = read_json(
        TriggerBody,
        b'{"rule": "a", "fields": {"door": "N\xc3\xb8rd"}, '
        b'"at": "2026-11-23T06:15:30.250Z"}',
    )
    assert (trigger.rule, trigger.fields, trigger.at) == ("a", {"door": "Nørd"}, AT)
    bare = read_json(TriggerBody, b'{"rule": "a", "fields": null, "at": null}')
    assert (bare.fields, bare.at) == ({}, None)


def test_a_cursor_round_trips() -> None:
    wanted = read_filter([("cursor", "MTc5NTQxNDUzMDI1MCBhLTE")])
    assert wanted.after == (AT, IncidentId("a-1"))


@pytest.mark.parametrize("much", ["T" * 65_000, "T 01:00" * 9_000, " " * 65_000])
def test_a_long_time_is_refused_at_once(much: str) -> None:
    """It held up every loop for 20 s: matching was quadratic in what was sent."""
    begun = process_time()
    with pytest.raises(BadInput, match="write a time with its zone"):
        read_time("at", much)
    assert process_time() - begun < 1


def test_a_time_is_read_whole_or_not_at_all() -> None:
    fine = "2026-11-23T06:15:30.250000Z"
    assert read_time("at", fine) == AT
    with pytest.raises(BadInput):
        read_time("at", fine + " " * 100)
