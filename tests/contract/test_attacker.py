"""Who can write the store changes what it says: `audit verify --head` tells.

Every column of every table, rows put in and taken out, both ends, and an older copy.
The head was kept elsewhere before; chains are made to fit as far as anybody could.
"""

# ruff: noqa: S608 - the statements are the attacker's own

import json
import re
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Table,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from evidenced.cli.audit import _fault
from evidenced.cli.main import run
from evidenced.core.instants import from_ms, render_utc, to_ms
from evidenced.store import StoreSettings, database_of, open_store, touched
from evidenced.store.audit import verify_rows
from evidenced.store.history import link
from evidenced.store.retrace import differences, differing
from evidenced.store.schema import metadata
from evidenced.store.seal import SEALED, UNSEALED, digest
from fakes.clock import FakeClock
from fakes.house import House
from fakes.rows import fill

CONFIG = """
[daemon]
state_dir = "{state}"
store = "{store}"
[mqtt]
url = "mqtts://broker.example"
"""
INCIDENTS = 3
RETAIN = timedelta(days=90)

Attack = Callable[[Connection], object]


@dataclass
class Prey:
    """A store with a row in every table, and the head that somebody kept."""

    settings: StoreSettings
    head: str

    @cached_property
    def connection(self) -> Connection:
        """As who owns the database has it: none of its own rules is in the way."""
        connection = database_of(self.settings).writing().connect()
        if self.settings.server is None:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA ignore_check_constraints = ON")
            raw.execute("PRAGMA foreign_keys = OFF")
        else:
            sql(connection, "SET session_replication_role = replica")
            for table, name in sql(connection, CHECKS).all():
                sql(connection, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            connection.commit()
        return connection

    def attacked(self, act: Attack) -> list[str]:
        """What is found after this, which is then undone."""
        with self.connection.begin() as transaction:
            act(self.connection)
            fault = _fault(verify_rows(self.connection, self.head, RETAIN), self.head)
            found = [fault] if fault else list(differing(self.connection))
            transaction.rollback()
        return found

    def verdict(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
        """What `audit verify --head` says of it, and its exit code."""
        folder, server = self.settings.directory, self.settings.server
        config = folder / "evidenced.toml"
        store = server.url if server else "sqlite"
        config.write_text(CONFIG.format(state=folder, store=store))
        capsys.readouterr()
        command = ["audit", "verify", "-c", str(config), "--head", self.head]
        return run(command), "".join(capsys.readouterr())


CHECKS = """
SELECT conrelid::regclass, conname FROM pg_constraint
WHERE contype = 'c' AND connamespace = current_schema()::regnamespace
"""


def sql(connection: Connection, statement: str, **values: object) -> CursorResult[Any]:
    return connection.execute(text(statement), values)


@pytest.fixture
async def prey(settings: StoreSettings) -> AsyncIterator[Prey]:
    clock = FakeClock()
    house = await House(settings, clock).start()
    for n in range(INCIDENTS):
        opened = await house.operate.trigger("panic", {"zone": str(n)}, None, "me")
        await house.operate.cancel(opened.id, "me")
        clock.advance(3600)
    at = to_ms(clock.now())

    await house.store.write(lambda tx: fill(tx, SEALED, opened.id, at))
    head = await house.store.read(lambda view: view.history.head())
    house.store.close()
    made = Prey(settings, head.hash)
    yield made
    made.connection.close()
    made.connection.engine.dispose()


async def test_nothing_is_found_where_nothing_was_done(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = prey.verdict(capsys)
    assert (code, "every row of the tables is what the chain says" in said) == (0, True)
    assert prey.attacked(lambda _: None) == []


async def test_what_is_found_is_told_with_exit_1(
    prey: Prey, capsys: pytest.CaptureFixture[str]
) -> None:
    sql(prey.connection, "UPDATE clips SET label = 'nothing'")
    prey.connection.commit()
    code, said = prey.verdict(capsys)
    assert code == 1
    assert re.search(r"^error: clip 1 of incident .+ was changed", said, re.MULTILINE)


def changed(column: Column[Any]) -> Attack:
    """In one row, another value of the kind that the column has."""
    table, kind = column.table, column.type.python_type
    assert isinstance(table, Table)
    more = (
        func.coalesce(column, 0) + 900
        if kind is int
        else func.coalesce(column, literal(b"")).concat(literal(b"x"))
        if kind is bytes
        else func.coalesce(column, "").concat("x")
    )

    def act(connection: Connection) -> None:
        last_first = [each.desc() for each in reversed(list(table.columns))]
        keys = select(*table.primary_key).order_by(*last_first)
        first = connection.execute(keys).first()
        assert first is not None
        same = [key == of for key, of in zip(table.primary_key, first, strict=True)]
        connection.execute(update(table).where(*same).values({column: more}))

    return act


def kinds(table: Table) -> Collection[Column[Any]]:
    """One column of each kind."""
    return {column.type.python_type: column for column in table.columns}.values()


async def test_every_column_of_every_table(prey: Prey) -> None:
    """In a server one of each kind, since what compares them is the same."""
    is_file, tried = prey.settings.server is None, 0
    for table in [*SEALED, metadata.tables["history"], metadata.tables["tally"]]:
        for column in table.columns if is_file else kinds(table):
            found = prey.attacked(changed(column))
            assert found, column
            assert re.search(r" (is|was|were|are) ", found[0]), found
            assert "cannot be read" not in found[0]
            tried += 1
    assert tried > (100 if is_file else 2 * len(SEALED))


def test_every_table_is_sealed_or_has_a_reason() -> None:
    names = {table.name for table in SEALED}
    assert names | set(UNSEALED) == set(metadata.tables)
    assert not names & set(UNSEALED)
    assert all(UNSEALED.values())


async def test_rows_taken_out_put_in_and_exchanged(prey: Prey) -> None:
    for table in SEALED:
        gone = prey.attacked(lambda db, of=table: sql(db, f"DELETE FROM {of.name}"))
        assert gone, table.name
        key = next(iter(table.primary_key))
        columns = ", ".join(f'"{each.name}"' for each in table.columns)
        other = "|| '9'" if key.type.python_type is str else "+ 9"
        more = columns.replace(f'"{key.name}"', f'"{key.name}" {other}')
        more = more.replace('"n",', '"n" + 9,')
        put = f"INSERT INTO {table.name} ({columns}) SELECT {more} FROM {table.name}"
        found = prey.attacked(lambda db, put=put: sql(db, put))
        assert any("put in" in each for each in found), (table.name, found)


def first_incident(connection: Connection) -> tuple[str, int, str]:
    """The oldest one, and the last row of the history that is about it."""
    name = sql(connection, "SELECT min(id) FROM incidents").scalar_one()
    last = "SELECT max(seq) FROM history WHERE incident = :name"
    seq = sql(connection, last, name=name).scalar_one()
    chained = sql(connection, "SELECT hash FROM history WHERE seq = :seq", seq=seq)
    return name, seq, chained.scalar_one()


def append(connection: Connection, event: str, detail: dict[str, Any]) -> None:
    """A row that follows, as anybody can make it who writes the store."""
    seq, at, before = sql(
        connection, "SELECT seq, at, hash FROM history ORDER BY seq DESC LIMIT 1"
    ).one()
    written = json.dumps(detail, sort_keys=True, separators=(",", ":"))
    row = {
        "seq": seq + 1,
        "incident": None,
        "at": at,
        "event": event,
        "detail": written,
        "hash": link(before, seq + 1, at, (None, event, written)),
    }
    connection.execute(insert(metadata.tables["history"]).values(row))


def forget_first(connection: Connection) -> int:
    """All of the oldest incident goes, and the beginning of the history with it."""
    name, seq, _ = first_incident(connection)
    for table in ("clips", "exports", "alarms", "records", "record_files", "tags"):
        sql(connection, f"DELETE FROM {table} WHERE incident = :name", name=name)
    sql(connection, "DELETE FROM incidents WHERE id = :name", name=name)
    sql(connection, "UPDATE tally SET incidents = incidents - 1")
    sql(connection, "DELETE FROM history WHERE seq <= :seq", seq=seq)
    return seq


async def test_the_beginning_cut_off(prey: Prey) -> None:
    (said,) = prey.attacked(forget_first)
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
    prey: Prey, retain: timedelta, says: str
) -> None:
    """With an entry that fits, which anybody can append."""

    def act(connection: Connection) -> None:
        name, seq, chained = first_incident(connection)
        at = sql(connection, "SELECT max(at) FROM history").scalar_one()
        forget_first(connection)
        append(connection, "sealed", {"rows": {"incidents": [[name, None]]}})
        before = render_utc(from_ms(at) - retain)
        detail = {"through": seq, "hash": chained, "rows": seq, "before": before}
        append(connection, "pruned", detail)

    (said,) = prey.attacked(act)
    assert says in said


async def test_the_end_cut_off_and_an_older_copy(prey: Prey) -> None:
    last = "DELETE FROM history WHERE seq = (SELECT max(seq) FROM history)"
    for act in (last, "DELETE FROM history"):
        (said,) = prey.attacked(lambda db, act=act: sql(db, act))
        assert "rows at the end were cut off or an older copy was put back" in said


async def test_a_message_changed_and_sealed_anew(prey: Prey) -> None:
    """Its entry and its first seal lie before the head that was kept."""

    def act(connection: Connection) -> None:
        alarms = metadata.tables["alarms"]
        connection.execute(update(alarms).values(payload=b"{}"))
        found = connection.execute(select(alarms)).mappings().all()
        rows = [[row["incident"], row["n"], digest(dict(row))] for row in found]
        append(connection, "sealed", {"rows": {"alarms": rows}})
        assert verify_rows(connection, prey.head, RETAIN).fault is None

    said = "; ".join(prey.attacked(act))
    assert "such a row never changes" in said
    assert "the message of alarm 1 of incident" in said


@pytest.mark.parametrize(
    ("name", "column"),
    [("alarms", "topic"), ("pictures", "data"), ("rule_settings", "text")],
)
async def test_what_never_changes_is_told_though_it_was_sealed_anew(
    prey: Prey, name: str, column: str
) -> None:
    """A picture that is exchanged, with a row behind the head that makes it fit."""
    table = metadata.tables[name]

    def act(connection: Connection) -> None:
        changed(table.c[column])(connection)
        keys = [each.name for each in table.primary_key]
        found = connection.execute(select(table)).mappings().all()
        rows = [[*(row[key] for key in keys), digest(dict(row))] for row in found]
        append(connection, "sealed", {"rows": {name: rows}})
        assert verify_rows(connection, prey.head, RETAIN).fault is None

    assert any("such a row never changes" in each for each in prey.attacked(act))


EVIL = {
    "sqlite": "CREATE TRIGGER evil AFTER INSERT ON alarms BEGIN"
    " UPDATE alarms SET payload = x'00'; END",
    "postgresql": """
    CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN UPDATE alarms SET payload = ''; RETURN NULL; END$$;
    CREATE TRIGGER evil AFTER INSERT ON alarms EXECUTE FUNCTION evil()
    """,
}


async def test_what_acts_by_itself_in_the_store(prey: Prey) -> None:
    prey.connection.exec_driver_sql(EVIL[prey.connection.dialect.name])
    prey.connection.commit()
    (said,) = differences(database_of(prey.settings))
    assert re.match(r"trigger evil (of alarms )?is in the store: evidenced did", said)


async def test_rows_are_sealed_whenever_the_notes_are_made_anew(
    settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "MOST_NOTED", 3)
    store = open_store(settings)
    for n in range(9):
        await store.write(lambda tx, n=n: tx.settings.keep({f"digest {n}": "{}"}))
    told = await store.read(lambda view: view.history.head())
    store.close()
    assert differences(database_of(settings)) == []
    assert told.seq == 9


async def test_what_another_connection_changes_is_not_sealed_by_the_daemon(
    prey: Prey,
) -> None:
    """Its triggers note only what it does itself, and nobody else is kept from it."""
    engine = database_of(prey.settings).writing()
    with engine.connect() as connection:
        sql(connection, "UPDATE clips SET label = 'nothing' WHERE n = 1")
        connection.commit()
    engine.dispose()
    store = open_store(prey.settings)
    await store.write(lambda tx: tx.notes.save("x", "y"))
    await store.write(lambda tx: tx.settings.keep({"other": "{}"}))
    store.close()
    found = differences(database_of(prey.settings))
    assert [each for each in found if "was changed after row" not in each] == []
    assert len(found) >= INCIDENTS
