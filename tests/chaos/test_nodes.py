"""Two nodes on one PostgreSQL, killed, stopped, frozen and cut off under load.

A long run: `pytest tests/chaos/test_nodes.py --kills 100 -s`.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from chaos.books import exports_by_incident
from chaos.conftest import LIMITS, MAX_EXPORTS
from chaos.load import Load
from fakes.installation import Daemon, Installation, InstallationFactory, Recorder
from fakes.line import Line
from fakes.postgres import Postgres
from fakes.proofs import duplicates

ACTS = ("kill", "cut", "broker", "freeze", "hang", "other", "stop")
SHORT, LONG = 3, 20
"""Acts of a short run: a takeover costs the life of a lease."""
ALARMS = 15
BACKLOG = 100
TOPICS = "SELECT topic FROM inbox UNION ALL SELECT topic FROM alarms"
LEFT = """
SELECT count(*) FROM inbox UNION ALL
SELECT count(*) FROM incidents WHERE state <> 'exported'
"""


@dataclass
class Nodes:
    """`working` does the work; the other one stands by."""

    sites: dict[str, Installation]
    url: str
    databases: dict[str, Line]
    brokers: dict[str, Line]
    working: str = "a"
    daemons: dict[str, Daemon] = field(default_factory=dict)

    @property
    def other(self) -> str:
        return "b" if self.working == "a" else "a"

    async def begin(self) -> None:
        self.daemons["a"] = await self.sites["a"].start()
        await self._stand_by("b")

    async def _stand_by(self, name: str) -> None:
        self.daemons[name] = await self.sites[name].launch()
        await self.daemons[name].line("standing by", holder=self.working)

    async def suffer(self, act: str) -> None:
        """Something happens to a node, and is over."""
        if act == "other":
            await self.daemons[self.other].kill()
            await self._stand_by(self.other)
        else:
            await self._take_over(act)

    async def _take_over(self, act: str) -> None:
        """The working node is gone; the other goes on, and it comes back."""
        old, new = self.daemons[self.working], self.daemons[self.other]
        line = (self.brokers if act == "broker" else self.databases)[self.working]
        before = len(new.find("alarms are subscribed"))
        known = len(old.find("standing by"))
        match act:
            case "kill":
                await old.kill()
            case "stop":
                assert await old.stop() == 0
            case "freeze":
                old.signal(signal.SIGSTOP)
            case "cut" | "broker":
                line.cut()
            case "hang":
                line.hang()
        await new.subscribed(before + 1)
        gone, self.working = self.working, self.other
        if act in {"kill", "stop"}:
            await self._stand_by(gone)
            return
        old.signal(signal.SIGCONT)
        line.mend()
        await old.line("standing by", known + 1)

    async def settled(self, last: str) -> None:
        """The last alarm has come, and everything is exported."""
        async with self.sites[self.working].events() as events:
            while last not in self.topics() or self._left():
                await anext(events)

    def topics(self) -> list[str]:
        with psycopg.connect(self.url) as connection:
            return [topic for (topic,) in connection.execute(TOPICS)]

    def _left(self) -> int:
        with psycopg.connect(self.url) as connection:
            return sum(n for (n,) in connection.execute(LEFT))


@pytest.fixture
async def nodes(
    installation_factory: InstallationFactory,
    recorder: Recorder,
    postgres: Postgres,
    tmp_path: Path,
) -> AsyncIterator[Nodes]:
    """Each with lines of its own to database and broker."""
    first = await installation_factory(main=recorder)
    (tmp_path / "b").mkdir()
    second = Installation(tmp_path / "b", first.broker, first.recorders)
    url, sites = postgres.database(), {"a": first, "b": second}
    with ExitStack() as stack:
        databases, brokers = (
            {name: stack.enter_context(Line(port)) for name in sites}
            for port in (postgres.port, first.broker.port)
        )
        for name, site in sites.items():
            store = url.replace(str(postgres.port), str(databases[name].port))
            site.config["daemon"] |= {"store": store, "node": name}
            site.config["mqtt"] |= {"url": f"mqtt://127.0.0.1:{brokers[name].port}"}
            site.config["rules"][0] |= {"id": "event", "time": "at"}
            site.config["recorders"]["main"] |= {"max_exports": MAX_EXPORTS}
            site.config["limits"] = dict.fromkeys(LIMITS, 0)
        yield Nodes(sites, url, databases, brokers)
        await second.close()


async def test_nodes_follow_each_other_and_nothing_is_lost(
    nodes: Nodes, recorder: Recorder, request: pytest.FixtureRequest
) -> None:
    kills: int = request.config.getoption("kills")
    acts = [ACTS[n % len(ACTS)] for n in range(kills if kills >= LONG else SHORT)]
    exports = recorder.journal.exports
    await nodes.begin()
    port = nodes.sites["a"].broker.port
    load = Load(port, lambda: load.sent - len(exports) >= BACKLOG)
    async with load:
        for act in acts:
            await load.more(ALARMS)
            await nodes.suffer(act)
        await load.more(ALARMS)
        await load.end()
        async with asyncio.timeout(600):
            await nodes.settled(load.last)
    topics = nodes.topics()
    made = exports_by_incident(r.order.path for r in exports)
    figures = {
        "confirmed": len(load.confirmed),
        "kept": len(topics),
        "exported": len(made),
        "twice": made.total() - len(made),
    }
    print(len(acts), "acts:", figures)  # noqa: T201 - the proof
    assert load.confirmed - set(topics) == set()
    assert len(topics) == len(set(topics)) == len(made) == made.total()
    assert duplicates(recorder.journal) == []
