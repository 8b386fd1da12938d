"""Which rules and conditions a topic concerns, without a look at all of them.

A tree of the levels of their filters, as brokers have it: what a message costs depends
on the depth of its topic, not on how many rules there are.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from evidenced.core.alarms.topic import TopicPattern

T = TypeVar("T")
_in_order = itemgetter(0, 1)
_HERE = "\0"
"""A key that no level of a topic can be: MQTT forbids NUL."""


class Router(Generic[T]):
    """Things by the patterns of their topics; an earlier one is found first."""

    def __init__(self, routed: Iterable[tuple[Sequence[TopicPattern], T]]) -> None:
        self._tree: dict[str, Any] = {}
        for n, (patterns, thing) in enumerate(routed):
            for m, pattern in enumerate(patterns):
                node = self._tree
                for level in pattern.filter.split("/"):
                    node = node.setdefault(level, {})
                node.setdefault(_HERE, []).append((n, m, pattern, thing))

    def find(self, topic: str) -> list[tuple[T, dict[str, str]]]:
        """What has a pattern that the topic matches, with what its first one captures.

        In the order of the things.
        """
        if not self._tree:
            return []
        nodes, ended = [self._tree], list[dict[str, Any]]()
        for level in topic.split("/"):
            ended += [node["#"] for node in nodes if "#" in node]
            nodes = [node[key] for node in nodes for key in (level, "+") if key in node]
        ended += nodes
        ended += [node["#"] for node in nodes if "#" in node]
        found: dict[int, tuple[T, dict[str, str]]] = {}
        listed = [each for node in ended for each in node.get(_HERE, ())]
        if len(listed) > 1:
            listed.sort(key=_in_order)
        for n, _, pattern, thing in listed:
            if n not in found and (levels := pattern.match(topic)) is not None:
                found[n] = thing, levels
        return list(found.values())
