"""The rules and conditions of a configuration, found by the topics of messages."""

from collections.abc import Iterable

from evidenced.core.alarms.router import Router
from evidenced.core.alarms.rules import Precondition, Rule


class Switchboard:
    """The rules and conditions of a configuration, by their topics."""

    def __init__(
        self, rules: Iterable[Rule], conditions: Iterable[Precondition] = ()
    ) -> None:
        self.rules = tuple(rules)
        self._conditions = Router(((each.topic,), each) for each in conditions)
        self._rules = Router((rule.topics, rule) for rule in self.rules)

    def conditions_of(self, topic: str) -> list[tuple[Precondition, dict[str, str]]]:
        """Those whose state a message on this topic tells."""
        return self._conditions.find(topic)

    def rules_of(self, topic: str) -> list[tuple[Rule, dict[str, str]]]:
        """Those that read a message on this topic, and what their topics capture."""
        return [
            (rule, levels)
            for rule, levels in self._rules.find(topic)
            if not _is_excepted(rule, topic)
        ]

    def excepting(self, topic: str) -> list[str]:
        """The rules that would read it, but for their `except`."""
        found = self._rules.find(topic)
        return [rule.name for rule, _ in found if _is_excepted(rule, topic)]


def _is_excepted(rule: Rule, topic: str) -> bool:
    return any(each.match(topic) is not None for each in rule.excepted)
