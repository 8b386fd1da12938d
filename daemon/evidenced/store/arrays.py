"""Lists of numbers, texts and bytes on their way to PostgreSQL, in its binary form.

The driver writes a list as text, by a search of each value for what has to be quoted,
and bytes as twice as many digits: half of what storing a batch of messages cost
(measured). Source of the form: PostgreSQL's src/backend/utils/adt/arrayfuncs.c,
`array_recv`; it is all big-endian.
"""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct, error
from typing import Any, ClassVar

from psycopg import DataError
from psycopg.abc import DumperKey
from psycopg.adapt import Dumper, PyFormat
from psycopg.pq import Format
from psycopg.types.array import ListDumper
from typing_extensions import override

from evidenced.store.dialect import without_nul

_HEAD = Struct("!iiIii").pack
"""Dimensions, whether any is NULL, the type of each; how many, and the first's number.
"""
_LENGTH, _NUMBER = Struct("!i").pack, Struct("!iq").pack
_NULL = _LENGTH(-1)


class _Packed(Dumper):
    """A list whose values are all of one type, or None."""

    format = Format.BINARY
    element: ClassVar[int]

    @override
    def dump(self, obj: Sequence[Any]) -> bytes:
        head = _HEAD(1, None in obj, self.element, len(obj), 1)
        return head + b"".join(self.parts(obj))

    def parts(self, values: Iterable[Any]) -> Iterator[bytes]:
        """Each with its length."""
        for value in values:
            if value is None:
                yield _NULL
            else:
                raw = self.raw(value)
                yield _LENGTH(len(raw))
                yield raw

    def raw(self, value: Any) -> bytes:  # noqa: ANN401 - whatever a column holds
        """The value itself."""
        found: bytes = value
        return found


class _Blobs(_Packed):
    oid, element = 1001, 17


class _Texts(_Packed):
    oid, element = 1009, 25

    @override
    def raw(self, value: str) -> bytes:
        return (without_nul(value) if "\0" in value else value).encode()


class _Numbers(_Packed):
    oid, element = 1016, 20

    @override
    def parts(self, values: Iterable[int | None]) -> Iterator[bytes]:
        try:
            for value in values:
                yield _NULL if value is None else _NUMBER(8, value)
        except error as beyond:
            raise DataError("a number has more than 64 bits") from beyond


_KINDS: dict[type, type[_Packed]] = {bytes: _Blobs, str: _Texts, int: _Numbers}
"""Source of their numbers: PostgreSQL's src/include/catalog/pg_type.dat."""


class Lists(ListDumper):
    """The driver's own but for these."""

    @override
    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:
        kind = _kind(obj)
        return super().get_key(obj, format) if kind is None else (list, kind)

    @override
    def upgrade(self, obj: list[Any], format: PyFormat) -> Any:
        kind = _kind(obj)
        if kind is None:
            return super().upgrade(obj, format)
        return _KINDS[kind](self.cls, self._tx)


def _kind(values: Sequence[object]) -> type | None:
    first = next((each for each in values if each is not None), None)
    return type(first) if type(first) in _KINDS else None
