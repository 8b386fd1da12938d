"""`alarms`, `explain --record` and `replay`: kept messages are looked at again."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidenced.cli.main import run
from evidenced.cli.replaying import Steps
from evidenced.config import load
from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import BY_HAND, Alarm
from evidenced.core.ids import incident_id
from evidenced.store import StoreSettings, open_store
from evidenced.store.recorded import Recorded
from evidenced.store.sqlite import FILE

SITE = r"""
[daemon]
state_dir = "{state}"
[mqtt]
url = "mqtt://broker.example"
[recorders.main]
url = "http://sense.example"
username = "export"
password = {{ env = "SENSE_PASSWORD" }}
nonce = "AR5chsWVZagPfMpB"
[cameras.lobby]
server = "1001"
device = "2001"
[cameras.yard]
server = "1001"
device = "2002"
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
"""
PANIC = """
[[rules]]
name = "panic"
topics = ["panic/{zone}"]
when = "state == 'on'"
clear = "state == 'off'"
id = "id"
group_by = ["zone"]
cameras = ["lobby"]
pre_roll = "5s"
post_roll = "10s"
"""
NOW = datetime.now(UTC).replace(microsecond=0)
CAME = [
    ("panic/a", {"state": "on", "id": 1}),
    ("panic/a", {"state": "on", "id": 1}),
    ("panic/b", {"state": "on", "id": 2}),
    ("panic/b", {"state": "off", "id": 3}),
    ("panic/b", {"state": "odd", "id": 4}),
]


def write_config(folder: Path, rules: str, name: str = "evidenced.toml") -> Path:
    file = folder / name
    file.write_text(SITE.format(state=folder / "state") + rules)
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_config(tmp_path, PANIC)


@pytest.fixture
def kept(file: Path) -> Path:
    """A store that took the messages in, a minute apart, an hour ago."""
    came = [
        (topic, json.dumps(value).encode(), NOW - timedelta(minutes=60 - n))
        for n, (topic, value) in enumerate(CAME)
    ]
    asyncio.run(store_messages(file, came))
    return file


async def store_messages(
    file: Path, came: list[tuple[str, bytes, datetime]], *, retained: bool = False
) -> None:
    tokens = iter(range(100))
    site = build_site(load(file).config)
    steps = Steps(site, lambda at: incident_id(at, f"{next(tokens):08}"))
    recorded = [
        Recorded(
            name="",
            alarm=Alarm(
                topic=topic, payload=payload, received_at=at, retained=retained
            ),
        )
        for topic, payload, at in came
    ]
    store = open_store(StoreSettings(directory=file.parent / "state"))
    await store.write(lambda tx: steps.run(tx, [[each] for each in recorded]))
    store.close()


def asked(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*args, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def replayed(
    capsys: pytest.CaptureFixture[str], file: Path, code: int = 1
) -> dict[str, list[tuple[str, list[str]]]]:
    found = asked(capsys, "replay", "-c", str(file), "--since", "2h", code=code)
    told: dict[str, list[tuple[str, list[str]]]] = {}
    for each in found["incidents"]:
        told.setdefault(each["kind"], []).append((each["key"], each["what"]))
    return told


def test_every_kept_message_is_listed_with_what_became_of_it(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = asked(capsys, "alarms", "-c", str(kept))["alarms"]
    found = [(each["topic"], each["outcome"], each["rule"]) for each in listed]
    assert found == [
        ("panic/b", "unmatched", None),
        ("panic/b", "taken", "panic"),
        ("panic/b", "taken", "panic"),
        ("panic/a", "duplicate", "panic"),
        ("panic/a", "taken", "panic"),
    ]
    refused = asked(capsys, "alarms", "-c", str(kept), "--refused")["alarms"]
    assert [each["name"] for each in refused] == ["2", "1"]


def test_each_listed_name_can_be_explained(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in asked(capsys, "alarms", "-c", str(kept))["alarms"]:
        code = 1 if each["outcome"] == "unmatched" else 0
        found = asked(
            capsys, "explain", "-c", str(kept), "--record", each["name"], code=code
        )
        assert found["matched"] is (code == 0)
        if code == 0:
            assert found["time"] == each["received"]


def test_a_kept_message_is_explained_as_retained_if_it_was(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = [("panic/a", b'{"state": "on", "id": 1}', NOW)]
    asyncio.run(store_messages(file, came, retained=True))
    found = asked(capsys, "explain", "-c", str(file), "--record", "1", code=1)
    assert "retained" in json.dumps(found)
    asked(
        capsys,
        "explain",
        "-c",
        str(file),
        "--topic",
        "panic/a",
        "--payload",
        '{"state": "on"}',
    )


def test_an_unknown_name_says_what_a_name_is(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = "9" * 40, "9" * 5000
    for name in ("17", "20260101-000000-abcdefgh/1", "x", "1/2/3", "\u0663", *many):
        assert run(["explain", "-c", str(kept), "--record", name]) == 2
        told = capsys.readouterr().err
        assert "no message is kept as" in told
        assert "evidenced alarms" in told
        assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--record", "1", "--topic", "a"], "leave those out"),
        ([], "say --topic and --payload, or --record"),
    ],
)
def test_a_message_is_given_in_one_way(
    file: Path, args: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "-c", str(file), *args]) == 2
    assert told in capsys.readouterr().err


def test_the_same_rules_change_nothing(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replayed(capsys, kept, code=0)
    assert found == {"same": [("a", []), ("b", [])]}


def test_what_would_come_out_otherwise_is_told(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_config(
        kept.parent,
        PANIC.replace('["lobby"]', '["lobby", "yard"]').replace('"5s"', '"30s"'),
        "other.toml",
    )
    (a, b) = replayed(capsys, other)["changed"]
    assert a[0] == "a"
    assert a[1][0] == "camera yard too"
    assert a[1][1].startswith("camera lobby: ")
    assert b[0] == "b"


def test_incidents_that_would_not_be_or_would_be_new_are_told(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_config(
        kept.parent,
        PANIC.replace("state == 'on'", "state == 'odd'"),
        "other.toml",
    )
    found = replayed(capsys, other)
    assert [key for key, _ in found["gone"]] == ["a", "b"]
    assert found["gone"][0][1] == [
        "unmatched: topic fits, but no condition holds: panic"
    ]
    assert [key for key, _ in found["new"]] == ["b"]


def test_an_incident_that_would_be_split_or_joined_is_told(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joined = write_config(
        kept.parent, PANIC.replace('group_by = ["zone"]\n', ""), "joined.toml"
    )
    changed = replayed(capsys, joined)["changed"]
    told = {line for _, what in changed for line in what}
    assert any(line.startswith("with the alarms of 2") for line in told)


def test_what_an_operator_opened_is_not_replayed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = NOW - timedelta(minutes=10)
    asyncio.run(store_messages(file, [(BY_HAND, b"{}", at)]))
    found = asked(capsys, "replay", "-c", str(file))
    assert found == {"messages": 0, "incidents": []}


def test_it_reads_beside_a_running_daemon(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(StoreSettings(directory=kept.parent / "state"))
    try:
        assert len(asked(capsys, "alarms", "-c", str(kept))["alarms"]) == 5
    finally:
        store.close()


@pytest.mark.parametrize("command", ["alarms", "replay"])
def test_a_store_of_another_version_is_refused(
    kept: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(kept.parent / "state" / FILE)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    assert run([command, "-c", str(kept)]) == 2
    told = capsys.readouterr().err
    assert "schema 9999" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("since", ["", "the other day", "-3h", "99999999999d"])
def test_a_since_that_is_no_time_is_said(
    file: Path, since: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "-c", str(file), "--since", since]) == 2
    told = capsys.readouterr().err
    assert "--since" in told
    assert len(told.splitlines()) == 1


def test_without_a_store_it_says_so(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["alarms", "-c", str(file)]) == 2
    assert "nothing was stored yet" in capsys.readouterr().err
