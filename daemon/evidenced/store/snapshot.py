"""The store as one snapshot, only read; the daemon may write meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from evidenced.core.cluster import Cluster
from evidenced.core.errors import StoreError
from evidenced.store import dialect
from evidenced.store.database import StoreSettings, database_of
from evidenced.store.dialect import Database
from evidenced.store.migrate import HEAD, revision_of
from evidenced.store.tx import View

ODD = (
    *(ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, RecursionError),
)
"""What comes of a row in which somebody put something else."""


@contextmanager
def open_snapshot(settings: StoreSettings) -> Iterator[View]:
    """What the store holds, whoever writes it. Blocks.

    Raises:
        StoreError: there is no store, it cannot be read, or it is of another version;
            or somebody put into a row what makes no sense there.
    """
    with connected(settings) as connection:
        yield View(connection)


def read_cluster(settings: StoreSettings) -> Cluster:
    """The nodes that share the store, as it knows them. Raises as `open_snapshot`."""
    with connected(settings) as connection:
        return database_of(settings).cluster(connection)


@contextmanager
def connected(settings: StoreSettings) -> Iterator[Connection]:
    """A connection that can only read. Raises as `open_snapshot`."""
    database = database_of(settings)
    with looking_at(database) as connection:
        found = revision_of(connection)
        if found is None:
            raise StoreError(f"{database.name} holds no store: is it another one?")
        if found != HEAD:
            raise StoreError(
                f"{database.name} has schema {found}, this evidenced reads {HEAD}: use "
                "the version that the daemon runs"
            )
        try:
            yield connection
        except ODD as error:
            raise StoreError(
                f"{database.name} holds what evidenced did not write: {error}; "
                "evidenced audit verify tells which row"
            ) from error


@contextmanager
def looking_at(database: Database) -> Iterator[Connection]:
    """A store, whoever wrote it and whatever was put in. Blocks.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    engine = database.looking()
    try:
        with engine.connect() as connection:
            yield connection
    except dialect.ERRORS as error:
        why = dialect.cause(error)
        raise StoreError(f"{database.name} cannot be read: {why}") from error
    finally:
        engine.dispose()
