"""The store's file as one snapshot, only read; the daemon may write meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from evidenced.core.errors import StoreError
from evidenced.store import dialect, sqlite
from evidenced.store.database import StoreSettings, database_of, store_file
from evidenced.store.dialect import Database
from evidenced.store.migrate import HEAD, revision_of
from evidenced.store.tx import View

ODD = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What comes of a row in which somebody put something else."""


@contextmanager
def open_snapshot(settings: StoreSettings) -> Iterator[View]:
    """What the store holds, whoever writes it. Blocks.

    Raises:
        StoreError: there is no store, it cannot be read, or it is of another version.
    """
    with connected(settings) as connection:
        yield View(connection)


@contextmanager
def connected(settings: StoreSettings) -> Iterator[Connection]:
    """A connection that can only read. Raises as `open_snapshot`."""
    database = database_of(settings)
    if settings.server is None:
        opened = looking_at(store_file(settings.directory))
    else:
        opened = _asking(database)
    with opened as connection:
        found = revision_of(connection)
        if found != HEAD:
            raise StoreError(
                f"{database.name} has schema {found}, this evidenced reads {HEAD}: use "
                "the version that the daemon runs"
            )
        yield connection


@contextmanager
def _asking(database: Database) -> Iterator[Connection]:
    """A server, of which nothing but its answers is there to be looked at."""
    engine = database.reading()
    try:
        with engine.connect() as connection:
            yield connection
    except dialect.ERRORS as error:
        why = dialect.cause(error)
        raise StoreError(f"{database.name} cannot be read: {why}") from error
    finally:
        engine.dispose()


@contextmanager
def looking_at(file: Path) -> Iterator[Connection]:
    """A store's file, whoever wrote it and whatever was put in. Blocks.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    if not file.is_file():
        raise no_store(file)
    engine = sqlite.looking(file)
    try:
        with engine.connect() as connection:
            yield connection
    except dialect.ERRORS as error:
        raise StoreError(f"{file} cannot be read: {dialect.cause(error)}") from error
    finally:
        engine.dispose()


def no_store(path: Path) -> StoreError:
    """With the whole path: without `state_dir` it depends on the folder one is in."""
    where = path.absolute()
    return StoreError(
        f"{where} is not there: nothing was stored yet, or elsewhere; the folder is "
        "daemon.state_dir, and without it $STATE_DIRECTORY, else ./state"
    )
