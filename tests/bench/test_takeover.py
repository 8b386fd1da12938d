"""A node dies that had half of 500 recorders, with 10,000 clips that wait for them."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from recording import spread

from fakes.installation import Installation, InstallationFactory
from fakes.mosquitto import Peer
from fakes.postgres import Postgres

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

RECORDERS = 500
CLIPS = 10_000
LEAST = 200
"""Recorders of the node that has fewer."""
WANTED_S = 20.0
WAITING = "SELECT count(*) FROM clips WHERE state = 'due'"
HELD = """
SELECT node, count(*) FROM leases
WHERE name LIKE 'recorder:%' AND until > clock_timestamp() GROUP BY 1
"""


async def test_another_node_goes_on_with_all_recorders(
    installation_factory: InstallationFactory, postgres: Postgres, tmp_path: Path
) -> None:
    first = await installation_factory()
    recorder = first.recorders["main"]
    (tmp_path / "b").mkdir()
    second = Installation(tmp_path / "b", first.broker, first.recorders)
    url = postgres.database()
    for name, site in (("a", first), ("b", second)):
        section = site.config["recorders"].pop("main")
        names = [f"r{n}" for n in range(RECORDERS)]
        site.config["daemon"] |= {"store": url, "node": name}
        site.config["recorders"] = dict.fromkeys(names, section)
        site.config["cameras"] = {
            f"c{n}": {"recorder": f"r{n}", "server": "1001", "device": "2001"}
            for n in range(RECORDERS)
        }
        site.config["rules"][0] |= {
            "topics": ["access/{camera}/forced"],
            "cameras": ["{camera}"],
            "group_by": ["camera"],
            "id": "event",
            "time": "at",
        }
        limits = ("alarms_per_topic", "incidents_per_rule", "exports_per_recorder")
        site.config["limits"] = dict.fromkeys(limits, 0)
    await recorder.stop()  # so everything waits
    leader = await first.start()
    helper = await second.launch()
    await helper.line("recorders are taken")
    now = datetime.now(UTC)
    with Peer(first.broker.port) as peer:
        for n in range(CLIPS):
            at = now - timedelta(minutes=1 + n // RECORDERS)
            told = {"state": "active", "event": str(n), "at": at.isoformat()}
            peer.publish(f"access/c{n % RECORDERS}/forced", json.dumps(told))
    with psycopg.connect(url, autocommit=True) as connection:
        async with first.events() as events:
            while connection.execute(WAITING).fetchone() != (CLIPS,):
                await anext(events)
        held = dict(connection.execute(HELD).fetchall())
        assert sum(held.values()) == RECORDERS
        assert min(held["a"], held["b"]) >= LEAST
        taken = len(helper.find("recorders are taken"))
        begun = time.monotonic()
        await leader.kill()
        await helper.subscribed()
        subscribed = time.monotonic() - begun
        while dict(connection.execute(HELD).fetchall()) != {"b": RECORDERS}:
            taken += 1
            await helper.line("recorders are taken", taken)
        took = time.monotonic() - begun
    spread("seconds until alarms are taken again", [subscribed])
    spread("seconds until all recorders are taken over", [took])
    assert took < WANTED_S
    await second.close()
