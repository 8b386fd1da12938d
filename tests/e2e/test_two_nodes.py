"""Two daemons on one PostgreSQL: one works, the other goes on when it dies."""

import json
import signal
import sys
import time
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fakes.installation import (
    Daemon,
    Installation,
    InstallationFactory,
    Recorder,
    active,
)
from fakes.line import Line
from fakes.mosquitto import Peer
from fakes.postgres import Postgres
from fakes.proofs import duplicates

PATIENCE_S = 5.0
"""What a busy host may add."""

pytestmark = pytest.mark.timeout(300)  # each wait has a deadline of its own


@dataclass
class Pair:
    """The same site on two hosts: each has its own folder and page."""

    a: Installation
    b: Installation

    @property
    def recorder(self) -> Recorder:
        return self.a.recorders["main"]

    def alarm(self, door: str = "front") -> None:
        with Peer(self.a.broker.port) as peer:
            peer.publish(f"access/{door}/forced", active())


@pytest.fixture
async def pair(
    installation_factory: InstallationFactory, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[Pair]:
    first = await installation_factory()
    folder = tmp_path / "b"
    folder.mkdir()
    second = Installation(folder, first.broker, first.recorders)
    url = postgres.database()
    for name, site in (("a", first), ("b", second)):
        site.config["daemon"] |= {"store": url, "node": name}
    yield Pair(first, second)
    await second.close()


async def stands_by(site: Installation, holder: str) -> None:
    for path in ("/healthz", "/readyz"):
        async with site.http.get(path) as response:
            assert response.status == 200
            assert await response.text() == f"standby: node {holder} does the work\n"
    async with site.http.get("/metrics") as response:
        assert response.status == 200
    async with site.http.get("/api/incidents") as response:
        assert response.status == 503
        assert f"Node {holder} does the work" in await response.text()
    nodes = {each["name"]: each for each in (await told(site))["nodes"]}
    assert nodes[holder]["up"] is True
    assert list(nodes[holder]["holds"]) == ["all", "recorder:main"]
    others = [each for name, each in nodes.items() if name != holder]
    assert [(each["up"], each["holds"]) for each in others] == [(True, {})]


async def up(site: Installation) -> dict[str, bool]:
    """Which nodes this one sees."""
    status = await site.get("/api/status")
    return {each["name"]: each["up"] for each in status["nodes"]}


async def told(site: Installation) -> Any:
    """What `evidenced status` says on this host."""
    command = (sys.executable, "-m", "evidenced", "status", "--json", "-c")
    process = await create_subprocess_exec(*command, str(site.file), stdout=PIPE)
    said, _ = await process.communicate()
    return json.loads(said)


async def test_a_killed_node_is_followed_by_the_other(pair: Pair) -> None:
    working = await pair.a.start()
    waiting = await pair.b.launch()
    await waiting.line("standing by", holder="a")
    await stands_by(pair.b, "a")
    pair.alarm()
    await pair.a.all_in("exported")
    await working.kill()
    pair.alarm("back")  # nobody is there: the broker keeps it
    await waiting.subscribed()
    await pair.b.all_in("exported", count=2)
    assert duplicates(pair.recorder.journal) == []
    async with pair.b.events() as events:  # it was seen after it had renewed its lease
        while await up(pair.b) != {"a": False, "b": True}:
            await anext(events)
    again = await pair.a.launch()
    await again.line("standing by", holder="b")


async def test_another_instance_is_refused_with_a_sentence(pair: Pair) -> None:
    await pair.a.start()
    pair.b.config["daemon"]["instance"] = "south"
    pair.b.write()
    command = (sys.executable, "-m", "evidenced", "run", "-c", str(pair.b.file))
    process = await create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    _, said = await process.communicate()
    assert process.returncode
    assert b"is that of instance 'test' (node a), and this daemon is instance" in said
    assert b"Traceback" not in said


async def test_a_node_that_is_stopped_hands_over(pair: Pair) -> None:
    working = await pair.a.start()
    waiting = await pair.b.launch()
    await waiting.line("standing by", holder="a")
    pair.alarm()
    assert await working.stop() == 0
    await waiting.subscribed()
    await pair.b.all_in("exported")
    assert duplicates(pair.recorder.journal) == []
    assert await waiting.stop() == 0


async def test_a_node_whose_database_never_answers_stops_in_time(
    pair: Pair, postgres: Postgres
) -> None:
    """What waits for it is a thread: nobody could end that, and systemd killed it."""
    config = pair.a.config["daemon"]
    with Line(postgres.port) as line:
        config["store"] = config["store"].replace(str(postgres.port), str(line.port))
        working = await pair.a.start()
        await working.line("recorder connected")
        line.hang()
        begun = time.monotonic()
        assert await working.stop() == 0
    assert time.monotonic() - begun < 10 + PATIENCE_S


async def test_a_node_that_stood_still_writes_nothing_and_stands_by(
    pair: Pair,
) -> None:
    working = await pair.a.start()
    waiting = await pair.b.launch()
    await waiting.line("standing by", holder="a")
    working.signal(signal.SIGSTOP)
    pair.alarm()
    await waiting.subscribed()
    await pair.b.all_in("exported")
    working.signal(signal.SIGCONT)
    await working.line("standing by", holder="b")
    await stands_by(pair.a, "b")
    pair.alarm("back")
    await pair.b.all_in("exported", count=2)
    assert duplicates(pair.recorder.journal) == []


@pytest.fixture
async def spread(
    installation_factory: InstallationFactory, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[Pair]:
    """Four recorders over two nodes; an alarm is for a camera of each."""
    recorders = {name: Recorder() for name in ("main", "north", "south", "west")}
    first = await installation_factory(**recorders)
    folder = tmp_path / "b"
    folder.mkdir()
    second = Installation(folder, first.broker, first.recorders)
    url = postgres.database()
    for name, site in (("a", first), ("b", second)):
        site.config["daemon"] |= {"store": url, "node": name}
    yield Pair(first, second)
    await second.close()


def exports_of(daemon: Daemon) -> list[dict[str, Any]]:
    """What a node tells of exports at its recorders."""
    return [
        each
        for each in daemon.lines
        if each["event"].startswith("export ") and "recorder" in each
    ]


def held_by(site: Installation) -> dict[str, set[str]]:
    """Which recorders each node has, as the database has it."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(site.config["daemon"]["store"]) as connection:
        query = "SELECT node, name FROM leases WHERE until > now() AND name <> 'all'"
        for node, name in connection.execute(query):
            found.setdefault(node, set()).add(name)
    return found


async def test_recorders_are_spread_and_one_incident_is_of_both_nodes(
    spread: Pair,
) -> None:
    working = await spread.a.start()
    await working.line("recorders are taken", number=4)
    waiting = await spread.b.launch()
    await waiting.line("standing by", holder="a")
    await waiting.line("recorders are taken", number=2)
    found = held_by(spread.a)
    assert found["a"] & found["b"] == set()
    spread.alarm()
    (incident,) = await spread.a.all_in("exported")
    assert len(incident["clips"]) == 4
    told = {f"recorder:{each['recorder']}" for each in exports_of(waiting)}
    assert told == found["b"]
    name = min(found["b"]).removeprefix("recorder:")
    counted = f'evidenced_exports_total{{outcome="exported",recorder="{name}"}}'
    assert await spread.b.metric(counted) == 1
    assert await spread.a.metric(counted) == 0
    for recorder in spread.a.recorders.values():
        assert len(recorder.journal.exports) == 1
    status = await spread.a.get("/api/status")
    assert {each["name"]: each["up"] for each in status["recorders"]} == {
        "main": True,
        "north": True,
        "south": True,
        "west": True,
    }
    await waiting.kill()
    spread.alarm("back")  # who has its recorder is dead, and not yet known to be
    await working.line("recorders are taken", number=2)
    assert held_by(spread.a).keys() == {"a"}
    await spread.a.all_in("exported", count=2)
    assert await working.stop() == 0
    for recorder in spread.a.recorders.values():
        assert len(recorder.journal.exports) == 2
        assert duplicates(recorder.journal) == []
