"""What alarm systems publish, written by us with the traits of the real ones.

One play for each way to use a file of config/systems: its messages in order, ten
seconds apart from 12:00:00 UTC on, and what each of them must cause. A play of a rule
that is off by default names it after a colon.
"""

from json import dumps

from evidenced.core.alarms.alarm import Outcome
from fakes.playedrules import Message

NOON = 1795435200
"""2026-11-23 12:00:00 UTC as epoch seconds; 13:00:00 in Amsterdam."""
MS = NOON * 1000
OPENED, EXTENDED = Outcome.OPENED, Outcome.EXTENDED
CLEARED, DUPLICATE = Outcome.CLEARED, Outcome.DUPLICATE
EXCEPTED = Outcome.EXCEPTED
UNCHANGED = Outcome.UNCHANGED
IDLE = "cleared, but nothing awaits it: another zone's, or of a quiet system"
UNMATCHED, INVALID = Outcome.UNMATCHED, Outcome.INVALID


def m(topic: str, payload: object, outcome: Outcome | str, time: str = "") -> Message:
    """`time` is what the payload says; without it the receipt must count."""
    is_idle = not isinstance(outcome, Outcome)
    text = payload if isinstance(payload, str) else dumps(payload, ensure_ascii=False)
    return Message(topic, text, CLEARED if is_idle else Outcome(outcome), time, is_idle)


def axis(state: object, ms: int, **data: object) -> dict[str, object]:
    data = {"state": state} | data if state is not None else data
    return {"topic": "onvif", "timestamp": MS + ms, "message": {"data": data}}


PORT = "axis/AA11/event/tns:onvif/Device/tns:axis/IO/Port/$source/port/"
AOA = "axis/AA11/event/CameraApplicationPlatform/ObjectAnalytics/Device1Scenario"
ONVIF = "lobby/onvif-ej/OpenApp/WiseAI/IvaArea/&vs-0/"
IVA = "lobby/onvif-ej/IVA/Loitering/Front gate/&1"


def onvif(state: str, second: int, action: str = "") -> dict[str, object]:
    data = {"State": state} | ({"Action": action} if action else {})
    source = {"VideoSourceToken": "vs-0", "RuleName": "yard"}
    return {"UtcTime": f"2026-11-23T12:00:{second:02}.500Z", "Source": source,
            "Data": data}  # fmt: skip


def review(kind: str, number: int, severity: str, end: float | None = None) -> object:
    after = {"id": f"{number}.5-abc", "camera": "lobby", "severity": severity,
             "start_time": NOON + number + 0.5, "end_time": end,
             "data": {"zones": ["yard"], "objects": ["person"]}}  # fmt: skip
    return {"type": kind, "before": {}, "after": after}


def pai(label: str, change: object, minute: str | None, **more: object) -> object:
    return {"id": 3, "major": 24, "label": label, "partition": 1, "change": change,
            "type": "zone", "tags": [],
            "timestamp": minute and f"2026-11-23T{minute}:00"} | more  # fmt: skip


def changed(
    zone: str, what: str, value: bool, second: int, kind: str = "zone"
) -> object:
    """PAI's own event: a property has changed."""
    return {"type": kind, "label": zone, "partition": "", "property": what,
            "value": value, "change": {what: value},
            "timestamp": NOON + second}  # fmt: skip


def shelly(*events: str, second: float = 0.0) -> object:
    rows = [{"component": "input:0", "event": event} for event in events]
    return {"src": "s", "params": {"ts": NOON + second, "events": rows}}


def lifesos(qualifier: str, category: str = "Alarm", zone: str = "04-03") -> object:
    return {"event_qualifier": qualifier, "event_category": category, "zone": zone,
            "event_code": "Burglar"}  # fmt: skip


def unifi(result: str) -> object:
    target = [{"type": "hub", "id": "1"}, {"type": "door", "display_name": "Tür 2"}]
    event = {"type": "access.door.unlock", "result": result}
    return {"event": "access.logs.add", "data": {"_source": {"event": event,
            "target": target}}}  # fmt: skip


def viseron(state: str, end: str | None) -> object:
    end = end and f"2026-11-23T12:00:{end}+00:00"
    return {"state": state, "attributes": {"end_time": end, "objects": [],
            "start_time": "2026-11-23T13:00:00.250+01:00"}}  # fmt: skip


def rfid(access: str, time: int, kind: str = "access") -> object:
    return {"cmd": "log", "type": kind, "time": time, "access": access, "uid": "c0ffee",
            "isKnown": "false", "door": "yard", "username": "Jo"}  # fmt: skip


def rf(key: int) -> object:
    return {"RfReceived": {"Sync": 9500, "Data": "AB12", "RfKey": key}}


AWAY = "armed_away"
# fmt: off
# ruff: noqa: E501 - the table is read in rows, one a message
PLAYS: dict[str, list[Message]] = {
    "ajax-sia": [
        m("home/alarm/ajax/state", {"state": "armed", "ts": "2026-11-23T12:59:50+01:00"}, IDLE, "11:59:50.000"),
        m("home/alarm/ajax/state", {"state": "alarm", "code": "BA", "ts": "2026-11-23T13:00:05+01:00"}, OPENED, "12:00:05.000"),
        m("home/alarm/ajax/state", {"state": "alarm", "code": "BA", "ts": "2026-11-23T13:00:05+01:00"}, DUPLICATE, "12:00:05.000"),
        m("home/alarm/ajax/user", {"user": "7", "ts": "2026-11-23T13:00:20+01:00"}, UNMATCHED),
        m("home/alarm/ajax/state", {"state": "disarmed", "code": "OA", "ts": "2026-11-23T13:00:33+01:00"}, CLEARED, "12:00:33.000"),
    ],
    "alarmo": [
        m("alarmo/event", {"event": "TRIGGER", "sensors": [{"entity_id": "binary_sensor.hall"}], "delay": 30}, UNMATCHED),
        m("alarmo/state", "pending", UNMATCHED),
        m("alarmo/state", "triggered", OPENED),
        m("alarmo/state", "triggered", UNCHANGED),
        m("alarmo/state", AWAY, CLEARED),
    ],
    "alarmo:alarmo-event": [
        m("alarmo/event", {"event": "TRIGGER", "sensors": [{"entity_id": "binary_sensor.hall"}], "delay": 30}, UNMATCHED),
        m("alarmo/event", {"event": "ARM_AWAY", "delay": 0}, UNMATCHED),
        m("alarmo/event", {"event": "TRIGGER", "sensors": [{"entity_id": "binary_sensor.hall"}], "delay": 0}, OPENED),
    ],
    "alarmserver": [
        m("camera-alerts/alarmserver", {"status": "up"}, UNMATCHED),
        m("camera-alerts/lobby/VMD", "<EventNotificationAlert>", OPENED),
        m("camera-alerts/lobby/VMD", "<EventNotificationAlert>", EXTENDED),
        m("camera-alerts/lobby/linedetection", "", EXTENDED),
    ],
    "axis": [
        m(PORT + "2", axis("0", 0), IDLE, "12:00:00.000"),
        m(PORT + "2", axis("1", 5250), OPENED, "12:00:05.250"),
        m(PORT + "2", axis("1", 5250), DUPLICATE, "12:00:05.250"),
        m(PORT + "1", axis("0", 25000), IDLE, "12:00:25.000"),
        m(PORT + "2", axis("0", 35000), CLEARED, "12:00:35.000"),
        m(AOA + "ANY", axis(None, 50000, active="1", triggerTime="2026-11-19T08:00:00-04:00"), OPENED, "12:00:50.000"),
        m(AOA + "1", axis(None, 50000, active="1"), UNMATCHED),
        m(AOA + "2", axis(None, 55000, startTime="2026-11-20T22:00:00Z", reason="car", total="12"), UNMATCHED),
        m(AOA + "ANY", axis(None, 79000, active="0"), CLEARED, "12:01:19.000"),
    ],
    "axis:axis-crossline": [
        m(AOA + "2", axis(None, -1000, startTime="2026-11-20T22:00:00Z", reason="car", total="12"), OPENED, "11:59:59.000"),
        m(AOA + "2", axis(None, 9000, startTime="2026-11-20T22:00:00Z", reason="human", total="13"), EXTENDED, "12:00:09.000"),
        m(AOA + "1", axis(None, 15000, active="1"), UNMATCHED),
    ],
    "bosch": [
        m(IVA, {"UtcTime": "2026-11-23T12:00:00Z", "Source": {"Source": "1"}, "Data": {"State": "true"}}, OPENED, "12:00:00.000"),
        m(IVA, {"UtcTime": "2026-11-23T12:00:08Z", "Source": {"Source": "1"}, "Data": {"State": "true"}}, EXTENDED, "12:00:08.000"),
        m("lobby/onvif-ej/IVA/Loitering/Back gate/&1", {"UtcTime": "2026-11-23T12:00:19Z", "Data": {"State": "false"}}, IDLE, "12:00:19.000"),
        m(IVA, {"UtcTime": "2026-11-23T12:00:29Z", "Source": {"Source": "1"}, "Data": {"State": "false"}}, CLEARED, "12:00:29.000"),
        m("lobby/onvif-ej/VideoSource/MotionAlarm", {"UtcTime": "2026-11-23T12:00:39Z", "Data": {"State": "true"}}, UNMATCHED),
    ],
    "esp-rfid": [
        m("gate/send", rfid("Always", NOON), UNMATCHED),
        m("gate/send", rfid("Denied", NOON + 8), OPENED, "12:00:08.000"),
        m("gate/send", rfid("Denied", NOON + 8), DUPLICATE, "12:00:08.000"),
        m("gate/send", rfid("Denied", 23850), EXTENDED),  # its clock was never set
        m("gate/send", rfid("Expired", NOON + 39), EXTENDED, "12:00:39.000"),
        m("gate/send", {"type": "heartbeat", "time": NOON + 45, "door": "yard"}, UNMATCHED),
        m("gate/sync", {"type": "heartbeat", "time": NOON + 45, "door": "yard"}, UNMATCHED),
    ],
    "esp-rfid:esp-rfid-granted": [
        m("gate/send", rfid("Denied", NOON), UNMATCHED),
        m("gate/send", rfid("Always", NOON + 9), OPENED, "12:00:09.000"),
    ],
    "frigate": [
        m("frigate/reviews", review("new", -9, "detection"), UNMATCHED),
        m("frigate/reviews", review("update", -9, "alert"), OPENED, "11:59:51.500"),
        m("frigate/reviews", review("update", -9, "alert"), DUPLICATE, "11:59:51.500"),
        m("frigate/reviews", review("end", -5, "detection", NOON + 25.25), UNMATCHED),
        m("frigate/reviews", review("end", -9, "alert", NOON + 35.25), CLEARED, "12:00:35.250"),
        m("frigate/reviews", '{"type":"end","before":{"id":"17', INVALID),
        m("frigate/available", "offline", UNMATCHED),
        m("frigate/lobby/motion", "ON", UNMATCHED),
        m("frigate/events", {"type": "new", "after": {"camera": "lobby"}}, UNMATCHED),
    ],
    "frigate:frigate-plate": [
        m("frigate/tracked_object_update", {"type": "description", "id": "9-a"}, UNMATCHED),
        m("frigate/tracked_object_update", {"type": "lpr", "id": "9-a", "plate": "X1", "camera": "lobby", "timestamp": NOON + 8.5}, OPENED, "12:00:08.500"),
        m("frigate/tracked_object_update", {"type": "lpr", "id": "9-a", "plate": "X1", "camera": "lobby", "timestamp": NOON + 19.5}, EXTENDED, "12:00:19.500"),
    ],
    "frigate:frigate-trigger": [
        m("frigate/triggers", {"name": "van", "camera": "lobby", "event_id": "9-a", "type": "thumbnail"}, OPENED),
        m("frigate/triggers", {"name": "van", "camera": "lobby", "event_id": "9-a", "type": "thumbnail"}, DUPLICATE),
    ],
    "frigate:frigate-motion": [
        m("frigate/lobby/motion", "ON", OPENED),
        m("frigate/lobby/motion", "ON", EXTENDED),
        m("frigate/lobby/motion", "OFF", CLEARED),
    ],
    "hanwha": [
        m(ONVIF + "intrusion", onvif("true", 0, "Intrusion"), OPENED, "12:00:00.500"),
        m(ONVIF + "intrusion", onvif("true", 0, "Intrusion"), DUPLICATE, "12:00:00.500"),
        m(ONVIF + "exit", onvif("true", 20, "Exit"), UNMATCHED),
        m(ONVIF + "intrusion", onvif("false", 29, "Exit"), CLEARED, "12:00:29.500"),
    ],
    "hanwha:hanwha-exit": [
        m(ONVIF + "exit", onvif("false", 0, "Exit"), UNMATCHED),
        m(ONVIF + "exit", onvif("true", 9, "Exit"), OPENED, "12:00:09.500"),
    ],
    "hikvision-doorbell": [
        m("hmd/switch/Gate/Door-1-relay/state", "OFF", UNMATCHED),
        m("hmd/switch/Gate/Door-1-relay/state", "ON", OPENED),
        m("hmd/switch/Gate/Door-1-relay/state", "OFF", UNMATCHED),
        m("hmd/switch/Gate/Door-1-relay/state", "ON", EXTENDED),
    ],
    "home-assistant": [
        m("home/alarm", "arming", UNMATCHED),
        m("home/alarm", "pending", UNMATCHED),
        m("home/alarm", "triggered", OPENED),
        m("home/alarm", "triggered", UNCHANGED),
        m("home/alarm", "disarmed", CLEARED),
    ],
    "intelbras": [
        m("intelbras_alarm/status", {"armed": True, "zones_open": [4], "siren_triggered": False}, IDLE),
        m("intelbras_alarm/status", {"armed": True, "zones_open": [4], "siren_triggered": True}, OPENED),
        m("intelbras_alarm/status", {"armed": True, "zones_open": [4], "siren_triggered": True}, EXTENDED),
        m("intelbras_alarm/status", {"armed": False, "zones_open": [], "siren_triggered": False}, CLEARED),
        m("intelbras_alarm/status", {"armed": False, "zones_open": []}, UNMATCHED),
    ],
    "lifesos": [
        m("home/alarm", "AwayEntryDelay", UNMATCHED),
        m("home/alarm/event", lifesos("Event"), OPENED),
        m("home/alarm/event", lifesos("Repeat"), EXTENDED),
        m("home/alarm/event", lifesos("Restore", zone="01-01"), IDLE),
        m("home/alarm/event", lifesos("Restore", category="Trouble"), UNMATCHED),
        m("home/alarm/event", lifesos("Restore"), CLEARED),
        m("home/alarm/event", lifesos("Event", category="Trouble"), UNMATCHED),
        m("home/alarm/event_code", "ACPowerLoss", UNMATCHED),
    ],
    "meshtech": [
        m("t/Meshtech/aa11", {"id": "motion", "time": "2026-11-23T12:00:00.039Z", "value": 1}, OPENED, "12:00:00.039"),
        m("t/Meshtech/aa11", {"id": "motion", "time": "2026-11-23T12:00:09.039Z", "value": 3}, EXTENDED, "12:00:09.039"),
        m("t/Meshtech/aa11", {"id": "temperature", "time": "2026-11-23T12:00:19.039Z", "value": 21}, UNMATCHED),
        m("t/Meshtech/aa11", {"id": "motion", "time": "2026-11-23T12:00:29.039Z", "value": 0}, CLEARED, "12:00:29.039"),
    ],
    "neolink": [
        m("neolink/lobby/status/motion", "unknown", UNMATCHED),
        m("neolink/lobby/status/motion", "on", OPENED),
        m("neolink/lobby/status/motion", "on", EXTENDED),
        m("neolink/lobby/status/motion", "unknown", UNMATCHED),
        m("neolink/lobby/status/motion", "off", CLEARED),
        m("neolink/lobby/status/battery", "on", UNMATCHED),
    ],
    "onvif2mqtt": [
        m("onvif2mqtt/lobby/motion", "on", OPENED),
        m("onvif2mqtt/lobby/motion", "on", EXTENDED),
        m("onvif2mqtt/lobby/motion", "off", CLEARED),
        m("onvif2mqtt/lobby/doorbell", "on", UNMATCHED),
    ],
    "paradox-ip150": [
        m("Paradox/Events", "Event:Zone open;SubEvent:Front Door", UNMATCHED),
        m("Paradox/Events", "Event:Zone in alarm;SubEvent:Front Door", OPENED),
        m("Paradox/Events", "Event:Zone in alarm;SubEvent:Front Door", EXTENDED),
        m("Paradox/Events", "Event:Zone OK;SubEvent:Kitchen", IDLE),
        m("Paradox/Events", "Event:Zone OK;SubEvent:Front Door", CLEARED),
        m("Paradox/Events", "hello", UNMATCHED),
        m("Paradox/ZS/Z1", 'S:1,P:1,N:"Front Door"', UNMATCHED),
    ],
    "paradox-ip150:ip150-zone-open": [
        m("Paradox/ZS/Z12", 'S:1,P:1,N:"Front Door"', OPENED),
        m("Paradox/ZS/Z12", 'S:1,P:1,N:"Front Door"', EXTENDED),
        m("Paradox/ZS/Z12", 'S:0,P:1,N:"Front Door"', CLEARED),
    ],
    "paradox-pai": [
        m("paradox/events/raw", pai("", {}, None), UNMATCHED),
        m("paradox/events/raw", pai("Back door", {"generated_alarm": True, "presently_in_alarm": True}, "13:00", major=24), UNMATCHED),
        m("paradox/events/raw", changed("Back_door", "generated_alarm", True, 20), UNMATCHED),
        m("paradox/events/raw", changed("Back_door", "presently_in_alarm", True, 20), OPENED, "12:00:20.000"),
        m("paradox/events/raw", changed("Back_door", "fire_alarm", True, 30), EXTENDED, "12:00:30.000"),
        m("paradox/events/raw", changed("Lab", "presently_in_alarm", False, 40), IDLE, "12:00:40.000"),
        m("paradox/events/raw", changed("Area_1", "alarm", True, 50, kind="partition"), UNMATCHED),
        m("paradox/events/raw", changed("Back_door", "presently_in_alarm", False, 60), CLEARED, "12:01:00.000"),
        m("paradox/events/raw", changed("Back_door", "presently_in_alarm", True, 65), EXTENDED, "12:01:05.000"),
        m("paradox/events/raw", changed("Shed", "alarm", True, 80), OPENED, "12:01:20.000"),
        m("paradox/events/raw", pai("Jo", {}, "13:00", tags=["access", "granted"]), UNMATCHED),
    ],
    "paradox-pai:pai-zone-event": [
        m("paradox/events/raw", changed("Yard", "presently_in_alarm", True, 0), UNMATCHED),
        m("paradox/events/raw", pai("Käik", {"generated_alarm": True, "presently_in_alarm": True}, "13:00"), OPENED, "12:00:00.000"),
        m("paradox/events/raw", pai("Käik", {"generated_alarm": True, "presently_in_alarm": True}, "13:00"), DUPLICATE, "12:00:00.000"),
        m("paradox/events/raw", pai("Lab", {"presently_in_alarm": False}, "13:00"), IDLE, "12:00:00.000"),
        m("paradox/events/raw", pai("[partition:1]", {"arm": False}, "13:00"), UNMATCHED),
        m("paradox/events/raw", pai("Käik", {"presently_in_alarm": False}, "13:00"), CLEARED, "12:00:00.000"),
        m("paradox/events/raw", pai("Yard", {"presently_in_alarm": True}, None), OPENED),
    ],
    "paradox-pai:pai-access": [
        m("paradox/events/raw", pai("Lab", {"presently_in_alarm": True}, "13:00"), UNMATCHED),
        m("paradox/events/raw", {"label": "", "timestamp": None}, UNMATCHED),
        m("paradox/events/raw", pai("Jo", {}, "13:00", tags=["access"], additional_data={"door": 2}), OPENED, "12:00:00.000"),
    ],
    "paradox-pai:pai-zone-state": [
        m("paradox/states/zones/Hall/generated_alarm", "False", IDLE),
        m("paradox/states/zones/Hall/generated_alarm", "True", OPENED),
        m("paradox/states/zones/Hall/open", "True", UNMATCHED),
        m("paradox/states/zones/Hall/generated_alarm", "False", CLEARED),
    ],
    "pir-node": [
        m("motion-readings", {"node-id": "N1", "motion-bool": 1, "timestamp": NOON}, OPENED, "12:00:00.000"),
        m("motion-readings", {"node-id": "N1", "motion-bool": 1, "timestamp": NOON}, DUPLICATE, "12:00:00.000"),
        m("motion-readings", {"node-id": "N2", "motion-bool": 0, "timestamp": NOON + 18}, IDLE, "12:00:18.000"),
        m("motion-readings", {"node-id": "N1", "motion-bool": 0, "timestamp": NOON + 29}, CLEARED, "12:00:29.000"),
        m("motion-readings", {"node-id": "N1", "battery": 3, "timestamp": NOON + 39}, UNMATCHED),
    ],
    "rf-bridge": [
        m("tele/bridge/RESULT", rf(9), UNMATCHED),
        m("tele/bridge/RESULT", rf(3), OPENED),
        m("tele/bridge/RESULT", rf(3), EXTENDED),
        m("tele/bridge/RESULT", rf(5), OPENED),
        m("tele/bridge/RESULT", rf(4), CLEARED),
        m("tele/bridge/RESULT", {"Switch1": {"Action": "ON"}}, UNMATCHED),
    ],
    "rf-bridge:rf-code": [
        m("tele/rf/RESULT", {"Time": "2026-11-23T13:00:00", "RfReceived": {"Data": "0x1", "Bits": 24}}, UNMATCHED),
        m("tele/rf/RESULT", {"Time": "2026-11-23T13:00:09", "RfReceived": {"Data": "0x7028D2", "Bits": 24}}, OPENED, "12:00:09.000"),
        m("tele/rf/RESULT", {"Time": "2026-11-23T13:00:10", "RfReceived": {"Data": "0x7028D2", "Bits": 24}}, EXTENDED, "12:00:10.000"),
    ],
    "risco": [
        m("riscopanel/P1/partition/2/status", "disarmed", IDLE),
        m("riscopanel/P1/partition/2/status", "triggered", OPENED),
        m("riscopanel/P1/partition/2/status", "triggered", EXTENDED),
        m("riscopanel/P1/partition/1/status", "disarmed", IDLE),
        m("riscopanel/P1/zone/7/status", "1", UNMATCHED),
        m("riscopanel/P1/partition/2/status", AWAY, CLEARED),
    ],
    "risco:risco-zone": [
        m("riscopanel/P1/zone/7/status", "1", OPENED),
        m("riscopanel/P1/zone/7/status", "triggered", UNCHANGED),
        m("riscopanel/P1/zone/8/status", "0", IDLE),
        m("riscopanel/P1/zone/7/status", "idle", CLEARED),
        m("riscopanel/P1/zone/7/status", "bypass", UNMATCHED),
    ],
    "satel": [
        m("satel/vault_door/state", "ON", OPENED),
        m("satel/vault_door/state", "ON", EXTENDED),
        m("satel/yard_gate/state", "OFF", IDLE),
        m("satel/vault_door/state", "OFF", CLEARED),
        m("satel/vault_door/availability", "ON", UNMATCHED),
    ],
    "shelly": [
        m("shellies/shellydw2-aa/sensor/state", "close", IDLE),
        m("shellies/shellydw2-aa/sensor/state", "open", OPENED),
        m("shellies/shellydw2-aa/sensor/state", "open", UNCHANGED),
        m("shellies/shellydw2-aa/sensor/battery", "99", UNMATCHED),
        m("shellies/shellydw2-aa/sensor/state", "close", CLEARED),
        m("shellies/shellymotion2-bb/status", {"motion": False, "timestamp": NOON - 900, "active": True}, IDLE),
        m("shellies/shellymotion2-bb/status", {"motion": True, "timestamp": NOON + 59, "vibration": False}, OPENED, "12:00:59.000"),
        m("shellies/shellymotion2-bb/status", {"motion": True, "timestamp": NOON + 69, "lux": 4}, UNCHANGED, "12:01:09.000"),
        m("shellies/shellymotion2-bb/status", {"motion": False, "timestamp": NOON + 69, "lux": 4}, CLEARED),
        m("shellies/shellyix3-cc/input_event/1", {"event": "", "event_cnt": 0}, UNMATCHED),
        m("shellies/shellyix3-cc/input_event/1", {"event": "SS", "event_cnt": 1}, OPENED),
        m("shellies/shellyix3-cc/input_event/1", {"event": "SS", "event_cnt": 1}, DUPLICATE),
        m("shellies/shellyix3-cc/input_event/1", {"event": "SS", "event_cnt": 2}, EXTENDED),
        m("shelly-aa/events/rpc", shelly("config_changed"), UNMATCHED),
        m("shelly-aa/events/rpc", shelly("btn_down", second=9), UNMATCHED),
        m("shelly-aa/events/rpc", shelly("btn_up", "double_push", second=19.02), OPENED, "12:00:19.020"),
        m("shelly-aa/events/rpc", shelly("btn_up", "double_push", second=19.02), DUPLICATE, "12:00:19.020"),
        m("shelly-aa/events/rpc", shelly("single_push", second=39), OPENED, "12:00:39.000"),
        m("shelly-aa/events/rpc", {"method": "NotifyStatus", "params": {"ts": NOON + 45}}, UNMATCHED),
    ],
    "shelly:shelly-input": [
        m("shelly-aa/events/rpc", shelly("btn_down"), OPENED, "12:00:00.000"),
        m("shelly-aa/events/rpc", shelly("single_push", second=8), UNMATCHED),
        m("shelly-aa/events/rpc", shelly("btn_up", second=19), CLEARED, "12:00:19.000"),
    ],
    "tasmota": [
        m("tele/hall/SENSOR", {"Time": "2026-11-23T13:00:00", "Switch1": "OFF", "Switch2": "OFF"}, IDLE, "12:00:00.000"),
        m("tele/hall/SENSOR", {"Time": "2026-11-23T13:00:08", "Switch1": "OFF", "Switch2": "ON"}, OPENED, "12:00:08.000"),
        m("tele/hall/SENSOR", {"Time": "2026-11-23T12:00:18+00:00", "Switch1": "OFF", "Switch2": "ON"}, EXTENDED, "12:00:18.000"),
        m("stat/hall/RESULT", {"Switch1": {"Action": "OFF"}}, UNMATCHED),
        m("stat/hall/RESULT", {"Switch1": {"Action": "ON"}}, EXTENDED),
        m("tele/hall/SENSOR", {"Time": "2026-11-23T13:00:49", "Switch1": "OFF", "Switch2": "OFF"}, CLEARED, "12:00:49.000"),
        m("tele/hall/SENSOR", {"Time": "2026-11-23T13:00:59", "AM2301": {"Temperature": 20}}, UNMATCHED),
        m("tele/gate/SENSOR", {"Time": "2026-11-23T13:01:09", "RC522": {"UID": "C0FFEE", "Data": ""}}, OPENED, "12:01:09.000"),
        m("tele/gate/SENSOR", {"Time": "2026-11-23T13:01:09", "RC522": {"UID": "C0FFEE", "Data": ""}}, DUPLICATE, "12:01:09.000"),
    ],
    "texecom": [
        m("texecom2mqtt/area/shop", {"id": "A", "status": "in_entry"}, UNMATCHED),
        m("texecom2mqtt/area/shop", {"id": "A", "status": "triggered", "last_active_zone": {"name": "Till"}}, OPENED),
        m("texecom2mqtt/area/shop", {"id": "A", "status": "triggered", "last_active_zone": {"name": "Till"}}, EXTENDED),
        m("texecom2mqtt/area/store", {"id": "B", "status": "disarmed"}, IDLE),
        m("texecom2mqtt/area/shop", {"id": "A", "status": "disarmed", "last_active_zone": {"name": "Till"}}, CLEARED),
        m("texecom2mqtt/zone/till", {"name": "Till", "status": 1}, UNMATCHED),
        m("texecom2mqtt/log", {"type": "TimeChanged", "timestamp": "2026-11-23T12:01:00+00:00"}, UNMATCHED),
        m("texecom2mqtt/log", {"type": "ArmFailed", "timestamp": "2026-11-23T12:01:09+00:00", "entity": {"zone_name": "Till"}}, UNMATCHED),
        m("texecom2mqtt/log", {"type": "Tamper", "timestamp": "2026-11-23T13:01:19+01:00", "entity": {"zone_name": "Till"}}, OPENED, "12:01:19.000"),
        m("texecom2mqtt/log", {"type": "Tamper", "timestamp": "2026-11-23T13:01:19+01:00", "entity": {"zone_name": "Till"}}, DUPLICATE, "12:01:19.000"),
    ],
    "texecom:texecom-zone": [
        m("texecom2mqtt/zone/till", {"name": "Till", "status": 1, "areas": ["A"]}, OPENED),
        m("texecom2mqtt/zone/till", {"name": "Till", "status": 1, "areas": ["A"]}, EXTENDED),
        m("texecom2mqtt/zone/till", {"name": "Till", "status": 0, "areas": ["A"]}, CLEARED),
    ],
    "unifi-access": [
        m("unifi/access/AA11/dps", "unknown", UNMATCHED),
        m("unifi/access/AA11/dps", "true", OPENED),
        m("unifi/access/AA11/dps", "true", EXTENDED),
        m("unifi/access/AA11/lock", "false", UNMATCHED),
        m("unifi/access/AA11/dps", "false", CLEARED),
        m("unifi/access/AA11/telemetry", unifi("ACCESS"), UNMATCHED),
        m("unifi/access/AA11/telemetry", unifi("BLOCKED"), OPENED),
        m("unifi/access/AA11/telemetry", unifi("BLOCKED"), EXTENDED),
    ],
    "unifi-access:unifi-unlocked": [
        m("unifi/access/AA11/lock", "true", IDLE),
        m("unifi/access/AA11/lock", "false", OPENED),
        m("unifi/access/AA11/lock", "true", CLEARED),
    ],
    "unifi-protect": [
        m("unifi/protect/AA11/motion/smart/person", "true", OPENED),
        m("unifi/protect/AA11/motion/smart/person", "true", EXTENDED),
        m("unifi/protect/AA11/motion/smart/vehicle", "false", IDLE),
        m("unifi/protect/AA11/motion/smart/person", "false", CLEARED),
        m("unifi/protect/AA11/motion", "true", UNMATCHED),
        m("unifi/protect/AA11/button", {"button": "panic", "pressType": "single"}, UNMATCHED),
    ],
    "unifi-protect:unifi-fob": [
        m("unifi/protect/AA11/button", {"button": "arm", "pressType": "single"}, UNMATCHED),
        m("unifi/protect/AA11/button", {"button": "panic", "pressType": "single"}, OPENED),
        m("unifi/protect/AA11/button", {"button": "panic", "pressType": "single"}, EXTENDED),
    ],
    "viseron": [
        m("viseron/binary_sensor/lobby_recorder/state", viseron("off", None), IDLE, "12:00:00.250"),
        m("viseron/binary_sensor/lobby_recorder/state", viseron("on", None), OPENED, "12:00:00.250"),
        m("viseron/binary_sensor/lobby_recorder/state", viseron("on", None), DUPLICATE, "12:00:00.250"),
        m("viseron/binary_sensor/lobby_motion_detected/state", viseron("on", None), UNMATCHED),
        m("viseron/binary_sensor/lobby_recorder/state", viseron("off", "36.798"), CLEARED, "12:00:36.798"),
    ],
    "vista-ecp": [
        m("vista/Get/Zone7", "OPEN", IDLE),
        m("vista/Get/Zone7", "ALARM", OPENED),
        m("vista/Get/Zone7", "ALARM", EXTENDED),
        m("vista/Get/Zone7", "TROUBLE", UNMATCHED),
        m("vista/Get/Zone8", "CLOSED", IDLE),
        m("vista/Get/Zone7", "CLOSED", CLEARED),
        m("vista/Get/SystemStatus", "ALARM", UNMATCHED),
    ],
    "zigbee2mqtt": [
        m("zigbee2mqtt/Back door", {"battery": 100, "contact": False}, UNMATCHED),
        m("zigbee2mqtt/Back door", {"battery": 100, "contact": False, "linkquality": None}, UNMATCHED),
        m("zigbee2mqtt/Back door", {"battery": 100, "contact": True}, IDLE),
        m("zigbee2mqtt/Back door", {"battery": 100, "contact": False, "linkquality": 0}, OPENED),
        m("zigbee2mqtt/Back door", {"battery": 99, "contact": False, "linkquality": 91, "update": {"state": "idle"}}, UNCHANGED),
        m("zigbee2mqtt/Front door", {"battery": 100, "contact": True, "linkquality": 91}, IDLE),
        m("zigbee2mqtt/Back door", {"battery": 99, "contact": True, "linkquality": 91}, CLEARED),
        m("zigbee2mqtt/Lamp", {"state": "ON", "linkquality": 91}, UNMATCHED),
        m("zigbee2mqtt/Hall", {"occupancy": True, "contact": True, "linkquality": 66, "last_seen": "2026-11-23T12:01:19.123Z"}, OPENED, "12:01:19.123"),
        m("zigbee2mqtt/Hall", {"occupancy": True, "contact": True, "linkquality": 66, "last_seen": "2026-11-23T12:01:19.123Z"}, DUPLICATE, "12:01:19.123"),
        m("zigbee2mqtt/Hall", {"occupancy": False, "contact": True, "linkquality": 66, "last_seen": "2026-11-23T12:01:39.123Z"}, CLEARED, "12:01:39.123"),
        m("zigbee2mqtt/hall/door", {"contact": False, "linkquality": 66}, UNMATCHED),
    ],
    "zigbee2mqtt:zigbee2mqtt-in-place": [
        m("zigbee2mqtt/hall/door", {"contact": False, "linkquality": 66}, OPENED),
        m("zigbee2mqtt/attic/door", {"contact": True, "linkquality": 66}, IDLE),
        m("zigbee2mqtt/hall/availability", {"state": "online", "linkquality": 1, "contact": False}, EXCEPTED),
        m("zigbee2mqtt/bridge/logging", {"level": "info", "linkquality": 1, "contact": False}, EXCEPTED),
        m("zigbee2mqtt/hall/door", {"contact": True, "linkquality": 66}, CLEARED),
    ],
    "zoneminder": [
        m("zoneminder/1", {"monitor": "1", "eventid": "994", "state": "alarm"}, OPENED),
        m("zoneminder/1", {"monitor": "1", "eventid": "994", "state": "alarm"}, DUPLICATE),
        m("zoneminder/1", {"monitor": "1", "eventid": "995", "state": "alarm"}, EXTENDED),
        m("zoneminder/2", {"monitor": "2", "eventid": "7", "state": "alarm", "eventtype": "event_start"}, OPENED),
        m("zoneminder/2", {"monitor": "2", "eventid": "7", "state": "alarm", "eventtype": "event_start"}, DUPLICATE),
        m("zoneminder/2", {"monitor": "2", "eventid": "7", "state": "alarm", "eventtype": "event_end"}, CLEARED),
        m("zoneminder/2", {"monitor": "2", "eventid": "8", "state": "idle"}, UNMATCHED),
    ],
    "zwave-js-ui": [
        m("zwave/hall/door/notification/endpoint_0/Access_Control/Door_state_simple", {"time": MS, "value": 22}, OPENED, "12:00:00.000"),
        m("zwave/hall/door/notification/endpoint_0/Access_Control/Door_state", {"time": MS + 40, "value": 22}, EXTENDED, "12:00:00.040"),
        m("zwave/hall/door/notification/endpoint_0/Access_Control/Door_state", {"time": MS + 40, "value": 22}, DUPLICATE, "12:00:00.040"),
        m("zwave/attic/door/notification/endpoint_0/Access_Control/Door_state", {"time": MS + 30000, "value": 23}, IDLE, "12:00:30.000"),
        m("zwave/hall/door/notification/endpoint_0/Access_Control/Door_state_simple", {"time": MS + 40000, "value": 23}, CLEARED, "12:00:40.000"),
        m("zwave/hall/pir/notification/endpoint_0/Home_Security/Motion_sensor_status", {"time": MS + 50000, "value": 8}, OPENED, "12:00:50.000"),
        m("zwave/hall/pir/notification/endpoint_0/Home_Security/Motion_sensor_status", {"time": MS + 60000, "value": 0}, CLEARED, "12:01:00.000"),
        m("zwave/5/113/0/Access_Control/Door_state", {"nodeId": 5, "lastUpdate": MS}, UNMATCHED),
        m("zwave/5/113/0/Access_Control/Door_state", {"time": MS + 80000, "value": 22}, OPENED, "12:01:20.000"),
        m("zwave/6/113/0/Access_Control/Door_state", {"time": MS + 90000, "value": 23}, IDLE, "12:01:30.000"),
        m("zwave/5/113/0/Access_Control/Door_state", {"time": MS + 99000, "value": 23}, CLEARED, "12:01:39.000"),
        m("zwave/7/113/0/Home_Security/Motion_sensor_status", {"time": MS + 110000, "value": 8}, OPENED, "12:01:50.000"),
        m("zwave/7/113/0/Home_Security/Motion_sensor_status", {"time": MS + 120000, "value": 0}, CLEARED, "12:02:00.000"),
    ],
}
# fmt: on
