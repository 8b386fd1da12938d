"""One machine with broker, recorder and the service as it is shipped."""

import textwrap
from collections.abc import Iterator

import pytest

from fakes.machine import ROOT, Machine, own_python, why_not
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
SCENARIO = """
[recording]
lag = "0s"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Booted; broker and recorder run in it, the service is installed."""
    missing = why_not() or (None if find_mosquitto() else "mosquitto is not installed")
    if missing:
        pytest.skip(missing)
    binds, command = own_python()
    machine = Machine(tmp_path_factory.mktemp("systemd") / "machine", binds)
    try:
        machine.boot()
        install(machine, command)
        yield machine
    finally:
        machine.power_off()


def install(machine: Machine, command: str) -> None:
    """As README.md says, but from the tree instead of a wheel."""
    launcher = f'#!/bin/sh\nexec {command} "$@"\n'
    machine.write("/opt/evidenced/bin/evidenced", launcher, 0o755)
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
    for file in ("evidenced.service", "evidenced.service.d/credentials.conf"):
        text = (ROOT / "systemd" / file).read_text()
        machine.write(f"/etc/systemd/system/{file}", text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "broker", "recorder")


def drop_in(machine: Machine, name: str, text: str) -> None:
    """Settings of a test for the service, in force from its next start on."""
    folder = "/etc/systemd/system/evidenced.service.d"
    machine.write(f"{folder}/{name}.conf", textwrap.dedent(text))
    machine.run("systemctl", "daemon-reload")
