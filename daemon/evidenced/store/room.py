"""What the store's files take: room that is free again is given back, bit by bit."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine.interfaces import DBAPICursor

from evidenced.store.part import Part

PAGES_AT_ONCE = 256
"""A megabyte, about 13 ms of the writer (measured): no more than a batch of alarms."""
SPARE_PAGES = 4_096
"""16 MB that stay free: pages given back today would be asked for tomorrow."""
SPARE_SHARE = 4
"""So does a quarter of the file."""


class Room(Part):
    """Free pages at the end of the file go back to the disk."""

    def give_back(self) -> bool:
        """Free a little of what is not needed; whether more may be freed."""
        pages, free = self._pragma("page_count"), self._pragma("freelist_count")
        surplus = free - max(SPARE_PAGES, pages // SPARE_SHARE)
        for _ in range(min(surplus, PAGES_AT_ONCE)):
            # One page each: the driver takes a single step of a statement that has no
            # columns, and a step is a page.
            self._db.exec_driver_sql("PRAGMA incremental_vacuum(1)")
        return surplus > PAGES_AT_ONCE and self._pragma("freelist_count") < free

    def _pragma(self, name: str) -> int:
        found: int = self._db.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        return found


def begin_file(path: Path) -> None:
    """Let a new file be one that can give room back: later is too late.

    Raises:
        sqlite3.Error: there is no room, or the disk fails.
    """
    if path.exists() and path.stat().st_size:
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")  # which writes the first page


def checkpoint(cursor: DBAPICursor) -> None:
    """Carry the journal into the file, as far as nobody reads what would be replaced.

    Passive: neither writer nor readers wait for it. The writer begins the journal anew
    once all of it has been carried over, so it stays as small as what comes between two
    of these. Source: sqlite.org/pragma.html#pragma_wal_checkpoint.
    """
    try:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        cursor.fetchall()
    finally:
        cursor.close()
