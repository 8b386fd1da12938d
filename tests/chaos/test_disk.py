"""Disks that are full or fail under load: alarms wait at the broker, none is lost."""

import os
import random
import shutil
import subprocess
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chaos.books import Books
from chaos.conftest import loaded_site
from chaos.load import Load
from fakes.installation import (
    Daemon,
    Installation,
    InstallationFactory,
    Recorder,
)
from fakes.proofs import duplicates

FAILS = "the store does not work; alarms wait at the broker"
WORKS = "the store works again"
SIZE = "64m"  # the write-ahead log alone takes 32 MB between checkpoints
MEANWHILE = 40
"""Alarms that come while nothing can be stored."""
BLOCK = b"\0" * 4096


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which is soon full. Ends after what uses it."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted (it takes root): {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(ballast: Path) -> None:
    """Not one block is left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(BLOCK)
        except OSError:
            return


async def _nothing_lost(books: Books, recorder: Recorder) -> None:
    await books.settled()
    figures = await books.close([r.order.path for r in recorder.journal.exports])
    assert (figures.lost, figures.second_exports) == (0, 0)
    assert duplicates(recorder.journal) == []
    print(figures)  # noqa: T201 - the proof


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_full_disk(
    small_disk: Path,
    installation_factory: InstallationFactory,
    recorder: Recorder,
    *,
    is_killed: bool,
) -> None:
    """It goes on by itself when there is room, or with a new process."""
    site = await loaded_site(installation_factory, recorder)
    site.config["daemon"]["state_dir"] = str(small_disk / "state")
    daemon = await site.start()
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        await load.more(MEANWHILE)
        _fill(small_disk / "ballast")
        await daemon.line(FAILS)
        await load.more(MEANWHILE)
        books.nothing_lost_yet()
        assert (await site.get("/readyz"))["status"] == "failing"
        if is_killed:
            await daemon.kill()
            books.nothing_lost_so_far()
        (small_disk / "ballast").unlink()
        if is_killed:
            await site.start()
        else:
            await daemon.line(WORKS)
    await _nothing_lost(books, recorder)


@asynccontextmanager
async def _injected(daemon: Daemon, calls: str, error: str) -> AsyncIterator[None]:
    """These system calls of the running daemon fail, until it is left."""
    process = await create_subprocess_exec(
        *("strace", "-f", "-o", "/dev/null", "-p", str(daemon.pid)),
        *("-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"),
        stderr=PIPE,
    )
    assert process.stderr is not None
    told = await process.stderr.readline()
    if b"attached" not in told:
        await process.wait()
        _missing(f"strace cannot attach: {told.decode().strip()}")
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        _missing("strace is not installed (Debian: apt install strace)")
    return str(found)


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize(
    ("calls", "error"),
    [
        ("fsync,fdatasync", "EIO"),
        ("fsync,fdatasync", "ENOSPC"),
        ("pwrite64", "EIO"),
        ("pwrite64", "ENOSPC"),
    ],
)
async def test_a_disk_that_fails_and_recovers(
    site: Installation, recorder: Recorder, calls: str, error: str
) -> None:
    daemon = await site.start()
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        await load.more(MEANWHILE)
        async with _injected(daemon, calls, error):
            await daemon.line(FAILS)
            await load.more(MEANWHILE)
            books.nothing_lost_yet()
            assert (await site.get("/readyz"))["status"] == "failing"
        await daemon.line(WORKS)
    await _nothing_lost(books, recorder)


@pytest.mark.usefixtures("strace")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
async def test_a_disk_that_fails_until_the_process_is_killed(
    site: Installation, recorder: Recorder, dice: random.Random, error: str
) -> None:
    """From the nth time that it waits for the disk on, no wait succeeds."""
    await (await site.start()).stop()
    nth = dice.randint(1, 60)
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        calls = "fsync,fdatasync"
        daemon = await site.launch(
            under=[
                *("strace", "-D", "-f", "-o", "/dev/null", "-e", f"trace={calls}"),
                *("-e", f"inject={calls}:error={error}:when={nth}+"),
            ]
        )
        await daemon.line(FAILS)
        await load.more(MEANWHILE)
        books.nothing_lost_yet()
        await daemon.kill()
        books.nothing_lost_so_far()
        await site.start()
    await _nothing_lost(books, recorder)
