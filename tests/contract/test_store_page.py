"""What systemd/README.md says of a pair of databases makes one."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from evidenced.core.errors import StoreError
from evidenced.store import SqlStore, open_store
from evidenced.store.tx import Tx
from fakes.postgres import USER, Postgres, find_postgres, on_server

pytestmark = pytest.mark.timeout(300)  # each wait has a deadline of its own

README = Path(__file__).parents[2] / "systemd" / "README.md"
SECTION = re.compile(r"^### A pair of databases$(.*?)^##", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"\bOn (db[12])\b[^\n]*(?:\n[^\n]+)*\n\n((?:    [^\n]+\n)+)")
"""Commands, and the host that is named before them."""
DATA = "/var/lib/postgresql/15/main"
STREAMING = "SELECT state FROM pg_stat_replication"
WAY_S = 60.0
LOOK_S = 0.05


class Hosts:
    """Two servers by the names that the page has for them."""

    def __init__(self, first: Postgres, second: Postgres) -> None:
        self.by_name = {"db1": first, "db2": second}

    def do(self, name: str, commands: str) -> None:
        """Run these there, as the server's user does. Blocks."""
        for line in commands.splitlines():
            self._run(self.by_name[name], shlex.split(line))

    def _run(self, server: Postgres, words: list[str]) -> None:
        match words:
            case ["pg_ctlcluster", "15", "main", "stop"]:
                server.stop()
            case ["pg_ctlcluster", "15", "main", "start"]:
                server.start()
            case ["rm", "-r", where]:
                assert where == DATA
                shutil.rmtree(server._data)
            case ["pg_basebackup", *options]:
                host = options.index("-h") + 1
                primary = self.by_name[options[host].partition(".")[0]]
                options[host : host + 1] = ["127.0.0.1", "-p", str(primary.port)]
                server._run("pg_basebackup", *(_here(each, server) for each in options))
            case [program, *options]:
                where = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
                own = {**where, "PGUSER": USER, "PGDATABASE": "postgres"}
                command = [server._programs / program, *options]
                subprocess.run(command, env={**os.environ, **own}, check=True)


def _here(word: str, server: Postgres) -> str:
    return server._data if word == DATA else word


@pytest.fixture
def hosts(postgres: Postgres) -> Iterator[Hosts]:
    """As the package makes them: each alone. `postgres` skips where there is none."""
    programs = find_postgres()
    assert programs is not None, postgres
    servers = Postgres(programs), Postgres(programs)
    try:
        for server in servers:
            server.make()
            server.start()
        yield Hosts(*servers)
    finally:
        for server in servers:
            server.kill()
            server.remove()


def noting(name: str) -> Callable[[Tx], None]:
    return lambda tx: tx.notes.save(name, "kept")


async def written(store: SqlStore, name: str) -> None:
    """As a daemon does: again and again, while the database is away."""
    async with asyncio.timeout(WAY_S):
        while True:
            try:
                return await store.write(noting(name))
            except StoreError:
                await asyncio.sleep(LOOK_S)


async def in_step(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as boss:
        async with asyncio.timeout(WAY_S):
            while boss.execute(STREAMING).fetchall() != [("streaming",)]:
                await asyncio.sleep(LOOK_S)


async def test_a_pair_is_made_goes_on_alone_and_is_promoted(
    hosts: Hosts, tmp_path: Path
) -> None:
    (section,) = SECTION.findall(README.read_text())
    assert f"`{STREAMING}` says `streaming`" in section
    blocks: list[tuple[str, str]] = BLOCK.findall(section)
    assert [name for name, _ in blocks] == ["db1", "db2", "db1", "db1", "db2"]
    user, following, step, alone, promoting = blocks
    first, second = hosts.by_name.values()
    name = first.database().rpartition("/")[-1]
    hosts.do(*user)
    hosts.do(*following)
    await in_step(first.url("postgres"))
    hosts.do(*step)
    both = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    store = open_store(on_server(f"postgresql://{USER}@{both}/{name}", tmp_path))
    await store.write(noting("both"))
    second.stop()
    writing = asyncio.ensure_future(written(store, "alone"))
    done, _ = await asyncio.wait({writing}, timeout=1.0)
    assert done == set()
    hosts.do(*alone)
    async with asyncio.timeout(WAY_S):
        await writing
    second.start()
    await in_step(first.url("postgres"))
    hosts.do(*step)
    await written(store, "again")
    first.kill()
    hosts.do(*promoting)
    await written(store, "promoted")
    for each in ("both", "alone", "again", "promoted"):
        assert store.read_now(lambda view, key=each: view.notes.get(key)) == "kept"
    store.close()
