"""What the demo's alarm systems send.

The messages are made up here, with the traits of real systems: booleans as text, three
forms of time and none at all, states turned round.

The acts cover the ways of an alarm: several cameras, a group, an extension, a clear, a
duplicate, footage that is not there yet, a message that nobody wants, and a broken one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, cycle
from zoneinfo import ZoneInfo

PANEL_ZONE = ZoneInfo("Europe/Amsterdam")
"""Where the demo's Paradox-like panel hangs on the wall; its messages do not say so."""

PAUSE_S = 30.0
"""Between two alarms of a demo that stays."""

Payload = Callable[[datetime], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAct:
    """One message: how many seconds after the curtain, from whom, and what about it.

    `payload` is made at the moment of sending: alarms carry their own time.
    """

    after: float
    system: str
    topic: str
    payload: Payload
    says: str


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _access(event: str) -> Payload:
    def message(at: datetime) -> bytes:
        return _json(
            {
                "event_id": event,
                "state": "active",
                "timestamp": at.isoformat(timespec="milliseconds"),
                "card": {"number": None},
            }
        )

    return message


def _input_port(state: str) -> Payload:
    """Epoch milliseconds, and a state that is text."""

    def message(at: datetime) -> bytes:
        return _json(
            {
                "topic": "onvif:Device/axis:IO/Port",
                "timestamp": int(at.timestamp() * 1000),
                "message": {
                    "source": {"port": "1"},
                    "key": {},
                    "data": {"state": state},
                },
            }
        )

    return message


def _contact(*, is_closed: bool) -> Payload:
    """A closed contact is a closed window: the alarm is the false one."""

    def message(_at: datetime) -> bytes:
        return _json({"battery": 97, "contact": is_closed, "linkquality": 120})

    return message


def _review(event: str) -> Payload:
    """Epoch seconds with a fraction; the camera is named in the payload."""

    def message(at: datetime) -> bytes:
        review = {
            "id": event,
            "camera": "car-park",
            "start_time": at.timestamp(),
            "end_time": None,
            "severity": "alert",
            "data": {"objects": ["person"], "zones": ["gate"]},
        }
        return _json({"type": "new", "before": review, "after": review})

    return message


def _zone_alarm(at: datetime) -> bytes:
    """The panel's own wall clock, and no word about its zone."""
    local = at.astimezone(PANEL_ZONE).replace(tzinfo=None)
    return _json(
        {
            "type": "zone",
            "label": "Server room",
            "change": {"generated_alarm": True, "presently_in_alarm": True},
            "partition": 1,
            "timestamp": local.isoformat(timespec="seconds"),
        }
    )


def _sent_again(payload: Payload) -> Payload:
    """The same bytes each time: with another time it would be another event."""
    sent: list[bytes] = []

    def message(at: datetime) -> bytes:
        sent.extend([] if sent else [payload(at)])
        return sent[0]

    return message


def _text(text: str) -> Payload:
    return lambda _at: text.encode()


def later() -> Iterator[DemoAct]:
    """What comes while the demo stays: an alarm every half minute, without end.

    The first has a camera that is dead; `after` is counted from the one before.
    """
    first = DemoAct(
        after=2.0,
        system="gate",
        topic="gate/east",
        payload=_text('{"state": "open"}'),
        says="a gate that two cameras see, and one of them is dead: see what it says",
    )
    others = (
        DemoAct(
            after=PAUSE_S,
            system="text panel",
            topic="panel/Get/Zone7",
            payload=_text("ALARM"),
            says="one word, no JSON",
        ),
        DemoAct(
            after=PAUSE_S,
            system="access control",
            topic="access/hq/door-north/forced",
            payload=lambda at: _access(at.isoformat())(at),
            says="door forced: the entrance group and the door's own camera",
        ),
        DemoAct(
            after=PAUSE_S,
            system="Frigate",
            topic="frigate/reviews",
            payload=lambda at: _review(at.isoformat())(at),
            says="a person at night; the payload names the camera",
        ),
    )
    return chain([first], cycle(others))


def acts(run: str) -> tuple[DemoAct, ...]:
    """All messages in their order. `run` makes the event ids of this run its own."""
    access, axis = "access/hq/door-north/forced", "axis/B8A44F000001/event/io/port/1"
    zigbee, panel = "zigbee2mqtt/storage window", "panel/Get/Zone5"
    frigate, paradox = "frigate/reviews", "paradox/events/raw"
    forced = _sent_again(_access(f"{run}-1"))
    return (
        DemoAct(
            after=0.0,
            system="access control",
            topic=access,
            payload=forced,
            says="door forced: the entrance group and the door's own camera",
        ),
        DemoAct(
            after=0.7,
            system="access control",
            topic=access,
            payload=forced,
            says="the same event once more: its id is known, nothing happens twice",
        ),
        DemoAct(
            after=1.4,
            system="camera input",
            topic=axis,
            payload=_input_port("1"),
            says='input closed, told as "1"; the window stays open until it clears',
        ),
        DemoAct(
            after=2.0,
            system="Zigbee sensor",
            topic=zigbee,
            payload=_contact(is_closed=False),
            says="contact false is a window that opened; the message has no time",
        ),
        DemoAct(
            after=2.5,
            system="Frigate",
            topic=frigate,
            payload=_review(f"{run}-2"),
            says="a person at night; the payload names the camera",
        ),
        DemoAct(
            after=3.0,
            system="text panel",
            topic=panel,
            payload=_text("ALARM"),
            says="one word, no JSON",
        ),
        DemoAct(
            after=3.5,
            system="Paradox panel",
            topic=paradox,
            payload=_zone_alarm,
            says="local time without a zone; this camera's footage comes late",
        ),
        DemoAct(
            after=4.0,
            system="Zigbee sensor",
            topic=zigbee,
            payload=_text('{"battery": 96, "linkquality": 118}'),
            says="only a battery report: no rule takes it",
        ),
        DemoAct(
            after=4.3,
            system="access control",
            topic=access,
            payload=_text('{"state": "acti'),
            says="broken on the way: kept as invalid, and it holds up nothing",
        ),
        DemoAct(
            after=4.7,
            system="camera input",
            topic=axis,
            payload=_input_port("0"),
            says='"0": the input cleared',
        ),
        DemoAct(
            after=5.2,
            system="text panel",
            topic=panel,
            payload=_text("ALARM"),
            says="again: the same incident goes on longer",
        ),
        DemoAct(
            after=5.6,
            system="Zigbee sensor",
            topic=zigbee,
            payload=_contact(is_closed=True),
            says="contact true: closed again",
        ),
    )
