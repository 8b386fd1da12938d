"""Backups of a store that is being written to, and bringing them back."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from evidenced.cli.main import run
from evidenced.core.alarms.deliveries import DeliveryMark
from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Entry
from evidenced.core.keeping.kept import AuditHead
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.audit import verify_store
from evidenced.store.backup import back_up, restore
from evidenced.store.database import LOCK
from evidenced.store.sqlite import FILE, SqliteFile
from fakes.clock import START

NOBODY = 65534
CONFIG = r"""
[daemon]
state_dir = "{state}"
[mqtt]
url = "mqtt://broker.example"
[recorders.main]
url = "http://sense.example"
username = "export"
password = {{ credential = "sense-password" }}
nonce = "N"
[cameras.lobby]
server = "1"
device = "2"
[destinations.nas]
path = 'V:\{{id}}'
[[rules]]
name = "panic"
topics = ["panic"]
cameras = ["lobby"]
"""


def write_row(tx: Tx) -> None:
    entry = Entry(incident=None, at=START, event="opened", detail={"text": "x" * 500})
    tx.history.write(entry)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


class Running:
    """A store of one row, which a test may stop before the end."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._is_open = True

    async def write(self) -> None:
        await self.do(write_row)

    async def do(self, step: Callable[[Tx], None]) -> None:
        await self._store.write(step)

    async def head(self) -> AuditHead:
        return await self._store.read(lambda view: view.history.head())

    def stop(self) -> None:
        if self._is_open:
            self._is_open = False
            self._store.close()


@pytest.fixture
async def store(state: Path) -> AsyncIterator[Running]:
    running = Running(open_store(StoreSettings(directory=state)))
    await running.write()
    yield running
    running.stop()


async def test_a_backup_of_a_running_store_is_one_whole_file(
    store: Running, state: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    writing = asyncio.Event()

    async def write() -> None:
        for _ in range(200):
            await store.write()
            writing.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        await writing.wait()
        found = await asyncio.to_thread(back_up, state, target)
    assert 2 <= found.head.seq <= 201
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup", "state"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert (await store.head()).seq == 201


async def test_what_was_backed_up_comes_back(
    store: Running, state: Path, tmp_path: Path
) -> None:
    kept = await store.head()
    back_up(state, tmp_path / "backup")
    await store.write()
    store.stop()
    os.chown(state, *([12345] * 2 if os.geteuid() == 0 else [-1, -1]))
    restored = restore(state, tmp_path / "backup", START)
    assert restored.head.seq == kept.seq + 1
    owners = {(each.name, each.stat().st_uid) for each in state.iterdir()}
    if os.geteuid() == 0:
        assert (FILE, 12345) in owners
        assert ("evidenced.lock", 12345) in owners
    assert (
        verify_store(SqliteFile(state / f"{FILE}.before-restore")).head.seq
        == kept.seq + 1
    )
    again = Running(open_store(StoreSettings(directory=state)))
    assert await again.head() == restored.head
    await again.write()
    again.stop()


async def test_a_restore_is_an_entry_that_names_what_it_replaced(
    store: Running, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "evidenced.toml"
    config.write_text(CONFIG.format(state=state))
    kept = await store.head()
    back_up(state, tmp_path / "backup")
    await store.write()
    today = await store.head()
    store.stop()
    restore(state, tmp_path / "backup", START)
    (restoring,) = verify_store(SqliteFile(state / FILE)).restorings
    assert (restoring.copied, restoring.replaced) == (kept.seq, today)
    command = ["audit", "verify", "-c", str(config)]
    assert run([*command, "--head", kept.hash]) == 0
    said = capsys.readouterr().out
    assert f"a backup of row {kept.seq} was restored on 2026-" in said
    assert f"rows {kept.seq + 1} to {today.seq} of the store that was there" in said
    assert run([*command, "--head", today.hash]) == 1
    assert f"is row {today.seq} of the store in whose place" in capsys.readouterr().err


async def test_marks_of_deliveries_from_before_a_restore_are_forgotten(
    store: Running, state: Path, tmp_path: Path
) -> None:
    """The session at the broker went on meanwhile: they would drop other messages."""
    mark = DeliveryMark(packet_id=7, digest="d", number=3, session=1)
    await store.do(lambda tx: tx.deliveries.save([mark]))
    back_up(state, tmp_path / "backup")
    store.stop()
    restore(state, tmp_path / "backup", START)
    with edited(state / FILE) as connection:
        assert not connection.execute("SELECT * FROM deliveries").fetchall()


async def test_a_second_restore_overwrites_nothing_that_the_first_set_aside(
    store: Running, state: Path, tmp_path: Path
) -> None:
    kept = await store.head()
    back_up(state, tmp_path / "wrong")
    await store.write()
    today = await store.head()
    store.stop()
    for _ in range(3):
        restore(state, tmp_path / "wrong", START)
    aside = [state / f"{FILE}.before-restore{n}" for n in ("", "-2", "-3")]
    assert [verify_store(SqliteFile(each)).head.seq for each in aside] == [
        today.seq,
        kept.seq + 1,
        kept.seq + 1,
    ]


def test_nobody_else_reads_a_new_store(tmp_path: Path) -> None:
    """Also in a folder that was there before, with the shell's usual mask."""
    former = os.umask(0o022)
    try:
        tmp_path.chmod(0o755)
        store = open_store(StoreSettings(directory=tmp_path))
        modes = {each.name: each.stat().st_mode & 0o077 for each in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(former)
    assert len(modes) >= 3
    assert set(modes.values()) == {0}, modes


@pytest.mark.usefixtures("store")
def test_no_restore_under_a_running_daemon(state: Path, tmp_path: Path) -> None:
    back_up(state, tmp_path / "backup")
    with pytest.raises(StoreError, match="another evidenced is running"):
        restore(state, tmp_path / "backup", START)
    assert not (state / f"{FILE}.before-restore").exists()


@pytest.mark.parametrize("name", [LOCK, f".{FILE}.part", f".{FILE}.part-wal"])
async def test_root_follows_no_link_of_the_service(
    store: Running, state: Path, tmp_path: Path, name: str
) -> None:
    """Who has the service's account waits for `sudo evidenced restore`."""
    back_up(state, tmp_path / "backup")
    store.stop()
    theirs = tmp_path / "shadow"
    theirs.write_text("root's own")
    theirs.chmod(0o640)
    (state / name).unlink(missing_ok=True)
    (state / name).symlink_to(theirs)
    before = theirs.stat()
    if is_root := os.geteuid() == 0:
        os.chown(state, NOBODY, NOBODY)
    refused = (
        pytest.raises(StoreError, match="links") if name == LOCK else nullcontext()
    )
    with refused:
        restore(state, tmp_path / "backup", START)
    assert theirs.read_text() == "root's own"
    after = theirs.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    if is_root and name != LOCK:
        assert (state / FILE).lstat().st_uid == NOBODY


async def test_a_copy_is_not_written_into_a_file_that_somebody_reads(
    store: Running, state: Path, tmp_path: Path
) -> None:
    before = tmp_path / ".backup.part"
    before.touch()
    before.chmod(0o666)
    with before.open() as theirs:
        back_up(state, tmp_path / "backup")
        assert theirs.read() == ""
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    store.stop()


async def test_what_acts_by_itself_in_a_backup_is_not_put_back(
    store: Running, state: Path, tmp_path: Path
) -> None:
    back_up(state, tmp_path / "backup")
    store.stop()
    with edited(tmp_path / "backup") as connection:
        connection.execute(
            "CREATE TRIGGER evil AFTER INSERT ON history BEGIN DELETE FROM clips; END"
        )
    with pytest.raises(StoreError, match="and may change rows: trigger evil"):
        restore(state, tmp_path / "backup", START)


@contextmanager
def edited(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


@pytest.mark.parametrize(
    ("how", "says"),
    [("history", "audit chain is broken"), ("pages", "malformed|damaged|not a data")],
)
async def test_a_damaged_backup_changes_nothing(
    store: Running, state: Path, tmp_path: Path, how: str, says: str
) -> None:
    backup = tmp_path / "backup"
    back_up(state, backup)
    before = await store.head()
    store.stop()
    if how == "history":
        with edited(backup) as connection:
            connection.execute("UPDATE history SET event = 'ended'")
    else:
        raw = bytearray(backup.read_bytes())
        raw[4096:] = b"\xff" * (len(raw) - 4096)
        backup.write_bytes(raw)
    with pytest.raises(StoreError, match=says):
        restore(state, backup, START)
    assert verify_store(SqliteFile(state / FILE)).head == before
    assert not [each for each in state.iterdir() if "part" in each.name]


async def test_a_damaged_store_gives_no_backup(
    store: Running, state: Path, tmp_path: Path
) -> None:
    store.stop()
    with edited(state / FILE) as connection:
        connection.execute("UPDATE history SET event = 'ended'")
    with pytest.raises(StoreError, match="audit chain is broken"):
        back_up(state, tmp_path / "backup")
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


@pytest.mark.usefixtures("store")
def test_what_cannot_be_a_backup_is_told(state: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="exists; name a file that does not"):
        back_up(state, state / FILE)
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(state, tmp_path / "nowhere" / "backup")
    with pytest.raises(StoreError, match="nothing was stored yet") as told:
        back_up(tmp_path, tmp_path / "backup")
    assert str(told.value).startswith(f"{tmp_path / FILE} is not there")
    with pytest.raises(StoreError) as told:
        back_up(Path("state"), tmp_path / "backup")
    assert str(told.value).startswith(str(Path("state").absolute()))
    with pytest.raises(StoreError, match="is not there; name a file"):
        restore(state, tmp_path / "nothing", START)
    (tmp_path / "junk").write_text("no store of anybody's")
    with pytest.raises(StoreError, match="junk is no backup"):
        restore(state, tmp_path / "junk", START)


async def test_the_commands(
    store: Running, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "evidenced.toml"
    config.write_text(CONFIG.format(state=state))
    backup = str(tmp_path / "backup")
    assert run(["backup", backup, "-c", str(config)]) == 0
    assert "whole; audit chain intact: 1 row," in capsys.readouterr().out
    assert run(["backup", backup, "-c", str(config)]) == 1
    assert "exists" in capsys.readouterr().err
    assert run(["restore", backup, "-c", str(config)]) == 1
    assert "another evidenced is running" in capsys.readouterr().err
    store.stop()
    assert run(["restore", backup, "-c", str(config)]) == 0
    assert "restored; audit chain intact" in capsys.readouterr().out
