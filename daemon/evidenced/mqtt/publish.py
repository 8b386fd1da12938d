"""A message as the broker delivers it, and the short way to it.

In a storm nearly every packet is a PUBLISH at QoS 1. paho spends 45 us on each: a
message object with a condition variable, properties that nobody reads, a walk through
callbacks. Read here, one costs 3 us, and all that arrived together come in one call.
Whatever else the bytes are, and whatever is wrong with them, is left to paho.
"""

from typing import NamedTuple

from paho.mqtt.client import MQTTMessage

_KIND = 0xF6
_PUBLISH_QOS1 = 0x32
"""Packet type 3, QoS 1; DUP (8) and RETAIN (1) aside. Source: MQTT 5.0, 3.3.1."""
_DUP, _RETAIN = 0x08, 0x01
_MORE, _MOST_LENGTH_BYTES = 0x80, 4


class Publish(NamedTuple):
    """One delivery. `packet_id` is None at QoS 0: nothing is to be acknowledged."""

    topic: str
    payload: bytes
    packet_id: int | None
    is_repeat: bool = False
    is_retained: bool = False


def publish_of(message: MQTTMessage) -> Publish:
    """What paho read."""
    try:
        topic = message.topic
    except UnicodeDecodeError as error:
        topic = _lenient(error.object)
    return Publish(
        topic=topic,
        payload=bytes(message.payload),
        packet_id=message.mid if message.qos else None,
        is_repeat=message.qos > 0 and message.dup,
        is_retained=message.retain,
    )


def read_publishes(data: bytes, at: int, *, is_v5: bool) -> tuple[list[Publish], int]:
    """Messages at QoS 1 that stand at the front of the bytes, and where they end.

    It stops at the first packet that is not complete, of another kind, or malformed.
    """
    found: list[Publish] = []
    end = len(data)
    while at < end and data[at] & _KIND == _PUBLISH_QOS1:
        length, body = _number(data, at + 1)
        after = body + length
        if not body or after > end:
            break
        topic = body + 2
        topic_end = topic + int.from_bytes(data[body:topic], "big")
        payload = topic_end + 2
        if is_v5 and payload < after:
            length, payload = _number(data, payload)
            # what stands in the properties changes nothing for us
            payload = payload and payload + length
        if not topic < topic_end < payload <= after:
            break  # no topic (an alias: we allow none), or lengths that lie
        found.append(
            Publish(
                _text(data[topic:topic_end]),
                data[payload:after],
                int.from_bytes(data[topic_end : topic_end + 2], "big"),
                bool(data[at] & _DUP),
                bool(data[at] & _RETAIN),
            )
        )
        at = after
    return found, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer and where it ends; ends at 0 where it is cut or too long.

    Source: MQTT 5.0, 1.5.5.
    """
    value = shift = 0
    for place in range(at, min(at + _MOST_LENGTH_BYTES, len(data))):
        byte = data[place]
        value |= (byte & ~_MORE) << shift
        if not byte & _MORE:
            return value, place + 1
        shift += 7
    return 0, 0


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _lenient(raw)


def _lenient(raw: bytes) -> str:
    """The broker should have refused it; seen, it still must not stop the others."""
    return raw.decode("utf-8", "replace")
