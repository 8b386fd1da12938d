"""Rules that are valid and cannot do what they are for: warnings, only sure ones.

A rule that is off is left alone.
"""

from collections.abc import Callable, Iterator

from evidenced.config.draft import Draft
from evidenced.config.faults import Fault
from evidenced.config.rules import RuleConfig
from evidenced.core.alarms.constancy import constant, doubts
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.textpattern import PAYLOAD, TextPattern
from evidenced.core.alarms.topiccoverage import Coverage
from evidenced.core.wording import quote

Numbered = tuple[int, RuleConfig]


def _expressions(rule: RuleConfig) -> Iterator[tuple[tuple[str, ...], Expression]]:
    """Each with its place below the rule."""
    for key in ("when", "clear", "time", "id"):
        text = getattr(rule, key)
        if text is not None:
            yield (key,), text
    for name, text in rule.fields.items():
        yield ("fields", name), text


def _enabled(draft: Draft) -> list[Numbered]:
    return [(n, rule) for n, rule in draft.rules if rule.enabled]


def _doubts(draft: Draft) -> Iterator[Fault]:
    for n, rule in _enabled(draft):
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
    for n, rule in _enabled(draft):
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
    for n, rule in _enabled(draft):
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


def _shadowed(draft: Draft) -> Iterator[Fault]:
    """The first rule that takes a message has it, so a later one may never get any."""
    greedy, picky = Coverage(), dict[Condition, Coverage]()
    rules = dict(_enabled(draft))
    for n, rule in rules.items():
        topics = rule.topics
        condition = (rule.format, rule.pattern, rule.when)
        alike = picky.setdefault(condition, Coverage())
        candidates = greedy.all_of(topics) | alike.all_of(topics)
        other = next(
            (m for m in sorted(candidates) if _leaves_nothing(rules[m], rule)), None
        )
        if other is not None:
            earlier = f"{quote(rules[other].name)} ({draft.locate(('rules', other))})"
            yield Fault(
                ("rules", n),
                f"gets no message: {earlier} takes all of them before it; put this "
                "one first, or narrow that one",
            )
        (greedy if _takes_all(rule) else alike).add(n, topics)


Condition = tuple[str, TextPattern | None, Expression | None]
"""Format, pattern and `when`: rules that share them hold for the same messages."""


def _leaves_nothing(earlier: RuleConfig, later: RuleConfig) -> bool:
    """Whether a rule with fitting topics takes every message of a later one.

    It takes all, or its condition is the same. A message that it refuses (not JSON,
    retained, too old) is left to the next.
    """
    if earlier.retained != "accept" and later.retained == "accept":
        return False
    is_as_old = (earlier.time, earlier.timezone) == (later.time, later.timezone)
    is_as_old = is_as_old and earlier.max_age >= later.max_age
    if earlier.time is not None and not is_as_old:
        return False
    if _takes_all(earlier):
        return earlier.format in {"text", later.format}
    return later.clear in {None, earlier.clear}


RULE_LINTS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _doubts,
    _never,
    _no_clear,
    _shadowed,
)
