"""Walking a share: nothing outside is reached, and there is an end to it."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from evidenced.core.keeping.evidence import SeenFile
from evidenced.host import tree
from evidenced.host.tree import Elsewhere, NameKind, TooMany


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """A share with a folder, and beside it what nobody may reach through it."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_bytes(b"secret")
    made = tmp_path / "mount"
    (made / "folder" / "inner").mkdir(parents=True)
    (made / "folder" / "a").write_bytes(b"123")
    (made / "folder" / "inner" / "b").write_bytes(b"1")
    return made


@pytest.fixture
def handle(mount: Path) -> Iterator[int]:
    with tree.open_folder(mount, ("folder",)) as found:
        yield found


def kinds(handle: int, most: int = 100) -> list[tuple[str, NameKind]]:
    return [(each.name, each.kind) for each in tree.walk(handle, most)]


def test_links_pipes_and_what_lies_behind_them_are_named_only(
    mount: Path, handle: int
) -> None:
    (mount / "folder" / "link").symlink_to("../../secret/file")
    (mount / "folder" / "round").symlink_to(mount)
    (mount / "folder" / "nowhere").symlink_to("gone")
    os.mkfifo(mount / "folder" / "pipe")
    assert kinds(handle) == [
        ("a", NameKind.FILE),
        ("inner", NameKind.FOLDER),
        ("inner/b", NameKind.FILE),
        ("link", NameKind.LINK),
        ("nowhere", NameKind.LINK),
        ("pipe", NameKind.OTHER),
        ("round", NameKind.LINK),
    ]
    survey = tree.survey(handle, {"a"}.__contains__)
    assert [each.name for each in survey.files] == ["inner/b"]
    assert survey.others == ("link", "nowhere", "pipe", "round")
    for name in ("link", "nowhere"):
        with pytest.raises(Elsewhere, match=f"'{name}' is a link"):
            tree.open_file(handle, name)
    with pytest.raises(Elsewhere, match="is no file"):
        tree.open_file(handle, "pipe")


@pytest.mark.parametrize(
    "name", ["../../secret/file", "/etc/passwd", "inner/../a", ".", "", "inner//b"]
)
def test_no_name_leads_out_of_the_folder(handle: int, name: str) -> None:
    with pytest.raises(Elsewhere, match="is no name below a folder"):
        tree.open_file(handle, name)


@pytest.mark.parametrize("place", ["folder", "inner"])
def test_a_link_in_place_of_a_folder_is_named(
    mount: Path, tmp_path: Path, place: str
) -> None:
    way = ("folder",) if place == "folder" else ("folder", "inner")
    real = mount.joinpath(*way)
    real.rename(tmp_path / "moved")
    real.symlink_to(tmp_path / "moved")
    with (
        pytest.raises(Elsewhere, match=f"'{place}' is a link, and no link is followed"),
        tree.open_folder(mount, way),
    ):
        pass


def test_what_is_not_there_is_told_apart_from_what_is_in_the_way(mount: Path) -> None:
    with pytest.raises(FileNotFoundError), tree.open_folder(mount, ("gone",)):
        pass
    way = ("folder", "a")
    with pytest.raises(NotADirectoryError), tree.open_folder(mount, way):
        pass


def test_names_and_depth_are_bounded(
    mount: Path, handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tree.walk(handle, 2)
    assert [next(found).name, next(found).name] == ["a", "inner"]
    with pytest.raises(TooMany):
        next(found)
    assert len(kinds(handle, 3)) == 3
    monkeypatch.setattr(tree, "MAX_DEPTH", 1)
    assert len(kinds(handle)) == 3
    (mount / "folder" / "inner" / "deep").mkdir()
    with pytest.raises(TooMany, match="'inner/deep' is nested deeper"):
        kinds(handle)


def test_no_handle_stays_open(handle: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = tree.walk(handle)
    next(found)
    found.close()
    with pytest.raises(TooMany):
        list(tree.walk(handle, 1))
    with pytest.raises(FileNotFoundError):
        tree.open_file(handle, "inner/gone")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_another_file_system_is_not_entered() -> None:
    """The host's own /proc is one that everybody has."""
    root = Path("/")
    with (
        pytest.raises(Elsewhere, match="'proc' lies on another file system"),
        tree.open_folder(root, ("proc",)),
    ):
        pass
    with tree.open_folder(root, ()) as handle:
        with pytest.raises(Elsewhere, match="'proc' lies on another file system"):
            tree.open_file(handle, "proc/version")
        found = tree._seen(handle, "proc", "", os.fstat(handle).st_dev)
        assert found is not None
        assert found.kind is NameKind.FOREIGN


def test_a_file_that_is_mounted_there_is_none_of_the_share(
    handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat

    def mounted(file: int) -> object:
        found = real(file)
        if not stat.S_ISREG(found.st_mode):
            return found
        return SimpleNamespace(st_mode=found.st_mode, st_dev=found.st_dev + 1)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", mounted)
        with pytest.raises(Elsewhere, match="'a' is no file of the share"):
            tree.open_file(handle, "a")


def test_what_is_not_what_was_seen_is_not_removed(mount: Path, handle: int) -> None:
    file = mount / "folder" / "a"
    state = file.stat()
    seen = SeenFile(name="a", size=state.st_size, modified_ns=state.st_mtime_ns)
    file.write_bytes(b"4567")
    assert not tree.remove(handle, seen)
    assert file.read_bytes() == b"4567"
    file.unlink()
    file.symlink_to("inner/b")
    assert not tree.remove(handle, seen)
    assert file.is_symlink()
    file.unlink()
    assert tree.remove(handle, seen)


def test_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever looked saw a file, and who opens it finds a pipe that nobody fills."""
    pipe = tmp_path / "video"
    os.mkfifo(pipe)
    filled = threading.Timer(5, lambda: os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
    filled.start()
    try:
        with tree.open_folder(tmp_path, ()) as folder, pytest.raises(Elsewhere):
            tree.open_file(folder, "video")
        assert filled.is_alive()
    finally:
        filled.cancel()
