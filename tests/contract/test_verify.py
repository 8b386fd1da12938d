"""Checking folders whose records the daemon wrote: what is done to them is told."""

import json
import os
import re
import shutil
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evidenced.cli.main import run
from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import PAGE, RECORD, SIGNATURE, want_again
from evidenced.evidence.records import (
    RecordPlace,
    Unread,
    check_all,
    origin_of,
    sweep,
)
from evidenced.evidence.signature import NewKey, Signer, make_key, read_public_key
from evidenced.evidence.verify import Demand, Finding, verify
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.evidence import EvidenceBench


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
def made(tmp_path: Path) -> NewKey:
    return make_key(tmp_path / "key")


@pytest.fixture
def ours(made: NewKey) -> Demand:
    return Demand(keys=(read_public_key(made.public_key),))


@pytest.fixture
async def folder(store: SqlStore, tmp_path: Path, made: NewKey) -> Path:
    """Footage with a signed record in its third revision."""
    assert made
    bench = EvidenceBench(store, tmp_path / "share", key=(tmp_path / "key").read_text())
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go(2)
    name, now = bench.incident.id, bench.clock.now()
    for _ in range(2):
        await store.write(
            lambda tx: tx.evidence.save(
                want_again(tx.evidence.of([name])[0], name, now)
            )
        )
        await bench.go(2)
    return bench.folder


def sign_again(folder: Path, tmp_path: Path, said: dict[str, Any]) -> None:
    """As somebody who has the key could."""
    data = json.dumps(said).encode()
    (folder / RECORD).write_bytes(data)
    signature = Signer((tmp_path / "key").read_text).sign(data)
    assert signature is not None
    (folder / SIGNATURE).write_bytes(signature)


def said_of(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / RECORD).read_bytes())
    return said


def test_what_the_daemon_wrote_is_intact(folder: Path, ours: Demand) -> None:
    found = verify(folder, demand=ours)
    assert found.is_intact, found
    assert found.record.revision == 3
    assert found.record.incident == said_of(folder)["incident"]["id"]


def test_each_superseded_revision_has_its_own_signature(
    folder: Path, ours: Demand, tmp_path: Path
) -> None:
    first = folder / "incident.r1.json.sig"
    right = first.read_bytes()
    first.write_bytes(os.urandom(3_000_000))
    assert "incident.r1.json.sig cannot be read" in verify(folder).faults[0]
    first.unlink()
    assert verify(folder).missing == [first.name]
    first.write_bytes((folder / SIGNATURE).read_bytes())  # of another revision
    assert "is not the signature of this incident.r1.json" in verify(folder).faults[0]
    make_key(tmp_path / "stranger")
    stranger = Signer((tmp_path / "stranger").read_text)
    signed = stranger.sign((folder / "incident.r1.json").read_bytes())
    first.write_bytes(signed or b"")
    assert "says that" in verify(folder).faults[0]
    first.write_bytes(right)
    assert verify(folder, demand=ours).is_intact


@pytest.mark.parametrize(
    "name",
    [
        "incident.r3.json",
        "incident.r7.json.sig",
        "incident.r0.json",
        "incident.r01.json",
        "incident.still-7.jpg",
    ],
)
def test_no_file_hides_behind_the_name_of_a_revision(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"anything")
    assert verify(folder).added == [name]


def with_stills(folder: Path, tmp_path: Path, **names: bytes) -> None:
    """The folder with such pictures, and a record that names them."""
    stills = [
        {"name": name, "bytes": len(data), "sha256": sha256(data).hexdigest()}
        for name, data in names.items()
    ]
    sign_again(folder, tmp_path, said_of(folder) | {"stills": stills})
    for name, data in names.items():
        (folder / name).write_bytes(data)


def test_pictures_belong_to_the_record(
    folder: Path, ours: Demand, tmp_path: Path
) -> None:
    name = "incident.still-7.jpg"
    with_stills(folder, tmp_path, **{name: b"picture"})
    found = verify(folder, demand=ours)
    assert (found.is_intact, found.files) == (True, 2)  # it is no footage
    (folder / name).write_bytes(b"another")
    assert verify(folder).altered == [name]
    (folder / name).unlink()
    assert verify(folder).missing == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("clip.mp4", "incident.r1.json", "incident.still-07.jpg"),
        *("incident.still-.jpg", f"incident.still-{'9' * 5000}.jpg"),
    ],
)
def test_no_other_file_is_called_a_picture(
    folder: Path, tmp_path: Path, name: str
) -> None:
    with_stills(folder, tmp_path, **{name[:200]: b"footage"})
    said = said_of(folder)
    said["stills"][0]["name"] = name
    sign_again(folder, tmp_path, said)
    with pytest.raises(BadInput, match="is no name of a picture"):
        verify(folder)


def test_a_folder_and_its_record_belong_together(folder: Path, ours: Demand) -> None:
    other = folder.with_name("i2")
    shutil.copytree(folder, other)
    [fault] = verify(other, demand=ours).faults
    assert "was written for the folder 'i1'" in fault
    assert verify(other, demand=Demand(is_anywhere=True)).is_intact
    assert verify(folder.parent, ("i1",), ours).is_intact
    copy = folder.parent / "usb" / "I1"  # a copy elsewhere, as Windows may spell it
    shutil.copytree(folder, copy)
    assert verify(copy, demand=ours).is_intact


def test_a_folder_whose_name_does_not_tell_is_known_by_the_one_above(
    folder: Path, tmp_path: Path
) -> None:
    """As with a path such as `{id}\\footage`: all incidents have such a folder."""
    mine, other = folder.parent / "door-i1", folder.parent / "door-i2"
    mine.mkdir()
    folder.rename(mine / "footage")
    said = said_of(mine / "footage") | {"place": "door-i1/footage"}
    sign_again(mine / "footage", tmp_path, said)
    shutil.copytree(mine, other)
    assert verify(mine / "footage").is_intact
    assert not verify(other / "footage").is_intact
    assert verify(other / "footage", demand=Demand(is_anywhere=True)).is_intact


def test_the_way_below_a_named_root_is_compared_too(
    folder: Path, tmp_path: Path
) -> None:
    said = said_of(folder) | {"place": "2026-11-23/i1"}
    day, next_day = folder.parent / "2026-11-23", folder.parent / "2026-11-24"
    day.mkdir()
    folder.rename(day / "i1")
    sign_again(day / "i1", tmp_path, said)
    shutil.copytree(day, next_day)
    assert verify(folder.parent, ("2026-11-23", "i1")).is_intact
    assert not verify(folder.parent, ("2026-11-24", "i1")).is_intact
    assert verify(next_day / "i1").is_intact  # nobody said what lies above


def test_a_key_that_is_asked_for_must_have_signed(
    folder: Path, ours: Demand, tmp_path: Path
) -> None:
    (folder / SIGNATURE).unlink()
    found = verify(folder, demand=ours)
    assert (found.is_intact, found.missing) == (False, [SIGNATURE])
    said = said_of(folder) | {"signed_by": None, "supersedes": None}
    (folder / RECORD).write_text(json.dumps(said))
    for name in folder.glob("incident.r*"):
        name.unlink()
    assert verify(folder).is_intact
    [fault] = verify(folder, demand=ours).faults
    assert fault == "it is not signed, and a key was asked for"
    sign_again(folder, tmp_path, said)  # but the record says that nobody signs
    [fault] = verify(folder, demand=ours).faults
    assert "says that nobody signs" in fault


def test_what_windows_and_macos_leave_is_named_and_no_alteration(
    folder: Path,
) -> None:
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (folder / name).write_bytes(b"icons")
    (folder / "inner").mkdir()
    (folder / "inner" / "thumbs.DB").touch()
    found = verify(folder)
    assert found.is_intact
    assert found.litter == [".DS_Store", "Thumbs.db", "desktop.ini", "inner/thumbs.DB"]
    (folder / "Thumbs.db").unlink()
    (folder / "Thumbs.db").symlink_to("a")
    assert verify(folder).added == ["Thumbs.db"]  # a link is none of theirs


async def test_the_daemon_takes_none_of_that_for_footage(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = EvidenceBench(store, tmp_path / "share")
    bench.put(**{"a": b"video", "Thumbs.db": b"icons"})
    await bench.export_it()
    await bench.go()
    (bench.folder / "Thumbs.db").write_bytes(b"other icons")
    await bench.go()
    assert [each["name"] for each in said_of(bench.folder)["files"]] == ["a"]


@pytest.mark.parametrize("name", ["a", PAGE, SIGNATURE, "incident.r1.json"])
def test_no_link_stands_for_a_file(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / "moved")
    (folder / name).symlink_to(tmp_path / "moved")
    assert not verify(folder).is_intact
    (folder / name).unlink()
    (folder / name).mkdir()
    assert not verify(folder).is_intact


def test_a_record_that_is_a_link_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / RECORD).rename(tmp_path / "moved")
    (folder / RECORD).symlink_to(tmp_path / "moved")
    with pytest.raises(BadInput, match=r"'incident.json' is a link"):
        verify(folder)


WRONG: list[object] = [None, True, -1, 1.5, 10**30, "", "x", [], [5], {}, {"a": 1}]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every value of a JSON document, by the way to it."""
    yield path
    for key in value if isinstance(value, dict) else range(len(value)):
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*path, key))
        else:
            yield (*path, key)


def test_whatever_shape_is_wrong_ends_in_a_sentence(folder: Path) -> None:
    text = (folder / RECORD).read_text()
    for path in list(places(json.loads(text)))[1:]:
        for wrong in WRONG:
            said = json.loads(text)
            at = said
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = wrong
            (folder / RECORD).write_text(json.dumps(said))
            try:
                found = verify(folder)
            except BadInput as error:
                assert str(error).startswith("incident.json ")  # noqa: PT017
            else:
                assert found.faults or json.loads(text) == said


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
@pytest.mark.parametrize("where", ["written", "opened", "start"])
def test_an_instant_without_a_local_time_ends_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], at: str, where: str
) -> None:
    """So one record does not keep the others below a root from being checked."""
    other = shutil.copytree(folder, folder.parent / "other")
    said = said_of(folder)
    incident = said["incident"]
    {"written": said, "opened": incident, "start": incident["clips"][0]}[where][
        where
    ] = at
    (folder / RECORD).write_text(json.dumps(said))
    assert run(["verify", str(folder), str(other), "--anywhere"]) == 2
    told = capsys.readouterr()
    assert f"{where}` is not as evidenced writes it" in told.err
    assert re.search(f"^intact +{other}: ", told.out, re.MULTILINE)
    assert f"error: {folder}: " in told.err


@pytest.mark.parametrize("values", [b"[],", b"{},", b"1,"])
def test_a_record_of_nothing_but_brackets_takes_no_memory(
    folder: Path, values: bytes
) -> None:
    """Whoever can write the share wants a program that checks it to be killed."""
    much = b'{"files": [' + values * 9_000_000 + b"1]}"
    (folder / RECORD).write_bytes(much)
    tracemalloc.start()
    with pytest.raises(BadInput, match="has more values than evidenced writes"):
        verify(folder)
    assert origin_of(RecordPlace(root=folder, names=())) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * len(much)


def test_everything_below_a_root_is_found(folder: Path, ours: Demand) -> None:
    root = folder.parent
    shutil.copytree(folder, root / "2026" / "x" / "i1")
    (root / "no-record").mkdir()
    (root / "no-record" / "a").touch()
    (root / "2026" / ".marker").touch()
    (root / "link").symlink_to(folder)
    (root / "broken").mkdir()
    (root / "broken" / RECORD).write_text("{}")
    found = sweep([root])
    copied, broken, ours_is = check_all(found.places, ours, lambda _: None)
    assert isinstance(copied, Finding)
    assert copied.folder == root / "2026" / "x" / "i1"
    assert copied.is_intact
    assert isinstance(broken, Unread)
    assert "is no evidence record" in broken.why
    assert isinstance(ours_is, Finding)
    assert ours_is.is_intact
    assert found.without == [root / "no-record"]
    assert found.faults == [f"{root / 'link'} is a link, and no link is followed"]
    assert sweep([root / "link"]).faults == [
        f"{root / 'link'} is a link, and no link is followed: name {folder}"
    ]
    assert "there is no folder" in sweep([root / "gone"]).faults[0]
    assert "nor does any folder below it" in sweep([root / "no-record"]).faults[0]


def test_what_cannot_be_entered_hides_nothing_else(folder: Path) -> None:
    deep = folder.parent / "a"
    for _ in range(40):
        deep = deep / "a"
    deep.mkdir(parents=True)
    found = sweep([folder.parent])
    assert [place.folder for place in found.places] == [folder]
    assert "is nested deeper than any export" in found.faults[0]


def test_the_page_counts(folder: Path) -> None:
    assert sha256((folder / PAGE).read_bytes()).hexdigest() == said_of(folder)["page"]
    (folder / PAGE).write_bytes(b"nothing happened")
    assert verify(folder).altered == [PAGE]
