"""Other brokers than mosquitto, and its newest: is an acknowledged alarm stored, once?

The daemon as a process of its own, killed and started again, at the real broker.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from fakes.mosquitto import free_port
from live.brokers import BROKERS, Served

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
CONFIG = r"""
[daemon]
state_dir = "{folder}/state"
[mqtt]
url = "{url}"
protocol = "{protocol}"
client_id = "evidenced-live"
[web]
listen = ""
[recorders.main]
url = "http://127.0.0.1:1"
username = "export"
password = {{ env = "NOBODY" }}
auth = "plain"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
[[rules]]
name = "alarm"
topics = ["alarms/{{zone}}"]
group_by = ["zone"]
cameras = ["lobby"]
format = "any"
"""
DEADLINE_S = 90.0


@pytest.fixture(scope="module", params=BROKERS, ids=lambda b: b.__name__)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    make: Callable[[Path, Path], Served] = request.param
    folder = tmp_path_factory.mktemp(make.__name__)
    served = make(folder, tmp_path_factory.mktemp("made"))
    try:
        served.start()
        time.sleep(served.settle_s)
        yield served
    finally:
        served.stop()


class Proxy:
    """Passes bytes on. While it is deaf the broker hears nothing of the daemon."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.is_deaf = False
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for pair in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, near: socket.socket, far: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while data := near.recv(65536):
                if not (up and self.is_deaf):
                    far.sendall(data)
        for each in (near, far):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class Site:
    """A configuration, its store, and its daemon."""

    def __init__(self, folder: Path, url: str, protocol: str) -> None:
        self.file = folder / "evidenced.toml"
        self.folder = folder
        self.file.write_text(CONFIG.format(folder=folder, url=url, protocol=protocol))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "evidenced", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NOBODY": "x", "COLUMNS": "300"},
        )

    @contextmanager
    def running(self, end: signal.Signals) -> Iterator[None]:
        with (
            (self.folder / "log").open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-m", "evidenced", "run", "-c", str(self.file)],
                stderr=log,
                env={**os.environ, "NOBODY": "x"},
            ) as process,
        ):
            try:
                yield
            finally:
                process.send_signal(end)
                process.wait(60)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stored(self, of: str = "alarms", column: str = "payload") -> list[bytes]:
        """Payload by payload; of alarms, or of what opened nothing."""
        file = self.folder / "state" / "evidenced.sqlite3"
        if not file.exists():
            return []
        query = f"SELECT {column} FROM {of}"  # noqa: S608 - ours
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
            try:
                rows = store.execute(query).fetchall()
            except sqlite3.OperationalError:  # not made yet
                return []
        return [x.encode() if isinstance(x, str) else bytes(x) for (x,) in rows]

    def until(self, wanted: list[bytes]) -> None:
        """Each is stored, and nothing waits to be understood."""
        deadline = time.monotonic() + DEADLINE_S
        while not set(wanted) <= set(found := self.stored()):
            missing = sorted(set(wanted) - set(found))
            assert time.monotonic() < deadline, f"{missing[:5]}: {self.log[-3000:]}"
            time.sleep(0.1)

    def until_topics(self, wanted: list[str]) -> None:
        """Something of each is stored, cut or whole."""
        deadline = time.monotonic() + DEADLINE_S
        while not {x.encode() for x in wanted} <= set(self.stored(column="topic")):
            assert time.monotonic() < deadline, self.log[-3000:]
            time.sleep(0.1)

    def until_known_again(self, count: int) -> None:
        known = b"the broker delivered it a second time; the first is kept"
        deadline = time.monotonic() + DEADLINE_S
        while (had := self.stored("refused_alarms", "detail").count(known)) < count:
            assert time.monotonic() < deadline, f"{had} of {count}"
            time.sleep(0.2)

    def ready(self, nth: int = 1) -> None:
        """Its nth process has subscribed."""
        self.until_logged("alarms are subscribed", nth)

    def until_logged(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while self.log.count(text) < times:
            assert time.monotonic() < deadline, self.log[-3000:]
            time.sleep(0.05)


@pytest.fixture
def publish(broker: Served) -> Iterator[Callable[[list[bytes]], None]]:
    """Each on a topic of its own, at QoS 1; the broker has all on return."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="panel", protocol=MQTTv311)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def say(payloads: list[bytes]) -> None:
        for n, payload in enumerate(payloads):
            name = payload[:20].decode().strip("x").partition(" ")[0]
            client.publish(f"alarms/{name}-{n}", payload, 1).wait_for_publish(60)

    yield say
    client.disconnect()
    client.loop_stop()


def numbered(what: str, count: int) -> list[bytes]:
    return [b"%s %d" % (what.encode(), n) for n in range(count)]


def test_what_is_queued_while_the_daemon_is_killed_comes_once(
    broker: Served, publish: Callable[[list[bytes]], None], tmp_path: Path
) -> None:
    site = Site(tmp_path, broker.url, broker.protocol)
    before, away, again = (numbered(x, 20) for x in ("before", "away", "again"))
    large = [b"x" * 200_000, b"x" * 400_000]
    with site.running(signal.SIGKILL):
        site.ready()
        publish(before)
        site.until(before)
    publish(away)
    with site.running(signal.SIGTERM):
        site.ready(2)
        if broker.redelivers:
            site.until(away)
        else:
            site.until_logged("the broker has forgotten our session")
        publish(again)
        publish(large)
        site.until(again)
        site.until_topics(["alarms/-0", "alarms/-1"])
    stored = site.stored()
    for payload in [*before, *again]:
        assert stored.count(payload) == 1, payload


def test_what_is_stored_but_not_acknowledged_comes_again_and_is_known(
    broker: Served, publish: Callable[[list[bytes]], None], tmp_path: Path
) -> None:
    """The commit is done, the PUBACKs are lost, and the daemon is killed."""
    if not broker.redelivers:
        pytest.skip("it forgets who is away")
    proxy = Proxy(broker.port)
    site = Site(tmp_path, f"mqtt://127.0.0.1:{proxy.port}", broker.protocol)
    warm, lost, next_ = (numbered(x, 5) for x in ("warm", "lost", "next"))
    try:
        with site.running(signal.SIGKILL):
            site.ready()
            publish(warm)
            site.until(warm)
            time.sleep(2)  # the broker knows by then what we have
            proxy.is_deaf = True
            publish(lost)
            site.until(lost)
        proxy.is_deaf = False
        with site.running(signal.SIGTERM):
            publish(next_)
            site.until(next_)
            site.until_known_again(len(lost))  # NATS takes its 30 seconds
        stored = site.stored()
    finally:
        proxy.close()
    for payload in [*warm, *lost, *next_]:
        assert stored.count(payload) == 1, payload


def test_a_queue_outlives_the_broker_or_its_loss_is_told(
    broker: Served, publish: Callable[[list[bytes]], None], tmp_path: Path
) -> None:
    site = Site(tmp_path, broker.url, broker.protocol)
    away = numbered("queued", 10)
    with site.running(signal.SIGTERM):
        site.ready()
    publish(away)
    broker.stop()
    broker.start()
    time.sleep(broker.settle_s)
    with site.running(signal.SIGTERM):
        if broker.keeps:
            site.until(away)
        else:
            site.until_logged("the broker has forgotten our session")
    if broker.keeps:
        assert sorted(site.stored()) == sorted(away)


def test_check_online_says_what_it_grants(broker: Served, tmp_path: Path) -> None:
    site = Site(tmp_path, broker.url, broker.protocol)
    told = site.command("check", "--online", "-c", str(site.file)).stdout
    if broker.protocol == "5":
        assert "keeps our session for 7 d" in told
    else:
        assert "MQTT 3.1.1" in told
    assert "subscribed" in told


def test_websocket(
    broker: Served, publish: Callable[[list[bytes]], None], tmp_path: Path
) -> None:
    if not broker.ws_url:
        pytest.skip("it speaks no WebSocket")
    site = Site(tmp_path, broker.ws_url, broker.protocol)
    said = numbered("web", 3)
    with site.running(signal.SIGTERM):
        site.ready()
        publish(said)
        site.until(said)


def test_a_newer_protocol_than_it_speaks_is_told(
    broker: Served, tmp_path: Path
) -> None:
    if broker.protocol == "5":
        pytest.skip("it speaks MQTT 5")
    site = Site(tmp_path, broker.url, "5")
    done = site.command("check", "--online", "-c", str(site.file))
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "3.1.1" in said or "mqtt.protocol" in said
