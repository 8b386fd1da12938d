"""The service as it is shipped, installed on a machine with broker and recorder."""

import textwrap
from typing import Any

from fakes.machine import DEADLINE_S, ROOT, Machine
from fakes.mosquitto import find_mosquitto

CONFIG = r"""
[daemon]
instance = "test"
state_dir = "/var/lib/evidenced"
[mqtt]
url = "mqtt://127.0.0.1:1883"
username = "evidenced"
password = { credential = "mqtt-password" }
[web]
listen = "unix:/run/evidenced/control.sock"
[recorders.main]
url = "http://127.0.0.1:8480"
username = "export"
password = { credential = "sense-password" }
nonce = "AR5chsWVZagPfMpB"
settle = "0s"
poll_interval = "1s"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{rule}-{id}'
[[rules]]
name = "panic"
topics = ["panic/{zone}"]
group_by = ["zone"]
cameras = ["lobby"]
format = "text"
pre_roll = "1s"
post_roll = "1s"
"""
BROKER = """
listener 1883 127.0.0.1
user root
allow_anonymous false
password_file /etc/broker.users
persistence true
persistence_location /var/lib/mosquitto/
"""
SERVICE = """
[Service]
ExecStart={command}
Restart=always
"""
USERS = "evidenced:broker secret\n"
NAME = "evidenced.service"
NEWER = 254
DROP_INS = f"/etc/systemd/system/{NAME}.d"
STATE = "/var/lib/private/evidenced"
PUBLISH = """
import sys
from paho.mqtt import publish
publish.single(sys.argv[1], "alarm", qos=1, hostname="127.0.0.1",
               auth={"username": "evidenced", "password": "broker secret"})
"""
SCENARIO = """
[recording]
lag = "0s"
"""


def install(machine: Machine, python: str) -> None:
    """As README.md says, but from the tree instead of a wheel."""
    for name, words in (("python", python), ("evidenced", f"{python} -m evidenced")):
        launcher = f'#!/bin/sh\nexec {words} "$@"\n'
        machine.write(f"/opt/evidenced/bin/{name}", launcher, 0o755)
    machine.write("/etc/broker.conf", BROKER)
    machine.write("/etc/broker.users", USERS, 0o600)
    machine.run("mosquitto_passwd", "-U", "/etc/broker.users")
    machine.write("/etc/recorder.toml", SCENARIO)
    simulate = "simulate --listen 127.0.0.1:8480 --scenario /etc/recorder.toml"
    for name, command in (
        ("broker", f"{find_mosquitto()} -c /etc/broker.conf"),
        ("recorder", f"/opt/evidenced/bin/evidenced {simulate}"),
    ):
        unit = SERVICE.format(command=command)
        machine.write(f"/etc/systemd/system/{name}.service", unit)
    machine.write("/etc/evidenced/credentials/mqtt-password", "broker secret\n", 0o600)
    machine.write("/etc/evidenced/credentials/sense-password", "secret\n", 0o600)
    machine.run("chmod", "0700", "/etc/evidenced/credentials")
    machine.write("/etc/evidenced/evidenced.toml", CONFIG)
    files = ["evidenced.service", "evidenced.service.d/credentials.conf"]
    if machine.systemd_version() >= NEWER:
        files.append("evidenced.service.d/systemd-254.conf")
    for file in files:
        text = (ROOT / "systemd" / file).read_text()
        machine.write(f"/etc/systemd/system/{file}", text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "broker", "recorder")


class Service:
    """The service on its machine. What a test changes is undone by `reset`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def reset(self) -> None:
        """Stopped, as shipped, with empty state."""
        run = self.machine.run
        run("systemctl", "stop", NAME, check=False)
        run("systemctl", "reset-failed", NAME, check=False)
        run("systemctl", "start", "broker", "recorder")
        run("rm", "-rf", f"{DROP_INS}/test.conf", STATE)
        self.configure(CONFIG)
        run("systemctl", "daemon-reload")

    def configure(self, text: str) -> None:
        self.machine.write("/etc/evidenced/evidenced.toml", text)

    def change(self, text: str) -> None:
        """Settings of the unit, in force from the next start on."""
        self.machine.write(f"{DROP_INS}/test.conf", textwrap.dedent(text))
        self.machine.run("systemctl", "daemon-reload")

    def start(self) -> None:
        self.machine.run("systemctl", "start", NAME)

    def show(self, name: str) -> str:
        return self.machine.show(NAME, name)[name]

    def main_pid(self) -> int:
        return int(self.show("MainPID"))

    def signal(self, name: str) -> None:
        self.machine.run("systemctl", "kill", "--kill-who=main", "-s", name, NAME)

    def command(self, *arguments: str, check: bool = True) -> str:
        """One of its commands, run by root; what it said."""
        done = self.machine.run("/opt/evidenced/bin/evidenced", *arguments, check=check)
        return done.stdout + done.stderr

    def publish(self, topic: str) -> None:
        """An alarm on its way through the broker, at QoS 1."""
        self.machine.run("/opt/evidenced/bin/python", "-c", PUBLISH, topic)

    def line(
        self, after: str, event: str, within: float = DEADLINE_S
    ) -> dict[str, Any]:
        """Wait for an event in its log after the cursor."""
        return self.machine.line(after, "EVIDENCED_EVENT", event, within)

    def said(self, after: str) -> str:
        """Wait for what it writes to stderr before it has a log."""
        return str(self.machine.line(after, "_TRANSPORT", "stdout")["MESSAGE"])

    def until_active(self) -> None:
        self.machine.until(lambda: self.show("ActiveState") == "active", "active")
