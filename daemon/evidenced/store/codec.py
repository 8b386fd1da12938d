"""Between the core's frozen values and what rows and JSON texts hold of them.

A field is a column of its name, and what kind of value it is decides how it is kept:

    instant, length of time    whole milliseconds
    word of an enum            its text
    True, False                1, 0
    value with parts           a column each, where they are named; else JSON text
    list, mapping              JSON text
    None                       NULL

So a new field needs a column and nothing else. Texts of values are remembered: one
rule's incidents all have the same terms.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache, partial
from operator import attrgetter
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from evidenced.core.frozen import restored
from evidenced.core.instants import MILLISECOND, from_ms, to_ms

T = TypeVar("T")
Row = Mapping[str, Any]
Convert = Callable[[Any], Any]
Pair = tuple[Convert | None, Convert | None]
"""How a value is written and read; None where it is kept as it is."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dump(value: object) -> str:
    """Compact JSON with sorted keys: the same value is always the same text."""
    return _ENCODER.encode(value)


def span_ms(length: timedelta) -> int:
    """A length of time in milliseconds."""
    return length // MILLISECOND


class Codec(Generic[T]):
    """Of one class of values.

    `columns` names those of fields that are not simply theirs: another name, a tuple
    for a value with parts, or None for a field that is kept elsewhere.
    """

    def __init__(self, kind: type[T], **columns: str | tuple[str, ...] | None) -> None:
        self._arguments = (kind, columns)
        is_plain = "__slots__" not in vars(kind) and not hasattr(kind, "__post_init__")
        self._make = partial(restored, kind) if is_plain else kind
        self.columns: dict[str, str] = {}
        self._write: list[tuple[str, Convert]] = []
        self._read: list[tuple[str, Convert]] = []
        self._parts: list[tuple[str, tuple[str, ...], Codec[Any]]] = []
        hints = get_type_hints(kind)
        for each in fields(kind):  # type: ignore[arg-type]
            column, hint = columns.get(each.name, each.name), _bare(hints[each.name])
            if isinstance(column, tuple):
                inner = dict(zip((f.name for f in fields(hint)), column, strict=True))
                self._parts.append((each.name, column, Codec(hint, **inner)))
            elif column is not None:
                self.columns[each.name] = column
                write, read = _column(hint)
                self._write += [] if write is None else [(column, write)]
                self._read += [] if read is None else [(each.name, read)]

    def without(self, *names: str) -> "Codec[T]":
        """The same of the other fields; a value is not made of them alone."""
        kind, columns = self._arguments
        return Codec(kind, **columns | dict.fromkeys(names))

    def row(self, value: T) -> dict[str, Any]:
        made = {column: getattr(value, name) for name, column in self.columns.items()}
        for column, write in self._write:
            if (part := made[column]) is not None:
                made[column] = write(part)
        for name, columns, codec in self._parts:
            part = getattr(value, name)
            made |= dict.fromkeys(columns) if part is None else codec.row(part)
        return made

    def value(self, row: Row, **more: object) -> T:
        """What was written, with fields that are kept elsewhere."""
        found = {name: row[column] for name, column in self.columns.items()}
        for name, read in self._read:
            if (part := found[name]) is not None:
                found[name] = read(part)
        for name, columns, codec in self._parts:
            found[name] = None if row[columns[0]] is None else codec.value(row)
        return self._make(**found, **more)


def _column(hint: Any) -> Pair:  # noqa: ANN401 - a type as it is written
    """How a value is kept in a column."""
    is_text = get_origin(hint) is not None or is_dataclass(hint)
    if not is_text:
        return _pair(hint)
    write, read = _pair(hint)

    def written(value: Any) -> str:  # noqa: ANN401
        return dump(value if write is None else write(value))

    def found(text: str) -> Any:  # noqa: ANN401
        value = json.loads(text)
        return value if read is None else read(value)

    if is_dataclass(hint):
        return lru_cache(256)(written), lru_cache(256)(found)
    return written, found


def _pair(hint: Any) -> Pair:  # noqa: ANN401 - a type as it is written
    """How a value is kept in JSON."""
    inner = get_args(hint)
    origin = get_origin(hint)
    if origin is tuple:
        return _listed(*_pair(_bare(inner[0])))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return None, partial(_named, _pair(_bare(inner[1]))[1])
    if inner:  # a text, or several
        return None, _unlisted
    if is_dataclass(hint):
        return _object(hint)
    if issubclass(hint, Enum):
        return attrgetter("value"), hint
    return SCALARS.get(hint, (None, None))


SCALARS: dict[type, Pair] = {
    datetime: (to_ms, from_ms),
    timedelta: (span_ms, lambda value: timedelta(milliseconds=value)),
    bool: (int, bool),
}


def _bare(hint: Any) -> Any:  # noqa: ANN401 - a type as it is written
    """Without "or None", which is NULL for every kind, and without its new name."""
    inner = [each for each in get_args(hint) if each is not NoneType]
    if len(inner) == 1 and NoneType in get_args(hint):
        hint = inner[0]
    return getattr(hint, "__supertype__", hint)


def _listed(write: Convert | None, read: Convert | None) -> Pair:
    return (
        None if write is None else lambda values: [write(each) for each in values],
        tuple if read is None else lambda values: tuple(map(read, values)),
    )


def _named(read: Convert | None, values: dict[str, Any]) -> dict[str, Any]:
    return values if read is None else {n: read(each) for n, each in values.items()}


def _unlisted(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, list) else value


def _object(kind: Any) -> Pair:  # noqa: ANN401
    """By the names of its fields: one that is not there has its default."""
    hints = get_type_hints(kind)
    pairs = {each.name: _pair(_bare(hints[each.name])) for each in fields(kind)}

    def write(value: Any) -> dict[str, Any]:  # noqa: ANN401
        made = {}
        for name, (write, _) in pairs.items():
            part = getattr(value, name)
            made[name] = part if write is None or part is None else write(part)
        return made

    def read(values: dict[str, Any]) -> Any:  # noqa: ANN401
        made = {}
        for name, part in values.items():
            read = pairs[name][1]
            made[name] = part if read is None or part is None else read(part)
        return kind(**made)

    return write, read
