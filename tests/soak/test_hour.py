"""The real daemon for an hour of mixed alarms and faults: it takes no more at its end.

    pytest -m soak tests/soak -s                      an hour
    SOAK_MINUTES=3 pytest -m soak tests/soak -s       to try it
    SOAK_ROUND_S=0.05 ...     ten times as many messages: a leak of each shows tenfold

What is finished is pruned after a twentieth of that, so that the store comes to rest.
"""

import asyncio
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from evidenced.simulator import Scenario
from evidenced.simulator.scenario import ExportsScenario, Recording
from fakes.installation import (
    Daemon,
    Installation,
    InstallationFactory,
    Recorder,
    active,
    rule,
)
from fakes.mosquitto import Mosquitto, Peer
from soak.gauges import Sample, growth, look, save, told, warm

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
WARM_S = 900.0
"""Until most caches that are bounded by a count are full; all are after an hour."""
LOOK_S = 5.0
ROUND_S = float(os.environ.get("SOAK_ROUND_S", "0.5"))
FAULT_EVERY = 60
"""Rounds; one fault of each kind in turn, over before the next one."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(MINUTES * 60 + 600)]


class Load:
    """Mixed alarms, a handful a second, and how many of them open an incident."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._random = Random(5)  # noqa: S311 - repeatable on purpose
        self.sent = 0
        self.opening = 0

    def round(self, n: int) -> None:
        """One incident of its own, one that goes on and on, and what is no alarm."""
        site = f"s{n}"
        self._say(f"access/{site}/forced", active(n=n))
        self.opening += 1
        self._say("access/north/stuck", active(n=n))
        if n % 3 == 0:
            self._say("access/x/forced", "{not json")
            self._say("access/x/forced", json.dumps({"state": "quiet", "n": n}))
        if n % 120 == 0:
            for repeat in range(200):
                self._say("access/south/stuck", active(n=n, repeat=repeat))

    def _say(self, topic: str, payload: str) -> None:
        self._peer.publish(topic, payload)
        self.sent += 1


async def test_it_takes_no_more_after_an_hour(
    installation_factory: InstallationFactory,
    mosquitto: Mosquitto,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aged = ("-m", "soak.aged", str(MINUTES / 20))
    monkeypatch.setattr(Daemon, "program", aged)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    recorder = Recorder(
        Scenario(
            recording=Recording(lag=timedelta(0), rate=1000),
            exports=ExportsScenario(completed_listed=timedelta(seconds=30)),
        )
    )
    site = await installation_factory(main=recorder)
    site.config["recorders"]["main"] |= {"poll_interval": "1s", "max_exports": 8}
    # not this test's: see unit/test_limits.py
    site.config["limits"] = {
        "alarms_per_topic": 0,
        "incidents_per_rule": 0,
        "exports_per_recorder": 0,
    }
    stuck = rule("stuck", cameras=["main-2"], post_roll="2s", max_length="30s")
    site.config["rules"].append(stuck)
    daemon = await site.start()
    samples: list[Sample] = []
    with Peer(mosquitto.port, client_id="source", expiry_s=3600) as peer:
        load = Load(peer)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch(daemon, tmp_path, samples))
            await strain(site, daemon, recorder, load)
            watching.cancel()
    await until_read(site, load)
    opened = await outcome(site, "forced", "opened")
    file = tmp_path / "samples.csv"
    save(samples, file)
    rested = warm(samples, min(MINUTES * 60 / 2, WARM_S))
    sys.stdout.write(f"\n{load.sent} messages, {opened:.0f} incidents of their own\n")
    sys.stdout.write(f"{told(rested)}\nevery sample: {file}\n")
    # none lost, none twice
    assert opened == load.opening
    assert growth(rested) == []
    assert await daemon.stop() == 0


async def watch(daemon: Daemon, folder: Path, samples: list[Sample]) -> None:
    store = folder / "state" / "evidenced.sqlite3"
    while True:
        samples.append(look(daemon.pid, store, folder / "inside.json"))
        save(samples, folder / "samples.csv")
        await asyncio.sleep(LOOK_S)


async def strain(
    site: Installation, daemon: Daemon, recorder: Recorder, load: Load
) -> None:
    """Alarms and faults until the time is up; then all is well."""
    end, n = time.monotonic() + MINUTES * 60, 0
    while time.monotonic() < end:
        await asyncio.to_thread(load.round, n)
        phase, step = divmod(n, FAULT_EVERY)
        if step == FAULT_EVERY // 2:
            await begin(phase % 4, site, daemon, recorder)
        elif step == FAULT_EVERY // 2 + 10:
            await heal(phase % 4, recorder)
        n += 1
        await asyncio.sleep(ROUND_S)
    await heal(n // FAULT_EVERY % 4, recorder)


async def begin(
    kind: int, site: Installation, daemon: Daemon, recorder: Recorder
) -> None:
    match kind:
        case 0:
            await recorder.stop()
        case 1:
            site.broker.freeze()
            await asyncio.sleep(12)  # more than keepalive: the daemon dials again
            site.broker.thaw()
        case 2:
            site.config["recorders"]["main"]["max_devices"] = 3
            site.write()
            daemon.signal(signal.SIGHUP)
        case _:
            async with site.http.get("/metrics") as response:
                await response.read()


async def heal(kind: int, recorder: Recorder) -> None:
    if kind == 0 and not await is_up(recorder):
        await recorder.start()


async def is_up(recorder: Recorder) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", recorder.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def outcome(site: Installation, name: str, what: str) -> float:
    labels = f'{{outcome="{what}",rule="{name}"}}'
    return await site.metric(f"evidenced_alarms_total{labels}")


async def until_read(site: Installation, load: Load) -> None:
    async with asyncio.timeout(60):
        while await outcome(site, "forced", "opened") < load.opening:
            await asyncio.sleep(1)
