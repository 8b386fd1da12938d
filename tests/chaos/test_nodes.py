"""Two nodes on one PostgreSQL, killed, stopped, frozen and cut off under load.

A long run: `pytest tests/chaos/test_nodes.py --kills 100 -s`.
"""

import asyncio
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import psycopg
import pytest

from chaos.books import exports_by_incident
from chaos.conftest import LIMITS, MAX_EXPORTS
from chaos.load import Load
from fakes.installation import Daemon, Installation, InstallationFactory, Recorder
from fakes.line import Line, is_of
from fakes.pair import Pair
from fakes.proofs import duplicates

KINDS = ("kill", "stop", "freeze", "cut", "hang", "broker", "recorder")
ACTS = [
    *product(KINDS, ("leader", "helper")),
    *product(("kill", "freeze"), ("both",)),
    *[("crash", "database")] * 2,
]
"""What happens, and to whom: to both in turn, the second as soon as it leads. The
primary database crashes, and its standby is promoted."""
FIRST = (("kill", "leader"), ("kill", "helper"), ("stop", "leader"))
"""Of a short run: a takeover costs the life of a lease."""
LONG = len(ACTS)
RECORDERS = ("main", "annex")
ALARMS = 15
BACKLOG = 100
TOPICS = "SELECT topic FROM inbox UNION ALL SELECT topic FROM alarms"
GAPS = "SELECT topic, (received_at - at) / 1000.0 FROM alarms"
LEFT = """
SELECT count(*) FROM inbox UNION ALL
SELECT count(*) FROM incidents WHERE state <> 'exported'
"""


@dataclass
class Nodes:
    """`leader` takes alarms; both do recorders' work."""

    sites: dict[str, Installation]
    pair: Pair
    database: str
    lines: dict[str, dict[str, Line]]
    """By what they lead to, then by node."""
    recorders: list[Line]
    """Those to recorders are both nodes', whose configurations are the same."""
    leader: str = "a"
    daemons: dict[str, Daemon] = field(default_factory=dict)
    is_calm: bool = False
    """No alarms are sent."""

    @property
    def url(self) -> str:
        return self.pair.primary.url(self.database)

    @property
    def helper(self) -> str:
        return "b" if self.leader == "a" else "a"

    async def begin(self) -> None:
        self.daemons["a"] = await self.sites["a"].start()
        await self._stand_by("b")
        await self.daemons["b"].line("recorders are taken")

    async def _stand_by(self, name: str) -> None:
        self.daemons[name] = await self.sites[name].launch()
        await self.daemons[name].line("standing by", holder=self.leader)

    async def suffer(self, kind: str, whom: str) -> None:
        """Something happens to a node, and is over."""
        match whom:
            case "database":
                await self._fail_over()
            case "leader" | "helper" if kind == "recorder":
                await self._unreached(getattr(self, whom))
            case "helper":
                await self._help_less(kind)
            case "both":
                await self._take_over(kind)
                await self._take_over(kind)
            case _:
                await self._take_over(kind)

    async def _help_less(self, kind: str) -> None:
        """The helper is gone; its recorders are the leader's, and it comes back."""
        name = self.helper
        old, leader = self.daemons[name], self.daemons[self.leader]
        taken = len(leader.find("recorders are taken"))
        match kind:
            case "kill" | "stop":
                await (old.kill() if kind == "kill" else old.stop())
                await leader.line("recorders are taken", taken + 1)
                await self._stand_by(name)
            case "freeze" | "cut" | "hang":
                with self._out(kind, name):
                    await leader.line("recorders are taken", taken + 1)
            case _:
                with self._out(kind, name):
                    await leader.told(len(leader.raw) + 1)
        await self._shared()

    async def _unreached(self, name: str) -> None:
        """One node does not reach its recorder: the other one has both, for a while."""
        async with self.sites[self.leader].events() as events:
            while not await self._are_up():  # else nobody knows that it had it
                await anext(events)
        other = self.daemons["b" if name == "a" else "a"]
        taken = len(other.find("recorders are taken"))
        for line in self.recorders:
            line.cut(is_of(self.daemons[name].pid))
        await other.line("recorders are taken", taken + 1)
        for line in self.recorders:
            line.mend()
        await self._shared()

    async def _are_up(self) -> bool:
        status = await self.sites[self.leader].get("/api/status")
        return all(each["up"] for each in status["recorders"])

    async def _fail_over(self) -> None:
        """The primary is gone; some node goes on with its standby, which gets one."""
        await asyncio.to_thread(self.pair.fail)
        await asyncio.to_thread(self.pair.promote)
        for line in self.lines["database"].values():
            line.target = self.pair.primary.port
        first = self.daemons["a"]
        while not (leading := self._leading()):
            await first.told(len(first.raw) + 1)
        (self.leader,) = leading
        await asyncio.to_thread(self.pair.follow)
        await self._shared()

    def _leading(self) -> list[str]:
        query = "SELECT node FROM leases WHERE name = 'all' AND until > now()"
        with psycopg.connect(self.url) as connection:
            return [node for (node,) in connection.execute(query)]

    @contextmanager
    def _out(self, kind: str, name: str) -> Iterator[None]:
        """It stands still, or a line of its own leads nowhere."""
        to = {"cut": "database", "hang": "database"}.get(kind, kind)
        match kind:
            case "freeze":
                self.daemons[name].signal(signal.SIGSTOP)
            case "hang":
                self.lines[to][name].hang()
            case _:
                self.lines[to][name].cut()
        try:
            yield
        finally:
            if kind == "freeze":
                self.daemons[name].signal(signal.SIGCONT)
            else:
                self.lines[to][name].mend()

    async def _take_over(self, kind: str) -> None:
        """The leader is gone; the other one goes on, and it comes back."""
        old, new = self.daemons[self.leader], self.daemons[self.helper]
        before = len(new.find("alarms are subscribed"))
        known = len(old.find("standing by"))
        gone, self.leader = self.leader, self.helper
        if kind in {"kill", "stop"}:
            await (old.kill() if kind == "kill" else old.stop())
            await new.subscribed(before + 1)
            await self._stand_by(gone)
        else:
            with self._out(kind, gone):
                await new.subscribed(before + 1)
            await old.line("standing by", known + 1)
        await self._shared()

    async def _shared(self) -> None:
        """Both have a recorder: one on which no export runs is handed over."""
        leader, self.is_calm = self.daemons[self.leader], True
        while not all(len(self._held(name)) == 1 for name in self.sites):
            await leader.told(len(leader.raw) + 1)
        self.is_calm = False

    def _held(self, node: str) -> list[str]:
        query = """SELECT substr(name, 10) FROM leases
            WHERE node = %s AND name LIKE 'recorder:%%' AND until > clock_timestamp()"""
        with psycopg.connect(self.url) as connection:
            return [name for (name,) in connection.execute(query, [node])]

    async def settled(self, last: str) -> None:
        """The last alarm has come, and everything is exported."""
        async with self.sites[self.leader].events() as events:
            while last not in self.topics() or self._left():
                await anext(events)

    def topics(self) -> list[str]:
        with psycopg.connect(self.url) as connection:
            return [topic for (topic,) in connection.execute(TOPICS)]

    def gaps(self) -> dict[str, float]:
        """Of each alarm's topic how long after it was sent it was taken, in seconds."""
        with psycopg.connect(self.url) as connection:
            return {topic: float(gap) for topic, gap in connection.execute(GAPS)}

    def _left(self) -> int:
        with psycopg.connect(self.url) as connection:
            return sum(n for (n,) in connection.execute(LEFT))


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Pair:
    """A short run crashes none."""
    if request.config.getoption("kills") < LONG:
        return Pair(request.getfixturevalue("postgres"))
    pair: Pair = request.getfixturevalue("pair")
    return pair


@pytest.fixture
async def nodes(
    installation_factory: InstallationFactory, servers: Pair, tmp_path: Path
) -> AsyncIterator[Nodes]:
    """Each with lines of its own to database and broker."""
    recorders = {name: Recorder() for name in RECORDERS}
    first = await installation_factory(**recorders)
    (tmp_path / "b").mkdir()
    second = Installation(tmp_path / "b", first.broker, first.recorders)
    url, sites = servers.primary.database(), {"a": first, "b": second}
    ports = {"database": servers.primary.port, "broker": first.broker.port}
    with ExitStack() as stack:
        lines = {
            to: {name: stack.enter_context(Line(port)) for name in sites}
            for to, port in ports.items()
        }
        shared = {
            name: stack.enter_context(Line(each.port))
            for name, each in recorders.items()
        }
        for name, site in sites.items():
            store = url.replace(
                str(servers.primary.port), str(lines["database"][name].port)
            )
            site.config["daemon"] |= {"store": store, "node": name}
            site.config["mqtt"] |= {
                "url": f"mqtt://127.0.0.1:{lines['broker'][name].port}"
            }
            site.config["rules"][0] |= {"id": "event", "time": "at"}
            for recorder in RECORDERS:
                site.config["recorders"][recorder] |= {
                    "max_exports": MAX_EXPORTS,
                    "url": f"http://127.0.0.1:{shared[recorder].port}",
                }
            site.config["limits"] = dict.fromkeys(LIMITS, 0)
        database = url.rpartition("/")[-1]
        yield Nodes(sites, servers, database, lines, list(shared.values()))
        await second.close()


def acts(kills: int, dice: random.Random) -> list[tuple[str, str]]:
    """Each of them as often as the next one, in an order of chance."""
    if kills < LONG:
        return list(FIRST[:kills])
    rounds = -(-kills // LONG)
    return [act for _ in range(rounds) for act in dice.sample(ACTS, len(ACTS))][:kills]


async def test_nodes_follow_each_other_and_nothing_is_lost(
    nodes: Nodes, dice: random.Random, request: pytest.FixtureRequest
) -> None:
    kills: int = request.config.getoption("kills")
    found = acts(kills, dice)
    recorders = nodes.sites["a"].recorders
    exports = recorders["main"].journal.exports
    during: dict[tuple[str, str], list[str]] = defaultdict(list)
    await nodes.begin()
    port = nodes.sites["a"].broker.port
    load = Load(port, lambda: nodes.is_calm or load.sent - len(exports) >= BACKLOG)
    async with load:
        for act in found:
            await load.more(ALARMS)
            begun = load.sent
            print(*act, "at alarm", begun, flush=True)  # noqa: T201 - the proof
            await nodes.suffer(*act)
            during[act] += [f"access/s{n}/forced" for n in range(begun, load.sent + 1)]
        await load.more(ALARMS)
        await load.end()
        async with asyncio.timeout(600):
            await nodes.settled(load.last)
    topics, gaps = nodes.topics(), nodes.gaps()
    made = {
        name: exports_by_incident(
            r.order.path.removesuffix(f"-{name}") for r in each.journal.exports
        )
        for name, each in recorders.items()
    }
    for act, sent in sorted(during.items()):
        longest = max((gaps[topic] for topic in sent if topic in gaps), default=0.0)
        print(f"{act[0]} of {act[1]}: longest gap {longest:.1f} s")  # noqa: T201 - the proof
    figures = {
        "confirmed": len(load.confirmed),
        "kept": len(topics),
        "exported": {name: len(each) for name, each in made.items()},
        "twice": {name: each.total() - len(each) for name, each in made.items()},
    }
    print(len(found), "acts:", dict(Counter(found)), figures)  # noqa: T201 - the proof
    assert load.confirmed - set(topics) == set()
    assert len(topics) == len(set(topics))
    for name, each in made.items():
        assert len(each) == each.total() == len(topics), name
        assert duplicates(recorders[name].journal) == []
