from pathlib import Path
from types import SimpleNamespace

import pytest

from evidenced.core.exports.growth import Sighting
from evidenced.host import share as share_module
from evidenced.host import tree
from evidenced.host.share import Share


def test_a_share_is_the_one_that_holds_the_marker(tmp_path: Path) -> None:
    share = Share()
    assert share.problem(tmp_path, None) is None
    assert "'.marker'" in (share.problem(tmp_path, ".marker") or "")
    (tmp_path / ".marker").write_text("")
    assert share.problem(tmp_path, ".marker") is None
    assert "mount the share" in (share.problem(tmp_path / "gone", ".marker") or "")


def test_files_are_counted_below_the_folder(tmp_path: Path) -> None:
    share = Share()
    assert share.sighting(tmp_path, ("gone",)) is None
    assert share.sighting(tmp_path, ()) is None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "two").write_bytes(b"1")
    assert share.sighting(tmp_path, ()) == Sighting(files=2, size_bytes=6)


def test_what_cannot_be_read_is_not_taken_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    assert Share().sighting(tmp_path, ("file",)) is None
    assert Share().sighting(tmp_path, ("file", "below")) is None

    def denied(_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(tree.os, "scandir", denied)
    with pytest.raises(PermissionError):
        Share().sighting(tmp_path, ())


def test_links_are_not_followed_and_are_no_footage(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "big")
    (folder / "round").symlink_to(tmp_path)
    assert Share().sighting(tmp_path, ("export",)) is None
    (folder / "file").write_bytes(b"1")
    assert Share().sighting(tmp_path, ("export",)) == Sighting(files=1, size_bytes=1)
    (tmp_path / "instead").symlink_to(folder)
    with pytest.raises(OSError, match="'instead' is a link"):
        Share().sighting(tmp_path, ("instead",))


def test_the_count_ends_at_its_bound_in_whatever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_module, "MAX_FILES", 4)
    for name in "abcd":
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"1")
    assert Share().sighting(tmp_path, ()) == Sighting(files=2, size_bytes=2)


def test_our_own_records_are_no_footage(tmp_path: Path) -> None:
    for name in ("incident.json", "incident.html", "incident.r1.json", "Thumbs.db"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "empty").touch()
    assert Share().sighting(tmp_path, ()) is None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "incident.json").write_text("{}")
    assert Share().sighting(tmp_path, ()) == Sighting(files=1, size_bytes=2)


@pytest.mark.parametrize("at", [0, 1 << 19, (1 << 20) - 1, None])
def test_a_file_of_zeros_is_no_footage(tmp_path: Path, at: int | None) -> None:
    with (tmp_path / "reserved").open("wb") as file:
        file.truncate(1 << 20)
        if at is not None:
            file.seek(at)
            file.write(b"x")
    assert (Share().sighting(tmp_path, ()) is None) == (at is None)


def test_each_fault_of_a_share_has_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = Share()
    assert share.blindness(tmp_path) is None
    wrong = share.problem(tmp_path, ".marker")

    def stale(_: object) -> None:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(share_module.os, "scandir", stale)
    unseen = share.blindness(tmp_path)
    full = SimpleNamespace(f_bavail=0, f_frsize=4096, f_blocks=100)
    monkeypatch.setattr(share_module.os, "statvfs", lambda _: full)
    no_room = share.problem(tmp_path, None)
    sentences = [str(each) for each in (wrong, unseen, no_room)]
    assert [each.partition(" ")[2] for each in sentences] == [
        "holds no file '.marker': the right share is not mounted",
        "cannot be listed: Stale file handle; mount the share anew",
        "is full: make room",
    ]
    full.f_blocks = 0  # a file system that tells no sizes
    assert share.problem(tmp_path, None) is None
