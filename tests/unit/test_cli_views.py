"""What commands make of answers: tables, names, lines. Hostile text stays text."""

import re
import tomllib
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.cli.discover import name_devices, tables
from evidenced.cli.incidentviews import print_incident, print_list
from evidenced.cli.simulate import recorder_table
from evidenced.cli.table import ZONE, print_table
from evidenced.cli.terminal import folded
from evidenced.config import load_text
from evidenced.core.recorder import Device
from evidenced.sense.address import sense_address
from evidenced.simulator import Scenario

HOSTILE = "\x1b[31m[bold]\u2028\nrow"
CONFIG = """
[mqtt]
url = "mqtts://broker.example"
[web]
listen = {listen}
"""


def device(n: int, name: str) -> Device:
    return Device(address=sense_address("1", str(n)), name=name)


def test_a_page_is_one_line_an_incident(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "id": "20261123-061530-k3f9qx2a",
        "state": "partial",
        "rule": "forced",
        "key": HOSTILE,
        "opened": "2026-11-23T06:15:30.000Z",
        "clips": [{"state": "exported"}, {"state": "missing"}],
        "reason": None,
    }
    print_list({"incidents": [row, row], "next": "abc"})
    heading, first, second, more = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "id"
    assert first == second
    assert "1/2" in first
    assert "[bold]" in first
    assert "\x1b" not in first
    assert more == "more: --cursor abc"


def test_times_are_the_site_s_and_folders_stay_in_one_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "V:\\evidence\\" + "x" * 90
    export = {"recorder": "main", "state": "exported", "path": path}
    times = {"requested": "2026-11-23T06:15:30.000Z", "finished": None}
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    here = ZONE.set(ZoneInfo("Europe/Amsterdam"))
    try:
        print_incident(
            {
                "id": "i1",
                "opened": "2026-11-23T06:15:29.000Z",
                "exports": [export | times, export],
            }
        )
    finally:
        ZONE.reset(here)
    lines = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert "opened       Mon 23 Nov 2026 07:15:29 CET" in lines
    assert [line for line in lines if path in line] == [f"folder       {path}"]
    assert sum("07:15:30" in line for line in lines) == 1
    [heading] = [line for line in lines if "requested" in line]
    assert "requested C" in heading  # its zone, as it is now


def test_what_may_be_copied_is_whole_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: hashes, times and states of a wide table were cut off at the edge."""
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    folders = [{"path": "V:\\i1 of north", "files": 3, "bytes": 9, "sha256": "ab" * 32}]
    rows = [{"topic": "a/b c/d", "state": "exported", "why": "because " * 9}]
    columns = (("topic", "topic"), ("and its state", "state"), ("why", "why"))
    print_incident({"id": "i1", "record": {"state": "written", "folders": folders}})
    print_table("", columns, rows)
    out = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    for whole in ("V:\\i1 of north", "ab" * 32, "and its state", "a/b c/d"):
        assert whole in out
    told = [line for line in out.splitlines() if "because" in line]
    assert len(told) > 1
    assert max(map(len, told)) <= 50


def test_a_run_of_refusals_is_folded(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"recorder": "main", "state": "refused", "path": "V:\\i1"}
    tries = [{"event": each, "detail": {}} for each in ("requested", "refused")] * 9
    whole = {"event": "opened", "detail": {}}
    print_incident({"exports": [refused] * 30, "history": [whole, *tries, whole]})
    out = capsys.readouterr().out
    assert out.count("refused") + out.count("requested") < 12
    assert ("28 more: see --json" in out, "16 more: see --json" in out) == (True, True)
    print_incident({"exports": [refused] * 6})
    assert capsys.readouterr().out.count("refused") == 6


def test_what_is_acknowledged_and_what_was_not_recorded_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gap = {"start": "2026-11-23T06:15:30.000Z", "end": "2026-11-23T06:15:40.000Z"}
    clip = {"camera": "lobby", "coverage": {"state": "gaps", "gaps": [gap]}}
    known = {"at": "2026-11-23T07:00:00.000Z", "by": "ann", "comment": HOSTILE}
    as_they_came = ZONE.set(None)
    print_incident({"id": "i1", "clips": [clip], "acknowledged": known})
    ZONE.reset(as_they_came)
    out = capsys.readouterr().out
    assert "by ann: " in out
    assert "lobby: 2026-11-23T06:15:30.000Z to 2026-11-23T06:15:40.000Z" in out
    assert "\x1b" not in out


def test_sentences_are_folded_between_words_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sentence = "  Footage of the front-door is missing, look"
    monkeypatch.setenv("COLUMNS", "30")
    assert folded(sentence) == [sentence]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert folded(sentence) == ["  Footage of the front-door is", "  missing, look"]
    assert folded(sentence, 10)[0] == "  Footage of the"
    assert folded("") == [""]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"incidents": None},
        {"incidents": []},
        {"incidents": ["?", 7]},
    ],
)
def test_an_answer_without_incidents(
    answer: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    print_list(answer)
    assert capsys.readouterr().out == "no incidents\n"


def test_an_incident_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_incident(
        {
            "id": "i1",
            "state": "failed",
            "fields": {"door": HOSTILE, "plates": ["a", "b"]},
            "clips": [{"camera": "lobby", "state": "missing", "code": "-48"}],
            "alarms": [{"payload": HOSTILE}],
            "exports": "?",
            "history": [
                {
                    "at": "2026-11-23T06:15:30.000Z",
                    "event": "refused",
                    "detail": {"code": "-48", "reason": "no-video", "text": HOSTILE},
                },
                {"event": "from the future", "detail": {"why": HOSTILE}},
            ],
        }
    )
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "plates = a, b" in out
    for part in (
        "lobby",
        "the recorder has no video of it (-48)",
        "from the future",
        "why=",
    ):
        assert part in out


def test_an_incident_shows_its_record_and_what_is_protected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = {"state": "written", "revision": 2, "signed_by": "k1", "message": HOSTILE}
    folders = [{"path": "V:\\i1", "files": 3, "bytes": 9, "sha256": "ab" * 32}]
    tag = {"camera": "lobby", "state": "confirmed", "tag": "7", "message": HOSTILE}
    print_incident({"id": "i1", "record": record | {"folders": folders}, "tags": [tag]})
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "written, revision 2, signed by key k1" in out
    for part in ("lobby", "confirmed", "ab" * 32):
        assert part in out.replace("\n", "")
    print_incident({"id": "i1", "record": {"state": "wanted", "revision": 0}})
    assert "wanted, revision 0" in capsys.readouterr().out


def test_devices_get_names_that_are_unique() -> None:
    devices = [
        device(1, "Hal Über (links)"),
        device(2, "hal uber links"),
        device(3, "監視"),
        device(4, "Lobby"),
        device(5, "anything"),
    ]
    known = {sense_address("1", "5"): "Old Name"}
    named = name_devices(devices, known, ["lobby", "Old Name"])
    assert [name for name, _ in named] == [
        "hal-uber-links",
        "hal-uber-links-2",
        "camera-3",
        "lobby-2",
        "Old Name",
    ]


@given(st.lists(st.text(max_size=80), max_size=8))
def test_whatever_devices_are_called_the_tables_are_toml(names: list[str]) -> None:
    devices = [device(n, name) for n, name in enumerate(names)]
    named = name_devices(devices, MappingProxyType({}), ())
    found = tomllib.loads("\n".join(tables(named, MappingProxyType({}), "main")))
    cameras = found.get("cameras", {})
    assert [each["device"] for each in cameras.values()] == [
        str(n) for n in range(len(names))
    ]


def test_the_printed_table_is_a_recorder_of_the_configuration() -> None:
    for kinds in (("digest", "plain"), ("plain",)):
        scenario = Scenario.model_validate({"login": {"kinds": kinds}})
        table = "\n".join(recorder_table("http://127.0.0.1:8480", scenario))
        config = load_text(CONFIG.format(listen='""') + table).config
        recorder = config.recorders["simulated"]
        assert recorder.url == "http://127.0.0.1:8480"
        assert recorder.is_digest == ("digest" in kinds)
