"""Who can write the store's file changes what it says: `audit verify --head` tells.

Every column of every table, rows put in and taken out, both ends, and an older copy.
The head was kept elsewhere before; chains are made to fit as far as anybody could.
"""

# ruff: noqa: S608 - the statements are the attacker's own

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert

from evidenced.cli.main import run
from evidenced.core.instants import from_ms, render_utc, to_ms
from evidenced.ports import Tx
from evidenced.store.audit import verify_file
from evidenced.store.history import link
from evidenced.store.schema import metadata
from evidenced.store.seal import SEALED, UNSEALED, digest
from evidenced.store.sqlite import FILE
from fakes.clock import FakeClock
from fakes.house import House

CONFIG = """
[daemon]
state_dir = "{state}"
[mqtt]
url = "mqtts://broker.example"
"""
INCIDENTS = 3
RETAIN = timedelta(days=90)

Attack = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True)
class Prey:
    """A store with a row in every table, and the head that somebody kept."""

    folder: Path
    head: str

    def attacked(self, act: Attack) -> "Prey":
        """A copy of it, changed so."""
        folder = self.folder.with_name("attacked")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        with closing(sqlite3.connect(folder / FILE)) as connection, connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            act(connection)
        return Prey(folder, self.head)

    def verdict(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
        """What `audit verify --head` says of it, and its exit code."""
        config = self.folder.with_name("evidenced.toml")
        config.write_text(CONFIG.format(state=self.folder))
        capsys.readouterr()
        command = ["audit", "verify", "-c", str(config), "--head", self.head]
        return run(command), "".join(capsys.readouterr())


def other_rows(incident: str, at: int) -> dict[str, dict[str, Any]]:
    """Of tables that the life of these incidents leaves empty."""
    return {
        "tags": {"camera": "lobby", "state": "confirmed", "end_at": at + 9},
        "records": {"state": "written", "folders": "[]", "intended": "[]"},
        "record_files": {"folder": "V:\\x", "name": '"a.g64"', "was": "[]"},
        "exports": {"id": 1, "state": "exported", "finished_at": at, "devices": "[]"},
        "refused_alarms": {"seq": 5, "outcome": "invalid"},
        "silences": {"subject": "rule", "until": at + 9, "ends_at": at + 9},
        "troubles": {"kind": "broker", "name": "b"},
        "losses": {"kind": "incident", "name": incident},
        "memories": {"rule": "r", "key": "k", "names": "{}"},
        "condition_states": {"name": "night"},
        "rule_settings": {"digest": "d", "text": "{}"},
    }


def filled(table: Table, incident: str, at: int) -> dict[str, Any]:
    """A row that the table takes."""
    row = {
        column.name: (
            None
            if column.nullable
            else at
            if column.name.endswith("_at") or column.name in {"since", "until", "at"}
            else 1
            if column.type.python_type is int
            else b"x"
            if column.type.python_type is bytes
            else "x"
        )
        for column in table.columns
    }
    if "incident" in row and not table.c.incident.nullable:
        row["incident"] = incident
    return row | other_rows(incident, at).get(table.name, {})


@pytest.fixture
async def prey(tmp_path: Path) -> Prey:
    clock = FakeClock()
    house = await House(tmp_path / "state", clock).start()
    for n in range(INCIDENTS):
        opened = await house.operate.trigger("panic", {"zone": str(n)}, None, "me")
        await house.operate.cancel(opened.id, "me")
        clock.advance(3600)
    at = to_ms(clock.now())

    def fill(tx: Tx) -> None:
        for table in SEALED:
            if not tx._db.execute(table.select()).first():
                tx._db.execute(insert(table).values(filled(table, opened.id, at)))

    await house.store.write(fill)
    head = await house.store.read(lambda view: view.history.head())
    house.store.close()
    return Prey(tmp_path / "state", head.hash)


async def test_nothing_is_found_where_nothing_was_done(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = prey.verdict(capsys)
    assert (code, "every row of the tables is what the chain says" in said) == (0, True)


def changed(table: str, column: str) -> Attack:
    """One row, by whatever kind of value is there."""

    def act(connection: sqlite3.Connection) -> None:
        connection.execute(
            f"UPDATE {table} SET {column} = CASE typeof({column})"
            f" WHEN 'text' THEN {column} || 'x' WHEN 'blob' THEN {column} || x'00'"
            f" WHEN 'null' THEN 7 ELSE {column} + 900 END"
            " WHERE "
            + " AND ".join(
                f'"{key.name}" IS (SELECT "{key.name}" FROM {table} LIMIT 1)'
                for key in metadata.tables[table].primary_key
            )
        )

    return act


async def test_every_column_of_every_table(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = 0
    for table in [*SEALED, metadata.tables["history"], metadata.tables["tally"]]:
        for column in table.columns:
            code, said = prey.attacked(changed(table.name, column.name)).verdict(capsys)
            assert code == 1, f"{table.name}.{column.name}: {said}"
            assert re.search(r"^error: .+ (is|was|were|are) ", said, re.MULTILINE), said
            assert "cannot be read" not in said
            tried += 1
    assert tried > 100


def test_every_table_is_sealed_or_has_a_reason() -> None:
    names = {table.name for table in SEALED}
    assert names | set(UNSEALED) == set(metadata.tables)
    assert not names & set(UNSEALED)
    assert all(UNSEALED.values())


async def test_rows_taken_out_put_in_and_exchanged(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    for table in SEALED:
        gone = prey.attacked(lambda db, of=table: db.execute(f"DELETE FROM {of.name}"))
        code, said = gone.verdict(capsys)
        assert code == 1, f"{table.name}: {said}"
        key = next(iter(table.primary_key))
        columns = ", ".join(f'"{each.name}"' for each in table.columns)
        other = "||" if key.type.python_type is str else "+"
        more = columns.replace(f'"{key.name}"', f'"{key.name}" {other} 9')
        more = more.replace('"n",', '"n" + 9,')
        put = f"INSERT INTO {table.name} ({columns}) SELECT {more} FROM {table.name}"
        code, said = prey.attacked(lambda db, put=put: db.execute(put)).verdict(capsys)
        assert code == 1, f"{table.name}: {said}"
        assert "put in" in said


def first_incident(connection: sqlite3.Connection) -> tuple[str, int, str]:
    """The oldest one, and the last row of the history that is about it."""
    ((name,),) = connection.execute("SELECT min(id) FROM incidents")
    ((seq,),) = connection.execute(
        "SELECT max(seq) FROM history WHERE incident = ?", (name,)
    )
    ((chained,),) = connection.execute("SELECT hash FROM history WHERE seq = ?", (seq,))
    return name, seq, chained


def append(connection: sqlite3.Connection, event: str, detail: dict[str, Any]) -> None:
    """A row that follows, as anybody can make it who writes the file."""
    seq, at, before = connection.execute(
        "SELECT seq, at, hash FROM history ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    text = json.dumps(detail, sort_keys=True, separators=(",", ":"))
    hashed = link(before, seq + 1, at, (None, event, text))
    row = (seq + 1, None, at, event, text, hashed)
    connection.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", row)


def forget_first(connection: sqlite3.Connection) -> int:
    """All of the oldest incident goes, and the beginning of the history with it."""
    name, seq, _ = first_incident(connection)
    for table in ("clips", "exports", "alarms", "records", "record_files", "tags"):
        connection.execute(f"DELETE FROM {table} WHERE incident = ?", (name,))
    connection.execute("DELETE FROM incidents WHERE id = ?", (name,))
    connection.execute("UPDATE tally SET incidents = incidents - 1")
    connection.execute("DELETE FROM history WHERE seq <= ?", (seq,))
    return seq


async def test_the_beginning_cut_off(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = prey.attacked(forget_first).verdict(capsys)
    assert code == 1
    assert re.search(r"rows 1 to \d+ were removed", said)


@pytest.mark.parametrize(
    ("retain", "says"),
    [
        (RETAIN, "with which the chain begins now, was younger: they were cut off"),
        (timedelta(seconds=1), "by a retain of 1 s, and it is 90 d"),
        (RETAIN - timedelta(minutes=1), "by a retain of 89 d 23 h, and it is 90 d"),
    ],
)
async def test_the_beginning_cut_off_and_called_pruned(
    prey: Prey, capsys: pytest.CaptureFixture[str], retain: timedelta, says: str
) -> None:
    """With an entry that fits, which anybody can append."""

    def act(connection: sqlite3.Connection) -> None:
        name, seq, chained = first_incident(connection)
        ((at,),) = connection.execute("SELECT max(at) FROM history")
        forget_first(connection)
        append(connection, "sealed", {"rows": {"incidents": [[name, None]]}})
        before = render_utc(from_ms(at) - retain)
        detail = {"through": seq, "hash": chained, "rows": seq, "before": before}
        append(connection, "pruned", detail)

    code, said = prey.attacked(act).verdict(capsys)
    assert (code, says in said) == (1, True), said


async def test_the_end_cut_off_and_an_older_copy(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    last = "DELETE FROM history WHERE seq = (SELECT max(seq) FROM history)"
    for act in (last, "DELETE FROM history"):
        code, said = prey.attacked(lambda db, act=act: db.execute(act)).verdict(capsys)
        assert code == 1
        assert "rows at the end were cut off or an older copy was put back" in said


async def test_a_message_changed_and_sealed_anew(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its entry and its first seal lie before the head that was kept."""

    def act(connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        connection.execute("UPDATE alarms SET payload = CAST('{}' AS BLOB)")
        found = [dict(row) for row in connection.execute("SELECT * FROM alarms")]
        rows = [[row["incident"], row["n"], digest(row)] for row in found]
        append(connection, "sealed", {"rows": {"alarms": rows}})

    attacked = prey.attacked(act)
    assert verify_file(attacked.folder / FILE, prey.head).fault is None
    code, said = attacked.verdict(capsys)
    assert code == 1
    assert "such a row never changes" in said
    assert "the message of alarm 1 of incident" in said


async def test_what_acts_by_itself_in_the_file(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    trigger = (
        "CREATE TRIGGER evil AFTER INSERT ON alarms BEGIN"
        " UPDATE alarms SET payload = x'00'; END"
    )
    code, said = prey.attacked(lambda db: db.execute(trigger)).verdict(capsys)
    assert code == 1
    assert "trigger evil is in the file" in said
