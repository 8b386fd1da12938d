"""One walk over the file: a value or a fault for every key, and what came of it.

So that one run tells all faults: what is wrong in one key must hide neither what is
wrong elsewhere nor cause complaints of its own. A key that is wrong or missing has its
default, else its example, until it is mended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from typing_extensions import override

from evidenced.config.models import Config
from evidenced.config.rules import RuleConfig
from evidenced.config.tree import Key, KeyNode, Leaf, ListOf, MapOf, Table, config_tree
from evidenced.core.errors import BadInput
from evidenced.core.wording import KeyPath, render_place, show, suggest

MAX_PROBLEMS = 100
"""Faults told in one go; beyond these nobody reads on."""
_NOTHING: Final = object()
"""What a wrong value gives; lists and tables go on without it."""


@dataclass(frozen=True, slots=True)
class Located:
    """A place in one of the files; "" is the first."""

    file: str
    place: KeyPath

    @override
    def __str__(self) -> str:
        parts = (self.file, render_place(self.place))
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; `file` is "" for the first file."""

    place: KeyPath
    text: str
    file: str = ""

    @override
    def __str__(self) -> str:
        where = str(Located(self.file, self.place))
        return f"{where}: {self.text.rstrip('.')}" if where else self.text.rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What could be read of the files: ask `is_sound` before speaking of a key.

    `locate` tells where a place of the whole is written: the file, and the place in it.
    `touched` are all places at or above a fault.
    """

    config: Config
    locate: Callable[[KeyPath], Located]
    faulty: frozenset[KeyPath] = frozenset()
    touched: frozenset[KeyPath] = frozenset()

    @property
    def rules(self) -> tuple[tuple[int, RuleConfig], ...]:
        """The rules with their positions in the file."""
        return tuple(enumerate(self.config.rules))

    @property
    def enabled(self) -> tuple[tuple[int, RuleConfig], ...]:
        """Those that are not off, likewise: nothing that the others name is needed."""
        return tuple((n, rule) for n, rule in self.rules if rule.enabled)

    def is_sound(self, *place: str | int) -> bool:
        """Whether no fault was found at, above or below this place."""
        if not self.faulty:
            return True
        above = (place[:depth] for depth in range(len(place)))
        return place not in self.touched and self.faulty.isdisjoint(above)


def read_draft(
    raw: Mapping[str, Any], locate: Callable[[KeyPath], Located]
) -> tuple[Draft, list[Fault]]:
    """The document as far as it can be read, and every fault in the order of keys."""
    walk = _Walk()
    config: Config = walk.read(config_tree(), raw, ())
    faulty = frozenset(fault.place for fault in walk.faults)
    touched = (p[:depth] for p in faulty for depth in range(1, len(p) + 1))
    draft = Draft(
        config=config, locate=locate, faulty=faulty, touched=frozenset(touched)
    )
    return draft, walk.faults


@dataclass(slots=True)
class _Walk:
    faults: list[Fault] = field(default_factory=list)
    said: dict[frozenset[str], set[str]] = field(default_factory=dict)
    """What tables say of their keys: one set for all that say the same ones."""

    def read(self, node: KeyNode, raw: object, place: KeyPath) -> Any:  # noqa: ANN401
        """The value that a part of the file gives; _NOTHING after telling why not."""
        match node:
            case Leaf(form):
                try:
                    return form.parse(raw)
                except BadInput as error:
                    text = str(error)
                except ValueError:
                    text = form.refuse(raw)
                return self._wrong(place, text)
            case ListOf() if isinstance(raw, list | tuple):
                return self._list(node, raw, place)
            case MapOf() if isinstance(raw, dict):
                return self._map(node, raw, place)
            case Table():
                return self._table(node, raw, place)
            case _:
                return self._wrong(place, _wrong_shape(raw, place, node))

    def _list(self, node: ListOf, raw: Sequence[object], place: KeyPath) -> object:
        items = [self.read(node.item, each, (*place, n)) for n, each in enumerate(raw)]
        if len(raw) < node.least:
            text = f"it must have at least one entry, {node.item.must_be}"
            return self._wrong(place, f"must not be empty; {text}")
        if node.most is not None and len(raw) > node.most:
            return self._wrong(place, f"must have at most {node.most} entries")
        kept = tuple(item for item in items if item is not _NOTHING)
        return kept if kept or not raw else _NOTHING

    def _map(self, node: MapOf, raw: dict[str, object], place: KeyPath) -> object:
        values: dict[str, object] = {}
        for name, each in raw.items():
            self.read(node.name, name, (*place, name))
            value = self.read(node.item, each, (*place, name))
            if value is not _NOTHING or isinstance(node.item, ListOf):
                values[name] = () if value is _NOTHING else value
        return values

    def _table(self, table: Table, raw: object, place: KeyPath) -> object:
        if not isinstance(raw, dict):
            self._wrong(place, _wrong_shape(raw, place, table))
            return table.model.model_construct(**_stand_ins(table))
        values: dict[str, Any] = dict(table.defaults)
        for name, key in table.keys.items():
            value = _NOTHING
            if name in raw:
                value = self.read(key.node, raw[name], (*place, name))
            elif key.is_required:
                self._wrong((*place, name), _missing(key, (*place, name)))
            if value is not _NOTHING:
                values[name] = value
            elif key.is_required:
                values[name] = _stand_in(key)
        for name in raw.keys() - table.keys.keys():
            # those beyond are only counted: looking for near names takes its time
            is_told = len(self.faults) < MAX_PROBLEMS
            self._wrong(
                (*place, name), _unknown(name, table) if is_told else "is wrong"
            )
        said = frozenset(table.keys[name].field for name in raw if name in table.keys)
        said_set = self.said.setdefault(said, set(said))
        return table.model.model_construct(_fields_set=said_set, **values)

    def _wrong(self, place: KeyPath, text: str) -> object:
        self.faults.append(Fault(place, text))
        return _NOTHING


def _stand_ins(table: Table) -> dict[str, Any]:
    """The examples of the keys that must be there, read."""
    return {n: _stand_in(key) for n, key in table.keys.items() if key.is_required}


def _stand_in(key: Key) -> Any:  # noqa: ANN401
    return _Walk().read(key.node, {} if key.example is None else key.example, ())


def _missing(key: Key, place: KeyPath) -> str:
    if isinstance(key.node, Table):
        return f"is missing; add the table [{render_place(place)}]"
    return f"is missing; it must be {key.node.must_be}"


def _unknown(name: str, table: Table) -> str:
    if name == "include":
        return "belongs at the top of the file, above the first table in brackets"
    return f"unknown key; {suggest(name, table.keys, what='keys here')}"


def _wrong_shape(found: object, place: KeyPath, node: KeyNode) -> str:
    """A table, list or value stands where one of the others belongs."""
    if isinstance(node, ListOf) and isinstance(node.item, Table):
        return f"must be written with double brackets, as [[{render_place(place)}]]"
    shown = show(found, is_secret=not isinstance(node, ListOf))
    if isinstance(node, Table) and len(place) > 1 and isinstance(place[-1], str):
        name = f"[{render_place(place[:-1])}.NAME]"
        return f"must be a table, not {shown}; tables here have names, as in {name}"
    return f"must be {node.must_be}, not {shown}"
