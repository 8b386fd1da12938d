"""The audit chain: whatever is done to a row, `audit verify` says what and where."""

# ruff: noqa: S608 - the statements are the test's own

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidenced.cli.audit import MOST_TOLD, AuditVerdict, _say
from evidenced.cli.main import run
from evidenced.cli.terminal import Failed
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import StoreError
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Entry, Event, Replay
from evidenced.core.keeping.kept import AuditHead, RefusedAlarm
from evidenced.ports import Tx
from evidenced.store import StoreSettings, open_store
from evidenced.store.audit import Audit, verify_store
from evidenced.store.history import GENESIS, link
from evidenced.store.schema import metadata
from evidenced.store.seal import SEALED_EVENT
from evidenced.store.sqlite import FILE, SqliteFile
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import DOOR, LOBBY, SETTLES, Ids, happening, opened, turn

ROWS = 8
START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
COLUMNS = "incident, at, event, detail, hash"
CONFIG = r"""
[daemon]
state_dir = "{state}"
[mqtt]
url = "mqtts://broker.example"
"""


def write_rows(tx: Tx) -> None:
    for n in range(ROWS):
        entry = Entry(
            incident=IncidentId(f"i{n}") if n % 3 else None,
            at=START + timedelta(seconds=n),
            event="opened",
            detail={"n": n, "text": "Tür \u2028 \x00"},
        )
        tx.history.write(entry)


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    store = open_store(StoreSettings(directory=tmp_path))
    await store.write(write_rows)
    store.close()
    return tmp_path / FILE


Tamper = Callable[[sqlite3.Connection], object]


def tamper(file: Path, how: Tamper) -> None:
    connection = sqlite3.connect(file)
    how(connection)
    connection.commit()
    connection.close()


def execute(sql: str) -> Tamper:
    return lambda db: db.executescript(sql)


def renumber(db: sqlite3.Connection, first: int, by: int) -> None:
    """Move the rows from `first` on, in an order in which no two collide."""
    order = "DESC" if by > 0 else "ASC"
    rows = db.execute(
        f"SELECT seq FROM history WHERE seq >= {first} ORDER BY seq {order}"
    ).fetchall()
    for (seq,) in rows:
        db.execute("UPDATE history SET seq = ? WHERE seq = ?", (seq + by, seq))


Parts = tuple[str | None, str, str]


def insert(
    db: sqlite3.Connection,
    seq: int,
    *,
    fits: bool,
    parts: Parts = (None, "opened", "{}"),
) -> None:
    """A forged row; with `fits` its hash is right after the row before."""
    before = db.execute("SELECT hash FROM history WHERE seq = ?", (seq - 1,)).fetchone()
    forged = link(before[0] if before else GENESIS, seq, 7, parts)
    values = (seq, *parts[:1], 7, *parts[1:], forged if fits else "0" * 64)
    db.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", values)


def removed_and_closed(first: int, count: int) -> Tamper:
    def act(db: sqlite3.Connection) -> None:
        db.execute(
            "DELETE FROM history WHERE seq >= ? AND seq < ?", (first, first + count)
        )
        renumber(db, first + count, -count)

    return act


def inserted(seq: int, *, fits: bool) -> Tamper:
    def act(db: sqlite3.Connection) -> None:
        renumber(db, seq, 1)
        insert(db, seq, fits=fits)

    return act


def swapped(a: int, b: int) -> Tamper:
    return execute(
        f"UPDATE history SET seq = -1 WHERE seq = {a};"
        f"UPDATE history SET seq = {a} WHERE seq = {b};"
        f"UPDATE history SET seq = {b} WHERE seq = -1;"
    )


def edited_to_fit(seq: int) -> Tamper:
    """Edited, and its own hash recomputed: the next row gives it away."""

    def act(db: sqlite3.Connection) -> None:
        previous = db.execute(
            "SELECT hash FROM history WHERE seq = ?", (seq - 1,)
        ).fetchone()[0]
        at, incident, event = db.execute(
            "SELECT at, incident, event FROM history WHERE seq = ?", (seq,)
        ).fetchone()
        forged = link(previous, seq, at, (incident, event, "{}"))
        db.execute(
            "UPDATE history SET detail = '{}', hash = ? WHERE seq = ?", (forged, seq)
        )

    return act


TAMPERED: list[tuple[str, Tamper, int, str]] = [
    (column, execute(f"UPDATE history SET {column} = {value} WHERE seq = 4"), 3, why)
    for column, value, why in (
        ("detail", "'{}'", "row 4 was edited"),
        ("event", "'closed'", "row 4 was edited"),
        ("at", "at + 1", "row 4 was edited"),
        ("at", "'soon'", "row 4 was edited"),
        ("incident", "'i2'", "row 4 was edited"),
        ("incident", "''", "row 4 was edited"),
        ("incident", "X'ff'", "row 4 was edited"),
        ("hash", "'00'", "row 4 was edited"),
        ("hash", "X'00ff'", "row 4 was edited"),
        ("detail", "X'ff'", "row 4 was edited"),
        ("detail", "CAST(X'ff' AS TEXT)", "row 4 was edited"),
    )
]
TAMPERED += [
    ("first edited", execute("UPDATE history SET at = 0 WHERE seq = 1"), 0, "row 1 "),
    ("last edited", execute("UPDATE history SET at = 0 WHERE seq = 8"), 7, "row 8 "),
    ("edited to fit", edited_to_fit(4), 4, "row 5 was edited (or row 4"),
    ("removed", execute("DELETE FROM history WHERE seq = 4"), 3, "row 4 was removed"),
    (
        "two removed",
        execute("DELETE FROM history WHERE seq IN (4, 5)"),
        3,
        "rows 4 to 5 were removed",
    ),
    (
        "first removed",
        execute("DELETE FROM history WHERE seq = 1"),
        0,
        "row 1 was removed",
    ),
    ("closed up", removed_and_closed(4, 1), 3, "row 4 was removed and those after"),
    ("two closed up", removed_and_closed(4, 2), 3, "rows 4 to 5 were removed and"),
    ("first closed up", removed_and_closed(1, 1), 0, "row 1 was removed and those"),
    ("inserted", inserted(4, fits=False), 3, "row 4 was inserted"),
    ("inserted to fit", inserted(4, fits=True), 4, "row 4 was inserted"),
    ("inserted first", inserted(1, fits=True), 1, "rows were inserted before it"),
    (
        "inserted at 0",
        lambda db: insert(db, 0, fits=False),
        0,
        "row 0 was inserted before row 1",
    ),
    ("appended", lambda db: insert(db, 9, fits=False), 8, "row 9 was edited"),
    (
        "of no incident at all",
        lambda db: insert(db, 9, fits=True, parts=("", "opened", "{}")),
        8,
        "row 9 was edited",
    ),
    ("swapped", swapped(4, 5), 3, "row 5 stands as row 4: rows were reordered"),
    ("swapped far", swapped(2, 6), 1, "row 6 stands as row 2: rows were reordered"),
    ("swapped first", swapped(1, 2), 0, "row 2 stands as row 1: rows were reordered"),
]


async def test_what_was_written_is_intact(file: Path) -> None:
    found = verify_store(SqliteFile(file))
    assert found.fault is None
    assert found.head.seq == ROWS


@pytest.mark.parametrize(
    ("how", "intact", "why"),
    [case[1:] for case in TAMPERED],
    ids=[f"{n} {case[0]}" for n, case in enumerate(TAMPERED)],
)
async def test_what_was_done_is_told(
    file: Path, how: Tamper, intact: int, why: str
) -> None:
    tamper(file, how)
    found = verify_store(SqliteFile(file))
    assert found.fault is not None
    assert why in found.fault
    assert found.head.seq == intact


async def test_rows_cut_off_are_seen_against_a_kept_head(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = file.with_name("evidenced.toml")
    config.write_text(CONFIG.format(state=file.parent))
    command = ["audit", "verify", "-c", str(config)]
    assert run([*command, "--json"]) == 0
    head = json.loads(capsys.readouterr().out)
    assert head["intact"] is True
    assert run([*command, "--head", head["hash"]]) == 0
    assert f"is row {ROWS}" in capsys.readouterr().out
    assert run([*command, "--head", head["hash"].upper()]) == 0
    assert f"is row {ROWS}" in capsys.readouterr().out
    tamper(file, execute(f"DELETE FROM history WHERE seq = {ROWS}"))
    assert run(command) == 0
    capsys.readouterr()
    assert run([*command, "--head", head["hash"]]) == 1
    said = capsys.readouterr()
    assert "rows at the end were cut off" in said.err
    assert said.out == ""


ODD = ["{}", "[", "null", "[]", "7", "[" * 100_000, '{"through": "x", "hash": 1}']


READ = [*(Event.PRUNED, Event.RESTORED, Event.RECORDED, Event.STAMPED), SEALED_EVENT]


@pytest.mark.parametrize("event", [*READ, Event.OPENED])
async def test_an_entry_that_makes_no_sense_is_no_fault_of_ours(
    file: Path, event: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever writes the store can make it fit, whatever it says."""
    config = file.with_name("evidenced.toml")
    config.write_text(CONFIG.format(state=file.parent))
    for seq, detail in enumerate(ODD, start=ROWS + 1):
        parts = ("i1", event, detail)
        tamper(file, lambda db, n=seq, p=parts: insert(db, n, fits=True, parts=p))  # type: ignore[misc]
        assert run(["audit", "verify", "-c", str(config)]) in {0, 1, 2}
        assert len(capsys.readouterr().err.splitlines()) <= 3


@pytest.mark.parametrize("odd", ["'x'", "X'ff'", str(2**62)])
async def test_a_row_that_makes_no_sense_is_no_fault_of_ours(
    tmp_path: Path, odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also to a command that looks into the store, for no daemon answers."""
    clock = FakeClock()
    house = await House(StoreSettings(directory=tmp_path), clock).start()
    await house.operate.trigger("panic", {"zone": "a"}, None, "me")
    house.store.close()
    config = tmp_path / "evidenced.toml"
    config.write_text(CONFIG.format(state=tmp_path))
    set_to = f"UPDATE incidents SET opened_at = {odd}, asked_at = {odd}"
    tamper(tmp_path / FILE, execute(f"PRAGMA ignore_check_constraints = ON; {set_to}"))
    capsys.readouterr()
    assert await asyncio.to_thread(run, ["status", "-c", str(config)]) == 2
    said = capsys.readouterr().err
    assert "a fault in evidenced" not in said
    assert "holds what evidenced did not write" in said
    assert "evidenced audit verify tells which row" in said


ODD_COLUMNS = [
    (table, column.name, odd)
    for table in ("alarms", "refused_alarms", "incidents")
    for column in metadata.tables[table].columns
    if not column.primary_key
    for odd in ("X'ff'", str(2**62))
]


async def test_a_message_that_makes_no_sense_is_no_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the commands that look back, whichever column somebody has edited."""
    house = await House(StoreSettings(directory=tmp_path), FakeClock()).start()
    await house.operate.trigger("panic", {"zone": "a"}, None, "me")
    refused = RefusedAlarm(
        received_at=house.clock.now(),
        outcome=Outcome.INVALID,
        rule=None,
        detail="no JSON",
        topic="t",
        payload="x",
    )
    await house.store.write(lambda tx: tx.refused.save([refused]))
    house.store.close()
    config, whole = tmp_path / "evidenced.toml", (tmp_path / FILE).read_bytes()
    config.write_text(CONFIG.format(state=tmp_path))
    for table, column, odd in ODD_COLUMNS:
        (tmp_path / FILE).write_bytes(whole)
        edit = f"UPDATE {table} SET {column} = {odd}"
        with suppress(sqlite3.IntegrityError):
            tamper(
                tmp_path / FILE, execute(f"PRAGMA ignore_check_constraints=1; {edit}")
            )
        for command in (["alarms", "--json"], ["replay", "--since", "9000d"]):
            code = await asyncio.to_thread(run, [*command, "-c", str(config)])
            said = capsys.readouterr().err
            assert code in {0, 1, 2}, (table, column, odd, command, said)
            assert len(said.splitlines()) <= 1 or code != 2, said


async def test_a_break_is_one_line_and_exit_1(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = file.with_name("evidenced.toml")
    config.write_text(CONFIG.format(state=file.parent))
    tamper(file, execute("DELETE FROM history WHERE seq = 4"))
    assert run(["audit", "verify", "-c", str(config)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "broken after row 3: row 4 was removed" in line


EDITS = [
    (
        "UPDATE incidents SET state = 'exported', finished_at = 0",
        "incident i1 is exported, the history says waiting",
    ),
    (
        "UPDATE clips SET state = 'exported' WHERE n = 2",
        "clip 2 of incident i1 is exported, the history says due",
    ),
    (
        "UPDATE clips SET n = 'x' WHERE n = 2",
        "clip 2 of incident i1 is not there, the history says due",
    ),
    (
        "DELETE FROM clips WHERE n = 1",
        "clip 1 of incident i1 is not there, the history says due",
    ),
]


@pytest.mark.parametrize(("edit", "why"), EDITS)
async def test_a_state_that_the_history_does_not_give_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: str, why: str
) -> None:
    config = tmp_path / "evidenced.toml"
    config.write_text(CONFIG.format(state=tmp_path))
    command = ["audit", "verify", "-c", str(config)]
    recording = opened(happening("12:00", LOBBY, DOOR))
    [over] = turn(recording, recording.span.end, SETTLES, Ids())
    changes = [Change(before=None, after=recording, event=Event.OPENED), over]
    store = open_store(StoreSettings(directory=tmp_path))
    await store.write(lambda tx: tx.ledger.save(changes, START))
    store.close()
    assert run(command) == 0
    assert "every row of the tables is what the chain says" in capsys.readouterr().out
    tamper(tmp_path / FILE, execute(edit))
    assert run(command) == 1
    assert capsys.readouterr().err.startswith(f"error: {why}\n")
    assert run([*command, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["intact"], said["fault"], said["tables"][0]) == (False, None, why)


def test_a_table_that_was_edited_does_not_hide_footage_that_was() -> None:
    edited = [f"clip {n} of incident i1 is due" for n in range(MOST_TOLD + 2)]
    found = AuditVerdict(
        chain=Audit(head=AuditHead(seq=1, hash=GENESIS)),
        fault=None,
        records=1,
        tables=edited,
        footage=["altered"],
    )
    with pytest.raises(Failed) as told:
        _say(found, FILE)
    assert told.value.lines == (
        *edited[:MOST_TOLD],
        "and 2 more; --json lists them all",
        "altered",
    )


def test_entries_that_do_not_follow_from_one_another_are_told() -> None:
    """Nothing writes such; a chain that was made anew from the beginning may have."""
    replay = Replay()
    new = {"from": None, "to": "recording"}
    replay.read({"state": new, "clips": {"1": {"camera": "lobby", **new}}})
    with pytest.raises(ValueError, match="due to requested does not follow recording"):
        replay.read({"clips": {"1": {"from": "due", "to": "requested"}}})
    with pytest.raises(ValueError, match="nothing to recording does not follow"):
        replay.read({"state": new})


async def test_it_reads_beside_a_running_daemon(tmp_path: Path) -> None:
    store = open_store(StoreSettings(directory=tmp_path))
    await store.write(write_rows)
    assert verify_store(SqliteFile(tmp_path / FILE)).head.seq == ROWS
    await store.write(write_rows)
    assert verify_store(SqliteFile(tmp_path / FILE)).head.seq == 2 * ROWS
    store.close()


def test_an_empty_store_is_intact(tmp_path: Path) -> None:
    open_store(StoreSettings(directory=tmp_path)).close()
    found = verify_store(SqliteFile(tmp_path / FILE))
    assert (found.fault, found.head.seq, found.head.hash) == (None, 0, GENESIS)


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_what_is_no_store_is_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a file?#.sqlite3"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"a file\?#"):
        verify_store(SqliteFile(file))
