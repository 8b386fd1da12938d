"""Where footage lies, as the page shows it."""

from dataclasses import replace
from pathlib import Path

import pytest

from evidenced.core.folders.paths import PathTemplate
from evidenced.core.folders.whereabouts import Destination, Whereabouts
from evidenced.core.ids import DestinationName
from evidenced.core.keeping.evidence import (
    HashedFile,
    Record,
    RecordFolder,
    RecordState,
    SeenFile,
)
from evidenced.web.incidentpage import places_of, record_folders
from fakes.dossiers import begun, cancelled, exported, waiting
from fakes.incident import LOBBY, t

NAS = Destination(
    name=DestinationName("nas"),
    path=PathTemplate.parse(r"V:\evidence\{id}"),
    root=r"V:\evidence",
    mount=Path("/mnt/it's"),
    marker=None,
)
OTHER = replace(NAS, name=DestinationName("other"), mount=Path("/mnt/other"))
SEEN = Whereabouts({each.name: each for each in (OTHER, NAS)})
NOWHERE = Whereabouts({})


def test_a_path_on_the_recorder_is_seen_from_here_below_its_mount() -> None:
    assert SEEN.here(r"V:\Evidence\2026\i1", NAS.name) == "/mnt/it's/2026/i1"
    assert SEEN.here(r"V:\evidence\i1", OTHER.name) == "/mnt/other/i1"
    assert SEEN.here(r"W:\evidence\i1", NAS.name) == ""
    assert SEEN.here(r"V:\evidence", NAS.name) == ""


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (None, ""),
        (r"\\nas\evidence", r"\\nas\evidence\2026\i1"),
        ("\\\\nas\\evidence\\", r"\\nas\evidence\2026\i1"),
        ("smb://nas/evidence", "smb://nas/evidence/2026/i1"),
        ("/Volumes/evidence/", "/Volumes/evidence/2026/i1"),
    ],
)
def test_people_reach_it_by_an_address_of_theirs(link: str | None, found: str) -> None:
    places = Whereabouts(
        {NAS.name: replace(NAS, link=link, mount=None), OTHER.name: OTHER}
    )
    assert places.link(r"V:\evidence\2026\i1", NAS.name) == found
    assert places.link(r"W:\i1", NAS.name) == ""
    assert places.link(r"V:\evidence\i1", OTHER.name) == ""


def test_what_copy_gives_is_the_address_that_people_reach() -> None:
    places = Whereabouts({NAS.name: replace(NAS, link=r"\\nas\evidence")})
    found = places_of(exported().dossier, places)
    assert [each.link for each in found] == [
        each.path.replace(r"V:\evidence", r"\\nas\evidence") for each in found
    ]


def test_the_folders_with_footage_are_those_to_copy() -> None:
    case = exported()
    found = places_of(case.dossier, SEEN)
    assert {place.word for place in found} == {"Folder"}
    assert len({place.path for place in found}) == len(found)
    assert all(place.here.startswith("/mnt/it's/") for place in found)


def test_without_footage_it_says_what_is_in_the_folder() -> None:
    case = begun(LOBBY)
    case.turn(t("12:02"))
    case.ask(t("12:02:15"), "main")
    assert [p.word for p in places_of(case.dossier, NOWHERE)] == ["Being filled"]
    assert [p.word for p in places_of(waiting().dossier, NOWHERE)] == [
        "Asked for, not exported"
    ]
    assert places_of(cancelled().dossier, NOWHERE) == []


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
    [folder] = record_folders(dossier, [file], SEEN)
    assert (folder.files, folder.more, folder.sha256) == ((file,), 2, "1" * 64)
    assert folder.verify == r"evidenced verify '/mnt/it'\''s/i1'"
    hashing = replace(dossier, record=replace(record, folders=()))
    [folder] = record_folders(hashing, [file], SEEN)
    assert (folder.files, folder.more, folder.sha256) == ((file,), 0, "")
    assert record_folders(exported().dossier, [], SEEN) == []
