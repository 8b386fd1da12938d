"""Messages that real systems sent, each through a rule that an integrator would write.

The samples are reference data beside the repository, not part of it. What each row
shows (inverted states, traps, negatives, forms of time) is in the table's comments.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome, Reading, Refusal, Signal
from evidenced.core.alarms.alarm import TimeSource as Source
from evidenced.core.alarms.rules import read_alarm
from evidenced.core.ids import FieldValue
from evidenced.core.instants import render_utc
from fakes.rule import make_alarm
from fakes.systems import (
    AJAX,
    ALARMO,
    AXIS_AOA,
    AXIS_PORT,
    BOSCH,
    ESPRFID,
    ESPRFID_ANY,
    FRIGATE_EVENT,
    FRIGATE_LPR,
    FRIGATE_MOTION,
    FRIGATE_REVIEW,
    FRIGATE_STATUS,
    FRIGATE_TRIGGER,
    HA_PANEL,
    INTELBRAS,
    IP150_EVENT,
    IP150_ZONE,
    MESHTECH,
    ONVIF,
    PAI,
    PAI_ALL,
    PAI_DOOR,
    PAI_ZONE,
    PIR,
    RF_DOOR,
    SHELLY,
    TASMOTA,
    TASMOTA_CARD,
    TASMOTA_RF,
    TEXECOM_AREA,
    TEXECOM_LOG,
    TEXECOM_ZONE,
    UNIFI_FOB,
    UNIFI_UNLOCK,
    VISERON,
    Z2M_DOOR,
    Z2M_MOTION,
    ZONEMINDER,
    ZWAVE,
    System,
    system,
    text,
)

FOLDER = Path(__file__).parents[3] / "shared" / "payloads"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the payload samples are not beside this repository"
)

ACTIVE, CLEAR = Signal.ACTIVE, Signal.CLEAR
UNMATCHED, INVALID = Outcome.UNMATCHED, Outcome.INVALID


@dataclass(frozen=True)
class Sample:
    file: str
    topic: str
    system: System
    expected: Signal | Outcome
    time: str = ""
    source: Source = Source.RECEIVED
    fields: dict[str, FieldValue] = field(default_factory=dict)


def sample(
    file: str,
    topic: str,
    system: System,
    expected: Signal | Outcome,
    time: str | Source = "",
    /,
    **fields: FieldValue,
) -> Sample:
    """`time`: the payload's own, or why receipt serves; else there is none."""
    if isinstance(time, Source):
        return Sample(file, topic, system, expected, "", time, fields)
    source = Source.PAYLOAD if time else Source.RECEIVED
    return Sample(file, topic, system, expected, time, source, fields)


ONVIF_AREA = "cam01/onvif-ej/OpenApp/WiseAI/IvaArea/&vs-0/intrusion"
AOA = "axis/B8A44FC5C075/event/CameraApplicationPlatform/ObjectAnalytics/"
MAC = "1234567890AB"
SHELLY_I4 = "shellyplusi4-a8032ab0c018"
# fmt: off
# ruff: noqa: E501 - the table is read in rows, one a sample
SAMPLES = [
    sample("axis-io-port-inactive.json", "axis/ACCC8E/event/tns:onvif/Device/tns:axis/IO/Port/$source/port/1", AXIS_PORT, CLEAR, "2026-07-29T11:39:10.144Z", serial="ACCC8E", port="1"),
    sample("axis-aoa-scenario-cleared.json", AOA + "Device1ScenarioANY", AXIS_AOA, CLEAR, "2025-10-06T01:21:33.673Z", scenario="Device1ScenarioANY"),
    sample("axis-aoa-crossline-count.json", AOA + "Device1Scenario1", AXIS_AOA, ACTIVE, "2022-12-08T16:52:26.712Z", why="car"),
    sample("onvifm-hanwha-intrusion.json", ONVIF_AREA, ONVIF, ACTIVE, "2026-08-10T01:28:40.128Z", camera="cam01", object="41808", rule="name1"),
    sample("onvifm-hanwha-exit.json", ONVIF_AREA, ONVIF, CLEAR, "2026-08-10T01:28:41.128Z", object="41808"),
    sample("onvifm-hanwha-exit-state-true.json", "E4:30:22:F2:D1:A0/onvif-ej/OpenApp/WiseAI/IvaArea/&vs-2/exit", ONVIF, CLEAR, "2026-08-24T03:10:10.000Z", camera="E4:30:22:F2:D1:A0", object="9001"),
    sample("onvifm-bosch-crowd.json", "T1/onvif-ej/IVA/CrowdDetection/Crowd Detection/&1", BOSCH, ACTIVE, "2024-05-14T09:21:07.000Z", camera="T1", source="&1"),
    sample("frigate-review-update.json", "frigate/reviews", FRIGATE_REVIEW, ACTIVE, "2024-06-21T16:25:29.308Z", camera="front_cam", zones=("front_yard",)),
    sample("frigate-review-end.json", "frigate/reviews", FRIGATE_REVIEW, CLEAR, "2024-08-17T23:49:53.734Z", camera="front_garden"),
    sample("frigate-review-end-captured.json", "frigate/reviews", FRIGATE_REVIEW, CLEAR, "2024-11-08T00:10:59.165Z", camera="Doorbell"),
    sample("frigate-review-malformed.txt", "frigate/reviews", FRIGATE_REVIEW, INVALID),
    sample("frigate-event-end.json", "frigate/events", FRIGATE_EVENT, CLEAR, "2024-09-28T10:40:30.000Z", camera="jardin", who="Alice"),
    sample("frigate-event-update.json", "frigate/events", FRIGATE_EVENT, ACTIVE, "2020-12-04T23:19:15.475Z", camera="front_door", who=("John Smith", "0.79")),
    sample("frigate-trigger.json", "frigate/triggers", FRIGATE_TRIGGER, ACTIVE, camera="driveway", name="car_trigger"),
    sample("frigate-lpr.json", "frigate/tracked_object_update", FRIGATE_LPR, ACTIVE, "2020-12-04T23:19:18.748Z", camera="driveway_cam", plate="123ABC"),
    sample("frigate-motion-on.txt", "frigate/porch/motion", FRIGATE_MOTION, ACTIVE, camera="porch"),
    sample("frigate-review-status-alert.txt", "frigate/porch/review_status", FRIGATE_STATUS, ACTIVE, camera="porch"),
    sample("frigate-available-offline.txt", "frigate/available", FRIGATE_MOTION, UNMATCHED),
    sample("z2m-door-open-aqara.json", "zigbee2mqtt/Hall", Z2M_DOOR, ACTIVE, name="Hall"),
    sample("z2m-door-open-with-update.json", "zigbee2mqtt/Hall", Z2M_DOOR, ACTIVE),
    sample("z2m-door-open-back-deck.json", "zigbee2mqtt/Back Deck Door", Z2M_DOOR, ACTIVE, name="Back Deck Door"),
    sample("z2m-motion-on.json", "zigbee2mqtt/Hall", Z2M_MOTION, ACTIVE, Source.UNREADABLE),
    sample("z2m-motion-off.json", "zigbee2mqtt/Hall", Z2M_MOTION, CLEAR, Source.UNREADABLE),
    sample("z2m-multi-last-seen.json", "zigbee2mqtt/downstairs/multi-sensor", Z2M_MOTION, ACTIVE, "2026-10-03T06:00:01.123Z", floor="downstairs", name="multi-sensor"),
    sample("z2m-multi-last-seen.json", "zigbee2mqtt/multi-sensor", Z2M_DOOR, CLEAR),
    sample("zwavejs-door-open.json", "zwave/living-room/my-sensor/notification/endpoint_0/Access_Control/Door_state_simple", ZWAVE, ACTIVE, "2023-12-15T15:36:32.227Z", node="2"),
    sample("zwavejs-door-closed.json", "zwave/living-room/my-sensor/notification/endpoint_0/Access_Control/Door_state_simple", ZWAVE, CLEAR, "2023-12-15T15:36:32.227Z"),
    sample("zwavejs-door-no-value.json", "zwave/26/113/0/Access_Control/Door_state", ZWAVE, UNMATCHED),
    sample("ha-alarm-panel-triggered.txt", "home/alarm", HA_PANEL, ACTIVE),
    sample("ha-alarm-panel-pending.txt", "home/alarm", HA_PANEL, UNMATCHED),
    sample("ha-alarm-panel-disarmed.txt", "home/alarm", HA_PANEL, CLEAR),
    sample("alarmo-trigger.json", "alarmo/event", ALARMO, ACTIVE, sensors=("binary_sensor.frontdoor",), delay="60"),
    sample("paradox-pai-zone-in-alarm.json", "paradox/events/raw", PAI, ACTIVE, "2019-11-01T13:44:00.000Z", zone="Office"),
    sample("paradox-pai-zone-alarm-restored.json", "paradox/events/raw", PAI, CLEAR, "2019-11-01T13:47:00.000Z", zone="Entrance"),
    sample("paradox-pai-event-without-date.json", "paradox/events/raw", PAI, UNMATCHED),
    sample("paradox-pai-event-without-date.json", "paradox/events/raw", PAI_ALL, ACTIVE, Source.UNREADABLE),
    sample("paradox-pai-door-access-nonascii.json", "paradox/events/raw", PAI_DOOR, ACTIVE, "2019-12-05T15:25:00.000Z", label="VÄLIKS DOOR"),
    sample("paradox-pai-door-access-granted.json", "paradox/events/raw", PAI_DOOR, ACTIVE, "2019-12-05T15:25:00.000Z", label="First Lastname", door="1"),
    sample("paradox-pai-partition-disarmed.json", "paradox/events/raw", PAI, CLEAR, "2020-03-13T19:44:00.000Z"),
    sample("paradox-pai-zone-generated-alarm.txt", "paradox/states/zones/Back_door/generated_alarm", PAI_ZONE, ACTIVE, zone="Back_door"),
    sample("paradox-ip150-event-alarm.txt", "Paradox/Events", IP150_EVENT, ACTIVE, said="Event:Zone in alarm;SubEvent:PATIO BEAM"),
    sample("paradox-ip150-event-ok.txt", "Paradox/Events", IP150_EVENT, CLEAR),
    sample("paradox-ip150-zone-status.txt", "Paradox/ZS/Z1", IP150_ZONE, CLEAR, zone="1"),
    sample("texecom-zone-active.json", "texecom2mqtt/zone/front_door", TEXECOM_ZONE, ACTIVE, zone="front_door", areas=("A", "B", "C")),
    sample("texecom-zone-secure-captured.json", "texecom2mqtt/zone/patio_outdoor", TEXECOM_ZONE, CLEAR, areas=("A",)),
    sample("texecom-area-disarmed.json", "texecom2mqtt/area/house_alarm", TEXECOM_AREA, CLEAR, zone="Front Door"),
    sample("texecom-log-armfailed.json", "texecom2mqtt/log", TEXECOM_LOG, ACTIVE, "2020-01-01T00:00:00.000Z", zone="front_door"),
    sample("texecom-log-timechanged.json", "texecom2mqtt/log", TEXECOM_LOG, UNMATCHED),
    sample("honeywell-vista-ecp-zone-alarm.txt", "vista/Get/Zone5", text("vista/Get/Zone{zone}", on="ALARM"), ACTIVE, zone="5"),
    sample("lifesos-entry-delay.txt", "home/alarm", text("home/alarm", on="AwayAlarm"), UNMATCHED),
    sample("lifesos-event-code.txt", "home/alarm/event_code", text("home/alarm/event_code", on="BurglarAlarm"), UNMATCHED),
    sample("ajax-sia-state-armed.json", "home/alarm/ajax/state", AJAX, CLEAR, "2026-01-30T21:22:14.000Z"),
    sample("ajax-sia-user.json", "home/alarm/ajax/user", AJAX, UNMATCHED),
    sample("hikvision-doorbell-relay-on.txt", "hmd/switch/VzvPanel/Door-1-relay/state", text("hmd/switch/{panel}/Door-{door}-relay/state", on="ON"), ACTIVE, panel="VzvPanel", door="1"),
    sample("alarmserver-status-up.json", "camera-alerts/alarmserver", system("camera-alerts/{camera}/{type}"), UNMATCHED),
    sample("esprfid-access-granted.json", "frontdoor/send", ESPRFID, UNMATCHED),
    sample("esprfid-access-granted.json", "frontdoor/send", ESPRFID_ANY, ACTIVE, "2021-09-10T02:16:47.000Z", node="frontdoor", who="Stanley Hash"),
    sample("esprfid-access-denied-bad-clock.json", "ESP/8266/14/rfid/send", ESPRFID, ACTIVE, Source.ANCIENT, door="14_Entry", uid="cdb6217"),
    sample("esprfid-heartbeat.json", "frontdoor/sync", ESPRFID_ANY, UNMATCHED),
    sample("unifi-access-dps-open.txt", f"unifi/access/{MAC}/dps", text("unifi/access/{mac}/dps", on="true", off="false"), ACTIVE, mac=MAC),
    sample("unifi-access-lock-unlocked.txt", f"unifi/access/{MAC}/lock", text("unifi/access/{mac}/lock", on="false", off="true"), ACTIVE),
    sample("unifi-access-telemetry-unlock.json", f"unifi/access/{MAC}/telemetry", UNIFI_UNLOCK, ACTIVE, door=("Tür 1",), result="ACCESS"),
    sample("unifi-protect-smart-person.txt", f"unifi/protect/{MAC}/motion/smart/person", text("unifi/protect/{mac}/motion/smart/{kind}", on="true", off="false"), ACTIVE, kind="person"),
    sample("unifi-protect-fob-button.json", f"unifi/protect/{MAC}/button", UNIFI_FOB, ACTIVE),
    sample("tasmota-switch-naive.json", "tele/tasmota/SENSOR", TASMOTA, ACTIVE, "2020-12-31T23:00:01.000Z", device="tasmota"),
    sample("tasmota-switch-offset.json", "tele/demo-sensor/SENSOR", TASMOTA, ACTIVE, "2021-06-27T13:03:44.000Z"),
    sample("tasmota-switch-action.json", "stat/tasmota/RESULT", TASMOTA, ACTIVE, Source.UNREADABLE),
    sample("tasmota-rfid-card.json", "tele/rfid-test/SENSOR", TASMOTA_CARD, ACTIVE, "2021-01-23T12:10:50.000Z", card="BA839D07"),
    sample("tasmota-rf-received.json", "tele/tasmota/RESULT", TASMOTA_RF, ACTIVE, "2020-05-27T18:59:06.000Z", bits="24"),
    sample("sonoff-rfbridge-door-open.json", "tele/rf-bridge/RESULT", RF_DOOR, ACTIVE),
    sample("sonoff-rfbridge-door-closed.json", "tele/rf-bridge/RESULT", RF_DOOR, CLEAR),
    sample("sonoff-rfbridge-door-tamper.json", "tele/rf-bridge/RESULT", RF_DOOR, UNMATCHED),
    sample("shelly-gen2-btn-up.json", f"{SHELLY_I4}/events/rpc", SHELLY, CLEAR, "2023-03-15T12:08:15.020Z", device=SHELLY_I4, component=("input:2",)),
    sample("shelly-gen2-double-push.json", "shellyplus1-a8032abc7158/events/rpc", SHELLY, ACTIVE, "2022-03-10T20:58:02.470Z"),
    sample("shelly-gen2-config-changed.json", "shelly1minig3-54320464a1d0/events/rpc", SHELLY, UNMATCHED),
    sample("zoneminder-es-alarm.json", "zoneminder/1", ZONEMINDER, ACTIVE, monitor="1"),
    sample("viseron-recorder-end.json", "viseron/binary_sensor/porch_recorder/state", VISERON, CLEAR, "2025-03-12T10:15:36.798Z", camera="porch"),
    sample("intelbras-status-armed.json", "intelbras_alarm/status", INTELBRAS, CLEAR),
    sample("risco-partition-triggered.txt", "riscopanel/P1/partition/1/status", text("riscopanel/{panel}/partition/{n}/status", on="triggered", off="disarmed"), ACTIVE, n="1"),
    sample("risco-zone-open.txt", "riscopanel/P1/zone/4/status", text("riscopanel/{panel}/zone/{n}/status", on="1", off="0"), ACTIVE, n="4"),
    sample("satel-entry-doors-on.txt", "satel/entry_doors/state", text("satel/{name}/state", on="ON", off="OFF"), ACTIVE, name="entry_doors"),
    sample("onvif2mqtt-motion-on.txt", "onvif2mqtt/doorbell/motion", text("onvif2mqtt/{device}/motion", on="on", off="off"), ACTIVE, device="doorbell"),
    sample("neolink-motion-on.txt", "neolink/porch/status/motion", text("neolink/{camera}/status/motion", on="on", off="off"), ACTIVE, camera="porch"),
    sample("meshtech-motion-off.json", "t/Meshtech/ddc571e972f5", MESHTECH, CLEAR, "2021-06-29T11:10:31.039Z", mac="ddc571e972f5"),
    sample("pir-node-motion.json", "motion-readings", PIR, ACTIVE, "2020-03-31T16:59:42.000Z", node="SENSOR-NODE-3-MOZIoT"),
]
# fmt: on
IDS = [f"{row.file}-{row.expected}" for row in SAMPLES]


def read(row: Sample, *, retained: bool = False) -> Reading | Refusal:
    raw = (FOLDER / row.file).read_bytes()
    alarm = make_alarm(row.topic, raw, retained=retained)
    return read_alarm([row.system.rule], alarm)


@pytest.mark.parametrize("row", SAMPLES, ids=IDS)
def test_a_rule_reads_it(row: Sample) -> None:
    result = read(row)
    assert result.faults == ()
    if isinstance(result, Refusal):
        assert result.outcome is row.expected
        return
    assert result.signal is row.expected
    assert result.moment.source is row.source
    if row.time:
        assert render_utc(result.moment.at) == row.time
    assert result.fields.items() >= row.fields.items()


@pytest.mark.parametrize("row", SAMPLES, ids=IDS)
def test_replayed_as_retained_it_opens_nothing(row: Sample) -> None:
    result = read(row, retained=True)
    assert isinstance(result, Refusal)
    if row.expected is UNMATCHED:
        assert result.outcome in {Outcome.UNMATCHED, Outcome.RETAINED}
    else:
        assert result.outcome is Outcome.RETAINED


def test_every_sample_has_a_row() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"INDEX.md"}
    assert {row.file for row in SAMPLES} == files


def test_updates_of_one_event_are_one_alarm() -> None:
    end = read(next(row for row in SAMPLES if row.file == "frigate-review-end.json"))
    update = read(next(r for r in SAMPLES if r.file == "frigate-review-update.json"))
    assert isinstance(end, Reading)
    assert isinstance(update, Reading)
    assert end.dedup_key != update.dedup_key
    assert None not in {end.dedup_key, update.dedup_key}
