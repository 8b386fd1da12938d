"""modbus2mqtt itself, from PyPI, at a real broker and a Modbus server that is played.

What it published here is kept in tests/unit/captured, for the short runs.
"""

import socketserver
import struct
import subprocess
import threading
import venv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.mosquitto import Mosquitto, Peer
from fakes.playedrules import Message
from fakes.shippedsystems import make_play

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
PACKAGES = ("modbus2mqtt==0.73", "pymodbus==3.8.6")
TABLE = """"type","topic","col2","col3","col4","col5","col6"
poll,vault,1,0,2,input_status,0.2
ref,door,0,r
ref,window,1,r
"""


class Served(socketserver.StreamRequestHandler):
    """Answers what is asked with two inputs.

    Source: Modbus Messaging on TCP/IP Implementation Guide 1.0b.
    """

    door = False

    def handle(self) -> None:
        while head := self.rfile.read(7):
            transaction, protocol, length, unit = struct.unpack(">HHHB", head)
            function = self.rfile.read(length - 1)[0]
            answer = bytes([function, 1, self.door])
            size = len(answer) + 1
            head = struct.pack(">HHHB", transaction, protocol, size, unit)
            self.wfile.write(head + answer)


@pytest.fixture
def modbus() -> Iterator[int]:
    Served.door = False
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Served) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modbus2mqtt")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "pip"), "install", "-q", *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{PACKAGES[0]} cannot be installed: {done.stderr[-200:]}")
    return folder / "bin" / "modbus2mqtt"


def test_a_contact_is_one_incident_whatever_restarts(
    bridge: Path, modbus: int, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    (tmp_path / "inputs.csv").write_text(TABLE)
    command = [str(bridge), "--config", str(tmp_path / "inputs.csv")]
    command += ["--tcp", "127.0.0.1", "--tcp-port", str(modbus)]
    command += ["--mqtt-host", "127.0.0.1", "--mqtt-port", str(mosquitto.port)]
    heard: list[tuple[str, bytes]] = []
    with Peer(mosquitto.port) as peer:
        peer.subscribe("modbus/vault/state/+")

        def hear(number: int) -> None:
            for _ in range(number):
                message = peer.next()
                heard.append((message.topic, message.payload))

        for doors in ([False, True], [True, False]):  # it restarts between
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
                for n, door in enumerate(doors):
                    Served.door = door
                    hear(2 if n == 0 else 1)
                running.kill()
    play = make_play("modbus")
    outcomes = []
    for topic, payload in heard:
        said = Message(topic, payload.decode(), Outcome.UNMATCHED)
        outcomes.append(play.hear(said, datetime.now(UTC)).outcome)
    assert outcomes.count(Outcome.OPENED) == 1
    assert len(play.incidents) == 1
    assert not any(each.is_active for each in play.incidents.values())
