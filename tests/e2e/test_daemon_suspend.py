"""The host is suspended and resumed: the wall clock goes on, everything else stands."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evidenced.simulator import Scenario
from evidenced.simulator.scenario import Recording
from fakes import suspendable
from fakes.installation import (
    DEADLINE_S,
    Daemon,
    Installation,
    InstallationFactory,
    Recorder,
    active,
    rule,
)
from fakes.mosquitto import Peer
from fakes.suspendable import HostClocks

STATUS = "evidenced/test/status"
TWO_HOURS = 7200.0


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostClocks:
    clocks = HostClocks(tmp_path / "clocks")
    program = (str(suspendable.__file__), str(clocks.file))
    monkeypatch.setattr(Daemon, "program", program)
    return clocks


@pytest.fixture
async def site(
    installation_factory: InstallationFactory, host: HostClocks
) -> Installation:
    """Broker and recorder are on other hosts, whose time goes on."""
    at_once = Scenario(recording=Recording(lag=timedelta(0), rate=100))
    return await installation_factory(main=Recorder(at_once, clock=host))


@asynccontextmanager
async def suspend(
    daemon: Daemon, host: HostClocks, for_s: float
) -> AsyncIterator[None]:
    """What happens meanwhile is inside."""
    daemon.signal(signal.SIGSTOP)
    began = time.monotonic()
    yield
    host.suspended(really_s=time.monotonic() - began, for_s=for_s)
    daemon.signal(signal.SIGCONT)


async def test_alarms_of_a_suspend_are_taken_and_what_is_due_is_exported(
    site: Installation, host: HostClocks
) -> None:
    site.config["rules"][0]["max_length"] = "3h"  # bounds what an absence can cost
    site.config["rules"].append(
        rule("stuck", cameras=["main-2"], post_roll="1h", max_length="2h")
    )
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.subscribe(STATUS)
        assert peer.next().payload == b"online"
        peer.publish("access/before/stuck", active())
        await site.all_in("recording")
        slept_at = host.now()
        async with suspend(daemon, host, TWO_HOURS):
            # its keepalive is over: the broker has cut it
            will = await asyncio.to_thread(peer.next, DEADLINE_S)
            assert will.payload == b"offline"
            await site.recorders["main"].stop()  # nor does a connection live there
            await site.recorders["main"].start()
            for n in range(3):
                peer.publish(f"access/away-{n}/forced", active())
        await daemon.subscribed(2)
        assert (await site.get("/healthz"))["status"] == "ok"
        incidents = await site.all_in("exported", count=4)
    assert [each["rule"] for each in incidents] == ["stuck", *["forced"] * 3]
    for incident in incidents[1:]:
        [alarm] = incident["alarms"]
        assert "while evidenced was away" in alarm["time_source"]
        start = datetime.fromisoformat(incident["clips"][0]["start"])
        assert start < slept_at, "it may have come as soon as the host slept"
    assert len(site.recorders["main"].journal.exports) == 4
    assert not daemon.find("the recorder's clock is off; windows are shifted by it")


async def test_alarms_that_waited_on_a_connection_that_lived_may_be_as_old(
    site: Installation, host: HostClocks
) -> None:
    """A short one: the broker has noticed nothing, and sends again what got lost."""
    site.config["mqtt"]["keepalive"] = "60s"
    site.config["rules"][0]["max_length"] = "30m"
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/before/forced", active())
        await site.all_in("exported")
        slept_at = host.now()
        async with suspend(daemon, host, 50.0):
            peer.publish("access/away/forced", active())
        incident = (await site.all_in("exported", count=2))[-1]
    assert len(daemon.find("connected to the broker")) == 1
    [clip] = incident["clips"]
    assert datetime.fromisoformat(clip["start"]) < slept_at + timedelta(seconds=1)
