"""What nobody tells the daemon: its files were changed, its disk fills up."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from evidenced.config.load import load
from evidenced.host.ondisk import CHANGED, PATIENCE, SPOILT, OnDisk
from evidenced.host.room import LEAST, too_little_room
from fakes.world import TOML

WAIT = PATIENCE.total_seconds()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "evidenced.toml"
    made.write_text(TOML.format(destination="", cameras='"lobby"'))
    return made


def watched(file: Path) -> Callable[[float], str]:
    loaded = load(file)
    disk = OnDisk(lambda: load(file), loaded.files)
    return lambda at: disk.look(loaded.config, at)


def test_files_as_they_were_read_are_not_read_again(file: Path) -> None:
    loaded = load(file)

    def read() -> object:
        raise AssertionError("nothing has changed")

    disk = OnDisk(read, loaded.files)  # type: ignore[arg-type]
    assert disk.look(loaded.config, 0.0) == ""


def test_a_change_that_nobody_reloads_is_told_after_a_while(file: Path) -> None:
    look = watched(file)
    file.write_text(f"{file.read_text()}\npriority = 7\n")
    assert [look(at) for at in (0.0, WAIT - 1)] == ["", ""]
    assert look(WAIT) == CHANGED
    file.write_text(file.read_text().replace("priority = 7", "# none"))
    assert look(WAIT + 60) == ""


def test_what_was_changed_and_is_wrong_is_told_so(file: Path) -> None:
    look = watched(file)
    file.write_text("[daemon]\nnosuch = 1\n")
    assert [look(0.0), look(WAIT)] == ["", SPOILT]


def test_a_reload_ends_it(file: Path) -> None:
    loaded = load(file)
    disk = OnDisk(lambda: load(file), loaded.files)
    file.write_text(f"{file.read_text()}\npriority = 7\n")
    disk.look(loaded.config, 0.0)
    assert disk.look(loaded.config, WAIT) == CHANGED
    assert disk.look(load(file).config, WAIT + 60) == ""


def test_a_file_that_is_included_counts(file: Path) -> None:
    other = file.with_name("more.toml")
    other.write_text('[[rules]]\nname = "b"\ntopics = ["b"]\ncameras = ["lobby"]\n')
    file.write_text(f'include = ["more.toml"]\n{file.read_text()}')
    look = watched(file)
    other.write_text(f"{other.read_text()}priority = 3\n")
    assert [look(0.0), look(WAIT)] == ["", CHANGED]


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("total", "free", "is_told"),
    [
        (100 * LEAST, LEAST, False),
        (100 * LEAST, LEAST - 1, True),
        (LEAST, LEAST // 20, False),
        (LEAST, LEAST // 20 - 1, True),
    ],
)
def test_a_disk_that_fills_up_is_told(
    monkeypatch: pytest.MonkeyPatch, total: int, free: int, *, is_told: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(total, total - free, free))
    told = too_little_room(Path("/var/lib/evidenced"))
    assert bool(told) == is_told
    assert ("/var/lib/evidenced has " in told) == is_told


def test_a_folder_that_is_not_there_is_no_word_about_room(tmp_path: Path) -> None:
    assert too_little_room(tmp_path / "none") == ""
