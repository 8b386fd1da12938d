import pytest

from evidenced.core.alarms.constancy import Known, constant
from evidenced.core.alarms.expression import (
    MAX_DEPTH,
    MAX_EXPRESSION,
    Expression,
    ExpressionError,
)
from evidenced.core.alarms.functions import Context
from evidenced.core.errors import BadInput

PAYLOAD = {
    "state": "active",
    "n": 0,
    "none": None,
    "empty": "",
    "list": [1, "two", {"three": 3}],
    "huge": 1e999,
    "zones": [],
    "off": False,
    "deep": {"a": {"b": "c"}},
    "odd-name": "0",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state", "active"),
        ("deep.a.b", "c"),
        ("missing.a.b", None),
        ('"odd-name"', "0"),
        ("list[2].three", 3),
        ("state == `active`", True),  # the old literal form, still in many examples
        ("length(list)", 3),
        ("not_null(missing, state)", "active"),
    ],
)
def test_evaluate(text: str, expected: object) -> None:
    assert Expression.parse(text).evaluate(PAYLOAD) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state == 'active'", True),
        ("state == 'cleared'", False),
        ("missing", False),
        ("none", False),
        ("empty", False),
        ("zones", False),
        ("off", False),
        ("`{}`", False),
        ("n", True),  # as JMESPath says: 0 is not false
        ("n == `0`", True),
        ("n == `false`", False),
        ('"odd-name"', True),
        ("deep", True),
        ("list[?three]", True),
        ("n < 'a' || state", True),
    ],
)
def test_truth(text: str, *, expected: bool) -> None:
    if "<" in text:
        with pytest.raises(ExpressionError):
            Expression.parse(text).is_true(PAYLOAD)
    else:
        assert Expression.parse(text).is_true(PAYLOAD) is expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("length(n)", "length() takes string or array or object, not number"),
        ("'a' < `1`", "do not compare"),
        ("floor(huge)", "OverflowError"),
        ("sort(list)", "sort() takes"),
        ("list[::0]", "ValueError"),
    ],
)
def test_every_fault_is_an_expression_error(text: str, complaint: str) -> None:
    expression = Expression.parse(text)
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate(PAYLOAD)
    assert complaint in str(caught.value)


def test_deep_data_is_a_fault_not_a_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ExpressionError):
        Expression.parse("to_string(@)").evaluate(deep)


@pytest.mark.parametrize(
    "text",
    [
        "[?contains(whole(), to_string(@))]",
        "[?length(whole()[?@ != `5`]) > `5`]",
        "[@,@,@,@][] | [@,@,@,@][] | [@,@,@,@][] | [@,@,@,@][]",
        "map(&sum(whole()), @)",
    ],
)
def test_no_message_decides_how_long_an_expression_takes(text: str) -> None:
    message = list(range(20_000))
    expression = Expression.parse(text)
    with pytest.raises(ExpressionError, match="more than 1,000,000 steps"):
        expression.evaluate(message, Context(whole=message))
    assert expression.evaluate([1], Context(whole=[1])) is not None  # counted anew


def test_a_long_list_is_filtered() -> None:
    items = [{"id": str(n), "is_on": n == 77} for n in range(50_000)]
    found = Expression.parse("[?is_on && id != '3'].id").evaluate(items)
    assert found == ["77"]


def test_a_fault_never_shows_the_payload() -> None:
    expression = Expression.parse("abs(secret)")
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate({"secret": "PIN 4711"})
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("state = 'a'", "write == to compare"),
        ("state === 'a'", "write == to compare"),
        ("a is 'b'", "write == to compare"),
        ("a == 'x' and b", "write && for and"),
        ("a == 'x' & b", "write && for and"),
        ("a == 'x' or b", "write || for or"),
        ("not(a)", "write ! for not"),
        ("a in b", 'write contains(`["a", "b"]`, key) for one of several'),
        ("state == 1", "write `1` in backquotes for the number, '1' in single quotes"),
        ("level > -5", "write `-5` in backquotes for the number"),
        ("event-type == 'x'", 'stands in double quotes: "event-type"'),
        ("data.event-type == 'x'", 'stands in double quotes: "event-type"'),
        ("relay/0 == 'x'", 'stands in double quotes: "relay/0"'),
        ("geöffnet == 'x'", 'stands in double quotes: "geöffnet"'),
        ("$.state == 'x'", "JMESPath has no $: begin with the first key"),
        ("{door} == 'x'", "captured('name') is what the topic captures"),
        ("a == \u2018x\u2019", "write ' around a text, and no curly quotes"),
        ("a == \u201cx\u201d", "write ' around a text, and no curly quotes"),
        ("a + b", "write sum([a, b]) to add"),
        ("lenght(a)", "did you mean length()?"),
        ("len(a)", "did you mean length()?"),
        ("startswith(a, 'x')", "did you mean starts_with()?"),
        ("substring(a, `1`, `2`)", "did you mean substr()?"),
        ("match(a, 'x')", "JMESPath has no patterns: contains(), starts_with()"),
    ],
)
def test_what_other_languages_write_is_told_with_what_to_write(
    text: str, remedy: str
) -> None:
    with pytest.raises(BadInput, match="is wrong at column") as caught:
        Expression.parse(text)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("state ==", "column 9: it ends too early"),
        ("state = 'a'", "column 7"),
        ("a..b", "column 3: '.' does not belong here"),
        ("'open", "column 1: Unclosed ' delimiter"),
        ("a ~ b", "column 3"),
        ("lenght(a)", "column 1: there is no function lenght()"),
        ("a && length(a, b)", "column 6: length() takes 1, not 2"),
        ("not_null()", "not_null() takes at least 1, not 0"),
        ("[?length() > `1`]", "length() takes 1, not 0"),
        ("(" * 1_500, "wrong at column"),
        ("a" * (MAX_EXPRESSION + 1), "characters long"),
        ("a.b c", "'c' does not belong here"),
    ],
)
def test_refused_with_the_place(text: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        Expression.parse(text)
    said = str(caught.value)
    assert complaint in said or "nested too deeply" in said
    assert "\n" not in said


def test_equal_by_text() -> None:
    one, same, other = (Expression.parse(text) for text in ("a.b", "a.b", "a.c"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert repr(one) == "Expression(text='a.b')"


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_bounded_before_anything_recurses(depth: int) -> None:
    """Also where it is built without nesting: `a||a` has two levels."""
    text = "||".join("a" * depth)
    if depth > MAX_DEPTH:
        with pytest.raises(BadInput, match="nested too deeply"):
            Expression.parse(text)
    else:
        assert constant(Expression.parse(text), frozenset({"b"})) == Known(None)
