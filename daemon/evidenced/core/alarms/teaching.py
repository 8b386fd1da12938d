"""Why a condition holds of a message or does not: what each part of it saw.

For `explain`. A person who wrote "1" for 1 sees both, with their types and what to
write instead.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from evidenced.core.alarms.alarm import Alarm, Moment, TimeSource
from evidenced.core.alarms.constancy import ExpressionNode
from evidenced.core.alarms.expression import Expression, ExpressionError, part_of
from evidenced.core.alarms.functions import Context
from evidenced.core.alarms.keyways import keys_told, list_with, way_to, written
from evidenced.core.alarms.payload import PayloadFormat, one_line
from evidenced.core.alarms.reading import parts_of
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.textpattern import PAYLOAD
from evidenced.core.alarms.timehints import why_ahead, why_unread
from evidenced.core.errors import BadInput

SHOWN_ITEMS = 3
MOST = 20
"""Sentences about one condition."""
_SHOWN = 60
_PATTERN = re.compile(r"[*%]$|^[*%^]|\.\*|\\d|\[\w-\w\]|\$$")
_WAYS = frozenset({"field", "subexpression", "index_expression"})
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_JOINS = frozenset({"and_expression", "or_expression", "not_expression"})
JSON = PayloadFormat.JSON


def observations(
    rule: Rule, alarm: Alarm, levels: Mapping[str, str], item: int | None = None
) -> list[str]:
    """What `when` and `clear` of a rule saw in a message, one sentence each.

    `item` is the one that counts, of a message that holds several; else the first.
    """
    conditions = {"when": rule.when, "clear": rule.clear}
    asked = [(key, each) for key, each in conditions.items() if each is not None]
    try:
        parts = parts_of(rule, alarm, levels)
    except BadInput as error:
        return [str(error)]
    told: list[str] = []
    if not parts and rule.each is not None:
        whole = parts_of(replace(rule, each=None, when=rule.each), alarm, levels)
        for message, context in whole[:3]:
            seen = _Witness(rule, message, context)
            told += [f"each: {what}" for what in seen.of(rule.each)]
    if rule.each is not None and len(parts) == 1 and _is_by_name(parts[0][0]):
        told.append("each: gives one object; values(...) gives each of its values")
    shown = range(len(parts))[:SHOWN_ITEMS] if item is None else [item]
    for n in shown:
        seen = _Witness(rule, *parts[n])
        which = f"message {n + 1} of {len(parts)}: " if len(parts) > 1 else ""
        for key, condition in asked:
            told += [f"{which}{key}: {each}" for each in seen.of(condition)]
    if item is not None and item < len(parts):
        told += _Witness(rule, *parts[item]).of_fields()
    return list(dict.fromkeys(told))[:MOST]


def unread_time(
    rule: Rule, alarm: Alarm, levels: Mapping[str, str], moment: Moment, item: int = 0
) -> list[str]:
    """What `time` saw in a message whose receipt had to serve, and what to write."""
    if rule.time is None or not moment.is_from_receipt:
        return []
    seen = _Witness(rule, *parts_of(rule, alarm, levels)[item])
    value, fault = seen.of_value(rule.time)
    hint = seen.why_missing(rule.time) if value is None else ""
    if moment.source is TimeSource.UNREADABLE:
        hint += why_unread(rule, value)
    elif moment.source is TimeSource.FUTURE:
        hint += why_ahead(rule, value, alarm)
    return [f"time: {fault or 'is ' + kind_of(value)}{hint}"]


def kind_of(value: object) -> str:
    """A value with its type, short: "the number 1", "the text 'on'"."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"the number {one_line(json.dumps(value), _SHOWN)}"
    if isinstance(value, str):
        return f"the text '{one_line(value, _SHOWN)}'"
    if isinstance(value, dict):
        return f"an object with {', '.join(list(value)[:6]) or 'no keys'}"
    return f"a list of {len(value)}" if isinstance(value, list) else "something else"


class _Witness:
    """One message, as the parts of a condition see it."""

    def __init__(self, rule: Rule, message: object, context: Context) -> None:
        self._rule = rule
        self._message = message
        self._context = context

    def of(self, condition: Expression) -> Iterator[str]:
        yield from self._part(condition.tree)

    def of_fields(self) -> Iterator[str]:
        """The fields of the rule that give nothing."""
        for name, expression in self._rule.fields.items():
            value, fault = self.of_value(expression)
            if value is None or fault:
                hint = self.why_missing(expression)
                yield f"fields.{name}: {fault or 'is null'}{hint}"

    def why_missing(self, expression: Expression) -> str:
        """Where what it asks for may be instead; empty: it is there, or nowhere."""
        value, _ = self._value(expression.tree)
        return "".join(self._missing(expression.tree, value))

    def of_value(self, expression: Expression) -> tuple[object, str]:
        return self._value(expression.tree)

    def _part(self, node: ExpressionNode) -> Iterator[str]:
        kind, children = node["type"], node["children"]
        if kind in _JOINS:
            for child in children:
                yield from self._part(child)
        elif kind == "comparator":
            yield self._comparison(node)
        elif kind != "literal":
            value, fault = self._value(node)
            counts = "" if fault else f", which counts as {_truth_word(value)}"
            counts += "" if fault else _surprising(said(node).strip("`"), value)
            where = "".join(self._missing(node, value))
            if kind == "function_expression" and not value:
                where += "".join(self._arguments(node))
            yield f"{said(node)} {fault or 'is ' + kind_of(value)}{counts}{where}"

    def _comparison(self, node: ExpressionNode) -> str:
        left, right = node["children"]
        (one, fault), (other, other_fault) = self._value(left), self._value(right)
        if fault or other_fault:
            return f"{said(node)}: {fault or other_fault}"
        if left["type"] == "literal":
            left, right, one, other = right, left, other, one
        if right["type"] == "literal":
            hint = self._hint(left, one, other)
            what = f"{said(left)} is {self._kind(left, one)}, compared with "
            return f"{what}{kind_of(other)}{hint}"
        two = f"{said(left)} is {kind_of(one)}, {said(right)} is {kind_of(other)}"
        if right["type"] == "field" and other is None and isinstance(one, str):
            return f"{two}: write '{right['value']}' in single quotes for the text"
        return f"{two}{''.join(self._missing(left, one))}"

    def _kind(self, node: ExpressionNode, value: object) -> str:
        """Of the payload itself where a JSON rule asks a value for a key of it."""
        return kind_of(self._bare(node, value))

    def _bare(self, node: ExpressionNode, value: object) -> object:
        is_asked = value is None and said(node) == f"`{PAYLOAD}`"
        is_bare = not isinstance(self._message, dict | list)
        return self._message if is_asked and is_bare else value

    def _hint(self, node: ExpressionNode, value: object, wanted: object) -> str:
        """What to write where two sides cannot be equal, whatever they are."""
        bare = self._bare(node, value)
        if value is None:
            is_text = bare is not None and self._rule.wrapping.format is JSON
            hint = ': write `format = "text"`'
            return hint if is_text else "".join(self._missing(node, value))
        if isinstance(value, str) and isinstance(wanted, str):
            return _hint_of_texts(said(node).strip("`"), value, wanted)
        if isinstance(value, list | dict) and not isinstance(wanted, list | dict):
            return _hint_of_many(said(node).strip("`"), value, wanted)
        return _hint_of_kinds(value, wanted)

    def _arguments(self, node: ExpressionNode) -> Iterator[str]:
        """What a function was given that gave nothing, or that it cannot take."""
        for child in node["children"]:
            if child["type"] in _WAYS:
                value, _ = self._value(child)
                yield f"; {said(child)} is {kind_of(value)}"
                yield from self._missing(child, value)

    def _missing(
        self, node: ExpressionNode, value: object, wanted: str = ""
    ) -> Iterator[str]:
        """Where a name that gives nothing may be instead.

        `wanted` is the last name of a way that begins with it.
        """
        if value is not None:
            return
        if node["type"] in {"subexpression", "index_expression"}:
            yield from self._missing_below(node)
            return
        if node["type"] != "field":
            return
        name = node["value"]
        if name in self._context.captured:
            yield f"; the topic captures it: write captured('{name}')"
        elif isinstance(self._message, dict):
            yield self._elsewhere(self._message, name, wanted or name)
        elif _holds_json(self._message):
            yield "; the payload is text with JSON in it: write from_json(@)"
            yield f".{name}"
        else:
            yield f"; the payload is {kind_of(self._message)} and has no keys"
            if isinstance(self._message, list) and self._rule.each is None:
                yield ': write each = "@" too, to read item by item'

    def _elsewhere(self, message: dict[str, object], name: str, wanted: str) -> str:
        """What to write for a key that is not at the top of the message."""
        rule, whole = self._rule, self._context.whole
        text = message.get(PAYLOAD)
        if rule.pattern is not None and name in rule.pattern.names:
            shown = one_line(str(text), _SHOWN)
            return f"; pattern '{rule.pattern.text}' does not fit the text '{shown}'"
        if rule.wrapping.format is PayloadFormat.TEXT and _holds_json(text):
            return '; the payload is JSON: write format = "json"'
        if rule.each is not None and isinstance(whole, dict) and name in whole:
            return f"; it stands around the list: write whole().{written(name)}"
        is_each = rule.each is not None and _is_by_name(message)
        way = "" if is_each else way_to(message, wanted)
        if way:
            return f"; the payload has no such key at its top: write {way}"
        found = list_with(message, name)
        if found and rule.each is None:
            return f"; it stands in the items of a list: write each = '{found}' too"
        return f"; the payload has no such key, {keys_told(message, name)}"

    def _missing_below(self, node: ExpressionNode) -> Iterator[str]:
        """The first part of a way into the payload that leads no further."""
        children = node["children"]
        for count in range(1, len(children)):
            way = children[0] if count == 1 else node | {"children": children[:count]}
            above, _ = self._value(way)
            if above is None:
                last = children[-1]
                wanted = str(last["value"]) if last["type"] == "field" else ""
                yield from self._missing(children[0], above, wanted)
                return
            name = said(way)
            if _holds_json(above):
                yield f"; {name} is text with JSON in it: write "
                yield f"from_json({name.strip('`')})"
                return
            below = children[count]
            if not isinstance(above, dict) and below["type"] == "field":
                yield f"; {name} is {kind_of(above)}"
                return
            whole = node | {"children": children[: count + 1]}
            if isinstance(above, dict) and self._value(whole)[0] is None:
                key = str(below.get("value", ""))
                yield f"; {name} has no such key, {keys_told(above, key)}"
                return

    def _value(self, node: ExpressionNode) -> tuple[object, str]:
        """What a part gives, or why it cannot."""
        try:
            return part_of(node).evaluate(self._message, self._context), ""
        except ExpressionError as error:
            return None, f"fails: {error}"


def _hint_of_kinds(value: object, wanted: object) -> str:
    """What to write for a text that is compared with a number, and turned around."""
    if isinstance(value, str) and isinstance(wanted, bool | int | float):
        return f": write '{one_line(value, _SHOWN)}' in single quotes for the text"
    if isinstance(wanted, str) and isinstance(value, bool | int | float):
        return f": write `{json.dumps(value)}` in backquotes for the value"
    return ""


def _hint_of_many(
    way: str, value: list[object] | dict[str, object], wanted: object
) -> str:
    """What to write where a list, or an object, is compared with one value."""
    if isinstance(value, list):
        return f": write contains({way}, {_literal_of(wanted)}) for any of them"
    is_buffer = value.get("type") == "Buffer" and isinstance(value.get("data"), list)
    hint = f": the bytes of a buffer: write from_bytes({way}.data)"
    return hint if is_buffer else ""


def _surprising(way: str, value: object) -> str:
    """What to write where a value counts as what few expect."""
    if isinstance(value, bool):
        return ""
    if value == 0 and isinstance(value, int | float):
        return f": write {way} == `1`"
    if isinstance(value, str) and value.lower() in {"0", "false", "off", "no"}:
        return f": compare it, as in {way} == '1'"
    if value == {}:
        return f": write {way} != `null` to ask whether it is there"
    return ""


def _hint_of_texts(way: str, value: str, wanted: str) -> str:
    """What to write where two texts differ by less than they seem to."""
    if value == wanted:
        return ""
    if value.strip().casefold() == wanted.strip().casefold():
        return ": they differ in case or blanks only"
    if _PATTERN.search(wanted) is None:
        return ""
    begin = re.split(r"[*%^$.\\[(]", wanted.lstrip("^"))[0]
    other = f"starts_with({way}, '{begin}') or " if begin else ""
    return f": JMESPath has no patterns: write {other}contains({way}, '...')"


def _literal_of(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _is_by_name(message: object) -> bool:
    """An object of objects: one for each name."""
    values = list(message.values()) if isinstance(message, dict) else []
    return bool(values) and all(isinstance(each, dict) for each in values)


def _holds_json(value: object) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] in {"{", "["}


def _truth_word(value: object) -> str:
    is_false = value is None or value is False or value in ("", [], {})
    return "false" if is_false else "true"


def said(node: ExpressionNode) -> str:
    """A part as somebody would write it, in backquotes."""
    return f"`{_text(node)}`"


def _text(node: ExpressionNode) -> str:
    kind, value = node["type"], node.get("value")
    parts = [_text(each) for each in node["children"] if isinstance(each, dict)]
    if kind == "field":
        return written(str(value))
    if kind == "literal":
        return f"'{value}'" if isinstance(value, str) else json.dumps(value)
    if kind == "function_expression":
        return f"{value}({', '.join(parts)})"
    if kind in _CHAINS:
        return _CHAINS[kind].join(parts)
    form = _FORMS.get(kind, "...")
    if kind in _OF_EACH and parts[1] == "":
        form = form.removesuffix(".{1}")
    sign = _SIGNS.get(str(value))
    return form.format(*parts, value=value, sign=sign).replace(".[", "[")


_OF_EACH = frozenset({"projection", "filter_projection"})
_CHAINS = {"subexpression": ".", "index_expression": "", "pipe": " | "}
"""As many parts as somebody wrote behind each other."""
_FORMS = {
    "flatten": "{0}[]",
    "projection": "{0}.{1}",
    "filter_projection": "{0}[?{2}].{1}",
    "index": "[{value}]",
    "identity": "",
    "current": "@",
    "comparator": "{0} {sign} {1}",
    "and_expression": "{0} && {1}",
    "or_expression": "{0} || {1}",
    "not_expression": "!{0}",
    "expref": "&{0}",
}
