"""Incidents are taken into the store again out of their records on a share."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from evidenced.cli.main import run
from evidenced.core.errors import BadInput, EvidencedError, NotFound, Refused
from evidenced.core.ids import DestinationName, IncidentId, RecorderName
from evidenced.core.incidents.history import Event
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping.evidence import RECORD, SIGNATURE
from evidenced.core.keeping.footage import FootageState
from evidenced.core.keeping.importing import GRACE, ImportOrder, TakenIn
from evidenced.core.telling.notice import notice_of
from evidenced.core.telling.objects import incident_object
from evidenced.evidence.records import sweep
from evidenced.evidence.signature import Signer, make_key, read_public_key
from evidenced.evidence.verify import verify
from evidenced.pipeline.importing import Importing
from evidenced.store import SqlStore, StoreSettings, database_of, open_store
from evidenced.store.audit import verify_store
from evidenced.store.retrace import differences
from evidenced.store.testimony import recorded_folders
from fakes.custody import KEEP, CustodyBench

DAY = timedelta(days=1)
RETAIN = timedelta(days=90)
NAS = DestinationName("nas")


@pytest.fixture
def key(tmp_path: Path) -> str:
    make_key(tmp_path / "key")
    return (tmp_path / "key").read_text()


@pytest.fixture
async def share(tmp_path: Path, key: str) -> Path:
    """What a store that is gone has left on a share: one folder with its record."""
    store = open_store(StoreSettings(directory=tmp_path / "gone"))
    bench = CustodyBench(store, tmp_path / "share", key=key)
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.picture_it()
    await bench.go(2)
    store.close()
    return tmp_path / "share"


class Here(CustodyBench):
    """A store that knows nothing, with that share."""

    def __init__(self, store: SqlStore, mount: Path, key: str | None) -> None:
        super().__init__(store, mount, key=key)
        self.clock.advance(DAY)
        self.importing = Importing(
            self.world, self.shares, self.desk, self.agenda, lambda: RETAIN
        )

    def order(self, **changes: Any) -> ImportOrder:
        record = sha256((self.folder / RECORD).read_bytes()).hexdigest()
        made = ImportOrder(destination=NAS, way=(self.folder.name,), record=record)
        return replace(made, **changes)

    async def take(self, **changes: Any) -> TakenIn:
        return await self.importing.take_in(self.order(**changes), "anna")

    def rewrite(self, key: str | None, change: Any) -> None:
        """Somebody with that key writes another record."""
        value = json.loads((self.folder / RECORD).read_bytes())
        change(value)
        signer = Signer((lambda: key) if key else None)
        value["signed_by"] = signer.key() or None
        data = json.dumps(value).encode()
        (self.folder / RECORD).write_bytes(data)
        signed = signer.sign(data)
        (self.folder / SIGNATURE).unlink(missing_ok=True)
        if signed:
            (self.folder / SIGNATURE).write_bytes(signed)


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[SqlStore]:
    made = open_store(settings)
    yield made
    made.close()


@pytest.fixture
def here(store: SqlStore, share: Path, key: str) -> Here:
    return Here(store, share, key)


async def test_a_new_store_has_the_incident_again(
    here: Here, settings: StoreSettings
) -> None:
    taken = await here.take()
    assert taken.is_new
    assert taken.kept_until == here.clock.now() + RETAIN
    dossier = await here.dossier()
    incident = dossier.incident
    assert incident.id == here.incident.id == taken.incident
    assert incident.state is IncidentState.EXPORTED
    assert incident.imported_at == incident.finished_at == here.clock.now()
    assert [alarm.payload for alarm in dossier.alarms] == [b'\xff{"state": "active"}']
    assert [export.path for export in dossier.exports] == [here.export.path]
    shown = incident_object(dossier)
    assert (shown["imported"], shown["verified"]) == (shown["finished"], "recorded")
    [entry] = dossier.history
    assert entry.event == Event.IMPORTED
    assert (
        entry.detail["record"]
        == sha256((here.folder / RECORD).read_bytes()).hexdigest()
    )
    assert entry.detail["by"] == "anna"
    assert notice_of(entry, incident, {}) is None

    database = database_of(settings)
    assert verify_store(database).fault is None
    assert differences(database) == []
    [folder] = recorded_folders(database)
    assert folder.sha256 == entry.detail["record"]
    assert dossier.record.folders[0].sha256 == folder.sha256
    waiting = here.store.read(lambda view: view.queue.next_due(RecorderName("main")))
    assert await waiting is None


async def test_its_pictures_come_back_with_it(here: Here) -> None:
    await here.take()
    stills = (await here.dossier()).stills
    assert [(each.state, each.due_at) for each in stills] == 3 * [("kept", None)]
    for each in stills:
        n = each.n
        data = await here.store.read(
            lambda view, n=n: view.stills.picture(here.incident.id, n)  # type: ignore[misc]
        )
        assert data == (here.folder / each.file).read_bytes()


async def test_it_may_be_repeated(here: Here) -> None:
    await here.take()
    head = await here.store.read(lambda view: view.history.head())
    again = await here.take()
    assert not again.is_new
    assert await here.store.read(lambda view: view.history.head()) == head


async def test_nothing_is_asked_for_it_anew(here: Here) -> None:
    await here.take()
    name = here.incident.id
    for again in (
        here.operate.retry(name, "anna", again=True),
        here.operate.record(name, "anna"),
    ):
        with pytest.raises(Refused, match="was imported from its record on"):
            await again
    with pytest.raises(Refused, match="nothing to cancel"):
        await here.operate.cancel(name, "anna")
    await here.operate.hold(name, "anna", "police")


async def test_it_is_pruned_when_it_was_kept_as_long_as_any(here: Here) -> None:
    await here.take()

    async def prune() -> list[IncidentId]:
        now = here.clock.now()
        return await here.store.write(lambda tx: tx.past.prune(now - RETAIN, now, 9))

    here.clock.advance(RETAIN - DAY)
    assert await prune() == []
    here.clock.advance(2 * DAY)
    assert await prune() == [here.incident.id]
    taken = await here.take()  # its folder's row has outlived it
    assert taken.is_new
    assert (await here.dossier()).history[-1].event == Event.IMPORTED


async def test_footage_that_is_old_stays_long_enough_to_be_held(here: Here) -> None:
    await here.age(KEEP)
    taken = await here.take()
    assert taken.stays_until == here.clock.now() + GRACE
    await here.age(GRACE - DAY)
    assert await here.look() == 0
    await here.age(2 * DAY)
    assert await here.look() == 1
    assert here.left() == []
    assert (await here.footage()).state is FootageState.DISPOSED


async def test_what_is_disposed_of_is_known_to_be(
    here: Here, tmp_path: Path, key: str
) -> None:
    await here.take()
    await here.age(KEEP)
    await here.look()
    other = open_store(StoreSettings(directory=tmp_path / "third"))
    third = Here(other, here.mount, key)
    await third.take()
    footage = await third.footage()
    assert footage.state is FootageState.DISPOSED
    assert footage.comment == "destinations.nas.keep = 180 d"
    database = database_of(StoreSettings(directory=tmp_path / "third"))
    [folder] = recorded_folders(database)
    assert folder.fate
    assert differences(database) == []
    other.close()


async def test_what_was_held_is_held(here: Here, key: str) -> None:
    held = {"at": "2026-11-23T12:00:00.000Z", "by": "ben", "comment": "case 311"}
    here.rewrite(key, lambda value: value["incident"].update(held=held))
    await here.take()
    dossier = await here.dossier()
    assert dossier.held.comment == (
        "held when its record was written: by ben: case 311"
    )
    assert dossier.history[-1].event == Event.HELD


async def refusal(here: Here, **changes: Any) -> str:
    """Why it is not taken; nothing has changed then."""
    head = await here.store.read(lambda view: view.history.head())
    with pytest.raises(EvidencedError) as found:
        await here.take(**changes)
    assert isinstance(found.value, BadInput | Refused | NotFound)
    assert await here.store.read(lambda view: view.history.head()) == head
    return str(found.value)


async def test_only_what_our_key_signed_is_taken(here: Here, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    here.rewrite((tmp_path / "other").read_text(), lambda _: None)
    assert "not by the one asked for" in await refusal(here)
    taken = await here.take(key=read_public_key(other.public_key))
    assert taken.is_new
    assert (await here.dossier()).history[0].detail["signed_by"] == other.key


async def test_without_a_signature_only_where_that_is_said(here: Here) -> None:
    here.rewrite(None, lambda _: None)
    assert "not signed" in await refusal(here)
    assert (await here.take(is_unsigned=True)).is_new


async def test_whatever_is_not_as_recorded_is_refused(here: Here) -> None:
    whole = here.order()
    (here.folder / "a").write_bytes(b"vide")
    assert await refusal(here) == "altered: a"
    (here.folder / "a").write_bytes(b"video")
    (here.folder / "c").write_bytes(b"")
    assert await refusal(here) == "added: c"
    (here.folder / "c").unlink()
    (here.folder / "incident.html").write_bytes(b"")
    assert await refusal(here) == "altered: incident.html"
    assert "there is no destination" in await refusal(
        here, destination=DestinationName("x")
    )
    assert "no name below a folder" in await refusal(here, way=("..",))
    assert "another installation" not in await refusal(here, record="0" * 64)
    (here.folder / RECORD).unlink()
    with pytest.raises(Refused, match="cannot be read"):
        await here.importing.take_in(whole, "anna")


async def test_an_order_is_believed_about_hashes_until_the_files_are_read_again(
    here: Here,
) -> None:
    """The command hashes them; an order may come from any operator."""
    (here.folder / "a").write_bytes(b"vide0")
    await here.take()
    assert (await here.footage()).checked_at < here.clock.now() - DAY / 2
    await here.age(KEEP)
    await here.age(2 * GRACE)
    assert await here.look() == 1
    assert here.left() == ["a", "b"]
    assert "a file is altered: a" in (await here.footage()).fault


async def test_the_index_of_a_share_is_not_believed(here: Here) -> None:
    (here.mount / "index.json").write_bytes(b'{"folders": [')
    (here.mount / "index.html").write_bytes(b"<script>")
    assert (await here.take()).is_new
    assert [str(each.folder) for each in sweep([here.mount]).places] == [
        str(here.folder)
    ]


async def test_another_installations_records_are_taken_by_name_only(
    here: Here, key: str
) -> None:
    here.rewrite(key, lambda value: value.update(instance="elsewhere"))
    assert "--instance elsewhere takes" in await refusal(here)
    assert (await here.take(instance="elsewhere")).is_new


async def test_a_record_that_changed_since_the_store_knew_it_is_refused(
    here: Here, key: str
) -> None:
    await here.take()
    here.rewrite(key, lambda value: value.update(revision=2))
    assert "knows another record of this folder" in await refusal(here)


DAMAGE: dict[str, Any] = {
    "id": "../x",
    "opened": "9999-12-31T23:59:59.999Z",
    "opened ": "0001-01-01T00:00:00.000+14:00",
    "opened  ": "2100-01-01T00:00:00.000Z",
    "alarm_count": -1,
    "rule": None,
    "fields": {str(n): "" for n in range(101)},
    "alarms": [{}],
    "exports": [{}],
    "clips": [{}],
    "clips ": [1],
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_what_no_incident_can_have_been_is_refused(
    here: Here, key: str, what: str
) -> None:
    here.rewrite(
        key, lambda value: value["incident"].update({what.strip(): DAMAGE[what]})
    )
    assert await refusal(here)


async def test_whatever_text_it_has_is_safe_in_any_store(
    here: Here, key: str, settings: StoreSettings
) -> None:
    nasty = "\u0000\ud800\u202e" + "x" * 1000

    def change(value: Any) -> None:
        incident = value["incident"]
        incident |= {"rule": nasty, "key": nasty, "label": nasty, "summary": nasty}
        incident |= {"fields": {nasty: nasty, "list": [nasty, 5]}, "reason": "new"}
        incident["clips"][0] |= {
            "camera": nasty,
            "label": nasty,
            "message": nasty,
            "server": nasty,
            "code": nasty,
        }
        incident["alarms"][0] |= {"topic": nasty}

    here.rewrite(key, change)
    assert verify(here.folder).is_intact
    await here.take()
    dossier = await here.dossier()
    assert len(dossier.incident.rule) == 100
    assert differences(database_of(settings)) == []


async def test_the_command_takes_what_is_intact_and_says_what_is_not(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a daemon it says so, once; the rest is tested end to end."""
    config = str(here.config_file())
    assert run(["incidents", "import", str(here.mount), "-c", config]) == 1
    assert capsys.readouterr().err.count("evidenced is not running") == 1
    assert run(["incidents", "import", "/nowhere", "-c", config]) == 2
    assert "lies on no mount of a destination" in capsys.readouterr().err
