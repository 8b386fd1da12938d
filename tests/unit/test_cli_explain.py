"""`evidenced explain`: what a message would cause, or why nothing would."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from evidenced.cli.main import run

CONFIG = r"""
[daemon]
timezone = "Europe/Amsterdam"
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = { env = "SENSE_PASSWORD" }
bandwidth = "8 MB/s"
max_devices = 2
[[recorders.main.bandwidth_windows]]
from = "22:00"
to = "06:00"
pause = true
[recorders.annex]
url = "https://annex.example"
username = "export"
password = { env = "SENSE_PASSWORD" }
[cameras.lobby]
recorder = "main"
server = "1001"
device = "2001"
[cameras.north]
recorder = "main"
server = "1001"
device = "2002"
pre_roll = "10s"
[cameras.south]
recorder = "main"
server = "1001"
device = "2003"
[cameras.yard]
recorder = "annex"
server = "1"
device = "2"
[groups]
all = ["lobby", "north", "south", "yard"]
[destinations.nas]
path = 'V:\evidence\{opened:%Y}\{rule}-{door}-{id}'
root = 'V:\evidence'
[[rules]]
name = "closed"
topics = ["access/{door}"]
when = "state == 'closed'"
cameras = ["lobby"]
[[rules]]
name = "forced"
topics = ["access/{door}"]
when = "state == 'active'"
clear = "state == 'cleared'"
time = "at"
fields = { badge = "card.number" }
group_by = ["door"]
cameras = ["@all", "{door}"]
pre_roll = "30s"
post_roll = "2m"
max_length = "30m"
bandwidth = "1 MB/s"
[[rules]]
name = "panic"
topics = ["panic"]
format = "text"
cameras = ["lobby"]
"""
AT = "2026-11-23T12:00:00Z"
ALARM = {"state": "active", "at": "2026-11-23T11:59:00Z", "card": {"number": 7}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "evidenced.toml"
    file.write_text(CONFIG.replace("{door}-{id}", "{id}"))
    return file


def explain(config: Path, topic: str, payload: object, *more: str) -> int:
    said = payload if isinstance(payload, str) else json.dumps(payload)
    arguments = ["--topic", topic, "--payload", said, "--at", AT, *more]
    return run(["explain", "-c", str(config), *arguments])


def explained(
    capsys: pytest.CaptureFixture[str], config: Path, topic: str, payload: object
) -> Any:
    assert explain(config, topic, payload, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_people_read_what_a_request_s_bandwidth_is_a_share_of(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(at: str = AT) -> str:
        assert explain(config, "panic", "x", "--at", at) == 0
        out = capsys.readouterr().out
        [line] = [each for each in out.splitlines() if each.startswith("bandwidth")]
        return line.partition("bandwidth")[2].strip()

    assert told() == "4 MB/s: 8 MB/s shared by 2 exports at once"
    window = "pause = true"
    text = config.read_text()
    config.write_text(text.replace(window, 'bandwidth = "2 MB/s"'))
    assert told("2026-11-23T23:30:00Z") == (
        "1 MB/s: 2 MB/s (its budget at 00:32) shared by 2 exports at once"
    )
    config.write_text(text.replace("max_devices = 2", "max_exports = 1"))
    assert told() == "8 MB/s"
    own = 'name = "panic"\nbandwidth = "1 MB/s"'
    config.write_text(text.replace('name = "panic"', own))
    assert told() == "1 MB/s, the rule's own limit"
    config.write_text(text.replace('bandwidth = "8 MB/s"', ""))
    assert told() == "unlimited"


def test_an_alarm_is_followed_to_its_requests(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(capsys, config, "access/north", ALARM)
    assert found["rule"] == "forced"
    assert found["signal"] == "active"
    assert found["time"] == "2026-11-23T11:59:00.000Z"
    assert found["time_source"] == "payload"
    assert found["fields"] == {"door": "north", "badge": "7"}
    assert found["key"] == "north"
    assert found["incident"] == "20261123-115900-xxxxxxxx"
    (passed,) = found["passed"]
    assert passed["rule"] == "closed"
    assert "when = state == 'closed'" in passed["why"]
    assert [(c["camera"], c["start"], c["end"]) for c in found["clips"]] == [
        ("lobby", "2026-11-23T11:58:30.000Z", "2026-11-23T12:29:00.000Z"),
        ("north", "2026-11-23T11:58:50.000Z", "2026-11-23T12:29:00.000Z"),
        ("south", "2026-11-23T11:58:30.000Z", "2026-11-23T12:29:00.000Z"),
        ("yard", "2026-11-23T11:58:30.000Z", "2026-11-23T12:29:00.000Z"),
    ]
    main, annex = found["recorders"]
    assert (main["recorder"], annex["recorder"]) == ("main", "annex")
    assert main["due"] == "2026-11-23T12:29:15.000Z"
    assert main["paused"] is False
    folder = r"V:\evidence\2026\forced-20261123-115900-xxxxxxxx"
    assert [each["path"] for each in main["requests"]] == [folder, f"{folder}-2"]
    assert [each["bandwidth"] for each in main["requests"]] == [1_000_000] * 2


def test_the_xml_is_what_would_be_sent(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(capsys, config, "access/north", ALARM)
    request = found["recorders"][0]["requests"][0]
    root = ET.fromstring(request["xml"])  # noqa: S314 - our own
    assert [each.tag for each in root] == ["devices", "path", "bandwidth"]
    assert root.findtext("path") == request["path"]
    assert root.findtext("devices/device[2]/deviceid") == "2002"
    assert root.findtext("devices/device[2]/starttime") == "2026-11-23 11:58:50.000"
    explain(config, "access/north", ALARM)
    assert request["xml"] in capsys.readouterr().out


def test_people_read_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(config, "access/nowhere", ALARM) == 0
    out = capsys.readouterr().out
    for part in (
        "rule         forced (rules[1])",
        "(local Mon 2026-11-23 12:59:00 CET)",
        "door = nowhere",
        "nowhere: nobody configured it",
        "open until the clear; cut after 30m if none comes",
        "1 MB/s",
        "POST /command?command=exportVideo",
    ):
        assert part in out


def test_a_pause_at_the_due_instant_is_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = ALARM | {"at": "2026-11-22T23:00:00Z"}
    found = explained(capsys, config, "access/north", night)
    assert [each["paused"] for each in found["recorders"]] == [True, False]


def test_a_clear_opens_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clear = {"state": "cleared", "at": "2026-11-23T11:59:00Z"}
    found = explained(capsys, config, "access/north", clear)
    assert found["signal"] == "clear"
    assert (found["incident"], found["clips"], found["recorders"]) == (None, [], [])
    explain(config, "access/north", clear)
    assert "+ post_roll (2m)" in capsys.readouterr().out


def test_text_payloads_and_no_clear(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(capsys, config, "panic", "ALARM")
    assert found["rule"] == "panic"
    assert found["time"] == "2026-11-23T12:00:00.000Z"
    assert found["time_source"] == "received"


@pytest.mark.parametrize(
    ("message", "outcome", "why"),
    [
        (("nothing/here", "{}"), "unmatched", "no rule has a topic that fits"),
        (("access/north", "{}"), "unmatched", "forced: its topic fits, but nothing"),
        (("access/north", "{"), "invalid", "payload is not JSON"),
        (("access/north", ALARM, "--retained"), "retained", "ignores retained"),
        (
            ("access/north", ALARM | {"at": "2026-01-01T00:00:00Z"}),
            "stale",
            "further back than max_age",
        ),
    ],
)
def test_what_matches_nothing_says_why(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    message: tuple[str, object, str],
    outcome: str,
    why: str,
) -> None:
    assert explain(config, *message) == 1
    assert why in capsys.readouterr().out
    assert explain(config, *message, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["matched"], found["outcome"]) == (False, outcome)


def test_the_topics_that_would_fit_are_shown(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explain(config, "nothing/here", "{}")
    assert "access/{door}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--topic", "a/+", "--payload", "{}"], "--topic 'a/+' is no topic"),
        (["--topic", "", "--payload", "{}"], "--topic '' is no topic"),
        (["--topic", "a" * 70_000, "--payload", "{}"], "longer than MQTT's"),
        (["--topic", "a", "--payload", "@/nowhere/at/all"], "cannot be read: No such"),
        (["--topic", "a", "--payload", "@"], "cannot be read: Is a directory"),
        (["--topic", "a", "--payload", "{}", "--at", "noon"], "--at 'noon' is no time"),
        (["--topic", "a"], "say --topic and --payload, or --record"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    fault: str,
) -> None:
    assert run(["explain", "-c", str(config), *arguments]) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert fault in line
    assert said.out == ""


def test_a_payload_file_is_read_as_bytes(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "alarm.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(ALARM).encode())
    assert explained(capsys, config, "access/north", f"@{file}")["rule"] == "forced"


def test_nothing_hostile_reaches_the_terminal(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\u2028[red]\ud800"
    alarm = ALARM | {"card": {"number": hostile}}
    assert explain(config, "access/north", alarm) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[red]" in out


def test_local_times_are_those_of_the_site(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--topic", "panic", "--payload", "x", "--at", "2026-07-01 12:00"]
    assert run(["explain", "-c", str(config), *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["time"] == "2026-07-01T10:00:00.000Z"
