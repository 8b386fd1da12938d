"""Who reaches the port and opens connections stops no alarm."""

import sys
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from fakes import flood
from fakes.installation import Installation, active
from fakes.mosquitto import Peer

FILES = 1024
HELD = 1500
LOG_BYTES = 100_000


@asynccontextmanager
async def idle_connections(port: int) -> AsyncIterator[None]:
    held = await create_subprocess_exec(
        sys.executable, flood.__file__, str(port), str(HELD), stdin=PIPE, stdout=PIPE
    )
    assert held.stdin is not None
    assert held.stdout is not None
    try:
        assert await held.stdout.readline() == b"held\n"
        yield
    finally:
        held.stdin.close()
        await held.wait()


async def test_idle_connections_stop_no_alarm(site: Installation) -> None:
    """Not the first one either, for which things are imported and files are opened."""
    daemon = await site.launch(under=("prlimit", f"--nofile={FILES}:{FILES}"))
    await daemon.subscribed()
    said = len(daemon.raw)
    async with idle_connections(site.web_port):
        site.broker.kill()  # the connection to it has to be made anew as well
        site.broker.start()
        await daemon.subscribed(2)
        with Peer(site.broker.port) as peer:
            peer.publish("access/hq/forced", active())
        await site.all_in("exported")
        files = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
        began = time.monotonic()
        async with aiohttp.ClientSession() as other:
            url = f"http://127.0.0.1:{site.web_port}/healthz"
            async with other.get(url) as got:
                assert got.status == 200
        took = time.monotonic() - began
    log = sum(len(line) for line in daemon.raw[said:])
    print(f"healthz {took:.3f} s, {files} files, {log} bytes of log")  # noqa: T201
    assert files < FILES / 2
    assert log < LOG_BYTES
    assert await daemon.stop() == 0
