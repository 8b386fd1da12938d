"""`explain` says what to write instead, for what integrators try first."""

import json
from pathlib import Path

import pytest

from evidenced.cli.main import run
from fakes.shippedsystems import SITE

DOUBLE = json.dumps(json.dumps({"state": "alarm"}))
TAUGHT = {
    "JSON in a text": (
        "when = \"state == 'alarm'\"",
        DOUBLE,
        "text with JSON in it: write from_json(@).state",
    ),
    "a list of messages": (
        "when = \"state == 'alarm'\"",
        '[{"state": "alarm"}]',
        'write each = "@" too',
    ),
    "each of nothing": ('each = "zones"', '{"zone": []}', 'did you mean "zone"?'),
    "each of an object": (
        'each = "zones"\nwhen = "state == \'alarm\'"',
        '{"zones": {"3": {"state": "off"}, "4": {"state": "off"}}}',
        "values(...) gives each of its values",
    ),
    "a key in capitals, far in": (
        "when = \"Events[0].Data == '1'\"",
        '{"events": [{"data": "1"}]}',
        'did you mean "events"?',
    ),
    "a key far in": (
        'when = "a.b.c.d == `1`"',
        '{"a": {"b": {"x": 1}}}',
        "`a.b` has no such key, its keys are x",
    ),
    "the whole way": (
        'when = "a.b.c.d == `1`"',
        '{"a": {"b": {"c": {"d": 2}}}}',
        "`a.b.c.d` is the number 2",
    ),
    "a filter": (
        'when = "bits(v)[?@ == `3`]"',
        '{"v": 1}',
        "`bits(v)[?@ == 3]` is a list of 0",
    ),
    "a text without quotes": (
        'when = "state == open"',
        '{"state": "open"}',
        "write 'open' in single quotes",
    ),
    "a text and a number": (
        'when = "temp > `60`"',
        '{"temp": "75.5"}',
        "> between a text and a number; to_number()",
    ),
    "XML": ("when = \"type == 'IO'\"", "<a><type>IO</type></a>", "it is XML"),
    "packed bytes": ('when = "a == `1`"', "open\x08\x0fp\x01", 'set format = "any"'),
    "a time of no form": ('time = "t"', '{"t": "29-11-2026 20:00:01"}', "time_format"),
    "an object for a time": (
        'time = "t"',
        '{"t": {"seconds": 5}}',
        "time: is an object with seconds",
    ),
}


@pytest.mark.parametrize("case", TAUGHT)
def test_explain_says_what_to_write(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys, payload, expected = TAUGHT[case]
    told = explained(tmp_path, monkeypatch, capsys, keys, "alarm/3", payload)
    assert expected in told


def test_a_topic_in_other_capitals_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = explained(tmp_path, monkeypatch, capsys, "", "Alarm/3", "{}")
    assert "'alarm/{zone}' differs in capitals" in told


def explained(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys: str,
    topic: str,
    payload: str,
) -> str:
    """What the command says, its lines joined."""
    monkeypatch.setenv("COLUMNS", "400")
    file = folder / "evidenced.toml"
    rule = '[[rules]]\nname = "r"\ntopics = ["alarm/{zone}"]\ncameras = ["lobby"]\n'
    file.write_text(SITE.format(system="all") + rule + keys + "\n")
    run(["explain", "-c", str(file), "--topic", topic, "--payload", payload])
    return capsys.readouterr().out
