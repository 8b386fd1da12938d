"""Comparisons that never hold, whatever comes: what both sides can be is known.

A text is no number, what lower() gives has no capitals, and one key is not two texts at
once. Only what is sure: of a key of a JSON payload anything may be expected.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps

from evidenced.core.alarms.constancy import ExpressionNode
from evidenced.core.alarms.expression import Expression

TEXT, NUMBER, TRUTH, LIST, OBJECT = "text", "number", "true or false", "list", "object"
_GIVES: Mapping[str, str] = {
    **dict.fromkeys(
        ("captured", "topic", "trim", "lower", "upper", "replace", "substr", "hex"),
        TEXT,
    ),
    **dict.fromkeys(("to_string", "join", "type", "from_base64", "from_bytes"), TEXT),
    **dict.fromkeys(("to_number", "length", "sum", "avg", "abs"), NUMBER),
    **dict.fromkeys(("floor", "ceil", "divide"), NUMBER),
    **dict.fromkeys(("contains", "starts_with", "ends_with"), TRUTH),
    **dict.fromkeys(("bits", "split", "keys", "values", "items", "to_array"), LIST),
    **dict.fromkeys(("zip", "pairs"), LIST),
}
_ITEMS: Mapping[str, str] = {"bits": NUMBER, "split": TEXT, "keys": TEXT}
_KEPT: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": lambda text: text.strip(_ENDS),
}
"""What a function makes of a text that is such already: the same."""
_ENDS = " \t\r\n\0"
_TYPES = frozenset({"array", "boolean", "null", "number", "object", "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTraits:
    """What is known of the messages: keys that are texts, and those that are stripped.

    `captured` are the only values that a captured level can have, where those are told.
    """

    texts: frozenset[str] = frozenset()
    stripped: frozenset[str] = frozenset()
    captured: Mapping[str, frozenset[str]]
    takes_topic: Callable[[str], bool]


def impossible(expression: Expression, known: MessageTraits) -> Iterator[str]:
    """One sentence for each comparison that comes out the same for every message."""
    yield from _of(expression.tree, known)


def _of(node: ExpressionNode, known: MessageTraits) -> Iterator[str]:
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _of(child, known)
    match node["type"]:
        case "comparator" if node["value"] in {"eq", "ne"}:
            one, other = node["children"]
            why = _why_not(one, other, known) or _why_not(other, one, known)
            always = "never holds" if node["value"] == "eq" else "always holds"
            if why:
                yield f"a comparison {always}: {why}"
        case "function_expression" if node["value"] == "contains":
            yield from _of_items(*node["children"])
        case "and_expression":
            yield from _of_both(*node["children"])
        case _:
            pass


def _why_not(one: ExpressionNode, other: ExpressionNode, known: MessageTraits) -> str:
    """Why the first can never be what the second is, a value that is written out."""
    if other["type"] != "literal" or other["value"] is None or one["type"] == "literal":
        return ""
    value = other["value"]
    given, wanted = _gives(one, known), _kind(value)
    if given and given != wanted:
        both = f"{_said(one)} is {_a(given)}, {_shown(value)} is {_a(wanted)}"
        return both + _cure(given, value)
    if not isinstance(value, str):
        return ""
    if _is_function(one):
        return _why_no_result(one, value, known)
    is_stripped = one["type"] == "field" and one["value"] in known.stripped
    if is_stripped and value != value.strip(_ENDS):
        return f"{one['value']} has no white space at its ends, {value!r} has"
    return ""


def _why_no_result(function: ExpressionNode, value: str, known: MessageTraits) -> str:
    """Why a function never gives this text."""
    name, why = function["value"], ""
    if name in _KEPT and _KEPT[name](value) != value:
        why = f"{name}() never gives {value!r}; write {_KEPT[name](value)!r}"
    elif name == "type" and value not in _TYPES:
        why = f"type() gives one of {', '.join(sorted(_TYPES))}"
    elif name == "topic" and not known.takes_topic(value):
        why = f"no topic of the rule is {value!r}"
    elif name == "captured" and function["children"][0]["type"] == "literal":
        level = str(function["children"][0]["value"])
        values = known.captured.get(level, {value})
        if value not in values:
            why = f"{{{level}}} is one of {', '.join(sorted(values))}"
    return why


def _of_items(subject: ExpressionNode, wanted: ExpressionNode) -> Iterator[str]:
    """`contains(bits(x), '3')`: a list of numbers has no text in it."""
    kind = _ITEMS.get(subject.get("value", "")) if _is_function(subject) else None
    if kind and wanted["type"] == "literal" and _kind(wanted["value"]) != kind:
        shown = _shown(wanted["value"])
        yield (
            f"contains() never holds: {subject['value']}() gives {kind}s, {shown} is "
            f"{_a(_kind(wanted['value']))}{_cure(kind, wanted['value'])}"
        )


def _of_both(one: ExpressionNode, other: ExpressionNode) -> Iterator[str]:
    """`a == 'x' && a == 'y'`."""
    first, second = _equals(one), _equals(other)
    if first and second and first[0] == second[0] and first[1] != second[1]:
        yield (
            f"&& never holds: {_said(first[0])} is not {_shown(first[1])} and "
            f"{_shown(second[1])} at once; write || for or"
        )


def _equals(node: ExpressionNode) -> tuple[ExpressionNode, object] | None:
    if node["type"] != "comparator" or node["value"] != "eq":
        return None
    one, other = node["children"]
    if one["type"] == "literal":
        one, other = other, one
    is_one = other["type"] == "literal" and one["type"] != "literal"
    return (one, other["value"]) if is_one else None


def _gives(node: ExpressionNode, known: MessageTraits) -> str:
    """What kind of value it is, if it is any; empty: that is not known."""
    if _is_function(node):
        return _GIVES.get(node["value"], "")
    if node["type"] == "field" and node["value"] in known.texts:
        return TEXT
    return TRUTH if node["type"] in {"comparator", "not_expression"} else ""


def _is_function(node: ExpressionNode) -> bool:
    return bool(node["type"] == "function_expression")


def _kind(value: object) -> str:
    match value:
        case bool():
            return TRUTH
        case str():
            return TEXT
        case int() | float():
            return NUMBER
        case list():
            return LIST
        case _:
            return OBJECT


def _a(kind: str) -> str:
    return kind if kind == TRUTH else f"an {kind}" if kind == OBJECT else f"a {kind}"


def _said(node: ExpressionNode) -> str:
    if node["type"] == "not_expression":
        return "what ! makes"
    if _is_function(node):
        return f"{node['value']}()"
    return str(node.get("value") or "it")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return f"`{dumps(value)}`"


def _cure(given: str, value: object) -> str:
    """What to write for the same value of the other kind."""
    if given == TEXT and not isinstance(value, list | dict):
        text = value if isinstance(value, str) else dumps(value)
        return f"; write '{text}'"
    if given == NUMBER and isinstance(value, str) and value.lstrip("-").isdecimal():
        return f"; write `{value}`"
    if given == TRUTH and isinstance(value, str):
        return "; write != in place of !"
    return ""
