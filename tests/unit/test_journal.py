import os
import socket
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from evidenced.host.journal import SystemJournal, is_journal


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "socket"))
        server.settimeout(10)
        yield server


def test_an_entry_is_one_datagram(journald: socket.socket, tmp_path: Path) -> None:
    assert SystemJournal(tmp_path / "socket").send({"MESSAGE": "a=b", "PRIORITY": "6"})
    assert journald.recv(4096) == b"MESSAGE=a=b\nPRIORITY=6\n"


def test_a_value_of_several_lines_is_counted(
    journald: socket.socket, tmp_path: Path
) -> None:
    assert SystemJournal(tmp_path / "socket").send(
        {"A": "x\nPRIORITY=0", "B": "\ud800"}
    )
    length = b"\x0c" + b"\0" * 7
    assert journald.recv(4096) == b"A\n" + length + b"x\nPRIORITY=0\nB=\\ud800\n"


@pytest.mark.parametrize("name", ["_PID", "a", "", "A=B", "A\nB", "Ä", "A" * 65])
def test_a_field_whose_name_is_none_is_left_out(
    journald: socket.socket, tmp_path: Path, name: str
) -> None:
    assert SystemJournal(tmp_path / "socket").send({name: "x", "MESSAGE": "y"})
    assert journald.recv(4096) == b"MESSAGE=y\n"


def test_what_cannot_be_given_away_is_told(
    journald: socket.socket, tmp_path: Path
) -> None:
    assert not SystemJournal(tmp_path / "nowhere").send({"MESSAGE": "x"})
    assert not SystemJournal(tmp_path / "socket").send({"MESSAGE": "x" * 10_000_000})
    journald.close()
    assert not SystemJournal(tmp_path / "socket").send({"MESSAGE": "x"})


def test_the_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as file:
        stat = os.fstat(file.fileno())
        assert is_journal(file, f"{stat.st_dev}:{stat.st_ino}")
        assert not is_journal(file, f"{stat.st_dev}:{stat.st_ino + 1}")
        assert not is_journal(file, "")
    assert not is_journal(StringIO(), "1:2")
