"""Alarms as a broker delivers them."""

from dataclasses import replace
from itertools import count

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.deliveries import BrokerLine, Stamp

_NUMBERS = count(1)


def delivered(
    alarm: Alarm,
    packet_id: int = 7,
    *,
    is_repeat: bool = False,
    line: BrokerLine | None = None,
) -> Alarm:
    """The alarm as the next delivery of all, at QoS 1."""
    stamp = Stamp(
        number=next(_NUMBERS),
        packet_id=packet_id,
        is_repeat=is_repeat,
        line=line or BrokerLine(),
    )
    return replace(alarm, stamp=stamp)
