"""The page and the control socket: opened, kept open, opened anew when they change.

Neither of them is what alarms become footage by. So a port that is taken or a
certificate that cannot be read is a trouble that is told and tried again, and never the
end of the daemon. Without its certificate the page stays shut: it never falls back to
sending passwords unencrypted.
"""

import asyncio
import hashlib
import os
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from structlog.typing import FilteringBoundLogger

from evidenced.config.web import TlsConfig, WebConfig
from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase
from evidenced.host.filestamp import FileStamp, file_stamp
from evidenced.host.socketfile import account_name, peer_of
from evidenced.ports import Clock
from evidenced.web.doors import Entrance
from evidenced.web.server import WebServer
from evidenced.web.sessions import WebSessions
from evidenced.web.tls import PageIdentity, read_identity
from evidenced.web.visitors import DoorLimits


def admit_own(connection: socket.socket) -> str | None:
    """The account of whoever owns the store anyway: root, or who the daemon runs as."""
    user = peer_of(connection)
    return account_name(user) if user in {0, os.geteuid()} else None


CONTROL = Entrance(
    key="the control socket",
    limits=DoorLimits(connections=32, of_address=32),
    mode=0o600,
    admit=admit_own,
)
LOOK_EVERY_S = 30.0
AGAIN_S = 5.0
"""While something cannot be had."""
PAGE, CERTIFICATE, USERS, COMMANDS = "", "certificate", "users", "commands"
"""What may be wrong: the names of troubles."""


MakeApp = Callable[[WebConfig, WebSessions], web.Application]
"""The application over the daemon's parts, as it is configured."""


class Front:
    """`adopt` says what is wanted, `look` sees to it, `problems` is what fails."""

    def __init__(
        self,
        config: WebConfig,
        control_file: Path,
        make: MakeApp,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self.problems: dict[str, str] = {}
        self._config = config
        self._control_file = control_file
        self._make = make
        self._clock = clock
        self._log = log
        self._sessions = WebSessions(clock)
        self._page: WebServer | None = None
        self._control: WebServer | None = None
        self._open_as: tuple[WebConfig, Mapping[str, str]] | None = None
        self._identity: PageIdentity | None = None
        self._stamp: tuple[FileStamp, bytes] | None = None
        self._is_due = asyncio.Event()

    def adopt(self, config: WebConfig) -> None:
        """This is wanted from now on; files that it names are looked at again."""
        self._config = config
        self._is_due.set()

    async def run(self) -> None:
        """Forever."""
        while True:
            wait_s = AGAIN_S if self.problems else LOOK_EVERY_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._is_due.wait()
            await self.look()

    async def look(self) -> None:
        """Once: open what is shut, and anew what is not as it is wanted."""
        self._is_due.clear()
        config = self._config
        if self._control is None:
            file = f"unix:{self._control_file}"
            app = self._make(WebConfig(), WebSessions(self._clock))
            self._control = await self._opened(COMMANDS, app, file, CONTROL)
        hashes = await asyncio.to_thread(self._read_users, config)
        is_ready = await asyncio.to_thread(self._read_tls, config.tls)
        wanted = (config, hashes)
        if wanted != self._open_as:
            await self._shut()
            self._sessions.keep(_unchanged(self._open_as, wanted))
            self._open_as = wanted
        if self._page is None and config.listen and is_ready:
            app = self._make(config, self._sessions)
            entrance = Entrance(tls=self._context if self._identity else None)
            self._page = await self._opened(PAGE, app, config.listen, entrance)

    async def stop(self) -> None:
        await self._shut()
        if self._control is not None:
            await self._control.stop()

    async def _shut(self) -> None:
        page, self._page = self._page, None
        self._settle(PAGE, None)
        if page is not None:
            await page.stop()

    async def _opened(
        self, name: str, app: web.Application, listen: str, by: Entrance
    ) -> WebServer | None:
        server = WebServer(app, listen, by)
        try:
            await server.start()
        except BadInput as error:
            self._settle(name, str(error))
            return None
        self._settle(name, None)
        if name == PAGE:
            self._log.info("page and API listen", address=server.address)
        return server

    def _read_users(self, config: WebConfig) -> Mapping[str, str]:
        """Of each user what changes with the password, and nothing of it."""
        found, faults = {}, []
        for name, account in config.users.items():
            try:
                hashed = account.hashed()
            except BadInput as error:
                hashed = ""
                faults.append(
                    phrase("{name} cannot log in: {error}", name=name, error=error)
                )
            found[name] = hashlib.sha256(hashed.encode()).hexdigest()
        self._settle(USERS, "; ".join(faults) or None)
        return found

    def _read_tls(self, tls: TlsConfig) -> bool:
        """Whether the page may be opened: its certificate is there, or none is wanted.

        One that cannot be used changes nothing: the one before goes on.
        """
        if tls.certificate is None or tls.key is None:
            self._identity = self._stamp = None
            self._settle(CERTIFICATE, None)
            return True
        try:
            key = tls.key.reveal()
            stamp = file_stamp(tls.certificate), hashlib.sha256(key.encode()).digest()
            if stamp != self._stamp or self._identity is None:
                self._identity = read_identity(tls.certificate, key)
                self._stamp = stamp
        except BadInput as error:
            self._settle(CERTIFICATE, phrase("web.tls: {error}", error=error))
            return self._identity is not None
        is_wrong_clock = self._clock.in_sync() is False
        faults = [] if is_wrong_clock else self._identity.faults(self._clock.now())
        told = f"{tls.certificate} {'; '.join(faults)}" if faults else None
        self._settle(CERTIFICATE, told)
        return True

    def _settle(self, name: str, problem: str | None) -> None:
        """Also from a thread: a new table, for somebody may be reading the old one."""
        others = {key: each for key, each in self.problems.items() if key != name}
        if problem is not None and self.problems.get(name) != problem:
            self._log.warning("the page is not as it should be", why=problem)
        self.problems = others | ({name: problem} if problem is not None else {})

    def _context(self) -> ssl.SSLContext:
        assert self._identity is not None  # noqa: S101 - it is opened with one only
        return self._identity.context


def _unchanged(
    before: tuple[WebConfig, Mapping[str, str]] | None,
    wanted: tuple[WebConfig, Mapping[str, str]],
) -> Collection[str]:
    """Users whose password is the same: they stay logged in."""
    hashes = before[1] if before is not None else {}
    return {name for name, each in wanted[1].items() if hashes.get(name) == each}
