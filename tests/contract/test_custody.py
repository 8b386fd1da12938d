"""Old footage is disposed of: what was recorded, unaltered, and not held."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.cli.main import run
from evidenced.core.errors import BadInput, NotFound, Refused, StoreError
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Event
from evidenced.core.keeping.evidence import DISPOSAL, RECORD, SIGNED
from evidenced.core.keeping.footage import FootageState, depicted_of
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.place import Place
from evidenced.core.telling.judgement import Matter
from evidenced.core.telling.notice import NoticeKind, notice_of
from evidenced.core.telling.objects import incident_object
from evidenced.core.telling.sentences import sentence
from evidenced.core.telling.statement import statement
from evidenced.core.telling.verdict import verdict
from evidenced.evidence import ShareFolders
from evidenced.evidence.signature import Signer, make_key, read_public_key
from evidenced.evidence.verify import Demand, verify
from evidenced.pipeline.hashing import Comparison
from evidenced.store import SqlStore, StoreSettings, database_of, open_store
from evidenced.store.audit import verify_store
from evidenced.store.retrace import differences
from evidenced.store.testimony import recorded_folders
from fakes.custody import KEEP, CustodyBench
from fakes.incident import t

DAY = timedelta(days=1)
RETAIN = timedelta(days=90)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
async def bench(store: SqlStore, tmp_path: Path) -> CustodyBench:
    """Two files of footage, recorded, not old yet."""
    bench = CustodyBench(store, tmp_path / "share")
    await bench.record_it(a=b"video", b=b"more")
    return bench


async def test_footage_goes_when_it_is_old_enough_and_its_record_stays(
    bench: CustodyBench, tmp_path: Path
) -> None:
    await bench.age(KEEP - 2 * DAY)
    assert await bench.look() == 0
    assert bench.left() == ["a", "b"]
    await bench.age(3 * DAY)
    assert await bench.look() == 1
    assert bench.left() == []
    assert (bench.folder / RECORD).exists()
    footage = await bench.footage()
    assert footage.state is FootageState.DISPOSED
    *_, entry = (await bench.dossier()).history
    assert (entry.event, entry.detail["files"]) == (Event.DISPOSED, 2)
    assert entry.detail["rule"] == "destinations.nas.keep = 180 d"
    [said] = incident_object(await bench.dossier())["footage"]  # type: ignore[misc]
    assert said["state"] == "disposed"  # type: ignore[index]

    found = verify(bench.folder)
    assert found.is_intact
    assert found.disposal is not None
    assert "by rule: destinations.nas.keep = 180 d" in found.disposal.words
    assert found.gone == ["a", "b"]
    database = database_of(StoreSettings(directory=tmp_path / "state"))
    [folder] = recorded_folders(database)
    assert verify(bench.folder, demand=Demand(disposal=folder.statement)).is_intact
    assert verify_store(database).fault is None
    assert differences(database) == []
    assert await bench.look() == 0


async def test_verify_and_audit_verify_say_what_went_and_by_which_rule(
    bench: CustodyBench, capsys: pytest.CaptureFixture[str]
) -> None:
    await bench.age()
    await bench.look()
    assert run(["verify", str(bench.folder)]) == 0
    said = capsys.readouterr().out
    assert "by rule: destinations.nas.keep = 180 d: 2 files" in said
    audit = ["audit", "verify", "-c", str(bench.config_file())]
    assert run(audit) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"{bench.incident.id}: {bench.export.path} disposed of on " in said
    (bench.folder / DISPOSAL).write_bytes(b"{}")
    assert run(audit) == 1
    assert "is no statement of a disposal" in capsys.readouterr().err


async def test_what_the_chain_does_not_know_to_be_disposed_of_is_missing(
    bench: CustodyBench, capsys: pytest.CaptureFixture[str]
) -> None:
    footage = await bench.footage()
    (bench.folder / "a").unlink()
    said = statement(replace(footage, by="rule"), "site-1", ["a"], "", t("12:00"))
    (bench.folder / DISPOSAL).write_bytes(said)
    assert run(["audit", "verify", "-c", str(bench.config_file())]) == 1
    said_of_it = capsys.readouterr().err
    assert "is not what the audit chain names" in said_of_it
    assert "missing: a" in said_of_it


async def test_what_is_held_stays_and_goes_when_it_is_released(
    bench: CustodyBench,
) -> None:
    await bench.operate.hold(bench.incident.id, "anna", "police")
    await bench.age()
    assert await bench.look() == 0
    assert bench.left() == ["a", "b"]
    await bench.operate.release(bench.incident.id, "anna", "closed")
    assert await bench.look() == 1
    assert bench.left() == []


async def test_who_holds_it_while_it_is_hashed_keeps_it(
    bench: CustodyBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparer = bench.custody._comparer
    compare = comparer.compare

    async def held_meanwhile(place: Place, record: str) -> Comparison:
        found = await compare(place, record)
        await bench.operate.hold(bench.incident.id, "anna", "police")
        return found

    monkeypatch.setattr(comparer, "compare", held_meanwhile)
    await bench.age()
    assert await bench.look() > 0
    assert bench.left() == ["a", "b"]


async def test_it_goes_after_its_incident_was_pruned(
    bench: CustodyBench, store: SqlStore
) -> None:
    now = bench.clock.now() + DAY
    assert await store.write(lambda tx: tx.past.prune(now, now + RETAIN, 9))
    await bench.age()
    assert await bench.look() == 1
    assert bench.left() == []
    assert verify(bench.folder).disposal is not None
    later = bench.clock.now() + RETAIN
    await store.write(lambda tx: tx.past.prune(later, later, 9))
    known = await store.read(lambda view: view.footage.of([bench.incident.id]))
    assert known == []


async def test_what_was_altered_or_added_or_is_a_link_is_never_deleted(
    bench: CustodyBench, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"video")
    (bench.folder / "a").unlink()
    (bench.folder / "a").symlink_to(outside)
    (bench.folder / "mine").write_bytes(b"notes")
    await bench.age()
    assert await bench.look() == 1
    assert bench.left() == ["a", "b", "mine"]
    assert (await bench.footage()).state is FootageState.KEPT
    assert outside.read_bytes() == b"video"
    assert "footage is not what was recorded" in bench.log.events("warning")
    assert await bench.look() == 0  # not before a while

    (bench.folder / "a").unlink()
    (bench.folder / "a").write_bytes(b"video")
    await bench.age(DAY)
    assert await bench.look() == 1
    assert bench.left() == ["mine"]


async def test_a_folder_that_is_a_link_is_not_entered(
    bench: CustodyBench, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    bench.folder.rename(elsewhere)
    bench.folder.symlink_to(elsewhere)
    await bench.age()
    assert await bench.look() == 1
    assert (elsewhere / "a").exists()


async def test_a_share_that_is_away_means_later(bench: CustodyBench) -> None:
    (bench.mount / ".share").unlink()
    await bench.age()
    assert await bench.look() == 1
    assert bench.left() == ["a", "b"]
    (bench.mount / ".share").touch()
    await bench.age(DAY)
    assert await bench.look() == 1
    assert bench.left() == []


async def test_a_clock_that_was_just_set_deletes_nothing(bench: CustodyBench) -> None:
    bench.clock.jump(2 * KEEP)
    assert await bench.look() == 0
    assert bench.left() == ["a", "b"]


class Killed(StoreError):  # noqa: N818 - no error, an end
    """What no loop survives."""


class DyingFolders(ShareFolders):
    """The daemon is killed at a step, which may be half done."""

    def __init__(self, after: str) -> None:
        self.after = after

    @override
    def remove(self, place: Place, files: object) -> list[str]:
        assert isinstance(files, tuple)
        done = super().remove(place, files[:1])
        if self.after == "a file":
            raise Killed
        return [*done, *super().remove(place, files[1:])]

    @override
    def put(self, place: Place, files: object) -> None:
        assert isinstance(files, dict)
        if self.after == "all files":
            raise Killed
        super().put(place, files)
        if self.after == "the statement":
            raise Killed


@pytest.mark.parametrize("after", ["a file", "all files", "the statement"])
async def test_a_crash_goes_on_where_it_was(bench: CustodyBench, after: str) -> None:
    dying = replace(bench.desk, folders=DyingFolders(after))
    bench.custody._desk = bench.custody._statements._desk = dying
    await bench.age()
    with pytest.raises(Killed):
        await bench.custody.once()
    assert (await bench.footage()).state is FootageState.DISPOSING
    with pytest.raises(Refused, match="is being disposed of by age right now"):
        await bench.operate.hold(bench.incident.id, "anna", "too late")
    bench.custody._desk = bench.custody._statements._desk = bench.desk
    assert await bench.look() == 1
    assert bench.left() == []
    assert (await bench.footage()).state is FootageState.DISPOSED
    assert (await bench.events()).count(Event.DISPOSED) == 1
    assert verify(bench.folder).gone == ["a", "b"]


async def test_what_says_so_is_signed_and_no_other_counts(
    store: SqlStore, tmp_path: Path
) -> None:
    made = make_key(tmp_path / "key")
    public = read_public_key(made.public_key)
    bench = CustodyBench(store, tmp_path / "share", key=(tmp_path / "key").read_text())
    await bench.record_it(a=b"video")
    await bench.age()
    await bench.look()
    assert verify(bench.folder, demand=Demand(keys=(public,))).is_intact

    file, signed = bench.folder / DISPOSAL, bench.folder / (DISPOSAL + SIGNED)
    ours, stranger = file.read_bytes(), make_key(tmp_path / "stranger")
    theirs = json.dumps(json.loads(ours) | {"signed_by": stranger.key}).encode()
    file.write_bytes(theirs)
    good = signed.read_bytes()
    signed.write_bytes(Signer((tmp_path / "stranger").read_text).sign(theirs) or b"")
    found = verify(bench.folder)
    [doubt] = found.doubts
    assert f"is signed by key {stranger.key} and incident.json by key" in doubt
    assert (found.is_intact, found.is_unaltered) == (False, True)
    theirs_too = (public, read_public_key(stranger.public_key))
    assert verify(bench.folder, demand=Demand(keys=theirs_too)).is_intact
    assert (found.gone, found.missing) == (["a"], [])
    found = verify(bench.folder, demand=Demand(keys=(public,)))
    assert (found.is_unaltered, found.missing) == (False, ["a"])
    named = Demand(disposal=sha256(theirs).hexdigest())  # by the key of its own time
    assert verify(bench.folder, demand=named).is_intact
    file.write_bytes(ours)
    signed.write_bytes(good)

    (bench.folder / (DISPOSAL + SIGNED)).unlink()
    assert "is not signed" in verify(bench.folder).faults[0]
    assert verify(bench.folder).missing == ["a"]


async def test_a_statement_that_somebody_wrote_is_named(bench: CustodyBench) -> None:
    await bench.age()
    await bench.look()
    file = bench.folder / DISPOSAL
    said = json.loads(file.read_bytes())
    for wrong, why in (
        (b"{}", "its `format` is another"),
        (b"[", "it is no JSON"),
        (json.dumps(said | {"record": "0" * 64}).encode(), "is about another record"),
        (json.dumps(said | {"files": [1]}).encode(), "its `files` is not as"),
    ):
        file.write_bytes(wrong)
        found = verify(bench.folder)
        assert why in found.faults[0]
        assert found.missing == ["a", "b"]
    file.unlink()
    found = verify(bench.folder, demand=Demand(disposal="1" * 64))
    assert found.missing == [DISPOSAL, "a", "b"]


async def test_another_export_of_it_is_recorded_without_what_went(
    bench: CustodyBench,
) -> None:
    await bench.age()
    await bench.look()
    await bench.operate.record(bench.incident.id, "anna")
    await bench.go(3)
    record = await bench.record()
    assert (record.state, record.due_at) == ("written", None)


async def test_what_people_deleted_is_told_by_them(
    bench: CustodyBench, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused, match="all 2 files still lie in"):
        await bench.by_hand.became(bench.incident.id, "", "asked for", "anna")
    (bench.folder / "a").unlink()
    [after] = await bench.by_hand.became(bench.incident.id, "", "asked for", "anna")
    assert (after.state, after.by) == (FootageState.DISPOSED, "anna")
    *_, entry = (await bench.dossier()).history
    assert (entry.event, entry.detail["by"]) == (Event.DISPOSED, "anna")
    assert run(["verify", str(bench.folder)]) == 0
    said = capsys.readouterr().out
    assert "says anna: asked for: 1 files; 1 are still here" in said
    assert run(["audit", "verify", "-c", str(bench.config_file())]) == 0
    assert "disposed of on " in capsys.readouterr().out
    with pytest.raises(Refused, match="was disposed of on"):
        await bench.by_hand.became(bench.incident.id, "", "again", "anna")
    await bench.age()
    assert await bench.look() == 0


async def test_what_people_moved_is_not_looked_for(
    bench: CustodyBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.folder.rename(tmp_path / "vault")
    audit = ["audit", "verify", "-c", str(bench.config_file())]
    assert run(audit) == 1
    [after] = await bench.by_hand.became(bench.incident.id, "vault 3", "", "anna")
    assert (after.state, after.place) == (FootageState.MOVED, "vault 3")
    assert (await bench.events())[-1] == Event.MOVED
    capsys.readouterr()
    assert run(audit) == 0
    assert "moved to vault 3 on " in capsys.readouterr().out
    with pytest.raises(NotFound, match="no footage of incident"):
        await bench.by_hand.became(IncidentId("nobody"), "x", "", "anna")
    with pytest.raises(BadInput, match="at most 300 characters"):
        await bench.by_hand.became(bench.incident.id, "x\ny", "", "anna")


RECHECK = 'hash_rate = 0\nrecheck = "30d"'


async def verified(bench: CustodyBench) -> object:
    return incident_object(await bench.dossier())["verified"]


async def test_what_is_altered_later_is_found_and_is_a_loss_until_it_is_acknowledged(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = CustodyBench(
        store, tmp_path / "share", destination='marker = ".share"', evidence=RECHECK
    )
    await bench.record_it(a=b"video", b=b"more")
    await bench.age(29 * DAY)
    assert await bench.look() == 0
    (bench.folder / "a").write_bytes(b"vIdeo")
    await bench.age(DAY)
    assert await bench.look() == 1
    assert (await bench.events())[-1] == Event.ALTERED
    assert await verified(bench) == "altered"
    [loss] = await store.read(lambda view: view.losses.open(9))
    assert (loss.incident, loss.kind) == (bench.incident.id, LossKind.ALTERED)
    assert "a file is altered: a" in loss.text
    entry = (await bench.dossier()).history[-1]
    notice = notice_of(entry, None, {})
    assert notice is not None
    assert (notice.kind, notice.subject) == (NoticeKind.ALTERED, "nas")
    found = await store.read(lambda view: view.facts.read(None, t("12:00"), UTC))
    assert Matter.ALTERED in {each.matter for each in verdict(found).causes}
    await bench.operate.acknowledge(bench.incident.id, "police has it", "anna")
    assert await store.read(lambda view: view.losses.open(9)) == []

    await bench.age(31 * DAY)  # the same is no news, and stays acknowledged
    assert await bench.look() == 1
    assert (await bench.events()).count(Event.ALTERED) == 1
    assert await store.read(lambda view: view.losses.open(9)) == []

    (bench.folder / "a").write_bytes(b"video")
    await bench.age(31 * DAY)
    assert await bench.look() == 1
    assert (await bench.events())[-1] == Event.WHOLE
    assert await verified(bench) == "recorded"


async def test_what_was_put_right_before_it_was_looked_at_is_not_seen(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = CustodyBench(
        store, tmp_path / "share", destination='marker = ".share"', evidence=RECHECK
    )
    await bench.record_it(a=b"video")
    (bench.folder / "a").write_bytes(b"other")
    await bench.age(29 * DAY)
    assert await bench.look() == 0
    (bench.folder / "a").write_bytes(b"video")
    await bench.age(2 * DAY)
    assert await bench.look() == 1
    assert Event.ALTERED not in await bench.events()


async def test_what_a_pruned_incident_has_lost_can_be_acknowledged(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = CustodyBench(
        store, tmp_path / "share", destination='marker = ".share"', evidence=RECHECK
    )
    await bench.record_it(a=b"video")
    now, name = bench.clock.now() + DAY, bench.incident.id
    assert await store.write(lambda tx: tx.past.prune(now, now + RETAIN, 9)) == [name]
    with pytest.raises(NotFound):
        await bench.operate.acknowledge(name, "nothing yet", "anna")
    (bench.folder / "a").write_bytes(b"vIdeo")
    await bench.age(31 * DAY)
    assert await bench.look() == 1
    [loss] = await store.read(lambda view: view.losses.open(9))
    known = await bench.operate.acknowledge(name, "police has it", "anna")
    assert known.acknowledged is not None
    assert (known.kind, known.acknowledged.by) == (loss.kind, "anna")
    assert await store.read(lambda view: view.losses.open(9)) == []
    *_, entry = await store.read(lambda view: view.history.of(name))
    assert (entry.event, entry.detail["comment"]) == ("acknowledged", "police has it")


async def test_who_holds_what_went_in_part_is_told_so(bench: CustodyBench) -> None:
    (bench.folder / "a").unlink()
    await bench.by_hand.became(bench.incident.id, "", "asked for", "ben")
    await bench.operate.hold(bench.incident.id, "anna", "police")
    *_, entry = (await bench.dossier()).history
    assert entry.detail["gone"] == [bench.export.path]
    assert sentence(entry, UTC) == (
        "anna holds it: nothing of it is taken away: police; the footage in 1 folder "
        "of it went before"
    )


async def test_footage_that_is_gone_is_a_loss_and_a_share_that_is_away_is_none(
    store: SqlStore, tmp_path: Path
) -> None:
    bench = CustodyBench(
        store, tmp_path / "share", destination='marker = ".share"', evidence=RECHECK
    )
    await bench.record_it(a=b"video")
    await bench.age(31 * DAY)
    bench.mount.rename(tmp_path / "away")
    bench.mount.mkdir()
    assert await bench.look() == 1
    assert await store.read(lambda view: view.losses.open(9)) == []
    [told] = bench.custody.problems.values()  # and people hear that it cannot be known
    assert "cannot be hashed again" in told
    bench.mount.rmdir()
    (tmp_path / "away").rename(bench.mount)
    bench.folder.rename(tmp_path / "elsewhere")
    await bench.age(DAY)
    assert await bench.look() == 1
    [loss] = await store.read(lambda view: view.losses.open(9))
    assert "holds no incident.json any more" in loss.text
    assert bench.custody.problems == {}
    await bench.by_hand.became(bench.incident.id, "vault 3", "", "anna")
    assert await store.read(lambda view: view.losses.open(9)) == []


async def test_the_root_has_an_index_of_what_lies_there(
    bench: CustodyBench, store: SqlStore
) -> None:
    evil = depicted_of(bench.incident)
    evil = replace(evil, summary="<script>alert(1)</script>", cameras=("A & B",))
    hostile = replace(await bench.footage(), depicted=evil)
    await store.write(lambda tx: tx.footage.save([hostile]))
    await bench.custody.index.keep()
    page = (bench.mount / "index.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert f'href="./{bench.folder.name}/incident.html"' in page
    [said] = json.loads((bench.mount / "index.json").read_bytes())["folders"]
    assert (said["folder"], said["state"]) == (bench.folder.name, "kept")

    now = bench.clock.now() + DAY
    await store.write(lambda tx: tx.past.prune(now, now + RETAIN, 9))
    await bench.age()
    await bench.look()
    await bench.custody.index.keep()
    [said] = json.loads((bench.mount / "index.json").read_bytes())["folders"]
    assert (said["state"], said["became"][:11]) == ("disposed", "disposed of")


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("index.html", b"<h1>ours</h1>"),
        ("index.json", b"[]"),
        ("index.json", b'{"format": "evidenced-index", "instance": "other"}'),
    ],
)
async def test_an_index_of_somebody_else_stays(
    bench: CustodyBench, name: str, theirs: bytes
) -> None:
    (bench.mount / name).write_bytes(theirs)
    await bench.custody.index.keep()
    assert (bench.mount / name).read_bytes() == theirs
    instance = bench.world.site.instance
    assert (bench.mount / f"index-{instance}.html").exists()
