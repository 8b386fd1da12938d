"""Topics with the patterns of other languages: warnings, only sure ones."""

import re
from collections.abc import Iterator

from evidenced.config.draft import Draft, Fault
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.wording import KeyPath

_MEANT = {
    re.compile(r"\.\*|\\[dw]|\[\w-\w\]"): (
        "is no regular expression; write {name} for what a level may be"
    ),
    re.compile(r"\([^()/]*\|[^()/]*\)"): (
        "has brackets, which offer no choice; write {name:a|b}"
    ),
    re.compile(r"\*"): "has a *, which is a character like any other",
}


def odd_topics(draft: Draft) -> Iterator[Fault]:
    """In a topic these are characters like any other, so that nothing comes."""
    for place, topic in _topics(draft):
        meant = next((m for sign, m in _MEANT.items() if sign.search(topic.text)), "")
        if meant:
            yield Fault(place, f"{meant}; MQTT's wildcards are + and #")


def _topics(draft: Draft) -> Iterator[tuple[KeyPath, TopicPattern]]:
    for n, rule in draft.enabled:
        for key, listed in (("topics", rule.topics), ("except", rule.except_)):
            for i, each in enumerate(listed):
                yield ("rules", n, key, i), each
    for name, condition in draft.config.conditions.items():
        yield ("conditions", name, "topic"), condition.topic
