"""The primary database dies under load; its synchronous standby is promoted."""

import asyncio

import psycopg

from chaos.books import exports_by_incident
from chaos.conftest import LIMITS, MAX_EXPORTS
from chaos.load import Load
from fakes.installation import InstallationFactory, Recorder
from fakes.pair import Pair
from fakes.proofs import duplicates

ALARMS = 15
BACKLOG = 100
TOPICS = "SELECT topic FROM inbox UNION ALL SELECT topic FROM alarms"
LEFT = """
SELECT (SELECT count(*) FROM inbox)
    + (SELECT count(*) FROM incidents WHERE state <> 'exported')
"""


async def test_nothing_that_was_taken_is_lost_with_the_primary(
    installation_factory: InstallationFactory,
    recorder: Recorder,
    pair: Pair,
) -> None:
    first, second = pair.primary, pair.standby
    assert second is not None
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
    database = (await site.get("/api/status"))["database"]
    assert (database["standbys"], database["behind_s"] is not None) == (1, True)
    load = Load(site.broker.port, lambda: load.sent - len(exports) >= BACKLOG)
    async with load:
        await load.more(ALARMS)
        await asyncio.to_thread(pair.fail)
        await load.more(ALARMS)
        await asyncio.to_thread(pair.promote)
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
