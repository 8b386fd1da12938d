"""A flood of messages that are larger than any alarm, through the real process."""

import asyncio
import re
from pathlib import Path

import pytest

from conftest import MosquittoFactory
from fakes.installation import Installation, InstallationFactory, Recorder, active
from fakes.mosquitto import Peer

MIB = 1024 * 1024
SENT = 70
SIZE = 3 * MIB
"""Larger than what is read: of such only the beginning is taken in."""
GROWTH = 64 * MIB
"""Of memory: the daemon holds only beginnings, a broker's packet and the store's cache;
without a bound it is the flood."""
STORED = 8 * MIB
INVALID = 'evidenced_alarms_total{outcome="invalid",rule="forced"}'


def peak_memory(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def stored(site: Installation) -> int:
    folder = site.folder / "state"
    return sum(each.stat().st_size for each in folder.iterdir())


@pytest.fixture
async def site(
    installation_factory: InstallationFactory, mosquitto_factory: MosquittoFactory
) -> Installation:
    """A broker that does not write each message into its own file first."""
    broker = mosquitto_factory(is_persistent=False)
    return await installation_factory(broker, main=Recorder())


async def test_a_flood_of_large_messages_costs_little_and_loses_nothing(
    site: Installation,
) -> None:
    daemon = await site.start()
    before = peak_memory(daemon.pid)
    flood = [b"%03d" % n + b"x" * SIZE for n in range(SENT)]
    with Peer(site.broker.port) as peer:
        sending = asyncio.to_thread(peer.publish_all, "access/hq/forced", flood)
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            group.create_task(sending)
            most = 0
            while await site.metric(INVALID) < SENT:
                most = max(most, stored(site))
                await asyncio.sleep(0.05)
        peer.publish("access/hq/forced", active())
    await site.all_in("exported")
    assert await site.metric(INVALID) == SENT
    assert await site.metric("evidenced_inbox_bytes") == 0
    assert max(most, stored(site)) < STORED
    assert peak_memory(daemon.pid) - before < GROWTH
    assert await daemon.stop() == 0
    assert site.broker.log.count("Received PUBACK from evidenced-test") >= SENT + 1
    assert daemon.find("an alarm cannot be read")
