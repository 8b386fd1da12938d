"""What the store's files take on the disk, and giving it back."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from evidenced.core.errors import StoreError
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store, sqlite
from evidenced.store.sqlite import FILE

MEGABYTE = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened_store = open_store(StoreSettings(directory=tmp_path))
    yield opened_store
    opened_store.close()


def filled(megabytes: int, mark: int = 0) -> Callable[[Tx], None]:
    def step(tx: Tx) -> None:
        for n in range(megabytes):
            # another mark writes every page: SQLite leaves out those that are the same
            tx.notes.save(f"note-{n}", f"{mark:08}" * (MEGABYTE // 8))

    return step


def emptied(tx: Tx) -> None:
    tx._db.execute(text("DELETE FROM meta"))


async def give_all_back(store: SqlStore) -> int:
    steps = 1
    while await store.give_back():
        steps += 1
    return steps


async def test_room_that_is_free_again_goes_back_to_the_disk_in_small_steps(
    store: SqlStore, tmp_path: Path
) -> None:
    await store.write(filled(40))
    await store.write(emptied)
    await store.checkpoint()
    full = (tmp_path / FILE).stat().st_size
    steps = await give_all_back(store)
    await store.checkpoint()
    left = (tmp_path / FILE).stat().st_size
    assert full > 40 * MEGABYTE
    # what is spare stays: 16 MB
    spare = sqlite.SPARE_PAGES * 4096
    assert spare <= left < spare + 2 * MEGABYTE
    assert steps >= (full - left) // (sqlite.PAGES_AT_ONCE * 4096)


async def test_a_little_free_room_stays(store: SqlStore, tmp_path: Path) -> None:
    await store.write(filled(8))
    await store.write(emptied)
    assert await give_all_back(store) == 1
    await store.checkpoint()
    assert (tmp_path / FILE).stat().st_size > 8 * MEGABYTE


async def test_the_journal_begins_anew_after_a_checkpoint(
    store: SqlStore, tmp_path: Path
) -> None:
    journal = tmp_path / f"{FILE}-wal"
    sizes = []
    for mark in range(4):
        await store.write(filled(4, mark))
        sizes.append(journal.stat().st_size)
        await store.checkpoint()
    assert sizes[0] > 4 * MEGABYTE
    assert sizes[-1] < 1.5 * sizes[0]


async def test_the_journal_is_small_again_after_a_storm(
    store: SqlStore, tmp_path: Path
) -> None:
    journal = tmp_path / f"{FILE}-wal"
    await store.write(filled(24, 1))
    assert journal.stat().st_size > 24 * MEGABYTE
    await store.checkpoint()
    await store.write(filled(1, 2))
    assert journal.stat().st_size <= 16 * MEGABYTE


async def test_without_checkpoints_the_journal_grows(
    store: SqlStore, tmp_path: Path
) -> None:
    """Else the test above could not fail."""
    sizes = []
    for mark in range(4):
        await store.write(filled(4, mark))
        sizes.append((tmp_path / f"{FILE}-wal").stat().st_size)
    assert sizes[-1] > 3 * sizes[0]


async def test_a_checkpoint_waits_for_no_writer(store: SqlStore) -> None:
    is_writing, go_on = threading.Event(), threading.Event()

    def long_step(tx: Tx) -> None:
        tx.notes.save("a", "b")
        is_writing.set()
        go_on.wait(30)

    writing = asyncio.create_task(store.write(long_step))
    await asyncio.to_thread(is_writing.wait, 30)
    try:
        async with asyncio.timeout(60):
            await store.checkpoint()
    finally:
        go_on.set()
    await writing


async def test_a_checkpoint_that_fails_is_told_and_loses_nothing(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(lambda tx: tx.notes.save("a", "b"))

    def broken(_cursor: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("evidenced.store.sqlite.checkpoint", broken)
    with pytest.raises(StoreError, match="stays as it is"):
        await store.checkpoint()
    assert await store.read(lambda view: view.notes.get("a")) == "b"


def test_a_new_file_on_a_full_disk_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("evidenced.store.sqlite.begin_file", full)
        with pytest.raises(StoreError, match="disk is full; it was left as it is"):
            open_store(StoreSettings(directory=tmp_path))
    # and the lock was let go
    open_store(StoreSettings(directory=tmp_path)).close()
