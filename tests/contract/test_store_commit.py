"""A COMMIT whose answer is lost with the connection: what it was is found out."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import StoreError
from evidenced.store import SqlStore, lease, open_store
from evidenced.store.tx import Tx
from fakes.line import Line
from fakes.postgres import Postgres, on_server


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    with Line(postgres.port) as made:
        yield made


@pytest.fixture
def store(
    postgres: Postgres,
    fresh: str,
    line: Line,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SqlStore]:
    """The only one that commits there meanwhile."""
    monkeypatch.setattr(lease, "LIFE", timedelta(hours=2))
    monkeypatch.setattr(lease, "RENEW", timedelta(hours=1))
    url = postgres.database(fresh).replace(str(postgres.port), str(line.port))
    made = open_store(on_server(url, tmp_path))
    yield made
    line.mend()
    made.close()


def adding(name: str) -> Callable[[Tx], None]:
    """A step that fails if it was kept before."""

    def step(tx: Tx) -> None:
        assert tx.notes.get(name) is None
        tx.notes.save(name, "there")

    return step


def is_there(store: SqlStore, name: str) -> bool:
    return store.read_now(lambda view: view.notes.get(name)) is not None


async def test_what_was_committed_is_told_so(store: SqlStore, line: Line) -> None:
    await store.write(adding("before"))
    line.break_at_commit(reaches=True)
    await store.write(adding("kept"))
    assert line.broken.is_set()
    assert is_there(store, "kept")
    await store.write(adding("after"))


async def test_what_was_not_committed_is_told_so(store: SqlStore, line: Line) -> None:
    line.break_at_commit(reaches=False)
    with pytest.raises(StoreError, match="could not commit"):
        await store.write(adding("again"))
    assert not is_there(store, "again")
    await store.write(adding("again"))


async def test_nothing_is_written_until_it_is_known(
    store: SqlStore, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was not kept after all is no reason to begin anew."""
    monkeypatch.setattr(lease, "ASK", 2)
    line.break_at_commit(reaches=False, cuts=True)
    with pytest.raises(StoreError):
        await store.write(adding("again"))
    with pytest.raises(StoreError):
        await store.write(adding("other"))
    line.mend()
    await store.write(adding("again"))
    assert store.left() > timedelta()


async def test_what_was_kept_and_called_lost_lets_the_daemon_start_over(
    store: SqlStore, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "ASK", 2)
    lost, loop = asyncio.Event(), asyncio.get_running_loop()
    store.claim.on_lost = lambda: loop.call_soon_threadsafe(lost.set)
    line.break_at_commit(reaches=True, cuts=True)
    with pytest.raises(StoreError):
        await store.write(adding("kept"))
    line.mend()
    with pytest.raises(StoreError, match="what seemed lost is there; starting over"):
        await store.write(adding("kept"))
    await lost.wait()
    assert is_there(store, "kept")
    assert store.left() == timedelta()
