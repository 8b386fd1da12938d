"""Where footage lies, as the page shows it."""

from dataclasses import replace

from evidenced.core.keeping.evidence import (
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    SeenFile,
)
from evidenced.ports.control import Installation
from evidenced.web.incidentpage import places_of, record_folders
from fakes.dossiers import begun, cancelled, exported, waiting
from fakes.incident import LOBBY, t

SEEN = Installation(mounts=((r"X:\a", "/mnt/a"), (r"V:\evidence", "/mnt/it's/")))


def nowhere(_path: str) -> str:
    return ""


def test_a_path_on_the_recorder_is_seen_from_here_below_its_mount() -> None:
    assert SEEN.here(r"V:\Evidence\2026\i1") == "/mnt/it's/2026/i1"
    assert SEEN.here(r"W:\evidence\i1") == ""
    assert SEEN.here(r"V:\evidence") == ""


def test_of_several_roots_the_one_that_leads_furthest_counts() -> None:
    seen = Installation(mounts=(("V:\\", "/mnt/v"), (r"V:\secret", "/mnt/secret")))
    assert seen.here(r"V:\secret\i1") == "/mnt/secret/i1"
    assert seen.here(r"V:\other\i1") == "/mnt/v/other/i1"


def test_the_folders_with_footage_are_those_to_copy() -> None:
    case = exported()
    found = places_of(case.dossier, SEEN.here)
    assert {place.word for place in found} == {"Folder"}
    assert len({place.path for place in found}) == len(found)
    assert all(place.here.startswith("/mnt/it's/") for place in found)


def test_without_footage_it_says_what_is_in_the_folder() -> None:
    case = begun(LOBBY)
    case.turn(t("12:02"))
    case.ask(t("12:02:15"), "main")
    assert [p.word for p in places_of(case.dossier, nowhere)] == ["Being filled"]
    assert [p.word for p in places_of(waiting().dossier, nowhere)] == [
        "Asked for, not exported"
    ]
    assert places_of(cancelled().dossier, nowhere) == []


def test_a_record_names_its_files_by_folder_and_how_to_check_them() -> None:
    path = r"V:\evidence\i1"
    seen = SeenFile(name="a", size=5, modified_ns=1)
    file = HashedFile(folder=path, file=seen, sha256="0" * 64, hashed_at=t("12:00"))
    record = Record(
        incident=exported().incident.id,
        state=RecordState.WRITTEN,
        wanted_at=t("12:00"),
        due_at=None,
        folders=(RecordFolder(path=path, files=3, size_bytes=5, sha256="1" * 64),),
    )
    dossier = replace(exported().dossier, record=record)
    [folder] = record_folders(dossier, [file], SEEN.here)
    assert (folder.files, folder.more, folder.sha256) == ((file,), 2, "1" * 64)
    assert folder.verify == r"evidenced verify '/mnt/it'\''s/i1'"
    hashing = replace(dossier, record=replace(record, folders=()))
    [folder] = record_folders(hashing, [file], SEEN.here)
    assert (folder.files, folder.more, folder.sha256) == ((file,), 0, "")
    assert record_folders(exported().dossier, [], SEEN.here) == []
