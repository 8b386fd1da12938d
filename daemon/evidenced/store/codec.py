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

import orjson

from evidenced.core.frozen import restored
from evidenced.core.instants import MILLISECOND, from_ms, to_ms

T = TypeVar("T")
Row = Mapping[str, Any]
Convert = Callable[[Any], Any]
Pair = tuple[Convert, Convert]
"""How a value is written, and how it is read."""


PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
"""Names of columns are strings of SQLAlchemy's own kind."""


def dump(value: object) -> str:
    """Compact JSON with sorted keys: the same value is always the same text."""
    return orjson.dumps(value, option=PLAIN).decode()


def span_ms(length: timedelta) -> int:
    """A length of time in milliseconds."""
    return length // MILLISECOND


class Codec(Generic[T]):
    """Of one class of values.

    `columns` names those of fields that are not simply theirs: another name, a tuple
    for a value with parts, or None for a field that is kept elsewhere.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        is_json: bool = False,
        **columns: str | tuple[str, ...] | None,
    ) -> None:
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
                inner: Any = {
                    f.name: c for f, c in zip(fields(hint), column, strict=True)
                }
                self._parts.append((each.name, column, Codec(hint, **inner)))
            elif column is not None:
                self.columns[each.name] = column
                write, read = _pair(hint) if is_json else _column(hint)
                self._write += [] if write is _same else [(column, write)]
                self._read += [] if read is _same else [(each.name, read)]

        self._columns = tuple(self.columns.values())
        self._parted = _getter(tuple(self.columns))

    def without(self, *names: str) -> "Codec[T]":
        """The same of the other fields; a value is not made of them alone."""
        kind, columns = self._arguments
        return Codec(kind, **columns | dict.fromkeys(names))

    def kept(self, column: str, part: object) -> Any:  # noqa: ANN401 - a driver's value
        """How one column holds this part of a value, to be compared with it."""
        return dict(self._write).get(column, _same)(part)

    def row(self, value: T) -> dict[str, Any]:
        made = dict(zip(self._columns, self._parted(value), strict=True))
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


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """All of these attributes at once."""
    if len(names) == 1:
        return lambda value: (getattr(value, names[0]),)
    return attrgetter(*names) if names else lambda _: ()


def _column(hint: Any) -> Pair:  # noqa: ANN401 - a type as it is written
    """How a value is kept in a column."""
    write, read = _pair(hint)
    if get_origin(hint) is None and not is_dataclass(hint):
        return write, read

    def written(value: Any) -> str:  # noqa: ANN401
        return dump(write(value))

    def found(text: str) -> Any:  # noqa: ANN401
        return read(json.loads(text))

    if is_dataclass(hint):
        return lru_cache(256)(written), lru_cache(256)(found)
    return written, found


def _pair(hint: Any) -> Pair:  # noqa: ANN401 - a type as it is written
    """How a value is kept in JSON."""
    if get_origin(hint) is tuple:
        write, read = _pair(_bare(get_args(hint)[0]))
        return lambda values: [write(each) for each in values], lambda values: tuple(
            map(read, values)
        )
    if get_origin(hint) is not None:
        return _same, _named
    if is_dataclass(hint):
        inner = Codec[Any](hint, is_json=True)  # type: ignore[arg-type]
        return inner.row, inner.value
    if issubclass(hint, Enum):
        return attrgetter("value"), hint
    return SCALARS.get(hint, (_same, _same))


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _named(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping of names to texts or numbers, or to several: JSON has no tuples."""
    return {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}


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
