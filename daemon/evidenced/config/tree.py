"""The configuration as a tree of keys, read off the models.

Faults, the key reference, the example and the JSON Schema all walk this tree, so that
none of them can know a key that the models do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from evidenced.config.forms import Form
from evidenced.config.models import Config
from evidenced.core.wording import KeyPath


@dataclass(frozen=True)
class Leaf:
    form: Form

    @property
    def must_be(self) -> str:
        return self.form.must_be


@dataclass(frozen=True)
class ListOf:
    """A list of so many items, of any number without `most`."""

    item: "KeyNode"
    least: int = 0
    most: int | None = None

    @property
    def must_be(self) -> str:
        return f"a list in brackets, each {self.item.must_be}"


@dataclass(frozen=True)
class MapOf:
    """A table whose names the user chooses, in the form `name`."""

    item: "KeyNode"
    name: "KeyNode"

    @property
    def must_be(self) -> str:
        return f"a table, each value {self.item.must_be}"


@dataclass(frozen=True)
class Key:
    """One key of a table. `default` and `example` are values, not their TOML.

    `name` is written in the file, `field` is the model's name for it.
    """

    name: str
    field: str
    description: str
    is_required: bool
    default: Any
    example: Any
    node: "KeyNode"

    @property
    def plain_default(self) -> Any:  # noqa: ANN401 - any TOML
        """The default as TOML would hold it."""
        if isinstance(self.node, Leaf) and self.default is not None:
            return self.node.form.render(self.default)
        return self.default


@dataclass(frozen=True)
class Table:
    keys: Mapping[str, Key]
    model: type[BaseModel]

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """What keys that are left out have: one value for all tables, never changed."""
        keys = self.keys.items()
        return {name: key.default for name, key in keys if not key.is_required}

    @property
    def must_be(self) -> str:
        return "a table"


KeyNode = Leaf | ListOf | MapOf | Table


def tree(model: type[BaseModel]) -> Table:
    """The keys of a model, as they are written in the file."""
    keys = (_key(name, field) for name, field in model.model_fields.items())
    return Table({key.name: key for key in keys}, model)


@cache
def config_tree() -> Table:
    """The keys of the whole configuration."""
    return tree(Config)


def find(node: KeyNode, place: KeyPath) -> KeyNode | None:
    """The node at a place; None where the tree has none."""
    for part in place:
        match node:
            case Table(keys) if part in keys:
                node = keys[str(part)].node
            case ListOf(item) | MapOf(item):
                node = item
            case _:
                return None
    return node


def inner_table(node: KeyNode) -> Table | None:
    """The table that a key is, or that it has one or more of."""
    match node:
        case Table():
            return node
        case MapOf(Table() as table) | ListOf(Table() as table):
            return table
        case _:
            return None


def _key(name: str, field: FieldInfo) -> Key:
    examples = field.examples or [None]
    default = None
    if not field.is_required():
        default = field.get_default(call_default_factory=True, validated_data={})
    return Key(
        name=field.alias or name,
        field=name,
        description=field.description or "",
        is_required=field.is_required(),
        default=default,
        example=examples[0],
        node=_node(field.annotation, field.metadata),
    )


def _node(annotation: object, metadata: list[Any]) -> KeyNode:
    for note in metadata:
        if isinstance(note, Form):
            return Leaf(note)
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        return _node(inner, notes)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tree(annotation)
    args = get_args(annotation)
    if get_origin(annotation) is tuple:
        bounds = {}
        for note in metadata:
            if isinstance(note, MinLen):
                bounds["least"] = note.min_length
            if isinstance(note, MaxLen):
                bounds["most"] = note.max_length
        return ListOf(_node(args[0], []), **bounds)
    if get_origin(annotation) is dict:
        return MapOf(_node(args[1], []), _node(args[0], []))
    raise TypeError(f"a key of the configuration without a form: {annotation}")
