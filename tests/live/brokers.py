"""Real brokers on private loopback ports, each a process that a test ends."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes.mosquitto import find_mosquitto, free_port
from live.installed import from_npm, from_pypi

HERE = Path(__file__).parent
START_S = 300.0
"""RabbitMQ takes minutes on a busy machine."""


@dataclass
class Served:
    """One broker.

    `redelivers` says whether it keeps the session of a client that is away, `keeps`
    whether over its own restart too.
    """

    name: str
    folder: Path
    command: list[str]
    port: int
    protocol: str
    ws_url: str = ""
    redelivers: bool = True
    keeps: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    settle_s: float = 0.0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = (self.folder / "broker.log").open("ab")
        self._process = subprocess.Popen(
            self.command,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=self.cwd or self.folder,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + START_S
        while not self._listens():
            assert self._process.poll() is None, f"{self.name} died: {self.log[-2000:]}"
            assert time.monotonic() < deadline, f"{self.name}: {self.log[-2000:]}"
            time.sleep(0.1)

    @property
    def log(self) -> str:
        return (self.folder / "broker.log").read_text(errors="replace")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """In good order, with all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and all that it started
        process.wait()


def mosquitto(folder: Path, _made: Path) -> Served:
    """The one that this machine has."""
    return _mosquitto(folder, [find_mosquitto() or pytest.skip("no mosquitto")], folder)


def newest_mosquitto(folder: Path, _made: Path) -> Served:
    """In a Debian root of its own: `mmdebstrap --include=mosquitto forky FOLDER`."""
    root = Path(os.environ.get("EVIDENCED_LIVE", "/nowhere")) / "mosquitto-forky"
    if not (root / "usr/sbin/mosquitto").exists():
        pytest.skip(f"no Debian root with mosquitto in {root}")
    inside = Path("/tmp") / folder.name  # noqa: S108 - the root's own
    real = root / inside.relative_to("/")
    shutil.rmtree(real, ignore_errors=True)
    real.mkdir(parents=True)
    return _mosquitto(folder, ["chroot", str(root), "mosquitto"], inside, real)


def _mosquitto(
    folder: Path, program: list[str], inside: Path, real: Path | None = None
) -> Served:
    port, ws = free_port(), free_port()
    lines = [
        f"listener {port} 127.0.0.1",
        f"listener {ws} 127.0.0.1",
        "protocol websockets",
        "allow_anonymous true",
        "user root",
        "max_queued_messages 0",
        "persistence true",
        f"persistence_location {inside}/",
        "autosave_on_changes true",
        "autosave_interval 1",
    ]
    ((real or folder) / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    return Served(
        name="mosquitto",
        folder=folder,
        command=[*program, "-c", str(inside / "mosquitto.conf")],
        port=port,
        protocol="5",
        ws_url=f"ws://127.0.0.1:{ws}/",
    )


def nats(folder: Path, _made: Path) -> Served:
    program = shutil.which("nats-server", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no nats-server (Debian: nats-server)")
    port, ws = free_port(), free_port()
    text = f"""
server_name: live
listen: 127.0.0.1:{free_port()}
jetstream {{ store_dir: "{folder}/js" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
websocket {{ listen: "127.0.0.1:{ws}", no_tls: true }}
"""
    (folder / "nats.conf").write_text(text)
    return Served(
        name="nats",
        folder=folder,
        command=[program, "-c", str(folder / "nats.conf")],
        port=port,
        protocol="3.1.1",
        ws_url=f"ws://127.0.0.1:{ws}/mqtt",
        settle_s=1.0,
    )


def rabbitmq(folder: Path, _made: Path) -> Served:
    """Without a node name that others know, and no distribution beyond loopback."""
    program = shutil.which("rabbitmq-server", path="/usr/sbin:/usr/lib/rabbitmq/bin")
    if program is None:
        pytest.skip("no rabbitmq-server (Debian: rabbitmq-server)")
    port, ws = free_port(), free_port()
    plugins = folder / "plugins"
    plugins.write_text("[rabbitmq_mqtt,rabbitmq_web_mqtt].")
    config = folder / "rabbitmq.conf"
    config.write_text(
        f"listeners.tcp.default = 127.0.0.1:{free_port()}\n"
        f"mqtt.listeners.tcp.default = 127.0.0.1:{port}\n"
        f"web_mqtt.tcp.ip = 127.0.0.1\nweb_mqtt.tcp.port = {ws}\n"
        "mqtt.allow_anonymous = true\n"
    )
    server = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"live{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(config.with_suffix("")),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -erl_epmd_port "
        f"{free_port()} -kernel inet_dist_use_interface {{127,0,0,1}}",
    }
    return Served(
        name="rabbitmq",
        folder=folder,
        command=[str(server) if server.exists() else program],
        port=port,
        protocol="3.1.1",
        ws_url=f"ws://127.0.0.1:{ws}/ws",
        environment=environment,
        settle_s=3.0,
    )


def aedes(folder: Path, made: Path) -> Served:
    program = from_npm("aedes", made, "aedes@1.2.0", "ws@8")
    port, ws = free_port(), free_port()
    return Served(
        name="aedes",
        folder=folder,
        command=["node", str(HERE / "aedes_serves.mjs"), str(port), str(ws)],
        port=port,
        protocol="3.1.1",
        ws_url=f"ws://127.0.0.1:{ws}/",
        keeps=False,
        cwd=program,
    )


def amqtt(folder: Path, made: Path) -> Served:
    python = from_pypi("amqtt", made, "amqtt")
    port = free_port()
    return Served(
        name="amqtt",
        folder=folder,
        command=[str(python), str(HERE / "amqtt_serves.py"), str(port)],
        port=port,
        protocol="3.1.1",
        redelivers=False,
        keeps=False,
    )


BROKERS: tuple[Callable[[Path, Path], Served], ...] = (
    mosquitto,
    newest_mosquitto,
    nats,
    rabbitmq,
    aedes,
    amqtt,
)
