"""Which of many topic patterns cover another, without comparing it with each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from evidenced.core.alarms.topic import TopicPattern

_ENDS = "\0ends"
_GLUED = "\0glued"
"""Keys that no level of a topic can be: MQTT forbids NUL."""


@dataclass(slots=True)
class Coverage:
    """Patterns by their levels, as a tree; each belongs to a number."""

    _tree: dict[str, Any] = field(default_factory=dict)

    def add(self, number: int, patterns: Iterable[TopicPattern]) -> None:
        for pattern in patterns:
            node = self._tree
            for level in pattern.text.split("/"):
                node = node.setdefault(_kind(level), {})
            node.setdefault(_ENDS, []).append((number, pattern))

    def all_of(self, patterns: Iterable[TopicPattern]) -> set[int]:
        """The numbers whose patterns together cover each of these."""
        found = [self._covering(pattern) for pattern in patterns]
        return set.intersection(*found) if found else set()

    def _covering(self, pattern: TopicPattern) -> set[int]:
        nodes, ended = [self._tree], list[dict[str, Any]]()
        for level in pattern.text.split("/"):
            ended += [node["#"] for node in nodes if "#" in node]
            kinds = {_kind(level), "+", _GLUED}
            nodes = [node[kind] for node in nodes for kind in kinds if kind in node]
        ended += [node["#"] for node in nodes if "#" in node]
        return {
            number
            for node in (*nodes, *ended)
            for number, other in node.get(_ENDS, ())
            if other.covers(pattern)
        }


def _kind(level: str) -> str:
    """Levels that cover the same, as far as one look can tell."""
    if level.startswith("{") and level.endswith("}"):
        return "+"
    return _GLUED if "{" in level else level
