"""systemd's journal in its own protocol, so that a line has fields to search by.

One datagram is one entry: "NAME=value" lines, or the name alone, the value's length as
64 bit little-endian, and the value, which may then hold anything.
Source: systemd.io/JOURNAL_NATIVE_PROTOCOL.
"""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

SOCKET = Path("/run/systemd/journal/socket")
SEND_LIMIT_S = 0.5
"""A journal that does not read: then the line goes to stderr."""
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def is_journal(stream: TextIO, journal_stream: str) -> bool:
    """Whether the stream is the very one that systemd connected to its journal.

    `journal_stream` is the variable JOURNAL_STREAM, "device:inode", which is inherited
    also where stderr was redirected since. Source: systemd.exec(5).
    """
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return journal_stream == f"{stat.st_dev}:{stat.st_ino}"


@dataclass(frozen=True)
class SystemJournal:
    """The journal's socket. A connection for each entry: journald may be restarted."""

    path: Path = SOCKET

    def send(self, fields: Mapping[str, str]) -> bool:
        """One entry; False when it could not be given away. Never raises."""
        data = b"".join(
            _field(name, value)
            for name, value in fields.items()
            if _NAME.fullmatch(name)
        )
        try:
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
            ) as s:
                s.settimeout(SEND_LIMIT_S)
                s.connect(str(self.path))
                s.sendall(data)
        except OSError:  # not there, full, or the entry is larger than a datagram
            return False
        return True


def _field(name: str, value: str) -> bytes:
    raw = value.encode("utf-8", "backslashreplace")
    if b"\n" not in raw:
        return b"%s=%s\n" % (name.encode(), raw)
    return b"%s\n%s%s\n" % (name.encode(), len(raw).to_bytes(8, "little"), raw)
