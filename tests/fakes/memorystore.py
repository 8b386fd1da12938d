"""A store in memory that nobody commits."""

import sqlite3

from sqlalchemy import create_engine

from evidenced.store.schema import metadata
from evidenced.store.tx import Tx


class _Closing(sqlite3.Connection):
    """Closed as it is forgotten: from Python 3.13 on an open one is a warning."""

    def __del__(self) -> None:
        self.close()


def memory_store() -> Tx:
    """One transaction, with every table and nothing in them."""
    engine = create_engine(
        "sqlite://", connect_args={"factory": _Closing, "check_same_thread": False}
    )
    metadata.create_all(engine)
    return Tx(engine.connect())
