"""Conditions that hold of more messages, or of others, than their words suggest."""

from collections.abc import Callable, Iterator

from evidenced.config.draft import Draft, Fault
from evidenced.config.rules import RuleConfig
from evidenced.core.alarms.constancy import bare_keys, negated_keys
from evidenced.core.alarms.textpattern import PAYLOAD


def _bare(draft: Draft) -> Iterator[Fault]:
    """A key by itself as a condition: 0 and "false" are true in JMESPath."""
    for n, rule in draft.enabled:
        for key in ("when", "clear"):
            condition = getattr(rule, key)
            is_text = rule.format == "text" and rule.each is None
            for name in () if condition is None else bare_keys(condition):
                if name not in pattern_names(rule):
                    text = _true_by_itself(name, is_text=is_text and name == PAYLOAD)
                    yield Fault(("rules", n, key), text)
    for place, condition in draft.config.conditions.items():
        for key, expression in condition.expressions():
            for name in bare_keys(expression):
                is_text = condition.format == "text" and name == PAYLOAD
                text = _true_by_itself(name, is_text=is_text)
                yield Fault(("conditions", place, key), text)


def _negated(draft: Draft) -> Iterator[Fault]:
    """A clear that asks for no value of a key ends alarms by what lacks the key."""
    for n, rule in draft.enabled:
        for name in () if rule.clear is None else negated_keys(rule.clear):
            if rule.format in {"json", "lines"} and name not in pattern_names(rule):
                yield Fault(
                    ("rules", n, "clear"),
                    f"asks for no {name}, which holds of every message without it, and "
                    f"not of 0; compare it, as in {name} == `false` or {name} == `0`",
                )


def _one_state(draft: Draft) -> Iterator[Fault]:
    """A condition has one state, whatever its topic captures."""
    for place, condition in draft.config.conditions.items():
        if condition.topic.names:
            name = condition.topic.names[0]
            yield Fault(
                ("conditions", place, "topic"),
                f"takes every {{{name}}}, and the last message of any of them counts "
                "for all; write a condition for each, and + where they are one",
            )


def _true_by_itself(name: str, *, is_text: bool) -> str:
    if is_text:
        return (
            f"{name} by itself holds for every text that is not empty, '0' and 'false' "
            f"too; compare it, as in {name} == '1'"
        )
    return (
        f"{name} by itself holds for 0, '0' and 'false' too; compare it, as in "
        f"{name} == `1` or {name} == `true`"
    )


def pattern_names(rule: RuleConfig) -> tuple[str, ...]:
    """The parts of a text payload that its pattern names."""
    return rule.pattern.names if rule.pattern is not None else ()


TRUTH_LINTS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _bare,
    _negated,
    _one_state,
)
