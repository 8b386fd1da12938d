"""Rules that are valid and cannot do what they are for: warnings, only sure ones.

A rule that is off is left alone.
"""

from collections.abc import Callable, Iterator

from evidenced.config.draft import Draft
from evidenced.config.faults import Fault
from evidenced.config.rules import RuleConfig
from evidenced.core.alarms.constancy import constant, doubts
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.textpattern import PAYLOAD


def _expressions(rule: RuleConfig) -> Iterator[tuple[tuple[str, ...], Expression]]:
    """Each with its place below the rule."""
    for key in ("when", "clear", "time", "id"):
        text = getattr(rule, key)
        if text is not None:
            yield (key,), text
    for name, text in rule.fields.items():
        yield ("fields", name), text


def _doubts(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        for place, expression in _expressions(rule):
            for doubt in doubts(expression):
                yield Fault(("rules", n, *place), doubt)


def _keys_of(rule: RuleConfig) -> frozenset[str] | None:
    """What expressions can find at the top of a payload; None: anything."""
    if rule.format != "text":
        return None
    names = rule.pattern.names if rule.pattern is not None else ()
    return frozenset({PAYLOAD, *names})


def _never(draft: Draft) -> Iterator[Fault]:
    effects = {
        "when": "so the rule takes no message as an alarm",
        "clear": "so nothing ends its incidents",
    }
    for n, rule in draft.enabled:
        keys = _keys_of(rule)
        for place, expression in _expressions(rule):
            known = constant(expression, keys)
            if place[0] in effects and known is not None and not known.is_true:
                text = f"never holds, {effects[place[0]]}; {_advice(keys)}"
            elif place[0] not in effects and known is not None and known.value is None:
                text = f"never gives anything; {_advice(keys)}"
            else:
                continue
            yield Fault(("rules", n, *place), text)


def _advice(keys: frozenset[str] | None) -> str:
    if keys is None:
        return "try it with evidenced explain"
    names = ", ".join(sorted(keys))
    return f'with format = "text" expressions see only {names}, not the topic'


def _takes_all(rule: RuleConfig) -> bool:
    if rule.when is None:
        return True
    known = constant(rule.when, _keys_of(rule))
    return known is not None and known.is_true


def _no_clear(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        if rule.clear is None and rule.clear_within:
            yield Fault(
                ("rules", n, "clear_within"),
                "has no effect without clear; add that or leave it out",
            )
        if rule.clear is not None and rule.when is not None and _takes_all(rule):
            yield Fault(
                ("rules", n, "clear"),
                "is never reached, because when holds for every message; narrow that",
            )
        if rule.clear is not None and rule.max_length < rule.pre_roll:
            yield Fault(
                ("rules", n, "max_length"),
                "is shorter than pre_roll: an alarm that goes on becomes very many "
                "incidents; make it longer",
            )


RULE_LINTS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _doubts,
    _never,
    _no_clear,
)
