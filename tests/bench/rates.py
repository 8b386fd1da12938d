"""Building blocks of the benchmarks: a bare subscriber, ours, and a site."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from evidenced.app import Daemon
from evidenced.config.compile import build_site
from evidenced.config.load import load
from evidenced.core.site import Site
from fakes.mosquitto import Mosquitto, Peer

TOPIC = "access/site/{}/forced"
SUBSCRIPTION = "access/+/+/forced"

CONFIG = """
[daemon]
state_dir = "{state}"
store = "{store}"
log_level = "warning"
[limits]
incidents_per_rule = 0
exports_per_recorder = 0
[mqtt]
url = "mqtt://127.0.0.1:{port}"
client_id = "ours"
[web]
listen = ""
[recorders.main]
url = "http://127.0.0.1:9"
username = "export"
password = {{ env = "BENCH_PASSWORD" }}
nonce = "AR5chsWVZagPfMpB"
settle = "5s"
[cameras.lobby]
server = "1001"
device = "2001"
[cameras.door]
server = "1001"
device = "2002"
[destinations.nas]
path = 'V:\\evidence\\{{opened:%Y}}\\{{rule}}-{{id}}'
root = 'V:\\evidence'
[[rules]]
name = "forced"
topics = ["access/{{site}}/{{door}}/forced"]
when = "state == 'active'"
time = "timestamp"
id = "event_id"
fields = {{ badge = "card.number" }}
group_by = ["site", "door"]
cameras = ["lobby"]
pre_roll = "30s"
post_roll = "30s"
"""


def alarm(n: int, at: datetime) -> tuple[str, bytes]:
    """Alarm number n: a door of its own, so an incident of its own; 300 bytes."""
    payload = {
        "event_id": f"event-{n}-{at.timestamp()}",
        "state": "active",
        "timestamp": round(at.timestamp() * 1000),
        "card": {"number": str(n), "holder": "somebody"},
        "text": "x" * 140,
    }
    return TOPIC.format(n), json.dumps(payload).encode()


def queue_alarms(broker: Mosquitto, client_id: str, count: int) -> None:
    """Wait at the broker for that client's session."""
    with Peer(broker.port, client_id=client_id, expiry_s=3600) as peer:
        peer.subscribe(SUBSCRIPTION)
    now = datetime.now(UTC)
    with Peer(broker.port) as peer:
        peer.publish_each([alarm(n, now) for n in range(count)])


def bare_rate(broker: Mosquitto, count: int) -> float:
    """Alarms a second that paho by itself receives and acknowledges.

    With a window four times as wide as ours is by default: as fast as it can.
    """
    queue_alarms(broker, "bare", count)
    client = Client(CallbackAPIVersion.VERSION2, client_id="bare", protocol=MQTTv5)
    seen = 0

    def on_message(_client: Client, _data: object, _message: MQTTMessage) -> None:
        nonlocal seen
        seen += 1

    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 1024
    client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
    while seen == 0:
        client.loop(timeout=1.0)
    first, start = seen, time.perf_counter()
    while seen < count:
        client.loop(timeout=1.0)
    took = time.perf_counter() - start
    client.disconnect()
    return (count - first) / took


@asynccontextmanager
async def daemon(
    folder: Path, port: int, store: str = "sqlite"
) -> AsyncIterator[Daemon]:
    """The whole daemon, page aside, in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "evidenced.toml"
    file.write_text(CONFIG.format(state=folder / "state", port=port, store=store))
    running = Daemon(load(file).config)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        await task


def site_of(folder: Path, *, max_exports: int = 2) -> Site:
    """The same site; `max_exports` may be more than the configuration allows."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "evidenced.toml"
    file.write_text(CONFIG.format(state=folder / "state", port=1, store="sqlite"))
    site = build_site(load(file).config)
    recorders = {
        name: replace(settings, max_exports=max_exports)
        for name, settings in site.recorders.items()
    }
    return replace(site, recorders=recorders)
