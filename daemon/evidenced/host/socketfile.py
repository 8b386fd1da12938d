"""Socket files: their names, however deep they lie, and who is at the other end."""

import os
import pwd
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
"""Process, user and group. Source: socket(7) and unix(7), SO_PEERCRED."""


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A name of the file that fits into a socket's address, to bind or connect with.

    An address holds 108 bytes (unix(7)), a path more: it is named by its folder's
    descriptor.

    Raises:
        OSError: there is no such folder.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_of(connection: socket.socket) -> int:
    """The user id of the process at the other end of a unix socket."""
    size = _CREDENTIALS.size
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    user: int = _CREDENTIALS.unpack(raw)[1]
    return user


def account_name(user: int) -> str:
    """What this host calls a user id."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # one without a name
        return f"uid {user}"
