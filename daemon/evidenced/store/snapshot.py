"""The store's file as one snapshot, only read; the daemon may write meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from evidenced.core.errors import StoreError
from evidenced.store.absence import no_store
from evidenced.store.database import BUSY_MS, FILE
from evidenced.store.migrate import HEAD, revision_of
from evidenced.store.tx import View


@contextmanager
def open_snapshot(directory: Path) -> Iterator[View]:
    """What the store in this folder holds. Blocks.

    Raises:
        StoreError: there is no store, it cannot be read, or it is of another version.
    """
    with connected(directory) as connection:
        yield View(connection)


@contextmanager
def connected(directory: Path) -> Iterator[Connection]:
    """A connection that can only read. Raises as `open_snapshot`."""
    path = directory / FILE
    if not path.is_file():
        raise no_store(path)
    # as_uri escapes what a URI would read as its own. Source: sqlite.org/uri.html
    engine = create_engine(
        f"sqlite:///{path.absolute().as_uri()}?mode=ro&uri=true",
        poolclass=NullPool,
        connect_args={"timeout": BUSY_MS / 1000},
    )
    try:
        found = revision_of(engine)
        if found != HEAD:
            raise StoreError(
                f"{path} has schema {found}, this evidenced reads {HEAD}: use the "
                "version that the daemon runs"
            )
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreError(f"{path} cannot be read: {cause}") from error
    finally:
        engine.dispose()
