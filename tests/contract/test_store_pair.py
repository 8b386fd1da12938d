"""Two database servers, a commit on one waits for the other: nothing kept is lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from evidenced.store import SqlStore, lease, open_store
from evidenced.store.tx import Tx
from fakes.pair import Pair
from fakes.postgres import on_server

pytestmark = pytest.mark.timeout(300)  # each wait has a deadline of its own

WAY_S = 60.0
"""Whatever is waited for has happened by then."""
SOON_S = 3.0
"""What would be told too early is told by then."""
WAITS = """
SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'
"""


def noting(value: str) -> Callable[[Tx], None]:
    return lambda tx: tx.notes.save("who", value)


def told(store: SqlStore) -> str | None:
    return store.read_now(lambda view: view.notes.get("who"))


async def test_nothing_is_called_kept_that_the_standby_lacks(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server keeps it, for it crashed as the commit waited."""
    assert pair.standby is not None
    monkeypatch.setattr(lease, "ASK", 600)  # however long the server takes to come back
    store = open_store(on_server(pair.primary.database(), tmp_path))
    pair.standby.stop()
    writing = asyncio.ensure_future(store.write(noting("kept")))
    with psycopg.connect(pair.primary.url("postgres"), autocommit=True) as boss:
        async with asyncio.timeout(WAY_S):
            while not boss.execute(WAITS).fetchall():
                await asyncio.sleep(0.02)
    pair.primary.stop("immediate")
    pair.primary.start()
    done, _ = await asyncio.wait({writing}, timeout=SOON_S)
    assert done == set()
    pair.standby.start()
    async with asyncio.timeout(WAY_S):
        await writing
    assert told(store) == "kept"
    store.close()
