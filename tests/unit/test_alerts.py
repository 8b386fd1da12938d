"""Each alert of systemd/alerts.yml fires when it should, alone, and else none does.

Played by Prometheus's own promtool: half a day of a healthy daemon, and for each alert
the same half day with one thing wrong.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import yaml

from evidenced.core.incidents.states import IncidentState

ALERTS = Path(__file__).parents[2] / "systemd" / "alerts.yml"
HALF_A_DAY = 720
"""Minutes; one sample each."""


def always(value: float | str) -> str:
    return f"{value}x{HALF_A_DAY}" if value == "_" else f"{value}+0x{HALF_A_DAY}"


def growing(by: float) -> str:
    return f"0+{by}x{HALF_A_DAY}"


def once(before: int, at: int) -> str:
    """A counter that counts one more at this minute."""
    return f"{before}+0x{at} {before + 1}+0x{HALF_A_DAY - at}"


def first(at: int) -> str:
    """A counter that appears at this minute, with one."""
    return f"_x{at} 1+0x{HALF_A_DAY - at}"


def histogram(name: str, slow: float) -> dict[str, str]:
    """Ten observations a minute, so many of them slower than any bucket."""
    rates = {"60": 10 - slow, "1800": 10 - slow, "3600": 10 - slow, "7200": 10 - slow}
    rates |= {"14400": 10, "+Inf": 10}
    return {f'{name}_bucket{{le="{le}"}}': growing(by) for le, by in rates.items()}


HEALTHY = {
    'up{job="evidenced",instance="host"}': always(1),
    'evidenced_mqtt_connected{instance="host"}': always(1),
    "evidenced_inbox_messages": always(12),
    "evidenced_inbox_bytes": always(5000),
    'evidenced_share_up{destination="nas"}': always(1),
    "evidenced_evidence_waiting": always(2),
    "evidenced_evidence_hashed_bytes_total": growing(1000),
    'evidenced_evidence_records_total{outcome="failed"}': always(3),
    "evidenced_tags_waiting": always(0),
    'evidenced_tags_total{recorder="main",outcome="refused"}': always(2),
    'evidenced_recorder_up{recorder="main"}': always(1),
    "evidenced_oldest_due_seconds": always(300),
    **{
        f'evidenced_incidents{{state="{state}"}}': always(4)
        for state in IncidentState
        if state != IncidentState.EXPORTED
    },
    'evidenced_incidents{state="exported"}': growing(1),
    'evidenced_exports_total{recorder="main",outcome="exported"}': growing(5),
    'evidenced_exports_total{recorder="main",outcome="failed"}': always(20),
    **histogram("evidenced_export_seconds", 0),
    **histogram("evidenced_due_lag_seconds", 0),
    'evidenced_recorder_clock_offset_seconds{recorder="main"}': always(-3),
    'evidenced_clock_synchronized{instance="host"}': always("NaN"),
    'evidenced_alarms_total{rule="panic",outcome="opened"}': growing(1),
    'evidenced_alarms_total{rule="panic",outcome="invalid"}': always(7),
    'evidenced_alarms_total{rule="panic",outcome="stale"}': always(0),
    'evidenced_limited_total{limit="alarms_per_topic",of="panic"}': always(0),
    'evidenced_notifications_total{to="duty",outcome="failed"}': always(5),
    'evidenced_notifications_total{to="duty",outcome="sent"}': growing(1),
    "evidenced_config_last_reload_successful": always(1),
    'evidenced_node_up{node="a"}': always(1),
    'evidenced_node_up{node="b"}': always(1),
    'evidenced_recorders_held{node="a"}': always(1),
    'evidenced_recorders_held{node="b"}': always(0),
    "evidenced_lease_changes_total": once(7, 100),
    "evidenced_database_answer_seconds": always(0.004),
    'evidenced_build_info{version="1"}': always(1),
}


class Case(NamedTuple):
    """What is wrong; when it must have fired, when not yet; what it says."""

    wrong: dict[str, str]
    by: int
    not_before: int
    summary: str
    labels: Mapping[str, str] = MappingProxyType({})


CASES = {
    "EvidencedDown": Case(
        {'up{job="evidenced",instance="host"}': always(0)},
        *(3, 1, "evidenced on host does not answer"),
        {"job": "evidenced", "instance": "host"},
    ),
    "EvidencedBrokerAway": Case(
        {'evidenced_mqtt_connected{instance="host"}': always(0)},
        *(6, 4, "evidenced on host receives no alarms"),
        {"instance": "host"},
    ),
    "EvidencedAlarmsUnread": Case(
        {"evidenced_inbox_messages": always(5000)},
        *(6, 4, "5000 stored alarms are not read by the rules"),
    ),
    "EvidencedInboxFull": Case(
        {"evidenced_inbox_bytes": always(200 * 1024 * 1024)},
        *(3, 1, "200MiB of alarms wait to be read by the rules"),
    ),
    "EvidencedShareAway": Case(
        {'evidenced_share_up{destination="nas"}': always(0)},
        *(11, 9, "the share of destination nas cannot be used"),
        {"destination": "nas"},
    ),
    "EvidencedRecordsWait": Case(
        {
            "evidenced_evidence_hashed_bytes_total": (
                f"0+1000x100 100000+0x{HALF_A_DAY - 100}"
            )
        },
        *(465, 450, "2 evidence records wait and nothing is hashed"),
    ),
    "EvidencedRecordsFail": Case(
        {'evidenced_evidence_records_total{outcome="failed"}': once(0, 100)},
        *(103, 99, "footage has no evidence record"),
        {"outcome": "failed"},
    ),
    "EvidencedUnprotected": Case(
        {"evidenced_tags_waiting": always(2)},
        *(16, 14, "footage of protected incidents may be overwritten"),
    ),
    "EvidencedUnprotected, refused": Case(
        {'evidenced_tags_total{recorder="main",outcome="refused"}': once(0, 100)},
        *(117, 99, "footage of protected incidents may be overwritten"),
        {"recorder": "main", "outcome": "refused"},
    ),
    "EvidencedRecorderDown": Case(
        {'evidenced_recorder_up{recorder="main"}': always(0)},
        *(11, 9, "recorder main does not answer"),
        {"recorder": "main"},
    ),
    "EvidencedClipsWait": Case(
        {"evidenced_oldest_due_seconds": always(4000)},
        *(11, 9, "a clip has been due for more than an hour"),
    ),
    "EvidencedIncomplete": Case(
        {'evidenced_incidents{state="partial"}': once(0, 100)},
        *(103, 99, "incidents ended without all of their footage"),
        {"state": "partial"},
    ),
    "EvidencedExportsFail": Case(
        {'evidenced_exports_total{recorder="main",outcome="failed"}': growing(1)},
        *(30, 8, "exports of recorder main keep failing"),
        {"recorder": "main"},
    ),
    "EvidencedExportsSlow": Case(
        histogram("evidenced_export_seconds", 2),
        *(40, 29, "exports take more than an hour"),
    ),
    "EvidencedQueueSlow": Case(
        histogram("evidenced_due_lag_seconds", 2),
        *(40, 29, "clips wait more than half an hour for their turn"),
    ),
    "EvidencedClockOff": Case(
        {'evidenced_recorder_clock_offset_seconds{recorder="main"}': always(-70)},
        *(16, 14, "the clock of recorder main is off"),
        {"recorder": "main"},
    ),
    "EvidencedHostClock": Case(
        {'evidenced_clock_synchronized{instance="host"}': always(0)},
        *(16, 14, "the clock of host is not in sync"),
        {"instance": "host"},
    ),
    "EvidencedAlarmsUnreadable": Case(
        {'evidenced_alarms_total{rule="panic",outcome="stale"}': once(0, 100)},
        *(103, 99, "alarms of rule panic cannot be used"),
        {"rule": "panic"},
    ),
    "EvidencedAlarmsUnreadable, its first of all": Case(
        {'evidenced_alarms_total{rule="fire",outcome="invalid"}': first(100)},
        *(103, 99, "alarms of rule fire cannot be used"),
        {"rule": "fire"},
    ),
    "EvidencedStorm": Case(
        {'evidenced_alarms_total{rule="panic",outcome="extended"}': growing(6000)},
        *(10, 4, "rule panic gets more than 50 messages a second"),
        {"rule": "panic"},
    ),
    "EvidencedManyIncidents": Case(
        {'evidenced_alarms_total{rule="panic",outcome="opened"}': growing(3)},
        *(60, 30, "rule panic opened more than 100 incidents in an hour"),
        {"rule": "panic"},
    ),
    "EvidencedExpressionFails": Case(
        {"evidenced_faults_total": once(0, 100)},
        *(103, 99, "an expression of a rule fails on messages"),
    ),
    "EvidencedLimited": Case(
        {'evidenced_limited_total{limit="alarms_per_topic",of="panic"}': once(0, 100)},
        *(103, 99, "panic is beyond alarms_per_topic"),
        {"limit": "alarms_per_topic", "of": "panic"},
    ),
    "EvidencedLimited, its first of all": Case(
        {'evidenced_limited_total{limit="alarms_per_topic",of="fire"}': first(100)},
        *(103, 99, "fire is beyond alarms_per_topic"),
        {"limit": "alarms_per_topic", "of": "fire"},
    ),
    "EvidencedMessagesNotTaken": Case(
        {'evidenced_notifications_total{to="duty",outcome="failed"}': growing(1)},
        *(30, 4, "duty takes no messages"),
        {"to": "duty"},
    ),
    "EvidencedNodeAway": Case(
        {'evidenced_node_up{node="b"}': always(0)},
        *(2, 0, "node b is away"),
        {"node": "b"},
    ),
    "EvidencedRecorderUnheld": Case(
        {'evidenced_recorders_held{node="a"}': always(0)},
        *(3, 1, "of all recorders only 0 have a node that does their work"),
    ),
    "EvidencedNodesChange": Case(
        {"evidenced_lease_changes_total": growing(1)},
        *(9, 3, "nodes take the work from one another"),
    ),
    "EvidencedDatabaseSlow": Case(
        {"evidenced_database_answer_seconds": f"0.004+0x100 2+0x{HALF_A_DAY - 100}"},
        *(108, 103, "the database takes longer than 1 s to answer"),
    ),
    "EvidencedConfigurationWrong": Case(
        {"evidenced_config_last_reload_successful": always(0)},
        *(11, 9, "the configuration on disk is not the one in force"),
    ),
}


def find_promtool() -> str | None:
    """From PATH, or where .ci/setup puts it: beside the interpreter."""
    return shutil.which("promtool") or shutil.which(
        "promtool", path=str(Path(sys.executable).parent)
    )


@pytest.fixture(scope="module")
def promtool() -> str:
    found = find_promtool()
    if found is None:
        reason = "promtool is missing (it is in Debian's package prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from group["rules"]


def firing(minute: int, *alerts: str) -> dict[str, Any]:
    """Exactly these fire at this minute."""
    return {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minute}m",
        "exp_samples": [
            {"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts
        ],
    }


def played(name: str, case: Case) -> dict[str, Any]:
    """A test in promtool's own words."""
    alert = name.partition(",")[0]
    (rule,) = [each for each in rules() if each["alert"] == alert]
    return {
        "name": name,
        "interval": "1m",
        "input_series": written(HEALTHY | case.wrong),
        "promql_expr_test": [firing(case.not_before), firing(case.by, alert)],
        "alert_rule_test": [
            {
                "eval_time": f"{case.by}m",
                "alertname": alert,
                "exp_alerts": [
                    {
                        "exp_labels": rule["labels"] | dict(case.labels),
                        "exp_annotations": {
                            "summary": case.summary,
                            "description": rule["annotations"]["description"],
                        },
                    }
                ],
            }
        ],
    }


def written(series: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series.items()]


def run(promtool: str, folder: Path, tests: list[dict[str, Any]]) -> str:
    """What promtool says of them; JSON is YAML too."""
    suite = folder / "alerts.test.yml"
    suite.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": tests}))
    done = subprocess.run(
        [promtool, "test", "rules", suite], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_promtool_accepts_the_alerts(promtool: str) -> None:
    subprocess.run([promtool, "check", "rules", ALERTS], check=True)


def test_every_alert_has_its_case() -> None:
    assert {name.partition(",")[0] for name in CASES} == {
        rule["alert"] for rule in rules()
    }


def test_a_healthy_daemon_alerts_nobody(promtool: str, tmp_path: Path) -> None:
    healthy = {
        "interval": "1m",
        "input_series": written(HEALTHY),
        "promql_expr_test": [firing(minute) for minute in range(1, HALF_A_DAY, 30)],
    }
    assert run(promtool, tmp_path, [healthy]) == ""


def test_each_alert_fires_alone_and_says_what_is_wrong(
    promtool: str, tmp_path: Path
) -> None:
    tests = [played(name, case) for name, case in CASES.items()]
    assert run(promtool, tmp_path, tests) == ""


def test_a_case_that_is_wrong_would_be_seen(promtool: str, tmp_path: Path) -> None:
    down = CASES["EvidencedDown"]
    for case in (down._replace(summary="?"), down._replace(not_before=10)):
        assert "FAILED" in run(promtool, tmp_path, [played("EvidencedDown", case)])
