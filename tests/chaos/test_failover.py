"""The primary database dies under load; its synchronous standby is promoted."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from chaos.books import exports_by_incident
from chaos.conftest import LIMITS, MAX_EXPORTS
from chaos.load import Load
from fakes.installation import InstallationFactory, Recorder
from fakes.postgres import Postgres, find_postgres
from fakes.proofs import duplicates

ALARMS = 15
BACKLOG = 100
TOPICS = "SELECT topic FROM inbox UNION ALL SELECT topic FROM alarms"
LEFT = """
SELECT (SELECT count(*) FROM inbox)
    + (SELECT count(*) FROM incidents WHERE state <> 'exported')
"""
WAITED_FOR = "SELECT sync_state = 'sync' FROM pg_stat_replication"


@pytest.fixture
def pair(postgres: Postgres) -> Iterator[tuple[Postgres, Postgres]]:
    """Two servers of their own: a commit on the first waits for the second's disk."""
    programs = find_postgres()
    assert programs is not None, postgres
    first, second = Postgres(programs), Postgres(programs)
    try:
        first.make()
        first.start()
        second.follow(first)
        second.start()
        with psycopg.connect(first.url("postgres"), autocommit=True) as boss:
            boss.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            boss.execute("SELECT pg_reload_conf()")
        yield first, second
    finally:
        for server in (first, second):
            server.kill()
            server.remove()


async def test_nothing_that_was_taken_is_lost_with_the_primary(
    installation_factory: InstallationFactory,
    recorder: Recorder,
    pair: tuple[Postgres, Postgres],
) -> None:
    first, second = pair
    url = first.database()
    name = url.rpartition("/")[-1]
    both = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    site = await installation_factory(main=recorder)
    site.config["daemon"] |= {"store": f"postgresql://evidenced@{both}/{name}"}
    site.config["rules"][0] |= {"id": "event", "time": "at"}
    site.config["recorders"]["main"] |= {"max_exports": MAX_EXPORTS}
    site.config["limits"] = dict.fromkeys(LIMITS, 0)
    exports = recorder.journal.exports
    await site.start()
    with psycopg.connect(url) as connection:
        assert connection.execute(WAITED_FOR).fetchall() == [(True,)]
    database = (await site.get("/api/status"))["database"]
    assert (database["standbys"], database["behind_s"] is not None) == (1, True)
    load = Load(site.broker.port, lambda: load.sent - len(exports) >= BACKLOG)
    async with load:
        await load.more(ALARMS)
        await asyncio.to_thread(first.kill)
        await load.more(ALARMS)
        await asyncio.to_thread(second.promote)
        await load.more(ALARMS)
        await load.end()
        async with asyncio.timeout(300), site.events() as events:
            with psycopg.connect(second.url(name), autocommit=True) as connection:
                while load.last not in (topics := kept(connection)) or left(connection):
                    await anext(events)
    made = exports_by_incident(r.order.path for r in exports)
    assert load.confirmed - set(topics) == set()
    assert len(topics) == len(set(topics)) == len(made) == made.total()
    assert duplicates(recorder.journal) == []


def kept(connection: psycopg.Connection[tuple[str]]) -> list[str]:
    return [topic for (topic,) in connection.execute(TOPICS)]


def left(connection: psycopg.Connection[tuple[int]]) -> int:
    (number,) = connection.execute(LEFT).fetchone() or (0,)
    return number
