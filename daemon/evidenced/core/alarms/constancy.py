"""What an expression gives whatever the payload is, as far as that can be known.

For `evidenced check`: a condition that never holds is a rule that never works, and
nobody notices before the alarm. What is not certain is None, never a guess.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jmespath.lexer import Lexer

from evidenced.core.alarms.expression import Expression

Node = dict[str, Any]

WORDS = frozenset({"true", "false", "null"})
_ORDERS = frozenset({"lt", "lte", "gt", "gte"})
_COMPARISONS = _ORDERS | {"eq", "ne"}
_OF_NULL = frozenset(
    {"subexpression", "index_expression", "projection", "filter_projection", "flatten"}
)
"""Kinds of nodes that give null where their left side does."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Known:
    """A value that does not depend on the payload; or only its truth, if not exact."""

    value: object
    is_exact: bool = True

    @property
    def is_true(self) -> bool:
        """As JMESPath sees truth: 0 is true. Source: its specification."""
        empty = isinstance(self.value, str | list | dict) and not self.value
        return not (self.value is None or self.value is False or empty)


_FALSE, _TRUE, _NULL = Known(value=False), Known(value=True), Known(value=None)


def constant(
    expression: Expression, keys: frozenset[str] | None = None
) -> Known | None:
    """What it gives for every payload; None if that depends, or is not certain.

    `keys` are all that a payload can have at its top; None if it may have any. Where
    only the truth is certain, the value is true or false.
    """
    return _known(expression.tree, keys)


def doubts(expression: Expression) -> Iterator[str]:
    """What is valid and surely meant otherwise: one sentence each."""
    for word in sorted(_compared_words(expression.tree)):
        yield (
            f"compares with a key of the payload that is called {word}; "
            f"write `{word}` in backquotes for the value"
        )
    tokens = list(Lexer().tokenize(expression.text))
    for before, token in pairwise(tokens):
        is_text = token["type"] == "quoted_identifier"
        if is_text and before["type"] in _COMPARISONS:
            name = str(token["value"])
            if _PLAIN.fullmatch(name) and name not in WORDS:
                yield (
                    f'compares with a key of the payload that is called "{name}"; '
                    f"write '{name}' in single quotes for the text"
                )


def _known(node: Node, keys: frozenset[str] | None) -> Known | None:
    """What this part gives at the top of the payload."""
    kind, children = node["type"], node["children"]
    if kind == "literal":
        return Known(node["value"])
    if kind == "field":
        return _NULL if keys is not None and node["value"] not in keys else None
    if kind in {"and_expression", "or_expression"}:
        return _joined(node, keys)
    parts = [_known(child, keys) for child in children[:2] if isinstance(child, dict)]
    first = parts[0] if parts else None
    if kind == "not_expression" and first is not None:
        return _FALSE if first.is_true else _TRUE
    if kind in _OF_NULL and first is not None and first.value is None:
        return _NULL
    return _compared(node, parts) if kind == "comparator" else None


def _compared(node: Node, parts: list[Known | None]) -> Known | None:
    """Numbers and texts have an order: another value on either side gives null."""
    parts = [part if part and part.is_exact else None for part in parts]
    if node["value"] in _ORDERS:
        has_order = (
            isinstance(part.value, int | float | str) and type(part.value) is not bool
            for part in parts
            if part is not None
        )
        return None if all(has_order) else _NULL
    left, right = parts
    if left is None or right is None:
        return None
    is_equal = type(left.value) is type(right.value) and left.value == right.value
    is_equal = is_equal or _is_same_number(left.value, right.value)
    return _TRUE if is_equal is (node["value"] == "eq") else _FALSE


def _is_same_number(one: object, other: object) -> bool:
    are_numbers = all(type(each) in {int, float} for each in (one, other))
    return are_numbers and one == other


def _joined(node: Node, keys: frozenset[str] | None) -> Known | None:
    is_and = node["type"] == "and_expression"
    left, right = (_known(child, keys) for child in node["children"])
    if left is not None:
        return right if left.is_true is is_and else left
    if right is not None and right.is_true is not is_and:
        return Known(value=not is_and, is_exact=False)  # it may be the left one's value
    if is_and and _contradicts(node):
        return Known(value=False, is_exact=False)
    return None


def _contradicts(node: Node) -> bool:
    """Whether one part has to equal two different values at once."""
    wanted: dict[str, object] = {}
    for part in _conjuncts(node):
        if part["type"] != "comparator" or part["value"] != "eq":
            continue
        sides = sorted(part["children"], key=lambda side: side["type"] == "literal")
        if sides[0]["type"] != "literal" and sides[1]["type"] == "literal":
            value = sides[1]["value"]
            first = wanted.setdefault(repr(sides[0]), value)
            if type(first) is type(value) and first != value:
                return True
    return False


def _conjuncts(node: Node) -> Iterator[Node]:
    if node["type"] != "and_expression":
        yield node
        return
    for child in node["children"]:
        yield from _conjuncts(child)


def _compared_words(node: Node) -> Iterator[str]:
    for child in node["children"]:
        if not isinstance(child, dict):
            continue
        is_word = child["type"] == "field" and child["value"] in WORDS
        if node["type"] == "comparator" and is_word:
            yield child["value"]
        yield from _compared_words(child)
