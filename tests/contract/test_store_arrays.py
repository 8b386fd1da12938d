"""Lists on their way to a server: each value arrives as it was."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.host.clock import SystemClock
from evidenced.store.postgresql import PostgresServer
from fakes.postgres import Postgres

Connection = psycopg.Connection[Any]

TEXTS = st.text(st.characters(codec="utf-8"), max_size=9)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
BLOBS = st.binary(max_size=9)


@pytest.fixture(scope="module")
def connection(postgres: Postgres) -> Iterator[Connection]:
    server = PostgresServer(
        postgres.url("postgres"), "a", lambda: 0.0, SystemClock().now
    )
    with server.connect() as connection:
        yield connection


def there(connection: Connection, kind: str, values: list[Any]) -> list[Any]:
    query = f"SELECT * FROM unnest(%s::{kind}[])"  # noqa: S608 - names of types
    return [value for (value,) in connection.execute(query, [values])]


@given(values=st.lists(st.none() | TEXTS))
def test_texts(connection: Connection, values: list[str | None]) -> None:
    none = "\N{REPLACEMENT CHARACTER}"
    kept = [each and each.replace("\0", none) for each in values]
    assert there(connection, "varchar", values) == kept


@given(values=st.lists(st.none() | NUMBERS))
def test_numbers(connection: Connection, values: list[int | None]) -> None:
    assert there(connection, "bigint", values) == values


@given(values=st.lists(st.none() | BLOBS))
def test_bytes(connection: Connection, values: list[bytes | None]) -> None:
    assert there(connection, "bytea", values) == values


def test_what_is_of_another_kind_is_the_driver_s(connection: Connection) -> None:
    assert there(connection, "float8", [1.5, None]) == [1.5, None]
    assert there(connection, "boolean", [True, None]) == [True, None]
    assert there(connection, "integer", [2**31 - 1]) == [2**31 - 1]
    with pytest.raises(psycopg.DataError), connection.transaction():
        there(connection, "integer", [2**31])
    with pytest.raises(psycopg.DataError, match="64 bits"), connection.transaction():
        there(connection, "bigint", [2**63])
