"""The example: a file that loads, in which every key can be seen."""

from collections.abc import Iterator

from evidenced.config.models import Config
from evidenced.config.tomltext import to_toml
from evidenced.config.tree import Key, KeyNode, ListOf, MapOf, Table, inner_table, tree

WIDTH = 88
_EXAMPLE_NAMES = {
    "notify": "duty",
    "recorders": "main",
    "cameras": "lobby",
    "destinations": "nas",
}
_EXAMPLE_GROUPS = {"entrance": ("lobby",)}


def render_example() -> str:
    """config/evidenced.example.toml: every key; those without a default commented."""
    lines = [
        "# Every key of evidenced with its default; README.md beside this file has the",
        "# details. A commented key has no default: it shows an example.",
    ]
    for name, key in tree(Config).keys.items():
        shown = (
            _example_key(key)
            if isinstance(key.node, ListOf) and inner_table(key.node) is None
            else _example_section(name, key.node)
        )
        lines += ["", *_comment(key.description), *shown]
    return "\n".join(lines) + "\n"


def _example_section(name: str, node: KeyNode) -> Iterator[str]:
    match node:
        case Table():
            yield from _example_table(f"[{name}]", node, name)
        case MapOf(Table() as table):
            place = f"{name}.{_EXAMPLE_NAMES[name]}"
            yield from _example_table(f"[{place}]", table, place)
        case ListOf(Table() as table):
            yield from _example_table(f"[[{name}]]", table, name)
        case _:
            yield f"[{name}]"
            yield from (f"{k} = {to_toml(v)}" for k, v in _EXAMPLE_GROUPS.items())


def _example_table(heading: str, table: Table, place: str) -> Iterator[str]:
    yield heading
    inner: list[Key] = []
    for key in table.keys.values():
        if inner_table(key.node) is not None:
            inner.append(key)
            continue
        yield ""
        yield from _comment(key.description)
        yield from _example_key(key)
    for key in inner:
        yield ""
        yield from _comment(key.description)
        lines = _example_section(f"{place}.{key.name}", key.node)
        # what is empty by default stays a comment as a whole
        yield from lines if isinstance(key.node, Table) else _commented(lines)


def _example_key(key: Key) -> Iterator[str]:
    if key.is_required:
        yield f"{key.name} = {to_toml(key.example)}"
    elif key.default is None:
        yield f"#{key.name} = {to_toml(key.example)}"
    else:
        if key.example is not None:
            yield f"# For example: {to_toml(key.example)}"
        yield f"{key.name} = {to_toml(key.plain_default)}"


def _comment(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line


def _commented(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.startswith("#") or not line else f"#{line}"
