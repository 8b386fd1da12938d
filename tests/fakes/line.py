"""A line to a server that can be cut, hung, or broken in the middle of a COMMIT."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from fakes.mosquitto import free_port

ESTABLISHED = "01"
"""Among the states of /proc/net/tcp. Source: proc_net_tcp(5)."""
PIECE = 65_536
COMMIT = b"COMMIT\0"
Pair = tuple[socket.socket, socket.socket]
"""To the client, and to the server."""


def nobody(_port: int) -> bool:
    """Of no client."""
    return False


def port_of(client: socket.socket) -> int:
    """Where it comes from; 0 if it is gone."""
    try:
        port: int = client.getpeername()[1]
    except OSError:
        return 0
    return port


def is_of(process: int) -> Callable[[int], bool]:
    """Whether a connection from this port is the process's, told by the kernel."""

    def found(port: int) -> bool:
        with suppress(OSError):
            folder = Path(f"/proc/{process}/fd")
            links = {f"socket:[{inode}]" for inode in _sockets(port)}
            return any(_link(each) in links for each in folder.iterdir())
        return False

    return found


def _link(path: Path) -> str:
    """Where it leads; empty if it is gone."""
    with suppress(OSError):
        return str(path.readlink())
    return ""


def _sockets(port: int) -> list[str]:
    """The inodes of connections from a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return [
        row[9]
        for row in rows[1:]
        if row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED
    ]


class Line:
    """Passes connections on to a port of this host.

    All clients may be cut off, or those by whose ports it is told.
    `break_at_commit`: the next COMMIT reaches the server or not, and its connection
    breaks before the answer. While it is cut, connections break and none is made; while
    it hangs, nothing passes and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.broken = Event()
        self.target = target
        self._lock = Lock()
        self._pairs: set[Pair] = set()
        self._passes = Event()
        self._passes.set()
        self._refuses: Callable[[int], bool] = nobody
        self._reaches: bool | None = None
        self._cuts_after = False
        self._silent: set[Pair] = set()
        self._answered = Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._thread = Thread(target=self._accept, name="line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._passes.set()
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def break_at_commit(self, *, reaches: bool, cuts: bool = False) -> None:
        """With `cuts` the line is cut then, too."""
        self.broken.clear()
        self._answered.clear()
        self._reaches, self._cuts_after = reaches, cuts

    def cut(self, whom: Callable[[int], bool] = lambda _: True) -> None:
        """`whom` knows a client by the port that it comes from."""
        with self._lock:
            self._refuses = whom
            pairs = [pair for pair in self._pairs if whom(port_of(pair[0]))]
        for pair in pairs:
            self._close(pair)

    def hang(self) -> None:
        self._passes.clear()

    def mend(self) -> None:
        self._refuses = nobody
        self._passes.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._refuses(port_of(client)):
                    client.close()
                    continue
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # nobody is there
                    client.close()
                    continue
                pair = client, server
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                Thread(
                    target=self._pass, args=(source, sink, pair), daemon=True
                ).start()

    def _pass(
        self,
        source: socket.socket,
        sink: socket.socket,
        pair: Pair,
    ) -> None:
        with suppress(OSError):
            while data := source.recv(PIECE):
                self._passes.wait()
                if pair in self._silent:
                    self._answered.set()
                elif source is pair[0] and self._reaches is not None and COMMIT in data:
                    self._break(data, pair)
                    break
                else:
                    sink.sendall(data)
        self._close(pair)

    def _break(self, data: bytes, pair: Pair) -> None:
        reaches, self._reaches = self._reaches, None
        self._silent.add(pair)
        if reaches:
            pair[1].sendall(data)
            self._answered.wait()  # it has committed
        self.broken.set()
        if self._cuts_after:
            self.cut()

    def _close(self, pair: Pair) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for each in pair:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
