"""`evidenced verify`, `keygen`, and what `audit verify` says of evidence records."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evidenced.cli.main import run
from evidenced.core.keeping.evidence import RECORD
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.evidence import EvidenceBench
from fakes.world import TOML


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def recorded(
    store: SqlStore, tmp_path: Path, key: str | None = None
) -> EvidenceBench:
    bench = EvidenceBench(store, tmp_path / "share", key=key)
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go(2)
    return bench


async def test_an_intact_folder_and_an_altered_one(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keygen", str(tmp_path / "key"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    bench = await recorded(store, tmp_path, (tmp_path / "key").read_text())
    public = tmp_path / "key.pub"
    public.write_text(made["pem"])
    assert run(["verify", str(bench.folder), "--key", str(public)]) == 0
    out = capsys.readouterr().out
    assert f"good, by the expected key {made['key']}" in out
    assert "intact: 2 files, 9 bytes" in out
    assert run(["keygen", str(tmp_path / "other")]) == 0
    other = capsys.readouterr().out.split("public key")[1].split()[0]
    assert run(["verify", str(bench.folder), "--key", other]) == 1
    err = capsys.readouterr().err
    assert "nothing is altered, but key" in err
    (bench.folder / "a").write_bytes(b"vide0")
    (bench.folder / "c").touch()
    assert run(["verify", str(bench.folder), "--key", made["public_key"]]) == 1
    err = capsys.readouterr().err
    assert re.search(r"altered: a \(recorded: \d bytes, SHA-256 [0-9a-f]{64}\)", err)
    assert "added: c\n" in err
    assert run(["verify", str(bench.folder), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["intact"], said["altered"], said["added"]) == (False, ["a"], ["c"])


async def test_what_cannot_be_read_is_2(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(tmp_path)]) == 2
    assert "holds no incident.json" in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    bench = await recorded(store, tmp_path)
    assert run(["verify", str(bench.folder), "--key", "short"]) == 2
    said = json.loads((bench.folder / RECORD).read_bytes())
    for damage in (
        *(b"", b"[]", b'{"format": "evidenced-record"}', b"\xff" * 9),
        *(json.dumps(said | {"others": each}).encode() for each in (5, None, "x")),
    ):
        (bench.folder / RECORD).write_bytes(damage)
        assert run(["verify", str(bench.folder)]) == 2
        assert "no evidence record, or it is damaged" in capsys.readouterr().err


async def test_what_it_is_is_said_before_how_it_is(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = await recorded(store, tmp_path)
    said = json.loads((bench.folder / RECORD).read_bytes())
    said |= {"zone": {"name": "Europe/Amsterdam"}, "site": "Bakker, Haarlem"}
    (bench.folder / RECORD).write_text(json.dumps(said))
    assert run(["verify", str(bench.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(f"site Bakker, Haarlem ({said['instance']}): ")
    clip = said["incident"]["clips"][0]
    assert lines[2] == (
        f"{clip['label']}: Mon 23 Nov 2026 12:59:30 to 13:02:00 CET (11:59:30 to "
        "12:02:00 UTC), exported"
    )


async def test_many_folders_have_a_line_each_and_a_summary(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = await recorded(store, tmp_path)
    root = str(bench.mount)
    (bench.folder / "Thumbs.db").touch()
    assert run(["verify", root, str(bench.folder)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == out[1]
    assert out[0].startswith(f"intact  {bench.folder}: ")
    assert out[0].endswith("; 2 files, 9 bytes; beside it Thumbs.db")
    assert out[2] == "2 folders: 2 intact; 4 files, 18 bytes"
    (bench.mount / "i2").mkdir()
    (bench.mount / "i2" / RECORD).write_text("{}")
    (bench.mount / "i3").mkdir()
    (bench.mount / "i3" / "a").touch()
    assert run(["verify", root]) == 2
    told = capsys.readouterr()
    assert "2 folders: 1 intact, 1 unreadable" in told.out
    assert f"{bench.mount}/i3 holds files, and neither it" in told.err
    (bench.folder / "a").unlink()
    assert run(["verify", root]) == 1
    told = capsys.readouterr()
    assert f"ALTERED {bench.folder}" in told.out
    assert f"{bench.folder}: missing: a" in told.err
    assert run(["verify", root, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["intact"] is False
    assert [each["missing"] for each in said["records"]] == [["a"]]
    assert "is no evidence record" in said["unreadable"][0]
    assert said["without_record"] == [f"{bench.mount}/i3"]


def test_a_key_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key"
    assert run(["keygen", str(file)]) == 0
    out = capsys.readouterr().out
    before = file.read_bytes()
    assert "BEGIN PUBLIC KEY" in out
    assert "PRIVATE" not in out
    assert run(["keygen", str(file)]) == 2
    assert file.read_bytes() == before


async def test_audit_verify_checks_the_records_that_the_chain_names(
    store: SqlStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = await recorded(store, tmp_path)
    config = tmp_path / "evidenced.toml"
    text = TOML.format(
        destination=f'mount = "{bench.mount}"\nmarker = ".share"', cameras='"lobby"'
    )
    config.write_text(f'{text}\n[daemon]\nstate_dir = "{tmp_path}/state"\n')
    assert run(["audit", "verify", "-c", str(config)]) == 0
    assert "intact: 1 evidence records" in capsys.readouterr().out
    (bench.folder / "b").unlink()
    assert run(["audit", "verify", "-c", str(config)]) == 1
    assert f"{bench.folder}: missing: b" in capsys.readouterr().err
    assert run(["audit", "verify", "-c", str(config), "--no-footage"]) == 0
    elsewhere = bench.folder.rename(tmp_path / "elsewhere")
    bench.folder.symlink_to(elsewhere)
    assert run(["audit", "verify", "-c", str(config)]) == 1
    assert "'i1' is a link, and no link is followed" in capsys.readouterr().err
    bench.folder.unlink()
    elsewhere.rename(bench.folder)
    (bench.folder / RECORD).write_bytes(
        (bench.folder / RECORD).read_bytes().replace(b"i1", b"i2")
    )
    capsys.readouterr()
    assert run(["audit", "verify", "-c", str(config), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["intact"] is False
    assert "is not the one that the audit chain names" in said["footage"][0]


@pytest.mark.parametrize("is_mounted", [True, False])
async def test_the_evidence_of_an_incident_is_handed_on(
    store: SqlStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    is_mounted: bool,
) -> None:
    bench = EvidenceBench(store, tmp_path / "share", is_mounted=is_mounted)
    bench.put(a=b"video")
    await bench.export_it()
    config = tmp_path / "evidenced.toml"
    mount = f'mount = "{bench.mount}"\nmarker = ".share"' if is_mounted else ""
    text = TOML.format(destination=mount, cameras='"lobby"')
    config.write_text(f'{text}\n[daemon]\nstate_dir = "{tmp_path}/state"\n')
    arguments = ["incidents", "export", "i1", str(tmp_path / "usb"), "-c", str(config)]
    assert run(arguments) == 1
    assert "not written yet" in capsys.readouterr().err
    await bench.go(2)
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert ("the footage is at the recorder" in out) is not is_mounted
    assert (tmp_path / "usb" / "i1" / "a").exists() is is_mounted
    assert run(["verify", str(tmp_path / "usb")]) == 0
    assert run(arguments) == 2
    assert "nothing is written over" in capsys.readouterr().err
    arguments[2] = "i2"
    assert run(arguments) == 1
    capsys.readouterr()
    assert run(["audit", "verify", "-c", str(config)]) == 0
    assert "intact: 1 evidence records" in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "state" / "evidenced.sqlite3")) as database:
        database.execute("DELETE FROM papers")
        database.commit()
    assert run(["audit", "verify", "-c", str(config)]) == (0 if is_mounted else 1)


def test_no_name_is_a_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in (str(tmp_path / "loop"), "9" * 5000, str(tmp_path / ("x" * 300)), ""):
        assert run(["verify", name]) == 2
        assert "a fault in evidenced" not in capsys.readouterr().err
        config = tmp_path / "evidenced.toml"
        config.write_text(f"[daemon]\nstate_dir = '{tmp_path / 'state'}'\n")
        assert run(["restore", name, "-c", str(config)]) in {1, 2}
        assert "a fault in evidenced" not in capsys.readouterr().err
