"""Where in a message a key stands that somebody looked for at another place."""

from collections.abc import Mapping

from evidenced.core.wording import nearest, quote

_DEPTH = 4
_MOST_LOOKED_AT = 50
_LOOKED_INTO = 3
"""Items of a list."""


def keys_told(found: Mapping[str, object], wanted: str) -> str:
    """The keys that are there, and which of them is meant."""
    names = [str(key) for key in found]
    near = nearest(wanted, names)
    if near is None:
        same = (each for each in names if each.casefold() == wanted.casefold())
        near = next(same, None)
    keys = ", ".join(names[:8]) or "none"
    return f"did you mean {quote(near)}?" if near else f"its keys are {keys}"


def way_to(message: dict[str, object], name: str) -> str:
    """Where a key of this name stands in objects within; empty: nowhere near."""
    level: list[tuple[str, object]] = [("", message)]
    for _ in range(_DEPTH):
        for way, value in level:
            if isinstance(value, dict) and name in value:
                return f"{way}{written(name)}"
        level = [
            (f"{way}{written(str(key))}.", below)
            for way, value in level[:_MOST_LOOKED_AT]
            if isinstance(value, dict)
            for key, below in value.items()
        ]
    return ""


def list_with(message: dict[str, object], name: str) -> str:
    """The list at the top whose items have a key of this name; empty: none."""
    for key, value in message.items():
        items = value[:_LOOKED_INTO] if isinstance(value, list) else []
        if any(isinstance(each, dict) and name in each for each in items):
            return written(str(key))
    return ""


def written(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f'"{name}"'
