"""`evidenced store copy`: from a file to a server and back, nothing lost or changed."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import inspect, select, text

from evidenced.cli.main import run
from evidenced.core.ids import GroupKey, IncidentId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.instants import to_ms
from evidenced.store import StoreSettings, database_of, open_store
from evidenced.store.audit import verify_store
from evidenced.store.copying import copy_store
from evidenced.store.retrace import differences
from evidenced.store.schema import metadata
from evidenced.store.snapshot import connected
from evidenced.store.sqlite import FILE
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import ended
from fakes.postgres import Postgres, on_server
from fakes.rows import fill

CHANGED = {"history", "incidents"}
"""What had a NUL, which no server takes, and the entry that says so."""
OF_THE_DATABASE = {"alembic_version", "leases", "nodes", "recorder_reports"}
"""What each database makes for itself: its schema, and which nodes work on it now."""

Copy = Callable[[str | Path, str | Path], tuple[int, Any]]


@pytest.fixture
async def lived_in(tmp_path: Path) -> Path:
    """A folder with incidents, messages that opened nothing, and what was pruned."""
    folder, clock = tmp_path / "state", FakeClock()
    house = await House(folder, clock).start()
    for n in range(3):
        opened = await house.operate.trigger("panic", {"zone": str(n)}, None, "me")
        await house.arrive(json.dumps({"n": n}).encode())
        await house.operate.cancel(opened.id, "me")
        clock.advance(3600)
    await house.arrive(b"\xff\0 nothing", topic="unknown/topic")
    odd = replace(ended(), id=IncidentId("odd"), key=GroupKey("door \0"))
    change = Change(before=None, after=odd, event=Event.OPENED)
    now = clock.now()
    await house.store.write(lambda tx: tx.ledger.save([change], now))
    house.store.close()
    return folder


@pytest.fixture
def copy(capsys: pytest.CaptureFixture[str]) -> Copy:
    def ask(source: str | Path, target: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        code = run(["store", "copy", str(source), str(target), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if code == 0 else said.err

    return ask


def place(where: str | Path, tmp_path: Path) -> StoreSettings:
    if isinstance(where, Path):
        return StoreSettings(directory=where)
    return on_server(where, tmp_path / "none")


def rows(settings: StoreSettings) -> dict[str, list[Any]]:
    with connected(settings) as connection:
        return {
            table.name: list(
                connection.execute(select(table).order_by(*table.primary_key))
            )
            for table in metadata.sorted_tables
        }


async def test_there_and_back_every_row_is_what_it_was(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    server, back = postgres.database(), tmp_path / "back"
    code, there = copy(lived_in, server)
    assert code == 0, there
    assert copy(server, back)[0] == 0
    first, last = rows(place(lived_in, tmp_path)), rows(place(back, tmp_path))
    assert rows(place(server, tmp_path)) == last
    assert {name for name, found in first.items() if found} >= {"incidents", "history"}
    assert {name: len(found) for name, found in last.items() if found} == {
        name: len(found) + (name == "history") for name, found in first.items() if found
    }
    assert last["history"][:-1] == first["history"]  # the last one seals what had a NUL
    assert last["alarms"] == first["alarms"]
    assert [each.key for each in last["incidents"]] == [
        each.key.replace("\0", "\N{REPLACEMENT CHARACTER}")
        for each in first["incidents"]
    ]
    assert there["hash"] == last["history"][-1].hash
    for where in (lived_in, server, back):
        assert differences(database_of(place(where, tmp_path))) == []


async def test_no_table_is_forgotten(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    """A row in each that the schema has, and there is none that it does not have."""
    at, tables = to_ms(FakeClock().now()), metadata.sorted_tables
    store = open_store(place(lived_in, tmp_path))
    await store.write(lambda tx: fill(tx, tables, "odd", at))
    store.close()
    server, back = postgres.database(), tmp_path / "back"
    assert copy(lived_in, server)[0] == 0
    assert copy(server, back)[0] == 0
    first, last = rows(place(lived_in, tmp_path)), rows(place(back, tmp_path))
    assert [name for name, found in first.items() if not found] == []
    assert {name: len(found) for name, found in last.items()} == {
        name: len(found) + (name == "history") for name, found in first.items()
    }
    assert {name for name in first if first[name] != last[name]} <= CHANGED
    for where in (lived_in, server, back):
        with connected(place(where, tmp_path)) as connection:
            there = set(inspect(connection).get_table_names())
        assert there - set(metadata.tables) <= OF_THE_DATABASE


async def test_what_is_written_next_gets_the_next_number(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    server = postgres.database()
    assert copy(lived_in, server)[0] == 0
    house = await House(place(server, tmp_path), FakeClock()).start()
    house.clock.advance(9 * 3600)
    await house.arrive(b"", topic="unknown/topic")
    await house.operate.trigger("panic", {"zone": "new"}, None, "me")
    house.store.close()
    before, after = (
        rows(place(each, tmp_path))["refused_alarms"] for each in (lived_in, server)
    )
    assert len(after) == len(before) + 1 > 1
    assert differences(database_of(place(server, tmp_path))) == []


async def test_a_target_that_holds_a_store_is_left_alone(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    server, other = postgres.database(), tmp_path / "other"
    store = open_store(StoreSettings(directory=other))
    await store.write(lambda tx: tx.notes.save("who", "other"))
    store.close()
    code, said = copy(lived_in, other)
    assert (code, "holds a store already" in said) == (1, True)
    assert copy(lived_in, server)[0] == 0
    assert "holds a store already" in copy(other, server)[1]


async def test_a_daemon_on_either_is_told(
    lived_in: Path, postgres: Postgres, fresh: str, tmp_path: Path, copy: Copy
) -> None:
    server = postgres.database(fresh)
    running = open_store(on_server(server, tmp_path / "node", "b"))
    code, said = copy(lived_in, server)
    assert (code, "an evidenced is running on it, on node b" in said) == (1, True)
    assert copy(server, tmp_path / "new")[0] == 1
    running.close()
    running = open_store(StoreSettings(directory=lived_in))
    code, said = copy(lived_in, server)
    assert (code, "another evidenced is running on it" in said) == (1, True)
    running.close()


async def test_a_store_that_was_changed_is_not_copied(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    server = postgres.database()
    engine = database_of(place(lived_in, tmp_path)).writing()
    with engine.begin() as connection:
        connection.execute(text("UPDATE clips SET label = 'nothing'"))
    engine.dispose()
    code, said = copy(lived_in, server)
    assert (code, "was taken back: clip 1 of incident" in said) == (1, True)
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT * FROM history").fetchone() is None


def test_what_is_no_store_is_one_sentence(
    tmp_path: Path, postgres: Postgres, copy: Copy
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, why in (
        (tmp_path / "none", "must be a folder"),
        (empty, "nothing was stored yet"),
        ("postgresql://127.0.0.1:1/x", "cannot be used"),
        (postgres.database(), "holds no store"),
    ):
        code, said = copy(source, tmp_path / "new")
        assert (code, said.count("\n"), why in said) == (1, 1, True), said


async def test_what_is_broken_off_leaves_nothing_and_may_be_begun_again(
    lived_in: Path, postgres: Postgres, tmp_path: Path, copy: Copy
) -> None:
    server, back = postgres.database(), tmp_path / "back"

    def broken_off(_table: str, number: int) -> None:
        if number:
            raise KeyboardInterrupt

    for source, target in ((lived_in, server), (server, back)):
        places = place(source, tmp_path), place(target, tmp_path)
        with pytest.raises(KeyboardInterrupt):
            copy_store(*places, broken_off)
        code, said = copy(source, target)
        assert code == 0, said
        assert differences(database_of(places[1])) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_files_are_their_folder_s_owner_s(
    lived_in: Path, tmp_path: Path, copy: Copy
) -> None:
    target = tmp_path / "new"
    target.mkdir()
    os.chown(target, 12345, 12345)
    assert copy(lived_in, target)[0] == 0
    assert {each.stat().st_uid for each in target.iterdir()} == {12345}
    assert (target / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_dump_that_was_restored_goes_on(
    postgres: Postgres, tmp_path: Path
) -> None:
    """With the triggers that seal: pg_dump takes them along, and fires none of them."""
    first, second = postgres.database(), postgres.database()
    house = await House(place(first, tmp_path), FakeClock()).start()
    await house.operate.trigger("panic", {"zone": "1"}, None, "me")
    dump = str(tmp_path / "dump")
    postgres.tool("pg_dump", "-Fc", "-T", "leases", "-f", dump, "-d", first)
    postgres.tool("pg_restore", "-d", second, dump)
    with psycopg.connect(second) as connection:
        connection.execute("TRUNCATE deliveries")
    assert differences(database_of(place(second, tmp_path))) == []
    house.store.close()
    later = on_server(second, tmp_path / "other", "b")
    house = await House(later, FakeClock()).start()
    house.clock.advance(9 * 3600)
    await house.operate.trigger("panic", {"zone": "2"}, None, "me")
    assert len(await house.incidents()) == 2
    house.store.close()
    assert differences(database_of(later)) == []
    assert verify_store(database_of(later)).fault is None
