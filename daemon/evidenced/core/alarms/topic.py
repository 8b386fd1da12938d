"""Topic patterns: MQTT filters whose levels may be captured by name.

`access/{site}/{door}/forced` subscribes to `access/+/+/forced` and captures two
levels. A capture may be glued to text (`Zone{n}`, `{site}-{door}`), because panels glue
numbers to words; it then subscribes to the whole level and takes only what carries the
text, each capture as little of it as fits. `{site:hq|annex}` takes only these values.
Source: MQTT 5.0, 4.7 (topic names and topic filters).
"""

import re
from dataclasses import dataclass, field
from typing import Self

from evidenced.core.alarms.braces import NAME
from evidenced.core.alarms.payload import quoted
from evidenced.core.errors import BadInput
from evidenced.core.frozen import remembered

MAX_TOPIC_BYTES = 65_535
"""Source: MQTT 5.0, 1.5.4: a UTF-8 string carries its length in two bytes."""

_CAPTURE = re.compile(r"\{([^{}:]*)(:[^{}]*)?\}")


@dataclass(frozen=True)
class TopicPattern:
    """A pattern as written, the MQTT filter to subscribe, and what it captures.

    Build it with `parse`. Two patterns are equal when their texts are. What matches is
    compiled with the first topic: a large site has thousands, and starts without them.
    """

    text: str
    filter: str = field(compare=False, repr=False)
    names: tuple[str, ...] = field(compare=False, repr=False)
    _prefix: str = field(compare=False, repr=False)
    _expression: str = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pattern that `text` says.

        Raises:
            BadInput: it is no topic filter with captures; one sentence says why.
        """
        _check_text(text)
        levels = text.split("/")
        parts = [_parse_level(text, level) for level in levels]
        _check_order(text, levels)
        names = tuple(name for part in parts for name in part.names)
        if twice := [name for name in names if names.count(name) > 1]:
            raise _wrong(text, f"captures {{{twice[0]}}} twice; use two names")
        topic_filter = "/".join(part.filter for part in parts)
        return cls(
            text=text,
            filter=topic_filter,
            names=names,
            _prefix=re.split(r"[{+#]", text, maxsplit=1)[0].removesuffix("/"),
            _expression=_expression(parts, topic_filter),
        )

    def match(self, topic: str) -> dict[str, str] | None:
        """The captured levels of a topic that matches, else None.

        A whole level may be empty, as with `+`; what is glued to text may not.
        """
        # Nearly all patterns are ruled out here, for a tenth of the regex's price.
        if not topic.startswith(self._prefix):
            return None
        found = self._regex.fullmatch(topic)
        return found.groupdict() if found else None

    @remembered
    def _regex(self) -> re.Pattern[str]:
        return re.compile(self._expression, re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Level:
    filter: str
    regex: str
    names: tuple[str, ...] = ()


def _wrong(text: str, why: str) -> BadInput:
    return BadInput(f"topic {quoted(text)} {why}.")


def _check_text(text: str) -> None:
    if not text:
        raise BadInput("topic '' is empty; write at least one level.")
    if not text.isprintable() and re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        raise _wrong(text, "has a control character, which MQTT forbids in filters")
    if len(text.encode()) > MAX_TOPIC_BYTES:
        raise _wrong(text, f"is longer than MQTT's {MAX_TOPIC_BYTES} bytes")
    if text.startswith("$share/"):
        raise _wrong(
            text,
            "is a shared subscription, which would give alarms of one group to several "
            "daemons; subscribe to the topic itself",
        )


def _check_order(text: str, levels: list[str]) -> None:
    if "#" in levels[:-1]:
        raise _wrong(text, "has '#' before its end; '#' must be the last level")
    if levels[0].startswith("$") and "{" in levels[0]:
        raise _wrong(
            text,
            "captures within a level that begins with '$', which no wildcard matches; "
            "write that level out",
        )


def _parse_level(text: str, level: str) -> _Level:
    if level == "+":
        return _Level("+", "[^/]*")
    if level == "#":
        return _Level("#", "")
    for wildcard in "+#":
        if wildcard in level and "{" in level and ":" in level:
            what = f"has a wildcard or a pattern in {level!r}; write the values out"
            raise _wrong(text, f"{what}, as in {{n:1|2}}, or {{n}} for any")
        if wildcard in level:
            what = f"has {wildcard!r} glued to other text in {level!r}"
            raise _wrong(text, f"{what}; {{name}} takes the rest of a level")
    if "{" not in level and "}" not in level:
        return _Level(level, re.escape(level))
    return _parse_capture(text, level)


def _parse_capture(text: str, level: str) -> _Level:
    """A level with captures: literal, name, values, literal, ..., literal."""
    first, *rest = _CAPTURE.split(level)
    literals = [first, *rest[2::3]]
    if any("{" in literal or "}" in literal for literal in literals):
        raise _wrong(text, f"has braces in {level!r} that are not one {{name}}")
    if "" in literals[1:-1]:
        raise _wrong(text, f"has two captures in {level!r} with nothing between them")
    size = "[^/]*" if literals == ["", ""] else "[^/]+?"
    regex = re.escape(first)
    for name, values, literal in zip(rest[::3], rest[1::3], literals[1:], strict=True):
        if not NAME.fullmatch(name):
            raise _wrong(
                text,
                f"has a capture {{{name}}} that is no name (letters, digits and _)",
            )
        taken = _one_of(text, name, values) if values is not None else size
        regex += f"(?P<{name}>{taken}){re.escape(literal)}"
    return _Level("+", regex, tuple(rest[::3]))


def _one_of(text: str, name: str, values: str) -> str:
    words = values[1:].split("|")
    if "" in words or "+" in words or "#" in words:
        raise _wrong(text, f"has an empty value or a wildcard in {{{name}{values}}}")
    return "|".join(map(re.escape, words))


def _expression(parts: list[_Level], topic_filter: str) -> str:
    # A leading wildcard does not match topics that begin with "$", and "#" includes the
    # level above it. Source: MQTT 5.0, 4.7.2 and 4.7.1.2.
    guard = r"(?!\$)" if topic_filter[0] in "+#" else ""
    if topic_filter == "#":
        body = ".*"
    elif topic_filter.endswith("/#"):
        body = "/".join(part.regex for part in parts[:-1]) + "(?:/.*)?"
    else:
        body = "/".join(part.regex for part in parts)
    return guard + body
