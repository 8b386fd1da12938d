"""A real PostgreSQL on a private loopback port, with a new database for each test."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from evidenced.host.clock import SystemClock
from evidenced.store import ServerSettings, StoreSettings
from fakes.mosquitto import free_port

START_S = "60"
USER = "evidenced"


def find_postgres() -> Path | None:
    """The folder of the newest server's programs: Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def on_server(url: str, folder: Path, node: str = "a") -> StoreSettings:
    """The store in this database, as a node has it."""
    server = ServerSettings(
        url=url, node=node, monotonic=time.monotonic, now=SystemClock().now
    )
    return StoreSettings(directory=folder, server=server)


class Postgres:
    """One server; start, stop, kill and start again with the same files and port.

    It never runs as root: as root it is given to Debian's user `postgres`.
    """

    def __init__(self, programs: Path, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        # not one of pytest's, which only root may enter when root runs it
        self.folder = Path(mkdtemp(prefix="evidenced-postgres-"))
        self._programs = programs
        self._as = ["setpriv", "--reuid", "postgres", "--regid", "postgres"]
        self._as = [*self._as, "--clear-groups"] if os.geteuid() == 0 else []
        self._numbers = count(1)
        self._options = [
            f"-p {self.port}",
            "-c listen_addresses=127.0.0.1",
            "-c unix_socket_directories=",
            *options,
        ]

    def make(self) -> None:
        """Its files, and the user that owns the databases."""
        self._give()
        self._run("initdb", "-D", self._data, "-U", USER, "--locale=C", "-E", "UTF8")

    def follow(self, primary: "Postgres") -> None:
        """Be a copy of another that runs, and stay one."""
        self._give()
        url = primary.url("postgres")
        self._run("pg_basebackup", "-R", "-c", "fast", "-D", self._data, "-d", url)

    def promote(self) -> None:
        """No copy any more: it takes writes. Blocks until it does."""
        self._run("pg_ctl", "promote", "-w", "-D", self._data)

    def start(self) -> None:
        """Blocks until it takes connections."""
        self._run(
            *("pg_ctl", "start", "-w", "-t", START_S, "-D", self._data),
            *("-l", str(self.folder / "log"), "-o", " ".join(self._options)),
        )

    def stop(self, how: str = "fast") -> None:
        """Blocks until it has ended; "immediate" is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", how, "-D", self._data)

    def kill(self) -> None:
        """A crash, if it runs."""
        if Path(self._data, "postmaster.pid").exists():
            self.stop("immediate")

    def remove(self) -> None:
        """Once it has ended."""
        shutil.rmtree(self.folder)

    def database(self, like: str = "template0", options: str = "") -> str:
        """The URL of a new one: empty, or as another is at this moment."""
        name = f"test{next(self._numbers)}"
        template = like.rpartition("/")[-1]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return self.url(name)

    def tool(self, name: str, *arguments: str) -> None:
        """One of its clients' programs. Blocks until it has ended well."""
        subprocess.run([self._programs / name, *arguments], check=True)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _give(self) -> None:
        if self._as:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else None,
            cwd="/",
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            told = log.read_text()[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed with {done.returncode}: {told}")
