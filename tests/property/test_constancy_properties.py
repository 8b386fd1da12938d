"""What is said to be constant is what evaluation gives, over any payload."""

from hypothesis import example, given
from hypothesis import strategies as st

from evidenced.core.alarms.constancy import constant
from evidenced.core.alarms.expression import Expression, ExpressionError

LITERALS = st.sampled_from(
    ["'a'", "'b'", "''", "`1`", "`1.0`", "`0`", "`true`", "`false`", "`null`", "`[]`"]
)
FIELDS = st.sampled_from(["a", "b", "payload", "a.b", "b[0]", "a[*].b", "@"])
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "&&", "||"])
EXPRESSIONS = st.recursive(
    LITERALS | FIELDS,
    lambda inner: (
        st.tuples(inner, OPERATORS, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | inner.map(lambda text: f"!({text})")
    ),
    max_leaves=8,
)
VALUES = st.sampled_from(
    ["a", "b", "", 0, 1, 1.0, True, False, None, [], [1], {"b": 1}]
)
KEYS = frozenset({"payload"})


@example("('a' == (a || 'a'))", {})  # the truth of a side is not its value
@given(EXPRESSIONS, st.dictionaries(st.sampled_from(["a", "b", "payload"]), VALUES))
def test_what_is_constant_is_true_of_every_payload(
    text: str, payload: dict[str, object]
) -> None:
    expression = Expression.parse(text)
    for keys in (None, KEYS):
        known = constant(expression, keys)
        seen = payload if keys is None else {"payload": payload.get("payload")}
        if known is None:
            continue
        try:
            value = expression.evaluate(seen)
        except ExpressionError:  # what cannot be evaluated does not hold
            assert not known.is_true
            continue
        assert known.is_true is expression.is_true(seen)
        if known.value is None:
            assert value is None
