"""Evidence records: the loop over a real store, real files and real signatures."""

import asyncio
import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from evidenced.core.errors import BadInput
from evidenced.core.exports.growth import Sighting
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.states import ExportState
from evidenced.core.keeping.evidence import (
    NOTE,
    PAGE,
    RECORD,
    SIGNATURE,
    RecordState,
    want_again,
)
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.place import Papers, Place
from evidenced.evidence import RecordPage, ShareFolders
from evidenced.evidence.signature import make_key, read_public_key
from evidenced.evidence.verify import Demand, faults_of_papers, verify
from evidenced.host.share import Share
from evidenced.pipeline import shares as sharing
from evidenced.pipeline.drafting import settings_of
from evidenced.pipeline.names import OUTBOX
from evidenced.ports import Tx, View
from evidenced.ports.evidence import Hashing
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.evidence import PAYLOAD, EvidenceBench


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
def bench(store: SqlStore, tmp_path: Path) -> EvidenceBench:
    return EvidenceBench(store, tmp_path / "share")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def written(bench: EvidenceBench) -> dict[str, object]:
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go(2)
    said: dict[str, object] = json.loads((bench.folder / RECORD).read_bytes())
    return said


async def test_footage_that_is_stable_gets_its_record(bench: EvidenceBench) -> None:
    settings = bench.world.site.settings
    await bench.store.write(lambda tx: tx.settings.keep(settings))
    said = await written(bench)
    assert said["files"] == [
        {
            "name": n,
            "bytes": len(d),
            "sha256": sha(d),
            "hashed": h["hashed"],
            "earlier_sha256": [],
        }
        for (n, d), h in zip(
            ((("a", b"video")), ("b", b"more")),
            said["files"],  # type: ignore[call-overload]
            strict=True,
        )
    ]
    incident: dict[str, Any] = said["incident"]  # type: ignore[assignment]
    [alarm] = incident["alarms"]
    assert (alarm["payload"], alarm["encoding"], alarm["bytes"]) == (
        "/3sic3RhdGUiOiAiYWN0aXZlIn0=",
        "base64",
        len(PAYLOAD),
    )
    device = incident["exports"][0]["devices"][0]
    assert device["start"] != device["asked"]["start"]
    assert said["signed_by"] is None
    record = await bench.record()
    assert record.state is RecordState.WRITTEN
    assert record.message == "not signed: [evidence] has no key"
    found = verify(bench.folder)
    assert found.is_intact
    assert found.signature.startswith("not signed")
    assert (await bench.dossier()).history[-1].detail["records"] == [
        {
            "path": bench.export.path,
            "sha256": found.sha256,
            "files": 2,
            "bytes": 9,
        }
    ]
    assert oct((bench.folder / RECORD).stat().st_mode & 0o777) == "0o644"


async def test_the_rule_is_as_it_was_when_the_incident_opened(
    bench: EvidenceBench,
) -> None:
    was = replace(bench.incident.terms, settings="as-it-was")
    bench.incident = replace(bench.incident, terms=was)
    settings = {"as-it-was": '{"name": "panic"}', "now": '{"name": "other"}'}
    await bench.store.write(lambda tx: tx.settings.keep(settings))
    said = await written(bench)
    assert said["rule"] == {"name": "panic"}


async def test_what_still_grows_is_waited_for(bench: EvidenceBench) -> None:
    bench.put(a=b"1")
    await bench.export_it()
    for n in range(3):
        await bench.go()
        bench.put(a=b"1" * (n + 2))
    assert not (bench.folder / RECORD).exists()
    await bench.go(2)
    assert json.loads((bench.folder / RECORD).read_bytes())["files"][0]["bytes"] == 4


async def test_what_never_comes_is_told_once_patience_is_over(
    bench: EvidenceBench,
) -> None:
    await bench.export_it()
    await bench.go(2, wait=3600)
    record = await bench.record()
    assert record.state is RecordState.FAILED
    assert "no footage lies in" in record.message
    assert (await bench.events())[-1] == Event.UNRECORDED
    assert bench.log.events("warning") == ["there is no evidence record of an incident"]
    [lost] = await bench.store.read(lambda view: view.losses.of(record.incident))
    assert (lost.kind, lost.is_open) == (LossKind.UNRECORDED, True)
    assert lost.text == record.message


async def test_a_record_that_failed_is_lost_until_it_is_written_after_all(
    bench: EvidenceBench,
) -> None:
    await bench.export_it()
    await bench.go(2, wait=3600)
    name, now = bench.incident.id, bench.clock.now()
    [failed] = await bench.store.read(lambda view: view.evidence.of([name]))
    again = want_again(failed, name, now)
    await bench.store.write(lambda tx: tx.evidence.save(again))
    assert len(await bench.store.read(lambda view: view.losses.open(9))) == 1
    bench.put(a=b"footage")
    await bench.go(3)
    assert (await bench.record()).state is RecordState.WRITTEN
    assert await bench.store.read(lambda view: view.losses.of(name)) == []


async def test_a_clock_that_was_set_ends_no_patience(bench: EvidenceBench) -> None:
    bench.world.now()  # as every loop does
    await bench.export_it()
    await bench.go()
    bench.clock.jump(timedelta(days=3650))
    await bench.go()
    assert (await bench.record()).state is RecordState.WANTED
    bench.put(a=b"video")
    await bench.go(2)
    assert verify(bench.folder).is_intact


async def test_a_share_that_is_away_is_waited_for_without_end(
    bench: EvidenceBench,
) -> None:
    bench.put(a=b"video")
    await bench.export_it()
    marker = bench.mount / ".share"
    marker.unlink()
    await bench.shares.once()
    await bench.go(3, wait=7200)
    assert (await bench.record()).state is RecordState.WANTED
    assert names(bench.folder) == ["a"]
    marker.touch()
    await bench.shares.once()
    await bench.go(3, wait=700)
    assert verify(bench.folder).is_intact


async def test_nothing_is_written_where_only_the_local_disk_is(
    store: SqlStore, tmp_path: Path
) -> None:
    """Without a marker the mount must be a mount point; this folder is none."""
    bench = EvidenceBench(store, tmp_path / "share", destination="")
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go(4, wait=700)
    assert names(bench.folder) == ["a"]
    assert "is no mount point" in (await bench.record()).message
    await bench.loop._probe.look()
    assert "is no mount point" in bench.loop.problems["nas"]  # type: ignore[index]


async def test_where_no_record_is_wanted_none_is(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = EvidenceBench(store, tmp_path / "share", destination="record = false")
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go(3)
    assert names(bench.folder) == ["a"]
    assert await bench.record() is None


async def test_a_signed_record_is_checked_with_the_public_key(
    store: SqlStore, tmp_path: Path
) -> None:
    made = make_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    key = (tmp_path / "key").read_text()
    bench = EvidenceBench(store, tmp_path / "share", key=key)
    said = await written(bench)
    assert said["signed_by"] == made.key
    expected = read_public_key(made.pem)
    assert expected == read_public_key(made.public_key)
    found = verify(bench.folder, demand=Demand(keys=(expected,)))
    assert found.is_intact
    assert found.key == made.key
    other = read_public_key(make_key(tmp_path / "other").public_key)
    found = verify(bench.folder, demand=Demand(keys=(other,)))
    assert (found.is_unaltered, found.is_intact) == (True, False)
    assert found.signature == f"good, but by key {made.key}, not by the one asked for"
    (bench.folder / SIGNATURE).unlink()
    assert verify(bench.folder).missing == [SIGNATURE]
    with pytest.raises(BadInput, match="is not written over"):
        make_key(tmp_path / "key")


async def test_whatever_is_done_to_the_footage_is_named(bench: EvidenceBench) -> None:
    await written(bench)
    (bench.folder / "a").write_bytes(b"vide0")
    (bench.folder / "b").unlink()
    (bench.folder / "c").write_bytes(b"")
    (bench.folder / "d").symlink_to("/etc/passwd")
    (bench.folder / PAGE).write_bytes(b"<h1>nothing happened</h1>")
    found = verify(bench.folder)
    assert (found.altered, found.missing, found.added) == (
        ["a", PAGE],
        ["b"],
        ["c", "d"],
    )


async def test_a_record_that_was_edited_does_not_fit_its_signature(
    store: SqlStore, tmp_path: Path
) -> None:
    make_key(tmp_path / "key")
    key = (tmp_path / "key").read_text()
    bench = EvidenceBench(store, tmp_path / "share", key=key)
    await written(bench)
    record = bench.folder / RECORD
    record.write_bytes(record.read_bytes().replace(sha(b"video").encode(), b"0" * 64))
    found = verify(bench.folder)
    assert found.altered == ["a"]
    assert found.faults == [f"{SIGNATURE} is not the signature of this {RECORD}"]


async def test_a_revision_keeps_the_one_before(bench: EvidenceBench) -> None:
    await written(bench)
    first = sha((bench.folder / RECORD).read_bytes())
    await export_more(bench)
    await bench.go(2)
    said = json.loads((bench.folder / RECORD).read_bytes())
    assert said["revision"] == 2
    assert said["supersedes"] == {
        "revision": 1,
        "file": "incident.r1.json",
        "sha256": first,
    }
    assert sha((bench.folder / "incident.r1.json").read_bytes()) == first
    assert verify(bench.folder).is_intact
    (bench.folder / "incident.r1.json").write_bytes(b"{}")
    assert verify(bench.folder).altered == ["incident.r1.json"]


async def test_records_from_after_a_backup_that_is_restored_are_kept_and_listed(
    store: SqlStore, tmp_path: Path
) -> None:
    make_key(tmp_path / "key")
    bench = EvidenceBench(store, tmp_path / "share", key=(tmp_path / "key").read_text())
    await written(bench)
    await export_more(bench)
    await bench.go(2)
    before = {
        (bench.folder / name).read_bytes() for name in (RECORD, "incident.r1.json")
    }
    name, now = bench.incident.id, bench.clock.now()

    def forget(tx: Tx) -> None:
        tx.evidence.drop(name)
        tx.evidence.save(want_again(None, name, now))

    await bench.store.write(forget)
    await bench.go(2)
    found = verify(bench.folder)
    assert found.is_intact, found
    assert (found.record.revision, found.files) == (
        1,
        6,
    )  # two of footage, four of records
    said = json.loads((bench.folder / RECORD).read_bytes())
    kept = [each["name"] for each in said["files"] if "found" in each["name"]]
    assert {
        (bench.folder / each).read_bytes() for each in kept if each.endswith("json")
    } == before
    assert len([each for each in kept if each.endswith(".sig")]) == len(before)
    assert (
        "a record that the store does not know of lay beside footage"
        in bench.log.events("warning")
    )


async def export_more(bench: EvidenceBench) -> None:
    """As when more of the incident is exported."""
    name, now = bench.incident.id, bench.clock.now()
    await bench.store.write(
        lambda tx: tx.evidence.save(want_again(tx.evidence.of([name])[0], name, now))
    )


async def test_footage_that_changed_since_keeps_its_first_hash_in_sight(
    bench: EvidenceBench,
) -> None:
    await written(bench)
    (bench.folder / "a").write_bytes(b"forged!")
    await export_more(bench)
    await bench.go(2)
    said = json.loads((bench.folder / RECORD).read_bytes())
    assert said["files"][0]["earlier_sha256"] == [sha(b"video")]
    assert "footage was changed after it was recorded" in bench.log.events("warning")


async def test_what_a_crash_left_is_written_over_and_a_strangers_is_kept(
    bench: EvidenceBench,
) -> None:
    bench.put(a=b"video")
    (bench.folder / RECORD).write_bytes(b"a stranger's")
    await bench.export_it()
    await bench.go(2)
    [aside] = [name for name in names(bench.folder) if "found" in name]
    assert (bench.folder / aside).read_bytes() == b"a stranger's"
    assert verify(bench.folder).is_intact
    said = json.loads((bench.folder / RECORD).read_bytes())
    assert aside in [each["name"] for each in said["files"]]
    place = Place(mount=bench.mount, marker=".share", names=("i1",))
    draft = (bench.folder / RECORD).read_bytes()
    papers = Papers(
        files={RECORD: b"new"},
        last="",
        former="incident.r0.json",
        intended=[sha(draft)],
    )
    assert bench.folders.write(place, papers) == ""
    assert (bench.folder / RECORD).read_bytes() == b"new"


@pytest.mark.parametrize("trap", ["folder", "record", "part"])
async def test_no_link_on_the_share_leads_elsewhere(
    bench: EvidenceBench, tmp_path: Path, trap: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    if trap == "folder":
        bench.folder.symlink_to(outside)
    else:
        bench.put(a=b"video")
        name = RECORD if trap == "record" else f".{RECORD}.evidenced-part"
        (bench.folder / name).symlink_to(outside / "victim")
    await bench.export_it()
    await bench.go(3, wait=700)
    assert names(outside) == ["victim"]
    assert (outside / "victim").read_bytes() == b"precious"
    record = await bench.record()
    assert (record.state is RecordState.WRITTEN) is (trap != "folder")
    assert ("'i1' is a link" in record.message) is (trap == "folder")


async def test_a_pipe_in_the_footage_hangs_nobody(bench: EvidenceBench) -> None:
    bench.put(a=b"video")
    os.mkfifo(bench.folder / "pipe")
    await bench.export_it()
    await bench.go(2)
    assert json.loads((bench.folder / RECORD).read_bytes())["others"] == ["pipe"]
    assert verify(bench.folder).is_intact


async def test_what_was_hashed_is_not_read_again_after_a_restart(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = EvidenceBench(store, tmp_path / "share")
    first.put(a=b"video", b=b"more")
    await first.export_it()

    def torn(*_: object) -> str:
        raise OSError("power cut")

    monkeypatch.setattr(first.folders, "write", torn)
    await first.go(2)
    name = first.incident.id
    assert len(await store.read(lambda view: view.evidence.files(name))) == 2
    assert len(await store.read(lambda view: view.evidence.files(name, 1))) == 1
    second = EvidenceBench(store, tmp_path / "share")
    second.incident, second.clock = first.incident, first.clock
    second.world.clock = first.clock

    def unread(*_: object) -> None:
        raise AssertionError("it was hashed before")

    monkeypatch.setattr(second.folders, "open", unread)
    first.clock.advance(3600)
    await second.go(2)
    assert verify(second.folder).is_intact


async def test_an_incident_that_is_pruned_meanwhile_is_let_go(
    bench: EvidenceBench,
) -> None:
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go()
    bench.clock.advance(100)
    now = bench.clock.now()
    assert await bench.store.write(lambda tx: tx.past.prune(now, now, 10))
    await bench.go()
    assert names(bench.folder) == ["a"]


async def test_a_probe_leaves_nothing_behind(bench: EvidenceBench) -> None:
    await bench.loop._probe.look()
    assert names(bench.mount) == [".share"]
    assert bench.loop.problems == {}


async def test_an_incident_without_footage_wants_no_record(
    bench: EvidenceBench,
) -> None:
    change = Change(before=None, after=bench.incident, event=Event.OPENED)
    await bench.save(change)
    assert await bench.record() is None


class Hanging(ShareFolders):
    """Hangs in the first step of hashing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    @override
    def open(self, place: Place, name: str) -> Hashing:
        hashing = super().open(place, name)
        step = hashing.step

        def hang(size: int) -> int:
            self.let_go.wait(20)
            return step(size)

        hashing.step = hang  # type: ignore[method-assign]
        return hashing


async def test_a_share_that_hangs_amid_hashing_is_tried_again_later(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = Hanging()
    bench.loop._hashes._reader._folders = hanging
    threads: list[asyncio.Future[object]] = []
    apart = bench.shares._threads._apart

    def noted(work: Callable[[], object]) -> "asyncio.Future[object]":
        threads.append(apart(work))
        return threads[-1]

    monkeypatch.setattr(bench.shares._threads, "_apart", noted)
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go()
    monkeypatch.setattr(sharing, "LOOK_LIMIT", timedelta(milliseconds=50))
    await bench.go()
    record = await bench.record()
    assert (record.state, record.message) == (
        RecordState.WANTED,
        f"{bench.mount} has not answered for 0.1 s",
    )
    hanging.let_go.set()
    monkeypatch.undo()
    await asyncio.wait(threads)
    await bench.go(3, wait=700)
    assert verify(bench.folder).is_intact


@pytest.mark.parametrize("at", ["os.rename", "os.fsync", "os.open"])
async def test_a_share_that_turns_read_only_amid_writing_keeps_what_was_there(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    await written(bench)
    first = (bench.folder / RECORD).read_bytes()
    await export_more(bench)
    await bench.go()
    real = getattr(os, at.partition(".")[2])

    def fails(*arguments: object, **named: object) -> object:
        is_writing = at != "os.open" or (
            isinstance(arguments[1], int) and arguments[1] & os.O_CREAT
        )
        if is_writing:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(*arguments, **named)

    monkeypatch.setattr(at, fails)
    await bench.go()
    monkeypatch.undo()
    record = await bench.record()
    assert record.state is RecordState.WANTED
    assert "ead-only" in record.message
    assert (bench.folder / RECORD).read_bytes() == first
    await bench.go(3, wait=700)
    assert (await bench.record()).revision == 2
    found = verify(bench.folder)
    assert (found.added, found.altered, found.faults) == ([], [], [])


async def test_footage_that_vanishes_amid_hashing_is_looked_for_again(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go()
    real = bench.folders.open

    def vanish(place: Place, name: str) -> Hashing:
        (bench.folder / "b").unlink(missing_ok=True)
        return real(place, name)

    monkeypatch.setattr(bench.folders, "open", vanish)
    await bench.go()
    assert not (bench.folder / RECORD).exists()
    monkeypatch.undo()
    await bench.go(3, wait=700)
    said = json.loads((bench.folder / RECORD).read_bytes())
    assert [file["name"] for file in said["files"]] == ["a"]


async def test_a_folder_that_an_export_left_unfinished_says_where_the_footage_is(
    bench: EvidenceBench,
) -> None:
    """Seen: half of the footage lay there, and nothing said so."""
    half = bench.folder
    bench.put(a=b"half a vid")
    await bench.lose_it()
    bench.put(a=b"all of the video")
    await bench.export_it()
    await bench.go(3, wait=700)
    assert (await bench.record()).revision == 1
    note = half / NOTE
    said = note.read_bytes().decode()
    assert said.startswith("What lies in this folder is not the evidence")
    assert f"    {bench.export.path}\r\n" in said
    assert bench.incident.id in said
    assert sorted(each.name for each in half.iterdir()) == ["a", NOTE]
    found = verify(bench.folder)
    assert (found.added, found.missing, found.faults) == ([], [], [])
    share = Share()
    before = share.sighting(bench.mount, (half.name,))
    (half / "a").unlink()
    assert before == Sighting(files=1, size_bytes=10)
    assert share.sighting(bench.mount, (half.name,)) is None


@pytest.mark.parametrize("there", [None, b""])
async def test_a_folder_with_nothing_in_it_gets_no_note(
    bench: EvidenceBench, there: bytes | None
) -> None:
    half = bench.folder
    if there is not None:
        half.mkdir()
    await bench.lose_it()
    bench.put(a=b"all of the video")
    await bench.export_it()
    await bench.go(3, wait=700)
    assert (await bench.record()).revision == 1
    assert half.exists() is (there is not None)
    assert not (half / NOTE).exists()


async def test_footage_that_grows_amid_hashing_is_hashed_again(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go()
    real = bench.folders.open

    def grow(place: Place, name: str) -> Hashing:
        with (bench.folder / "b").open("ab") as file:
            file.write(b" of it")
        return real(place, name)

    monkeypatch.setattr(bench.folders, "open", grow)
    await bench.go()
    assert not (bench.folder / RECORD).exists()
    assert (await bench.record()).survey == ""
    monkeypatch.undo()
    await bench.go(2)
    assert verify(bench.folder).is_intact


async def test_the_row_of_an_incident_that_is_gone_goes_too(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(a=b"video")
    await bench.export_it()
    monkeypatch.setattr(Tx, "dossier", lambda *_, **__: None)
    monkeypatch.setattr(View, "dossier", lambda *_, **__: None)
    assert await bench.loop.once()
    monkeypatch.undo()
    assert await bench.record() is None


async def test_a_fault_of_ours_holds_up_one_record_and_not_the_daemon(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(a=b"video")
    await bench.export_it()

    def broken(*_: object) -> bytes:
        raise KeyError("a bug")

    monkeypatch.setattr(RecordPage, "render", broken)
    await bench.go(2)
    assert "fault in evidenced" in (await bench.record()).message
    monkeypatch.undo()
    await bench.go(3, wait=700)
    assert verify(bench.folder).is_intact


async def test_a_key_that_cannot_be_read_is_waited_for(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = EvidenceBench(store, tmp_path / "share", key="no key at all")
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go(2)
    record = await bench.record()
    assert record.state is RecordState.WANTED
    assert "evidenced keygen" in record.message
    assert names(bench.folder) == ["a"]


async def test_settings_of_the_rules_are_kept_and_shares_are_told(
    bench: EvidenceBench,
) -> None:
    await bench.loop._keep_settings()
    [digest] = bench.world.site.settings
    kept = await bench.store.read(lambda view: settings_of(view, digest))
    assert isinstance(kept, dict)
    assert kept["name"] == "panic"
    (bench.mount / ".share").unlink()
    await bench.loop._probe.look()
    assert bench.log.events("warning") == [
        "evidence records cannot be written to a share"
    ]
    (bench.mount / ".share").touch()
    bench.clock.advance(31)
    await bench.loop._probe.look()
    assert bench.log.events("info") == ["evidence records can be written again"]


async def test_too_little_room_holds_the_destination(
    store: SqlStore, tmp_path: Path
) -> None:
    enough = 'marker = ".share"\nmin_free = "1 MB"'
    bench = EvidenceBench(store, tmp_path / "share", destination=enough)
    await bench.shares.once()
    assert bench.shares.problems == {}
    scarce = 'marker = ".share"\nmin_free = "999999 GB"'
    bench = EvidenceBench(store, tmp_path / "share", destination=scarce)
    await bench.shares.once()
    assert " is nearly full: " in bench.shares.problems[DestinationName("nas")]


async def test_the_loop_writes_by_itself_and_lets_go_when_it_is_stopped(
    bench: EvidenceBench,
) -> None:
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.loop.run())
        await bench.agenda.wait(OUTBOX, at_most=timedelta(seconds=20))
        task.cancel()
    assert (await bench.record()).state is RecordState.WRITTEN
    bench.world.is_stopping = True
    await export_more(bench)
    assert not await bench.loop.once()


async def test_a_row_that_changed_meanwhile_is_left_to_the_next_look(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.put(a=b"video")
    await bench.export_it()
    await bench.go()
    real = bench.folders.open

    def meanwhile(place: Place, name: str) -> Hashing:
        asyncio.run_coroutine_threadsafe(export_more(bench), loop).result(20)
        return real(place, name)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(bench.folders, "open", meanwhile)
    await bench.go()
    assert names(bench.folder) == ["a"]
    monkeypatch.undo()
    await bench.go(2)
    assert verify(bench.folder).is_intact


async def test_a_rate_is_kept_while_hashing(store: SqlStore, tmp_path: Path) -> None:
    bench = EvidenceBench(store, tmp_path / "share", evidence='hash_rate = "1 MB/s"')
    bench.put(a=b"v" * 50_000)
    await bench.export_it()
    await bench.go()
    begun = time.perf_counter()
    await bench.go()
    assert time.perf_counter() - begun >= 0.05
    assert verify(bench.folder).is_intact


async def test_a_share_that_is_held_is_not_probed(bench: EvidenceBench) -> None:
    bench.shares._closed.look({DestinationName("nas"): "away"})
    await bench.loop._probe.look()
    assert bench.loop.problems == {}
    await bench.loop._probe.look()


async def test_a_share_that_cannot_be_probed_says_why_and_is_looked_at_sooner(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def broken(*_: object) -> str:
        nonlocal looks
        looks += 1
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(bench.folders, "refusal", broken)
    for wait in (1, 30, 299):
        await bench.loop._probe.look()
        bench.clock.advance(wait)
    assert bench.loop.problems == {"nas": "Input/output error"}
    assert looks == 2  # not again after a second
    monkeypatch.undo()
    await bench.loop._probe.look()
    assert bench.loop.problems == {}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (errno.EROFS, "is read-only: mount the share writable"),
        (errno.ENOSPC, "is full: make room"),
        (errno.EACCES, "may not be written by this service: give it the right"),
        (errno.EIO, "cannot be written: Input/output error"),
    ],
)
async def test_each_fault_of_writing_has_its_sentence(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch, fault: int, sentence: str
) -> None:
    def refused(*_: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("evidenced.evidence.folder._write_new", refused)
    await bench.loop._probe.look()
    [why] = bench.loop.problems.values()
    assert why.endswith(f" {sentence}")


async def test_records_that_wait_are_told_until_they_go_on(
    bench: EvidenceBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    bench.put(a=b"video")
    await bench.export_it()
    monkeypatch.setattr(bench.folders, "survey", stale)
    await bench.go(2)
    assert bench.loop.problems == {"nas": "records wait: Stale file handle"}
    monkeypatch.undo()
    await bench.go(2, wait=700)
    assert bench.loop.problems == {}


async def test_no_footage_at_all_is_told(bench: EvidenceBench) -> None:
    """As of a request that failed, with clips that were done before."""
    await bench.export_it()
    failed = replace(bench.export, state=ExportState.FAILED)
    await bench.store.write(lambda tx: tx.exports.save([failed]))
    await bench.go(2)
    record = await bench.record()
    assert record.state is RecordState.FAILED
    assert record.message == "no footage lies in its folders"


async def test_where_no_share_is_to_be_seen_the_store_keeps_the_record(
    store: SqlStore, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key")
    bench = EvidenceBench(
        store, tmp_path / "share", key=(tmp_path / "key").read_text(), is_mounted=False
    )
    await bench.export_it()
    await bench.go(2)
    record = await bench.record()
    assert (record.state, record.revision) == (RecordState.WRITTEN, 1)
    name, path = bench.incident.id, bench.export.path
    await export_more(bench)
    await bench.go(2)
    papers = await store.read(lambda view: view.evidence.papers(name))
    assert sorted(papers[path]) == [
        PAGE,
        RECORD,
        SIGNATURE,
        "incident.r1.json",
        "incident.r1.json.sig",
    ]
    said = json.loads(papers[path][RECORD])
    assert (said["seen"], said["files"], said["revision"]) == (False, [], 2)
    assert b"does not see where the footage lies" in papers[path][PAGE]
    detail = (await bench.dossier()).history[-1].detail
    [entry] = detail["records"]
    assert (detail["kept"], entry["sha256"]) == ([path], sha(papers[path][RECORD]))
    assert faults_of_papers(papers[path], entry["sha256"]) == []
    for wrong in (PAGE, SIGNATURE, RECORD):
        assert faults_of_papers(papers[path] | {wrong: b"{}"}, entry["sha256"]) != []
    folder = tmp_path / "i1"
    folder.mkdir()
    for each, data in papers[path].items():
        (folder / each).write_bytes(data)
    demand = Demand(keys=(read_public_key(key.public_key),))
    assert verify(folder, demand=demand).is_intact
    assert not (tmp_path / "share" / "i1").exists()


async def test_a_share_that_is_mounted_later_gets_a_record_of_its_own(
    store: SqlStore, tmp_path: Path
) -> None:
    before = EvidenceBench(store, tmp_path / "share", is_mounted=False)
    await before.export_it()
    await before.go(2)
    bench = EvidenceBench(store, tmp_path / "share")
    bench.incident, bench.export = before.incident, before.export
    bench.put(a=b"video")
    await export_more(bench)
    await bench.go(2)
    found = verify(bench.folder)
    assert found.is_intact, found
    assert (found.record.revision, found.record.is_seen) == (2, True)
