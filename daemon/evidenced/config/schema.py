"""The JSON Schema of the file, for editors that complete and check while one writes.

Built from the tree of keys rather than by pydantic: it would tell editors what the
models hold (a timedelta, a set of numbers), not what the file does.
"""

import json
from typing import Any

from evidenced.config.models import Config
from evidenced.config.tree import Key, KeyNode, Leaf, ListOf, MapOf, Table, tree


def render_schema() -> str:
    """config/evidenced.schema.json: JSON Schema, draft 2020-12."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of evidenced",
    }
    schema = head | _schema(tree(Config))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(node: KeyNode) -> dict[str, Any]:
    match node:
        case Leaf(form):
            return form.schema
        case ListOf(item):
            return {"type": "array", "items": _schema(item)}
        case MapOf(item):
            return {"type": "object", "additionalProperties": _schema(item)}
        case Table(keys):
            return {
                "type": "object",
                "properties": {name: _key(key) for name, key in keys.items()},
                "required": [name for name, key in keys.items() if key.is_required],
                "additionalProperties": False,
            }


def _key(key: Key) -> dict[str, Any]:
    """One key: its form, its words, its default where TOML could write it."""
    schema = {"description": key.description, **_schema(key.node)}
    if isinstance(key.node, Leaf) and key.default is not None:
        schema["default"] = key.plain_default
    if key.example is not None:
        schema["examples"] = [key.example]
    return schema
