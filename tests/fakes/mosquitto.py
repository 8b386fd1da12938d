"""A real mosquitto on a private loopback port, and a small client to talk to it."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

START_TIMEOUT_S = 30.0
SAID_TIMEOUT_S = 60.0
END_TIMEOUT_S = 5.0
"""2.0.11 loses a SIGTERM that comes right after it listens, one of some hundreds."""


def find_mosquitto() -> str | None:
    """Debian puts it where an ordinary user's PATH does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, kw_only=True)
class ServerTls:
    """Paths of PEM files; with `demands_client` no client gets in without its own."""

    ca: Path
    cert: Path
    key: Path
    demands_client: bool = False


class Mosquitto:
    """Start, stop, kill and start again on the same port with the same files.

    With `is_persistent` sessions and retained messages are saved at each change, so
    that they survive a kill too. `users` maps names to passwords; None: no login asked.
    `acl` is the text of mosquitto's acl_file. `options` are further lines of its
    configuration. `is_websocket` makes it speak that on its port, and plainly on
    `plain_port`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        is_persistent: bool = True,
        tls: ServerTls | None = None,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        options: Sequence[str] = (),
        is_websocket: bool = False,
    ) -> None:
        self.port = free_port()
        self.host = "127.0.0.1"
        self.folder = folder
        self.plain_port = free_port() if is_websocket else self.port
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = [
            f"listener {self.port} 127.0.0.1",
            # as root it would drop to a user who may not write into our folder
            "user root",
            f"allow_anonymous {'false' if users else 'true'}",
            # not 0, unlimited: then 2.0.11 ends a connection whose publish it denies
            "max_queued_messages 1000000",
            f"log_dest file {folder / 'mosquitto.log'}",
            "log_type all",
            *options,
        ]
        if is_persistent:
            self._lines += [
                "persistence true",
                f"persistence_location {folder}/",
                "autosave_on_changes true",
                "autosave_interval 1",
            ]
        if is_websocket:
            self._lines.append("protocol websockets")
        if tls is not None:
            self._lines += [
                f"cafile {tls.ca}",
                f"certfile {tls.cert}",
                f"keyfile {tls.key}",
                f"require_certificate {'true' if tls.demands_client else 'false'}",
            ]
        if is_websocket:
            self._lines.append(f"listener {self.plain_port} 127.0.0.1")
        if users is not None:
            self._lines.append(f"password_file {self._write_users(users)}")
        if acl is not None:
            (folder / "acl").write_text(acl)
            self._lines.append(f"acl_file {folder / 'acl'}")

    def _write_users(self, users: Mapping[str, str]) -> Path:
        path = self.folder / "users"
        path.write_text("".join(f"{name}:{word}\n" for name, word in users.items()))
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)
        return path

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    async def said(self, text: str, times: int = 1) -> None:
        """Wait till its log has so many lines with this."""
        log = self.folder / "mosquitto.log"
        follow = await asyncio.create_subprocess_exec(
            *("tail", "-n", "+1", "-F", str(log)), stdout=PIPE, stderr=DEVNULL
        )
        assert follow.stdout is not None
        try:
            async with asyncio.timeout(SAID_TIMEOUT_S):
                async for line in follow.stdout:
                    times -= text.encode() in line
                    if times == 0:
                        return
        finally:
            follow.kill()
            await follow.communicate()

    def start(self) -> None:
        """Start it and wait till it listens."""
        program = find_mosquitto()
        assert program is not None, "mosquitto is not installed"
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(self._lines) + "\n")
        self._process = subprocess.Popen(
            [program, "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_listening():
            assert self._process.poll() is None, f"mosquitto died: {self.log}"
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.01)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def stop(self) -> None:
        """End it in good order."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            end(process)

    def freeze(self) -> None:
        """It holds its connections and answers nothing, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def reload(self) -> None:
        """Let it read password and ACL files again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def write_acl(self, text: str) -> None:
        (self.folder / "acl").write_text(text)


def end(process: subprocess.Popen[bytes]) -> None:
    """It was told to end: gone when this returns, in good order or not."""
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Peer:
    """Another MQTT client: publishes and waits for the PUBACK, collects what it sees.

    A context manager; runs on paho's own thread, so it works beside an event loop.
    """

    def __init__(
        self,
        port: int,
        *,
        client_id: str = "",
        username: str | None = None,
        password: str | None = None,
        expiry_s: int = 0,
    ) -> None:
        self.messages: Queue[MQTTMessage] = Queue()
        self._port = port
        self._expiry_s = expiry_s
        self._ready = Event()
        self._granted = Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5
        )
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.max_inflight_messages_set(20)
        self._client.on_connect = lambda *_: self._ready.set()
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_message = lambda _c, _d, message: self.messages.put(message)

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._expiry_s
        self._client.connect(
            "127.0.0.1", self._port, clean_start=False, properties=properties
        )
        self._client.loop_start()
        assert self._ready.wait(START_TIMEOUT_S), "the peer cannot connect"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # paho closes its own pair of sockets when it goes: nothing keeps it
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_message = None

    def publish(
        self,
        topic: str,
        payload: bytes | str = b"",
        *,
        qos: int = 1,
        retain: bool = False,
    ) -> None:
        """Publish one message; at QoS 1 the broker has it when this returns."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(
            START_TIMEOUT_S
        )

    def publish_all(
        self, topic: str, payloads: Sequence[bytes], *, qos: int = 1
    ) -> None:
        """Publish many without waiting for each; the broker has all on return."""
        for info in [self._client.publish(topic, p, qos) for p in payloads]:
            info.wait_for_publish(START_TIMEOUT_S)

    def publish_each(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish many on topics of their own; the broker has all on return."""
        for info in [self._client.publish(t, p, 1) for t, p in messages]:
            info.wait_for_publish(START_TIMEOUT_S)

    def subscribe(self, *filters: str) -> None:
        self._granted.clear()
        self._client.subscribe([(name, 1) for name in filters])
        assert self._granted.wait(START_TIMEOUT_S), "no SUBACK"

    def next(self, timeout: float = START_TIMEOUT_S) -> MQTTMessage:
        return self.messages.get(timeout=timeout)
