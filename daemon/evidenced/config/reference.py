"""The key reference, the example and the JSON Schema, generated from the models.

`python -m evidenced.config.reference [FOLDER]` writes all three; a test holds the
committed files against these functions.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from evidenced.config.example import render_example
from evidenced.config.forms import Form
from evidenced.config.models import Config
from evidenced.config.schema import render_schema
from evidenced.config.shipped import render_systems
from evidenced.config.tomltext import to_toml
from evidenced.config.tree import (
    Key,
    KeyNode,
    Leaf,
    ListOf,
    MapOf,
    Table,
    inner_table,
    tree,
)
from evidenced.core.errors import BadInput

_README = """\
# Configuration

One TOML file, `/etc/evidenced/evidenced.toml` unless `-c` or `$EVIDENCED_CONFIG` says
otherwise. `evidenced check` tells all faults of a file at once; `SIGHUP` loads it anew,
as a whole or not at all.

| here | what it is |
|---|---|
| `evidenced.example.toml` | every key with its default; others are commented |
| `evidenced.schema.json` | the same for editors (`evidenced schema` prints it) |
| `systems/` | ready-made rules, one file for each alarm system; below |
| `bad/` | one file for each fault; its first line is what is said about it |

This page, the example and the schema are generated from `daemon/evidenced/config` by
`python -m evidenced.config.reference`.

What the keys below take:

- **Duration**: `"250ms"`, `"30s"`, `"2m"`, `"1h30m"`, `"7d"`.
- **Rate**: `"20 Mbit/s"`, `"2 MB/s"`, `"500 kB/s"`, `"1 MiB/s"`, or a number of bytes \
per second; `0` is unlimited. kB, MB and GB are powers of 1000.
- **Secret**: `{ file = "/path" }`, `{ credential = "name" }` (systemd, \
`$CREDENTIALS_DIRECTORY/name`) or `{ env = "NAME" }`; read anew whenever it is needed. \
Text is accepted with a warning.
- **NAME** in a place is a name that you choose, **N** a position, from 0.

The smallest configuration that runs:

```toml
[mqtt]
url = "mqtts://broker.example"

[recorders.main]
url = "https://sense.example"
username = "export"
password = { credential = "sense-password" }

[cameras.lobby]
server = "1001"
device = "2001"

[destinations.nas]
path = 'V:\\evidence\\{rule}-{id}'

[[rules]]
name = "panic-button"
topics = ["panic/{zone}"]
cameras = ["lobby"]
```

## Several files

`include` adds the tables and rules of other files. The same key in two files is a
fault, told with both places. Rules are tried in this order: those of the including
file, then those of each included file. A rule that has the name of an included one is
not another rule: it changes that one, key by key, and one whose default is
none is taken away with `""`. An included file is looked for beside the
including one, then among those that come with evidenced, so a copy of yours counts
instead. `SIGHUP` reads all of them again.

## Ready-made rules

`systems/` has rules for the alarm systems below. Each file opens with what marks an
alarm there, what clears it, which trap the rules handle, and what to adapt. They come
with evidenced: there is nothing to copy.

```toml
include = ["systems/axis.toml"]      # above the first table

[groups]
axis = ["lobby", "door-north"]       # the cameras that its alarms export

[[rules]]
name = "axis-input"                  # changes the included rule; the rest stays
post_roll = "10m"
```

A file exports the group of its own name (`@axis`), which you define; or, where alarms
name a camera (`{camera}`), the camera that you gave the same name. Both can be changed
as `post_roll` is here. Rules in round brackets are off until you write
`enabled = true`.

"""


def render_reference() -> str:
    """config/README.md: every key with its type, default, effect and refusal."""
    lines = [_README + render_systems()]
    for name, key in tree(Config).keys.items():
        lines += _section(name, key)
    return "\n".join(lines).rstrip() + "\n"


def files() -> dict[str, str]:
    """File names in the folder config/ and what they must contain."""
    return {
        "README.md": render_reference(),
        "evidenced.example.toml": render_example(),
        "evidenced.schema.json": render_schema(),
    }


def _section(place: str, key: Key) -> Iterator[str]:
    """A table (or all of one kind) with its keys, then the tables below it."""
    suffix = {MapOf: ".NAME", ListOf: "[N]"}.get(type(key.node), "")
    table = inner_table(key.node)
    heading = (
        place if isinstance(key.node, ListOf) and table is None else place + suffix
    )
    yield from (f"## `{heading}`", "", key.description, "")
    if table is None:
        yield from _facts(place, key)
        return
    for name, entry in table.keys.items():
        if inner_table(entry.node) is None:
            inner = f"{place}{suffix}.{name}"
            yield from (f"### `{inner}`", "", entry.description, "")
            yield from _facts(inner, entry)
    for name, entry in table.keys.items():
        if inner_table(entry.node) is not None:
            yield from _section(f"{place}{suffix}.{name}", entry)


def _facts(place: str, key: Key) -> Iterator[str]:
    default = "none" if key.default is None else f"`{to_toml(key.plain_default)}`"
    yield f"- Must be: {key.node.must_be}"
    yield "- Required" if key.is_required else f"- Default: {default}"
    yield _refusal(place, key.node)
    yield ""


def _refusal(place: str, node: KeyNode) -> str:
    """What is really said about a wrong value, because it is asked here."""
    form, inner = _first_form(node, place)
    try:
        form.parse(form.wrong)
    except BadInput as error:
        text = str(error)
    except ValueError:
        text = form.refuse(form.wrong)
    else:
        raise AssertionError(f"{place} takes {form.wrong!r}")
    return f"- When wrong: `{inner}: {text}`"


def _first_form(node: KeyNode, place: str) -> tuple[Form, str]:
    match node:
        case Leaf(form):
            return form, place
        case ListOf(item):
            return _first_form(item, f"{place}[N]")
        case MapOf(item):
            return _first_form(item, f"{place}.NAME")
        case Table():
            raise AssertionError(f"{place} is a table")


def main(folder: Path) -> None:
    """Write the generated files."""
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["config"]))
