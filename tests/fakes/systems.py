"""Rules that an integrator would write for alarm systems in the field.

One for each kind of message; what the payload samples of these systems teach (inverted
states, strings for numbers, words that mislead) is said beside the rule.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from evidenced.core.alarms.rules import Rule
from fakes.rule import make_rule


@dataclass(frozen=True)
class System:
    """The rule for one kind of message of one alarm system."""

    topics: tuple[str, ...]
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        # Samples are years old; max_age has tests of its own.
        return make_rule(*self.topics, max_age=timedelta(days=10_000), **self.keys)


def system(*topics: str, **keys: Any) -> System:
    return System(topics, keys)


def text(*topics: str, on: str, off: str = "") -> System:
    keys = {"text": True, "when": f"payload == '{on}'"}
    return System(topics, keys | ({"clear": f"payload == '{off}'"} if off else {}))


AXIS_PORT = system(
    "axis/{serial}/event/tns:onvif/Device/tns:axis/IO/Port/$source/port/{port}",
    when="message.data.state == '1'",  # strings for numbers
    clear="message.data.state == '0'",
    time="timestamp",
)
AXIS_AOA = system(
    "axis/{serial}/event/CameraApplicationPlatform/ObjectAnalytics/{scenario}",
    when="message.data.active == '1' || message.data.reason",  # a counter has no state
    clear="message.data.active == '0'",
    time="timestamp",  # not data.startTime (the counter's), not triggerTime
    fields={"why": "message.data.reason"},
)
ONVIF = system(
    "{camera}/onvif-ej/OpenApp/WiseAI/#",
    when="Data.State == 'true' && Data.Action != 'Exit'",  # an exit has State true, too
    clear="Data.Action == 'Exit'",
    time="UtcTime",
    fields={"object": "Data.ObjectId", "rule": "Source.RuleName"},
)
BOSCH = system(
    "{camera}/onvif-ej/IVA/CrowdDetection/Crowd Detection/{source}",
    when="Data.State == 'true'",
    clear="Data.State == 'false'",
    time="UtcTime",
)
FRIGATE_REVIEW = system(
    "frigate/reviews",
    when="after.severity == 'alert' && type != 'end'",
    clear="type == 'end'",
    time="after.end_time || after.start_time",
    id="after.id",
    fields={"camera": "after.camera", "zones": "after.data.zones"},
    group_by=("camera",),
)
FRIGATE_EVENT = system(
    "frigate/events",
    when="type != 'end'",
    clear="type == 'end'",
    time="after.end_time || after.start_time",
    id="after.id",
    fields={"camera": "after.camera", "who": "after.sub_label"},
)
FRIGATE_TRIGGER = system(
    "frigate/triggers", id="event_id", fields={"camera": "camera", "name": "name"}
)
FRIGATE_LPR = system(
    "frigate/tracked_object_update",
    when="type == 'lpr'",
    time="timestamp",
    fields={"camera": "camera", "plate": "plate"},
)
FRIGATE_MOTION = text("frigate/{camera}/motion", on="ON", off="OFF")
FRIGATE_STATUS = text("frigate/{camera}/review_status", on="ALERT", off="NONE")
Z2M_DOOR = system(
    "zigbee2mqtt/{name}", when="contact == `false`", clear="contact == `true`"
)
Z2M_MOTION = system(
    "zigbee2mqtt/{name}",
    "zigbee2mqtt/{floor}/{name}",
    when="occupancy",
    clear="occupancy == `false`",
    time="last_seen",
)
ZWAVE = system(
    "zwave/#",
    when="value == `22`",
    clear="value == `23`",
    time="time",
    fields={"node": "nodeId"},
)
HA_PANEL = text("home/alarm", on="triggered", off="disarmed")
ALARMO = system(
    "alarmo/event",
    when="event == 'TRIGGER'",
    fields={"sensors": "sensors[].entity_id", "delay": "delay"},
)
PAI = system(
    "paradox/events/raw",
    when="change.presently_in_alarm == `true`",
    clear="change.presently_in_alarm == `false` || change.arm == `false`",
    time="timestamp",
    timezone="Europe/Tallinn",
    fields={"zone": "label"},
)
PAI_DOOR = system(
    "paradox/events/raw",
    when="contains(tags, 'access')",
    time="timestamp",
    timezone="Europe/Tallinn",
    fields={"label": "label", "door": "additional_data.door"},
)
PAI_ALL = system("paradox/events/raw", time="timestamp", id="id")
PAI_ZONE = text("paradox/states/zones/{zone}/generated_alarm", on="True", off="False")
IP150_EVENT = system(
    "Paradox/Events",
    text=True,
    when="starts_with(payload, 'Event:Zone in alarm')",
    clear="starts_with(payload, 'Event:Zone OK')",
    fields={"said": "payload"},
)
IP150_ZONE = system(
    "Paradox/ZS/Z{zone}",
    text=True,
    when="starts_with(payload, 'S:1')",
    clear="starts_with(payload, 'S:0')",
)
TEXECOM_ZONE = system(
    "texecom2mqtt/zone/{zone}",
    when="status == `1`",
    clear="status == `0`",
    fields={"areas": "areas"},
)
TEXECOM_AREA = system(
    "texecom2mqtt/area/{area}",
    when="status == 'triggered'",
    clear="status == 'disarmed'",
    fields={"zone": "last_active_zone.name"},
)
TEXECOM_LOG = system(
    "texecom2mqtt/log",
    when="contains(['AlarmActive', 'Tamper', 'ArmFailed'], type)",
    time="timestamp",
    fields={"zone": "entity.zone_id"},
)
AJAX = system(
    "home/alarm/ajax/state",
    when="state == 'alarm'",
    clear="contains(['armed', 'night', 'disarmed'], state)",
    time="ts",
)
RFID_TOPICS = ("{node}/send", "{node}/sync", "ESP/{chip}/{node}/rfid/send")
ESPRFID = system(
    *RFID_TOPICS,
    when="type == 'access' && access != 'Always'",
    time="time",
    fields={"door": "door", "uid": "uid"},
)
ESPRFID_ANY = system(
    *RFID_TOPICS, when="type == 'access'", time="time", fields={"who": "username"}
)
UNIFI_UNLOCK = system(
    "unifi/access/{mac}/telemetry",
    when="data._source.event.type == 'access.door.unlock'",
    fields={
        "door": "data._source.target[?type == 'door'].display_name",
        "result": "data._source.event.result",
    },
)
UNIFI_FOB = system("unifi/protect/{mac}/button", when="button == 'arm'")
TASMOTA = system(
    "tele/{device}/SENSOR",
    "stat/{device}/RESULT",
    when="Switch1 == 'ON' || Switch1.Action == 'ON' || Switch2 == 'ON'",
    clear="Switch1 == 'OFF'",
    time="Time",
    timezone="Europe/Berlin",
)
TASMOTA_CARD = system(
    "tele/{device}/SENSOR",
    when="RC522",
    time="Time",
    timezone="Europe/Berlin",
    fields={"card": "RC522.UID"},
)
TASMOTA_RF = system(
    "tele/{device}/RESULT",
    when="RfReceived.Data == '0x7028D2'",
    time="Time",
    fields={"bits": "RfReceived.Bits"},
)
RF_DOOR = system(
    "tele/{device}/RESULT",
    when="RfReceived.RfKey == `3`",
    clear="RfReceived.RfKey == `4`",
)
SHELLY = system(
    "{device}/events/rpc",
    when="params.events[?event == 'btn_down' || event == 'double_push']",
    clear="params.events[?event == 'btn_up']",
    time="params.ts",
    fields={"component": "params.events[].component"},
)
ZONEMINDER = system(
    "zoneminder/{monitor}", when="state == 'alarm'", id="eventid"
)  # says alarm at the end, too: the event's id makes that one a duplicate
VISERON = system(
    "viseron/binary_sensor/{camera}_recorder/state",
    when="state == 'on'",
    clear="state == 'off'",
    time="attributes.end_time || attributes.start_time",
)
INTELBRAS = system(
    "intelbras_alarm/status",
    when="siren_triggered",
    clear="siren_triggered == `false`",
    fields={"zones": "zones_open[]"},
)
MESHTECH = system(
    "t/Meshtech/{mac}", when="value > `0`", clear="value == `0`", time="time"
)
PIR = system(
    "motion-readings",
    when='"motion-bool" == `1`',  # a number: 0 would be true by itself
    clear='"motion-bool" == `0`',
    time="timestamp",
    fields={"node": '"node-id"'},
)
