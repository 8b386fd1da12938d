"""What an expression gives whatever the payload is, as far as that can be known.

For `evidenced check`: a condition that never holds is a rule that never works, and
nobody notices before the alarm. What is not certain is None, never a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from jmespath.exceptions import JMESPathTypeError
from jmespath.lexer import Lexer
from jmespath.visitor import TreeInterpreter

from evidenced.core.alarms.braces import NAME
from evidenced.core.alarms.expression import Expression, ExpressionError, truth

ExpressionNode = dict[str, Any]

WORDS = frozenset({"true", "false", "null"})
_SPELT = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_COMPARISONS = frozenset({"lt", "lte", "gt", "gte", "eq", "ne"})
_WITHIN = frozenset(
    {
        "subexpression",
        "index_expression",
        "pipe",
        "flatten",
        "projection",
        "value_projection",
        "filter_projection",
    }
)
"""Nodes whose first part is looked at by the others: these see no payload."""
_DECIDED_BY = {"and_expression": False, "or_expression": True}
"""The truth of a first part with which the second one is not looked at."""
_WAYS = frozenset({"field", "subexpression", "index_expression", "index", "identity"})
_WHOLE_MESSAGE = "whole"
"""A function that looks at the payload without being given any of it."""
_AROUND = frozenset({"captured", "topic"})


@dataclass(frozen=True, slots=True)
class Known:
    """A value that does not depend on the payload; null where it always fails."""

    value: object

    @property
    def is_true(self) -> bool:
        return truth(self.value)


def constant(
    expression: Expression, keys: frozenset[str] | None = None
) -> Known | None:
    """What it gives for every payload; None if that depends, or is not certain.

    `keys` are all that a payload can have at its top; None if it may have any.
    """
    if not _is_fixed(expression.tree, keys) or _asks_around(expression.tree):
        return None
    try:
        return Known(expression.evaluate({}))
    except ExpressionError:
        return Known(None)


def reads_payload(expression: Expression | None) -> bool:
    """Whether the payload has any part in what it gives."""
    return expression is not None and not _is_fixed(expression.tree, None)


def names_asked(expression: Expression) -> Iterator[str]:
    """The names that it asks captured() for, as far as they are written out."""
    for node in _nodes(expression.tree):
        is_one = node["type"] == "function_expression" and node["value"] == "captured"
        if is_one and node["children"][0]["type"] == "literal":
            yield str(node["children"][0]["value"])


def bare_keys(expression: Expression) -> list[str]:
    """The keys that it takes for true by themselves.

    Not one beside a comparison, nor one below another: that it is there may be all that
    is asked.
    """
    return _bare(expression.tree)


def _bare(node: ExpressionNode) -> list[str]:
    if node["type"] == "field" and node["value"] not in WORDS:
        name = str(node["value"])
        return [name if NAME.fullmatch(name) else f'"{name}"']
    if node["type"] not in _DECIDED_BY:
        return []
    one, other = map(_bare, node["children"])
    is_and = node["type"] == "and_expression"
    return one + other if (one and other) or not is_and else []


def negated_keys(expression: Expression) -> list[str]:
    """The ways into the payload that it takes for false by themselves, alone."""
    node = expression.tree
    if node["type"] != "not_expression":
        return []
    [way] = node["children"]
    is_way = all(each["type"] in _WAYS for each in _nodes(way))
    text = expression.text.strip().removeprefix("!").strip().strip("()")
    return [text] if is_way and way["type"] != "current" else []


def keys_of(expression: Expression) -> frozenset[str]:
    """The keys that it looks up at the top of the payload."""
    return frozenset(_top_keys(expression.tree))


def _top_keys(node: ExpressionNode) -> Iterator[str]:
    if node["type"] == "field":
        yield str(node["value"])
    parts = [child for child in node["children"] if isinstance(child, dict)]
    for part in parts[:1] if node["type"] in _WITHIN else parts:
        yield from _top_keys(part)


def _nodes(node: ExpressionNode) -> Iterator[ExpressionNode]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _asks_around(node: ExpressionNode) -> bool:
    """Whether it asks for the topic, or what that captures."""
    return any(
        each["type"] == "function_expression" and each["value"] in _AROUND
        for each in _nodes(node)
    )


@lru_cache(maxsize=1024)
def doubts(expression: Expression) -> tuple[str, ...]:
    """What is valid and surely meant otherwise: one sentence each."""
    return tuple(_doubted(expression))


def _doubted(expression: Expression) -> Iterator[str]:
    for word in sorted(_compared_words(expression.tree)):
        yield (
            f"compares with a key of the payload that is called {word}; "
            f"write `{_SPELT.get(word, word)}` in backquotes for the value"
        )
    for node in _nodes(expression.tree):
        if node["type"] == "subexpression" and (
            node["children"][0]["type"] == "not_expression"
        ):
            yield (
                "asks for a key of what ! gives, which has none; write !(...) around "
                "the whole way, as in !(door.open)"
            )
            break
    tokens = list(Lexer().tokenize(expression.text))
    for before, token in pairwise(tokens):
        is_text = token["type"] == "quoted_identifier"
        if is_text and before["type"] in _COMPARISONS:
            name = str(token["value"])
            if NAME.fullmatch(name) and name not in WORDS:
                yield (
                    f'compares with a key of the payload that is called "{name}"; '
                    f"write '{name}' in single quotes for the text"
                )


def _is_fixed(node: ExpressionNode, keys: frozenset[str] | None) -> bool:
    """Whether nothing in it depends on the payload."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return keys is not None and node["value"] not in keys
    if kind in {"current", "identity"}:
        return False
    if kind == "function_expression" and node["value"] == _WHOLE_MESSAGE:
        return False
    if kind in _WITHIN:
        return _is_fixed(children[0], keys)
    parts = [child for child in children if isinstance(child, dict)]
    is_short = kind in _DECIDED_BY and _is_fixed(parts[0], keys)
    if is_short and not _asks_around(parts[0]):
        decides = _truth_of(parts[0])
        return decides in {None, _DECIDED_BY[kind]} or _is_fixed(parts[1], keys)
    return all(_is_fixed(part, keys) for part in parts)


def _truth_of(node: ExpressionNode) -> bool | None:
    """Of a part that is fixed; None where it cannot be evaluated."""
    try:
        return truth(TreeInterpreter().visit(node, {}))
    except (JMESPathTypeError, TypeError, ArithmeticError, ValueError):
        return None


def _compared_words(node: ExpressionNode) -> Iterator[str]:
    for child in node["children"]:
        if not isinstance(child, dict):
            continue
        is_word = child["type"] == "field" and child["value"] in WORDS | _SPELT.keys()
        if node["type"] == "comparator" and is_word:
            yield child["value"]
        yield from _compared_words(child)
