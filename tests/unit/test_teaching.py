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
    "a key further in": (
        "when = \"state == 'alarm'\"",
        '{"data": {"state": "alarm"}}',
        "no such key at its top: write data.state",
    ),
    "the words of Home Assistant": (
        "when = \"value_json.state == 'alarm'\"",
        '{"state": "alarm"}',
        "write state",
    ),
    "a pattern for a text": (
        "when = \"state == 'zone*'\"",
        '{"state": "zone 3 open"}',
        "JMESPath has no patterns: write starts_with(state, 'zone')",
    ),
    "a function that fails": (
        "when = \"contains(tags, 'alarm')\"",
        '{"tag": ["alarm"]}',
        '`tags` is null; the payload has no such key, did you mean "tag"?',
    ),
    "a function that finds nothing": (
        "when = \"contains(tags, 'alarm')\"",
        '{"tags": [{"name": "alarm"}]}',
        "`tags` is a list of 1",
    ),
    "a pattern that does not fit": (
        'format = "text"\npattern = "Zone {n} open"\nwhen = "n"',
        "zone 3 open",
        "pattern 'Zone {n} open' does not fit the text 'zone 3 open'",
    ),
    "JSON read as text": (
        'format = "text"\nwhen = "state == \'on\'"',
        '{"state": "on"}',
        'the payload is JSON: write format = "json"',
    ),
    "what stands around a list": (
        'each = "zones"\nwhen = "open == `true`"\ntime = "ts"',
        '{"ts": "2026-11-30T11:59:58Z", "zones": [{"open": true}]}',
        "time: is null; it stands around the list: write whole().ts",
    ),
    "a field of what stands around": (
        'each = "zones"\nfields = { p = "panel" }',
        '{"panel": "A", "zones": [{"open": true}]}',
        "fields.p: is null; it stands around the list: write whole().panel",
    ),
    "a field that is called otherwise": (
        'fields = { p = "panle" }',
        '{"panel": "A"}',
        'fields.p: is null; the payload has no such key, did you mean "panel"?',
    ),
    "a form that does not fit": (
        'time = "t"\ntime_format = "%d-%m-%Y"',
        '{"t": "30/11/2026 11:59"}',
        "time_format '%d-%m-%Y' does not fit it",
    ),
    "a time without a date": (
        'time = "t"',
        '{"t": "11:59:58"}',
        "it has no date; without `time` the receipt counts",
    ),
    "the one key of a time": (
        'time = "t"',
        '{"t": {"$date": "2026-11-30T11:59:58Z"}}',
        'the time is its key "$date"',
    ),
    "base64": ('when = "s == `1`"', "eyJzIjogMX0=", 'set unpack = "base64"'),
    "hex": ('when = "s == `1`"', b'{"s": 1}'.hex(), 'set unpack = "hex"'),
    "cut off": ('when = "s == `1`"', '{"s": 1, "x": "ab', "it is cut off"),
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


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("Alarm/3", "'alarm/{zone}' differs in capitals"),
        ("/alarm/3", "lacks the / that the message's begins or ends with"),
        ("alarm/3/a", "has fewer levels: write 'alarm/{zone}/+' or"),
    ],
)
def test_a_topic_that_nearly_fits_is_told(
    topic: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert why in explained(tmp_path, monkeypatch, capsys, "", topic, "{}")


def test_a_time_that_is_local_with_a_z_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = '{"t": "2026-11-30T13:00:00Z"}'
    told = explained(
        *(tmp_path, monkeypatch, capsys),
        *('time = "t"', "alarm/3", said, "--at", "2026-11-30T12:00:00Z"),
    )
    assert "1 h later than it came: local time with a Z? replace(t, 'Z', '')" in told


def test_of_many_messages_in_one_the_taken_one_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = [{"n": n, "open": n in {4, 7}} for n in range(9)]
    keys = 'each = "zones"\nwhen = "open == `true`"'
    told = explained(
        *(tmp_path, monkeypatch, capsys),
        *(keys, "alarm/3", json.dumps({"zones": zones})),
    )
    assert told.count("message 5 of 9: when: `open` is true") == 1
    assert told.count("message 8 of 9: when: `open` is true") == 1
    assert "is false" not in told


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('topics = ["a/*/b"]', "has a *, which is a character like any other"),
        ('topics = ["a/(x|y)"]', "which offer no choice; write {name:a|b}"),
        ('topics = ["a/zone.*"]', "is no regular expression"),
        ('topics = ["a/{n:[0-9]+}"]', "write the values out, as in {n:1|2}"),
        ('topics = ["a/zone+"]', "{name} takes the rest of a level"),
        ('topics = ["a"]\nwhen = "not state"', "write ! for not"),
        ('topics = ["a"]\nwhen = "s =~ \'x\'"', "JMESPath has no patterns"),
        ('topics = ["a"]\nwhen = "{s} == \'x\'"', "a key stands without braces"),
        (
            'topics = ["a"]\nformat = "text"\npattern = \'zone (\\d+)\'',
            "is a regular expression, which it must not be",
        ),
        ('topics = ["a"]\ntopics = ["b"]', "no valid TOML: topics is there already"),
    ],
)
def test_check_says_what_to_write(
    keys: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evidenced.toml"
    rule = f'[[rules]]\nname = "r"\ncameras = ["lobby"]\n{keys}\n'
    file.write_text(SITE.format(system="all") + rule)
    run(["check", "-c", str(file)])
    out, err = capsys.readouterr()
    assert said in out + err


def explained(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys: str,
    topic: str,
    payload: str,
    *more: str,
) -> str:
    """What the command says, its lines joined."""
    monkeypatch.setenv("COLUMNS", "400")
    file = folder / "evidenced.toml"
    rule = '[[rules]]\nname = "r"\ntopics = ["alarm/{zone}"]\ncameras = ["lobby"]\n'
    file.write_text(SITE.format(system="all") + rule + keys + "\n")
    run(["explain", "-c", str(file), "--topic", topic, "--payload", payload, *more])
    return capsys.readouterr().out
