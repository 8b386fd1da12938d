"""Messages read past paho: the same as were sent, whatever stands before and after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage

from evidenced.mqtt.publish import Publish, publish_of, read_publishes

PUBLISHES = st.builds(
    Publish,
    topic=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        min_size=1,
        max_size=20,
    ),
    payload=st.one_of(st.binary(max_size=20), st.binary(min_size=120, max_size=300)),
    packet_id=st.integers(1, 0xFFFF),
    is_repeat=st.booleans(),
    is_retained=st.booleans(),
)
USER_PROPERTY = b"\x26\x00\x01a\x00\x01b"


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def _packet(message: Publish, properties: bytes | None, *, qos: int = 1) -> bytes:
    topic = message.topic.encode()
    body = len(topic).to_bytes(2, "big") + topic
    if qos:
        body += (message.packet_id or 0).to_bytes(2, "big")
    if properties is not None:
        body += _number(len(properties)) + properties
    body += message.payload
    head = 0x30 | qos << 1 | message.is_repeat << 3 | message.is_retained
    return bytes([head]) + _number(len(body)) + body


@given(
    st.lists(PUBLISHES, max_size=6),
    st.booleans(),
    st.sampled_from([b"", USER_PROPERTY, USER_PROPERTY * 30]),
    st.data(),
)
def test_what_was_sent_is_read_up_to_where_it_is_cut(
    messages: list[Publish], is_v5: bool, properties: bytes, data: st.DataObject
) -> None:
    packets = [_packet(each, properties if is_v5 else None) for each in messages]
    before = b"read already"
    stream = before + b"".join(packets)
    cut = data.draw(st.integers(len(before), len(stream)))
    found, end = read_publishes(stream[:cut], len(before), is_v5=is_v5)
    ends = [len(before)]
    for packet in packets:
        ends.append(ends[-1] + len(packet))
    whole = sum(each <= cut for each in ends) - 1
    assert found == messages[:whole]
    assert end == ends[whole]


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_read_or_left(raw: bytes, is_v5: bool) -> None:
    found, end = read_publishes(b"\x32" + raw, 0, is_v5=is_v5)
    assert 0 <= end <= len(raw) + 1
    assert bool(found) == (end > 0)


SENT = Publish("door/1", b"x", 7)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(_packet(SENT, b"", qos=0), id="qos 0"),
        pytest.param(_packet(SENT, b"", qos=2), id="qos 2"),
        pytest.param(_packet(SENT._replace(topic=""), b""), id="topic alias"),
        pytest.param(b"\xd0\x00", id="pingresp"),
        pytest.param(b"\x32\x05\x00\x09door", id="topic longer than the packet"),
        pytest.param(b"\x32\x06\x00\x01a\x00\x07\x09", id="properties too long"),
        pytest.param(b"\x32\xff\xff\xff\xff\x01" + bytes(9), id="length of five bytes"),
        pytest.param(b"\x32\x04\x00\x01a\x00" + bytes(9), id="no room for the id"),
    ],
)
def test_what_is_no_alarm_at_qos_1_is_left_to_paho(other: bytes) -> None:
    first, last = _packet(SENT, b""), _packet(SENT, b"")
    found, end = read_publishes(first + other + last, 0, is_v5=True)
    assert found == [SENT]
    assert end == len(first)


def test_a_topic_that_is_no_utf_8_stops_nothing() -> None:
    message = MQTTMessage(1, b"alarms/\xff")
    message.qos = 1
    wanted = Publish("alarms/\N{REPLACEMENT CHARACTER}", b"", 1)
    assert publish_of(message) == wanted
    found, _ = read_publishes(b"\x32\x0c\x00\x08alarms/\xff\x00\x01", 0, is_v5=False)
    assert found == [wanted]


@given(PUBLISHES)
def test_paho_s_message_means_the_same(sent: Publish) -> None:
    assert sent.packet_id is not None
    message = MQTTMessage(sent.packet_id, sent.topic.encode())
    message.payload, message.qos = sent.payload, 1
    message.dup, message.retain = sent.is_repeat, sent.is_retained
    assert publish_of(message) == sent
