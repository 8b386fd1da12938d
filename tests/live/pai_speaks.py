"""Paradox Alarm Interface with a panel that is played: one zone alarm and its end.

Run by the Python that has it: `python pai_speaks.py PORT`. The panel's frame and the
properties are the real ones; only the line to the panel is not there.
"""

import asyncio
import sys
from datetime import datetime
from types import SimpleNamespace

from paradox.config import config
from paradox.event import Change, LiveEvent
from paradox.hardware.evo.event import event_map
from paradox.hardware.evo.parsers import LiveEvent as Frame
from paradox.hardware.evo.property import property_map
from paradox.interfaces.mqtt.basic import BasicMQTTInterface
from paradox.lib import ps
from paradox.lib.encodings import register_encodings
from paradox.lib.utils import sanitize_key
from paradox.paradox import Paradox

ZONE = "Living room"
IN_ALARM, RESTORED = 24, 26


def frame(event: int) -> bytes:
    """What an EVO panel sends for this zone at this minute."""
    now = datetime.now()  # noqa: DTZ005 - the panel's clock has no zone
    head = bytes([0xE2, 0xFF, 0x1C, 0xC4])
    century, year = divmod(now.year, 100)
    time = bytes([century, year, now.month, now.day, now.hour, now.minute])
    body = bytes([event, 1, 2, 0, 0, 0, 0, 0, 2]) + ZONE.encode().ljust(16) + b"\0"
    whole = head + time + body
    return whole + bytes([sum(whole) % 256])


def say(event: int, **properties: bool) -> None:
    """The panel's event, then the properties that PAI finds changed."""
    parsed = Frame.parse(frame(event))
    ps.sendEvent(LiveEvent(event=parsed, event_map=event_map, label_provider=label))
    for name, value in properties.items():
        change = Change("zone", sanitize_key(ZONE), name, value, not value)
        Paradox._on_property_change(PANEL, change)
        ps.sendChange(change)


def label(_kind: str, _key: object) -> str:
    return ZONE


PANEL = SimpleNamespace(
    panel=SimpleNamespace(property_map=property_map), get_label=label
)


async def main() -> None:
    register_encodings()
    config.MQTT_HOST, config.MQTT_PORT = "127.0.0.1", int(sys.argv[1])
    config.MQTT_PUBLISH_RAW_EVENTS = True
    interface = BasicMQTTInterface(SimpleNamespace(panel=None))
    interface.start()
    await asyncio.wait_for(interface.connected_future, 20)
    say(IN_ALARM, generated_alarm=True, presently_in_alarm=True)
    await asyncio.sleep(1)
    say(RESTORED, presently_in_alarm=False)
    await asyncio.sleep(1)
    interface.stop()


asyncio.run(main())
