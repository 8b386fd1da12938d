"""The key reference, the example and the JSON Schema, generated from the models.

`python config/reference.py [FOLDER]` writes all three; a test holds the committed files
against these functions. It is for whoever changes a key, so it is not installed.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from evidenced.config.forms import Form
from evidenced.config.models import Config
from evidenced.config.schema import render_schema
from evidenced.config.shipped import shipped_folder, shipped_names
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

WIDTH = 88
_EXAMPLE_NAMES = {
    "notify": "duty",
    "recorders": "main",
    "cameras": "lobby",
    "destinations": "nas",
    "conditions": "armed",
}
_EXAMPLE_GROUPS = {"entrance": ("lobby",)}
_TITLE = re.compile(r"# (.*)\n")
_PART = re.compile(r"^# ([A-Z][a-z]+): +(.*(?:\n#  +.*)*)", re.MULTILINE)

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
`python config/reference.py`.

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

## Expressions

`when`, `clear`, `time`, `fields` and the others are [JMESPath](https://jmespath.org)
over the payload. What is easily got wrong:

- A text is `'open'` in single quotes, everything else of JSON in backquotes: `` `1` ``,
  `` `true` ``, `` `null` ``. `"1"` is no number: `state == '1'`, or
  ``to_number(state) == `1` ``. `<` and `>` compare numbers only.
- A key with other signs than letters, digits and `_` stands in double quotes, in TOML
  with a backslash: `when = "\\"event-type\\" == 'forced'"`.
- `!a.b` is `(!a).b`, and that is nothing: write `!(a.b)`. As a `clear` it also holds of
  every message without the key, and not of 0: ``a.b == `false` ``.
- A key that is not there is null. False are null, false, `''`, `[]` and `{}`; 0 and
  `'false'` are true.
- JMESPath's own functions refuse null, which is told as a fault of the rule; where
  other messages lack the key, ask for it first: `tags && contains(tags, 'alarm')`.
- `evidenced explain --topic T --payload P` shows what each part of a condition saw.

Functions beside JMESPath's own, each with its subject first; of null they make null:

| expression | over | gives |
|---|---|---|
| `captured('door')` | `access/north`, by topic `access/{door}` | `"north"` |
| `topic()` | `access/north` | `"access/north"` |
| `whole().ts` | an item that `each` took out of `{"ts": 5, "events": [1]}` | `5` |
| `items(zones)` | `{"zones": {"3": "open"}}` | `[["3", "open"]]` |
| `items(inputs)` | `{"inputs": [true, false]}` | `[[0, true], [1, false]]` |
| `zip(names, states)` | `{"names": ["a"], "states": ["open"]}` | `[["a", "open"]]` |
| `pairs(panels, &zones)` | `{"panels": [{"zones": [7]}]}` | `[[{"zones": [7]}, 7]]` |
| `from_json(message).unit` | `{"message": "{\\"unit\\": 4711}"}` | `4711` |
| `from_base64(data)` | `{"data": "b3Blbg=="}` | `"open"` |
| `from_bytes(data)` | `{"type": "Buffer", "data": [79, 78]}` | `"ON"` |
| `hex(from_base64(data))` | `{"data": "AQKp"}` | `"0102a9"` |
| `split(text, ',')[1]` | `{"text": "zone,3,open"}` | `"3"` |
| `trim(name)` | `{"name": " Hall\\u0000"}` | `"Hall"` |
| `lower(state)` | `{"state": "Open"}` | `"open"` |
| `upper(state)` | `{"state": "Open"}` | `"OPEN"` |
| `replace(name, ' ', '-')` | `{"name": "back door"}` | `"back-door"` |
| ``substr(line, `1`, `2`)`` | `{"line": "%01,09"}` | `"01"` |
| `bits(inputs)` | `{"inputs": "80 04"}` | `[8, 11]` |
| ``divide(ms, `1000`)`` | `{"ms": 41500}` | `41.5` |

`bits` gives the numbers of the bits that are set, the lowest one of the first byte
being 1. It takes hex digits, also as `80:04` or `0x80,0x04`, a number, a list of bytes,
and the text of a payload with `format = "text"` or of `from_base64`, whose bytes it
sees. What counts bytes of packed data counts digits: ``substr(hex(from_base64(data)),
`6`, `2`) == '01'`` is the fourth byte.

A retained message that is taken away at the broker comes as an empty one. Where that is
the end: ``format = "text"``, ``when = "from_json(payload).active == `true`"``,
``clear = "payload == ''"``.

`each` over an object: `items(zones)` gives name and value of each, `[0]` and `[1]` in
the other expressions; `values(zones)` the values alone. Over a list `items(inputs)`
gives each with its position, from 0. Lists in lists: `pairs(panels, &zones)` gives each
zone behind its panel, `[0].id` and `[1].state` then; registers whose bits are inputs
are `pairs(items(registers), &bits([1]))`. A message that has only what is set now is
read as one of each that can be: ``each = "`[1, 2, 3]`"``, `when =
"contains(whole().active, @)"`, `clear = "!contains(whole().active, @)"`.

## What devices get wrong

JSON is read with a BOM, NUL bytes, control characters or a buffer's remains behind it,
in UTF-16, with wrong escapes, `NaN`, `1.#QNAN`, `None`, `True`, `007`, `.5`, `21,5`, a
comma too many, a value left out, texts in single quotes or without any
(`{state: open}`, also of a time or of words with blanks). What is cut off, or has more
behind its end, is `invalid`: it may have been an alarm.

Times are read as ISO 8601, also `2026/11/30 8:05:01 PM`, `30.11.2026, 20:05:01`,
`2026-11-30_20-05-01`, `2026:11:30 20:05:01`,
`Nov 30, 2026 8:05:01 PM`, `Mon Nov 30 20:05:01 2026`,
`30 Nov 2026 20:05:01 +0100`, `/Date(1796069101000)/`, as Go, JavaScript and Java (also
as a list from year to second) write them, and as an epoch in seconds, ms, us or ns,
number or text. `Nov 30 20:05:01` (syslog) is of the year that is nearest. `11/12/2026`
needs `time_format`; `explain` says which one.

## Ready-made rules

`systems/` has rules for the alarm systems below. Each file opens with what marks an
alarm there, what clears it, which trap the rules handle, and what to adapt, with
messages and what becomes of them. They come with evidenced: there is nothing to copy.

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


def render_systems() -> str:
    """A table of them in Markdown, from the comments that they begin with."""
    folder = shipped_folder()
    rows = (
        " | ".join(("", f"`{name}`", *_cells((folder / name).read_text()), "")).strip()
        for name in shipped_names()
        if folder is not None
    )
    columns = "| file | system | through | an alarm is | cameras: rules |"
    head = (columns, "|---|---|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def _cells(text: str) -> Iterator[str]:
    """The system, its bridge, what an alarm is, cameras and rules."""
    title = _TITLE.match(text)
    yield title[1] if title else ""
    parts = dict(_PART.findall(text))
    yield from (re.sub(r"\n# +", " ", parts[name]) for name in ("Bridge", "Alarm"))
    rules = tomllib.loads(text)["rules"]
    names = (
        f"`{rule['name']}`" if rule.get("enabled", True) else f"(`{rule['name']}`)"
        for rule in rules
    )
    yield f"`{rules[0]['cameras'][0]}`: {', '.join(names)}"


def main(folder: Path) -> None:
    """Write the generated files."""
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["config"]))
