"""config/systems with messages that real systems sent.

The samples are reference data beside the repository, not part of it. A rule that is
off by default is named after a colon; "" is what no rule that is on may take.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import NotTaken, Outcome, Signal
from evidenced.core.alarms.rules import Rule
from fakes.rule import make_alarm, read_alarm
from fakes.shippedsystems import loaded

FOLDER = Path(__file__).parents[3] / "shared" / "payloads"
if not FOLDER.is_dir():
    # Messages of their traits, made up, are played in test_systems.py everywhere.
    reason = "the payload samples are not beside this repository"
    pytest.skip(reason, allow_module_level=True)
ON, OFF, NONE, INVALID = Signal.ACTIVE, Signal.CLEAR, "", Outcome.INVALID
AOA = "axis/B8/event/CameraApplicationPlatform/ObjectAnalytics/"
WISE = "onvif-ej/OpenApp/WiseAI/IvaArea/"
SIMPLE = "zwave/living-room/my-sensor/notification/endpoint_0/Access_Control/Door_state_simple"
# fmt: off
# ruff: noqa: E501 - the table is read in rows, one a sample
SAMPLES = [
    ("axis-io-port-inactive.json", "axis/B8/event/tns:onvif/Device/tns:axis/IO/Port/$source/port/1", "axis", OFF),
    ("axis-aoa-scenario-cleared.json", AOA + "Device1ScenarioANY", "axis", OFF),
    ("axis-aoa-crossline-count.json", AOA + "Device1Scenario1", "axis", NONE),
    ("axis-aoa-crossline-count.json", AOA + "Device1Scenario1", "axis:axis-crossline", ON),
    ("onvifm-hanwha-intrusion.json", f"cam01/{WISE}&vs-0/intrusion", "hanwha", ON),
    ("onvifm-hanwha-exit.json", f"cam01/{WISE}&vs-0/intrusion", "hanwha", OFF),
    ("onvifm-hanwha-exit-state-true.json", f"E4:30:22:F2:D1:A0/{WISE}&vs-2/exit", "hanwha", NONE),
    ("onvifm-hanwha-exit-state-true.json", f"E4:30:22:F2:D1:A0/{WISE}&vs-2/exit", "hanwha:hanwha-exit", ON),
    ("onvifm-bosch-crowd.json", "T1/onvif-ej/IVA/CrowdDetection/Crowd Detection/&1", "bosch", ON),
    ("frigate-review-update.json", "frigate/reviews", "frigate", ON),
    ("frigate-review-end.json", "frigate/reviews", "frigate", OFF),
    ("frigate-review-end-captured.json", "frigate/reviews", "frigate", OFF),
    ("frigate-review-malformed.txt", "frigate/reviews", "frigate", INVALID),
    ("frigate-event-end.json", "frigate/events", "frigate", NONE),
    ("frigate-event-update.json", "frigate/events", "frigate", NONE),
    ("frigate-trigger.json", "frigate/triggers", "frigate:frigate-trigger", ON),
    ("frigate-lpr.json", "frigate/tracked_object_update", "frigate:frigate-plate", ON),
    ("frigate-motion-on.txt", "frigate/porch/motion", "frigate:frigate-motion", ON),
    ("frigate-review-status-alert.txt", "frigate/porch/review_status", "frigate", NONE),
    ("frigate-available-offline.txt", "frigate/available", "frigate", NONE),
    ("z2m-door-open-aqara.json", "zigbee2mqtt/Hall", "zigbee2mqtt", ON),
    ("z2m-door-open-with-update.json", "zigbee2mqtt/Hall", "zigbee2mqtt", ON),
    ("z2m-door-open-back-deck.json", "zigbee2mqtt/Back Deck Door", "zigbee2mqtt", ON),
    ("z2m-motion-on.json", "zigbee2mqtt/Hall", "zigbee2mqtt", ON),
    ("z2m-motion-off.json", "zigbee2mqtt/Hall", "zigbee2mqtt", OFF),
    ("z2m-multi-last-seen.json", "zigbee2mqtt/downstairs/multi-sensor", "zigbee2mqtt:zigbee2mqtt-in-place", ON),
    ("zwavejs-door-open.json", SIMPLE, "zwave-js-ui", ON),
    ("zwavejs-door-closed.json", SIMPLE, "zwave-js-ui", OFF),
    ("zwavejs-door-no-value.json", "zwave/26/113/0/Access_Control/Door_state", "zwave-js-ui", NONE),
    ("ha-alarm-panel-triggered.txt", "home/alarm", "home-assistant", ON),
    ("ha-alarm-panel-pending.txt", "home/alarm", "home-assistant", NONE),
    ("ha-alarm-panel-disarmed.txt", "home/alarm", "home-assistant", OFF),
    ("alarmo-trigger.json", "alarmo/event", "alarmo", NONE),
    ("alarmo-trigger.json", "alarmo/event", "alarmo:alarmo-event", NONE),
    ("paradox-pai-zone-in-alarm.json", "paradox/events/raw", "paradox-pai", NONE),
    ("paradox-pai-zone-in-alarm.json", "paradox/events/raw", "paradox-pai:pai-zone-event", ON),
    ("paradox-pai-zone-alarm-restored.json", "paradox/events/raw", "paradox-pai:pai-zone-event", OFF),
    ("paradox-pai-event-without-date.json", "paradox/events/raw", "paradox-pai", NONE),
    ("paradox-pai-door-access-nonascii.json", "paradox/events/raw", "paradox-pai", NONE),
    ("paradox-pai-door-access-nonascii.json", "paradox/events/raw", "paradox-pai:pai-access", ON),
    ("paradox-pai-door-access-granted.json", "paradox/events/raw", "paradox-pai:pai-access", ON),
    ("paradox-pai-partition-disarmed.json", "paradox/events/raw", "paradox-pai", NONE),
    ("paradox-pai-zone-generated-alarm.txt", "paradox/states/zones/Back_door/generated_alarm", "paradox-pai:pai-zone-state", ON),
    ("paradox-ip150-event-alarm.txt", "Paradox/Events", "paradox-ip150", ON),
    ("paradox-ip150-event-ok.txt", "Paradox/Events", "paradox-ip150", OFF),
    ("paradox-ip150-zone-status.txt", "Paradox/ZS/Z1", "paradox-ip150", NONE),
    ("paradox-ip150-zone-status.txt", "Paradox/ZS/Z1", "paradox-ip150:ip150-zone-open", OFF),
    ("texecom-zone-active.json", "texecom2mqtt/zone/front_door", "texecom", NONE),
    ("texecom-zone-active.json", "texecom2mqtt/zone/front_door", "texecom:texecom-zone", ON),
    ("texecom-zone-secure-captured.json", "texecom2mqtt/zone/patio_outdoor", "texecom:texecom-zone", OFF),
    ("texecom-area-disarmed.json", "texecom2mqtt/area/house_alarm", "texecom", OFF),
    ("texecom-log-armfailed.json", "texecom2mqtt/log", "texecom", NONE),
    ("texecom-log-timechanged.json", "texecom2mqtt/log", "texecom", NONE),
    ("honeywell-vista-ecp-zone-alarm.txt", "vista/Get/Zone5", "vista-ecp", ON),
    ("lifesos-entry-delay.txt", "home/alarm", "lifesos", NONE),
    ("lifesos-event-code.txt", "home/alarm/event_code", "lifesos", NONE),
    ("ajax-sia-state-armed.json", "home/alarm/ajax/state", "ajax-sia", OFF),
    ("ajax-sia-user.json", "home/alarm/ajax/user", "ajax-sia", NONE),
    ("hikvision-doorbell-relay-on.txt", "hmd/switch/VzvPanel/Door-1-relay/state", "hikvision-doorbell", ON),
    ("alarmserver-status-up.json", "camera-alerts/alarmserver", "alarmserver", NONE),
    ("esprfid-access-granted.json", "frontdoor/send", "esp-rfid", NONE),
    ("esprfid-access-granted.json", "frontdoor/send", "esp-rfid:esp-rfid-granted", ON),
    ("esprfid-access-denied-bad-clock.json", "ESP/8266/14/rfid/send", "esp-rfid", ON),
    ("esprfid-heartbeat.json", "frontdoor/sync", "esp-rfid", NONE),
    ("unifi-access-dps-open.txt", "unifi/access/1234567890AB/dps", "unifi-access", ON),
    ("unifi-access-lock-unlocked.txt", "unifi/access/1234567890AB/lock", "unifi-access", NONE),
    ("unifi-access-lock-unlocked.txt", "unifi/access/1234567890AB/lock", "unifi-access:unifi-unlocked", ON),
    ("unifi-access-telemetry-unlock.json", "unifi/access/1234567890AB/telemetry", "unifi-access", NONE),
    ("unifi-protect-smart-person.txt", "unifi/protect/1234567890AB/motion/smart/person", "unifi-protect", ON),
    ("unifi-protect-fob-button.json", "unifi/protect/1234567890AB/button", "unifi-protect:unifi-fob", NONE),
    ("tasmota-switch-naive.json", "tele/tasmota/SENSOR", "tasmota", ON),
    ("tasmota-switch-offset.json", "tele/demo-sensor/SENSOR", "tasmota", ON),
    ("tasmota-switch-action.json", "stat/tasmota/RESULT", "tasmota", ON),
    ("tasmota-rfid-card.json", "tele/rfid-test/SENSOR", "tasmota", ON),
    ("tasmota-rf-received.json", "tele/tasmota/RESULT", "rf-bridge:rf-code", ON),
    ("sonoff-rfbridge-door-open.json", "tele/rf-bridge/RESULT", "rf-bridge", ON),
    ("sonoff-rfbridge-door-closed.json", "tele/rf-bridge/RESULT", "rf-bridge", OFF),
    ("sonoff-rfbridge-door-tamper.json", "tele/rf-bridge/RESULT", "rf-bridge", ON),
    ("shelly-gen2-btn-up.json", "shellyplusi4-a8032ab0c018/events/rpc", "shelly", NONE),
    ("shelly-gen2-btn-up.json", "shellyplusi4-a8032ab0c018/events/rpc", "shelly:shelly-input", OFF),
    ("shelly-gen2-double-push.json", "shellyplus1-a8032abc7158/events/rpc", "shelly", ON),
    ("shelly-gen2-config-changed.json", "shelly1minig3-54320464a1d0/events/rpc", "shelly", NONE),
    ("zoneminder-es-alarm.json", "zoneminder/1", "zoneminder", ON),
    ("viseron-recorder-end.json", "viseron/binary_sensor/porch_recorder/state", "viseron", OFF),
    ("intelbras-status-armed.json", "intelbras_alarm/status", "intelbras", OFF),
    ("risco-partition-triggered.txt", "riscopanel/P1/partition/1/status", "risco", ON),
    ("risco-zone-open.txt", "riscopanel/P1/zone/4/status", "risco:risco-zone", ON),
    ("satel-entry-doors-on.txt", "satel/entry_doors/state", "satel", ON),
    ("onvif2mqtt-motion-on.txt", "onvif2mqtt/doorbell/motion", "onvif2mqtt", ON),
    ("neolink-motion-on.txt", "neolink/porch/status/motion", "neolink", ON),
    ("meshtech-motion-off.json", "t/Meshtech/ddc571e972f5", "meshtech", OFF),
    ("pir-node-motion.json", "motion-readings", "pir-node", ON),
]
# fmt: on


def rules_of(name: str) -> list[Rule]:
    """The rules that are on; the samples are years old, so any age is taken."""
    system, _, only = name.partition(":")
    rules = build_site(loaded(system, only).config).rules
    return [replace(rule, max_age=timedelta(days=10_000)) for rule in rules]


@pytest.mark.parametrize(
    ("file", "topic", "name", "expected"),
    SAMPLES,
    ids=[f"{row[0]}-{row[2]}" for row in SAMPLES],
)
def test_a_shipped_rule_reads_it(
    file: str, topic: str, name: str, expected: Signal | Outcome | str
) -> None:
    alarm = make_alarm(topic, (FOLDER / file).read_bytes())
    result = read_alarm(rules_of(name), alarm)
    assert result.faults == ()
    if isinstance(result, NotTaken):
        assert result.outcome == (expected or Outcome.UNMATCHED)
    else:
        assert result.signal == expected


def test_every_sample_has_a_row() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"INDEX.md"}
    assert {row[0] for row in SAMPLES} == files
