"""A broker for the demo: mosquitto where there is one, else amqtt within the process.

Both listen on loopback, at a port that was free, and keep nothing.
"""

import asyncio
import os
import shutil
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from evidenced.core.errors import BadInput

LOOPBACK = "127.0.0.1"
START_S = 5.0
STOP_S = 3.0
ELSEWHERE = os.pathsep.join(("/usr/sbin", "/usr/local/sbin"))
"""Debian puts mosquitto where an ordinary user's PATH does not look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A broker that runs. amqtt speaks no MQTT 5."""

    name: str
    port: int
    protocol: str

    @property
    def url(self) -> str:
        return f"mqtt://{LOOPBACK}:{self.port}"


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def find_mosquitto() -> str | None:
    """The mosquitto of this machine; an empty PATH means that none is wanted."""
    path = os.environ.get("PATH", "")
    if not path:
        return None
    return shutil.which("mosquitto", path=os.pathsep.join((path, ELSEWHERE)))


@asynccontextmanager
async def serve_broker(folder: Path, log: Path) -> AsyncIterator[Serving]:
    """A broker, for as long as the block lasts.

    Raises:
        BadInput: this machine has neither mosquitto nor amqtt.
    """
    program = find_mosquitto()
    if program is not None:
        async with _mosquitto(program, folder, log) as port:
            if port is not None:
                yield Serving(name="mosquitto", port=port, protocol="5")
                return
    async with _amqtt() as port:
        yield Serving(name="amqtt", port=port, protocol="3.1.1")


@asynccontextmanager
async def _mosquitto(
    program: str, folder: Path, log: Path
) -> AsyncIterator[int | None]:
    """Its port, or None where it does not start."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    # started as root it would drop to a user who cannot read the folder
    lines = [f"listener {port} {LOOPBACK}", "allow_anonymous true", "user root"]
    settings.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is ours; it goes last
        )
    try:
        yield port if await _listens(process, port) else None
    finally:
        await _end(process)


async def _listens(process: Process, port: int) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(LOOPBACK, port)
                    writer.close()
                    return True
                await asyncio.sleep(0.02)
    return False


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _amqtt() -> AsyncIterator[int]:
    try:
        # an optional dependency, and half a second to import
        module = import_module("amqtt.broker")
    except ImportError:
        raise BadInput(
            "the demo needs an MQTT broker and this machine has none: install "
            "mosquitto (Debian: apt install mosquitto), or amqtt with "
            "pip install 'evidenced[demo]'"
        ) from None
    port = free_port()
    broker = module.Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {
                    "allow_anonymous": True
                }
            },
        }
    )
    await broker.start()
    try:
        yield port
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await broker.shutdown()
