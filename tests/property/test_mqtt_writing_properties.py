"""Whatever a socket takes at a time, packets go out whole, one behind the other."""

import socket
from collections.abc import Sequence
from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt.client import Client

from evidenced.mqtt.client import PUBACK_HEAD, BufferedClient, build_client
from evidenced.mqtt.settings import BrokerSettings

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14
LARGE = 3000


class Sipping:
    """A socket that takes so many bytes at a time, 0: none now; at the end all."""

    def __init__(self, sips: Sequence[int]) -> None:
        self._sips = list(sips)
        self.taken = bytearray()

    def send(self, data: bytes) -> int:
        sip = self._sips.pop(0) if self._sips else len(data)
        if not sip:
            raise BlockingIOError
        self.taken += data[:sip]
        return min(sip, len(data))

    def open_up(self) -> None:
        """Take everything from now on: one that is full at the close loses DISCONNECT,
        and the broker publishes the last will."""
        self._sips.clear()

    def close(self) -> None:
        pass


def packets(data: bytes) -> list[tuple[int, bytes]]:
    """Types and bodies; the bytes must be whole packets and nothing else."""
    found = []
    at = 0
    while at < len(data):
        length = shift = 0
        body = at + 1
        while True:
            length |= (data[body] & 0x7F) << shift
            shift += 7
            body += 1
            if data[body - 1] < 0x80:
                break
        assert body + length <= len(data), "a packet that is cut"
        found.append((data[at] >> 4, data[body : body + length]))
        at = body + length
    return found


def dialled(sock: Sipping) -> BufferedClient:
    """Its CONNECT is with the socket as far as that took it; then the loop has it."""
    client = build_client(
        BrokerSettings(host="127.0.0.1", port=1, client_id="c" * 200, base_topic="b")
    )
    client._sock = cast("socket.socket", sock)
    client._send_connect(60)  # type: ignore[no-untyped-call]
    return client


def ignore(_client: Client, _data: object, _sock: object) -> None:
    pass


def do(client: BufferedClient, what: str, mid: int) -> int:
    """The type of the packet that it makes."""
    if what == "acknowledge":
        client.acknowledge([mid])
        return PUBACK
    if what == "publish":
        client.publish("state", b"p" * LARGE, qos=0)
        return PUBLISH
    if what == "subscribe":
        client.subscribe("alarms/#")
        return SUBSCRIBE
    client._send_pingreq()
    return PINGREQ


WHAT = st.sampled_from(["acknowledge", "publish", "subscribe", "ping", "write"])


@given(st.lists(st.integers(0, 400), max_size=60), st.lists(WHAT, max_size=25))
@example([5, 0], ["acknowledge", "write"])
@example([236, 0], [])
@example([5, 0, 7, 0], ["acknowledge", "publish", "write", "acknowledge", "write"])
def test_no_acknowledgement_gets_into_another_packet(
    sips: list[int], steps: list[str]
) -> None:
    sock = Sipping(sips)
    client = dialled(sock)
    client.on_socket_register_write = ignore
    queued: dict[bool, list[int]] = {True: [], False: []}
    for mid, what in enumerate(steps, start=1):
        if what == "write":
            client.write_together()
        else:
            kind = do(client, what, mid)
            queued[kind == PUBACK].append(kind)
    while not client.write_together():
        pass
    sock.open_up()
    client.disconnect()
    client.write_together()
    kinds = [kind for kind, _ in packets(bytes(sock.taken))]
    assert kinds[0] == CONNECT
    assert kinds[-1] == DISCONNECT
    between = kinds[1:-1]
    assert [kind for kind in between if kind != PUBACK] == queued[False], "in order"
    assert between.count(PUBACK) == len(queued[True])
    said = [body for kind, body in packets(bytes(sock.taken)) if kind == PUBACK]
    assert said == [
        mid.to_bytes(2, "big")
        for mid, what in enumerate(steps, start=1)
        if what == "acknowledge"
    ]
    assert all(len(PUBACK_HEAD + body) == 4 for body in said)
