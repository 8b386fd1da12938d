"""What pydantic found, said in our words: a place and one sentence for each fault."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import override

from evidenced.config.forms import FAULT
from evidenced.config.models import Config
from evidenced.config.tree import ListOf, MapOf, Node, Table, find, tree
from evidenced.core.wording import Place, render_place, show, suggest

MAX_PROBLEMS = 100
"""Faults told in one go; beyond these nobody reads on."""
_IS_KEY = "[key]"
"""What pydantic ends a place with when a table's key is wrong, not its value."""


@dataclass(frozen=True, slots=True)
class Located:
    """A place in one of the files; "" is the first."""

    file: str
    place: Place

    @override
    def __str__(self) -> str:
        parts = (self.file, render_place(self.place))
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; `file` is "" for the first file."""

    place: Place
    text: str
    file: str = ""

    @override
    def __str__(self) -> str:
        where = str(Located(self.file, self.place))
        return f"{where}: {self.text.rstrip('.')}" if where else self.text.rstrip(".")


def faults_of(error: ValidationError, raw: Mapping[str, Any]) -> list[Fault]:
    """Every fault of the structure and of single values, in the order of the models."""
    faults: list[Fault] = []
    for details in error.errors(include_url=False):
        place = tuple(part for part in details["loc"] if part != _IS_KEY)
        # those beyond are only counted: looking for near names takes its time
        text = _say(details, place, raw) if len(faults) < MAX_PROBLEMS else "is wrong"
        if text is not None:
            faults.append(Fault(place, text))
    return faults


@cache
def config_tree() -> Table:
    return tree(Config)


def _say(details: ErrorDetails, place: Place, raw: Mapping[str, Any]) -> str | None:
    context = details.get("ctx", {})
    node = find(config_tree(), place)
    match details["type"]:
        case kind if kind == FAULT:
            return str(context["text"])
        case "extra_forbidden":
            return _unknown_key(place, find(config_tree(), place[:-1]))
        case "missing":
            is_table = isinstance(node, Table)
            add = f"add the table [{render_place(place)}]"
            return f"is missing; {add if is_table else f'it must be {_must_be(node)}'}"
        case "too_short":
            # also raised where items were there and all of them wrong
            return None if _at(raw, place) else f"must not be empty; {_each(node)}"
        case "too_long":
            return f"must have at most {context['max_length']} entries"
        case _:
            return _wrong_shape(details["input"], place, node)


def _wrong_shape(found: object, place: Place, node: Node | None) -> str:
    """A table, list or value stands where one of the others belongs."""
    if isinstance(node, ListOf) and isinstance(node.item, Table):
        return f"must be written with double brackets, as [[{render_place(place)}]]"
    shown = show(found, is_secret=not isinstance(node, ListOf))
    above = find(config_tree(), place[:-1])
    if isinstance(above, MapOf) and isinstance(node, Table):
        name = f"[{render_place(place[:-1])}.NAME]"
        return f"must be a table, not {shown}; tables here have names, as in {name}"
    return f"must be {_must_be(node)}, not {shown}"


def _must_be(node: Node | None) -> str:
    return "a table" if node is None else node.must_be


def _each(node: Node | None) -> str:
    item = node.item.must_be if isinstance(node, ListOf) else "an entry"
    return f"it must have at least one entry, {item}"


def _unknown_key(place: Place, table: Node | None) -> str:
    known = table.keys if isinstance(table, Table) else ()
    if place[-1] == "include":
        return "belongs at the top of the file, above the first table in brackets"
    return f"unknown key; {suggest(str(place[-1]), known, what='keys here')}"


def _at(raw: object, place: Place) -> object:
    """The value in the file; None where there is none."""
    for part in place:
        match raw:
            case dict() if part in raw:
                raw = raw[part]
            case list() if isinstance(part, int):
                raw = raw[part]
            case _:
                return None
    return raw
