"""`notify test` and `report`, as they are run."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidenced.cli.main import run
from evidenced.core.incidents.lifecycle import open_incident
from evidenced.store import StoreSettings, open_store
from fakes.incident import LOBBY, Ids, happening
from fakes.receiver import SECRET

SITE = r"""
[daemon]
state_dir = "{state}"
timezone = "UTC"
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
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
[notify.duty]
url = "json://127.0.0.1:1/{secret}"
timeout = "5s"
severity = "critical"
[notify.office]
url = {{ env = "EVIDENCED_TEST_NOT_SET" }}
events = ["recorder", "late"]
[[rules]]
name = "panic"
topics = ["panic"]
cameras = ["lobby"]
severity = "critical"
[[rules]]
name = "door"
topics = ["door"]
cameras = ["lobby"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "evidenced.toml"
    file.write_text(SITE.format(state=tmp_path / "state", secret=SECRET))
    return file


@pytest.fixture
def asked(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Any]]:
    def ask(*arguments: str) -> tuple[int, Any]:
        code = run([*arguments, "-c", str(config), "--json"])
        out = capsys.readouterr()
        assert SECRET not in out.out + out.err
        return code, json.loads(out.out) if out.out else out.err

    return ask


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--event", "failed", "--rule", "panic"], 0, ["yes", "no"]),
        (["--event", "failed", "--rule", "door"], 1, ["no", "no"]),
        (["--event", "late", "--rule", "panic"], 0, ["yes", "yes"]),
        (["--event", "recorder"], 0, ["no", "yes"]),
        (["--event", "broker"], 0, ["yes", "no"]),
        (["--event", "exported", "--rule", "panic"], 1, ["no", "no"]),
    ],
)
def test_who_would_be_told(
    asked: Callable[..., tuple[int, Any]],
    arguments: list[str],
    code: int,
    told: list[str],
) -> None:
    found, answer = asked("notify", "test", *arguments)
    assert (found, [row["told"] for row in answer["receivers"]]) == (code, told)
    assert [bool(row["why"]) for row in answer["receivers"]] == [
        each == "no" for each in told
    ]


def test_what_is_sent_and_not_taken_says_why_and_no_address(
    asked: Callable[..., tuple[int, Any]],
) -> None:
    arguments = ("--event", "late", "--rule", "panic", "--send")
    code, answer = asked("notify", "test", *arguments)
    duty, office = answer["receivers"]
    assert (code, duty["told"], office["told"]) == (1, "failed", "failed")
    assert "EVIDENCED_TEST_NOT_SET is empty" in office["why"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--event", "fialed"], "there are failed, partial"),
        (["--event", "failed"], "say its --rule"),
        (["--event", "failed", "--rule", "nobody"], "there is no rule 'nobody'"),
    ],
)
def test_a_wrong_question(
    asked: Callable[..., tuple[int, Any]], arguments: list[str], says: str
) -> None:
    code, said = asked("notify", "test", *arguments)
    assert code == 2
    assert says in said


def test_a_table_for_people(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["notify", "test", "--event", "broker", "-c", str(config)])
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "broker, critical:"
    assert "broker is not among its events" in out


def test_a_report_of_today(
    config: Path, asked: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    code, said = asked("report")
    assert code == 2
    assert "is not there" in said
    store = open_store(StoreSettings(directory=tmp_path / "state"))
    now = datetime.now(UTC).replace(microsecond=0)
    change = open_incident(happening(now, LOBBY), Ids())
    asyncio.run(store.write(lambda tx: tx.ledger.save([change], now)))
    store.close()
    code, value = asked("report", "--day", f"{now:%Y-%m-%d}")
    assert (code, value["incidents"]) == (0, 1)
    for no_day in ("noon", "0001-01-01", "9999-12-31"):
        assert asked("report", "--day", no_day)[0] == 2
    assert run(["report", "-c", str(config)]) == 0


@pytest.mark.parametrize("command", [["backup", "copy.sqlite3"], ["restore", "copy"]])
def test_what_works_on_the_file_says_so_where_the_store_is_a_server_s(
    config: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server = 'store = "postgresql://evidenced@db.example/evidenced"'
    config.write_text(config.read_text().replace("[daemon]", f"[daemon]\n{server}"))
    assert run([*command, "-c", str(config)]) == 2
    assert "daemon.store is a PostgreSQL database" in capsys.readouterr().err
