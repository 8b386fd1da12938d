"""Two nodes on one PostgreSQL, each killed, stopped, frozen and cut off under load.

A long run: `pytest tests/chaos/test_nodes.py --kills 100 -s`.
"""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from chaos.books import exports_by_incident
from chaos.conftest import LIMITS, MAX_EXPORTS
from chaos.load import Load
from fakes.installation import Daemon, Installation, InstallationFactory, Recorder
from fakes.postgres import Postgres
from fakes.proofs import duplicates

ACTS = ("kill", "freeze", "cut", "stop")
SHORT, LONG = 2, 20
"""Takeovers of a short run: each costs the life of a lease."""
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

    async def take_over(self, act: str) -> None:
        """Something happens to the working node; the other goes on, it comes back."""
        old, new = self.daemons[self.working], self.daemons[self.other]
        before = len(new.find("alarms are subscribed"))
        match act:
            case "kill":
                await old.kill()
            case "stop":
                assert await old.stop() == 0
            case "freeze":
                old.signal(signal.SIGSTOP)
            case "cut":
                self._cut(self.working)
        await new.subscribed(before + 1)
        gone, self.working = self.working, self.other
        if act in {"kill", "stop"}:
            await self._stand_by(gone)
            return
        known = len(old.find("standing by"))
        if act == "freeze":
            old.signal(signal.SIGCONT)
        await old.line("standing by", known + 1)

    def _cut(self, node: str) -> None:
        """The database hangs up on a node, and takes its lease from it."""
        with psycopg.connect(self.url, autocommit=True) as boss:
            boss.execute(
                "UPDATE leases SET until = clock_timestamp() - interval '1 s',"
                " epoch = epoch + 1 WHERE node = %s",
                [node],
            )
            boss.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s",
                [f"evidenced {node}"],
            )

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


async def test_nodes_follow_each_other_and_nothing_is_lost(
    installation_factory: InstallationFactory,
    recorder: Recorder,
    postgres: Postgres,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    kills: int = request.config.getoption("kills")
    acts = [ACTS[n % len(ACTS)] for n in range(kills if kills >= LONG else SHORT)]
    first = await installation_factory(main=recorder)
    (tmp_path / "b").mkdir()
    second = Installation(tmp_path / "b", first.broker, first.recorders)
    url = postgres.database()
    for name, site in (("a", first), ("b", second)):
        site.config["daemon"] |= {"store": url, "node": name}
        site.config["rules"][0] |= {"id": "event", "time": "at"}
        site.config["recorders"]["main"] |= {"max_exports": MAX_EXPORTS}
        site.config["limits"] = dict.fromkeys(LIMITS, 0)
    nodes = Nodes({"a": first, "b": second}, url)
    exports = recorder.journal.exports
    try:
        await nodes.begin()
        load = Load(first.broker.port, lambda: load.sent - len(exports) >= BACKLOG)
        async with load:
            for act in acts:
                await load.more(ALARMS)
                await nodes.take_over(act)
            await load.more(ALARMS)
            await load.end()
            async with asyncio.timeout(600):
                await nodes.settled(load.last)
    finally:
        await second.close()
    topics = nodes.topics()
    made = exports_by_incident(r.order.path for r in exports)
    figures = {
        "confirmed": len(load.confirmed),
        "kept": len(topics),
        "exported": len(made),
        "twice": made.total() - len(made),
    }
    print(len(acts), "takeovers:", figures)  # noqa: T201 - the proof
    assert load.confirmed - set(topics) == set()
    assert len(topics) == len(set(topics)) == len(made) == made.total()
    assert duplicates(recorder.journal) == []
