"""Calls that hang: nobody waits for them, and they do not pile up."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import aiohttp
import pytest

from evidenced.host.threads import HangingError, Threads, on_thread
from evidenced.sense.resolver import Resolver

SOON = timedelta(milliseconds=20)
LONG = timedelta(seconds=60)


class Hang:
    """Work that hangs till it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.begun += 1
        assert self.let_go.wait(60)
        return "late"


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.let_go.set()


async def test_the_result_or_what_the_work_raised() -> None:
    threads = Threads()
    assert await threads.run(lambda: 7, "seven", LONG) == 7
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, "x", LONG)


async def test_what_does_not_answer_is_named_and_not_begun_again(hang: Hang) -> None:
    late: list[str] = []
    threads = Threads(unwanted=late.append)
    with pytest.raises(TimeoutError, match="/mnt/nas has not answered for"):
        await threads.run(hang, "/mnt/nas", SOON)
    with pytest.raises(HangingError, match="/mnt/nas has not answered"):
        await threads.run(hang, "/mnt/nas", LONG)
    assert hang.begun == 1
    assert await threads.run(lambda: "others go on", "/mnt/two", LONG)
    hang.let_go.set()
    async with asyncio.timeout(60):
        while not late:
            await on_thread(lambda: None)
    assert late == ["late"]
    assert await threads.run(lambda: "again", "/mnt/nas", LONG) == "again"


async def test_what_was_given_up_counts_until_it_ends(hang: Hang) -> None:
    threads = Threads(most=2)
    for _ in range(2):
        given_up, call = asyncio.Event(), threads.begin(hang, "broker")
        call.add_done_callback(lambda _, known=given_up: known.set())
        call.cancel()
        await given_up.wait()  # and whoever counts was told before
    with pytest.raises(HangingError):
        threads.begin(hang, "broker")


def test_a_result_after_the_loop_has_closed_is_let_go(hang: Hang) -> None:
    late: list[str] = []
    done = threading.Event()

    def unwanted(result: str) -> None:
        late.append(result)
        done.set()

    async def main() -> None:
        Threads(unwanted=unwanted).begin(hang, "broker")

    asyncio.run(main())
    hang.let_go.set()
    assert done.wait(60)
    assert late == ["late"]


async def test_names_that_hang_take_none_of_those_that_resolve_with_them(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute name server knows nothing of the recorder with an entry in /etc/hosts."""
    found = socket.getaddrinfo

    def look_up(host: str, *rest: object, **more: object) -> object:
        if host.startswith("dead"):
            hang()
        return found(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    dead = [Resolver(SOON) for _ in range(40)]
    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(_refused(each, f"dead{n}.example"))
            for n, each in enumerate(dead)
        ]
    assert all(task.result() for task in tries)
    assert hang.begun == 40
    [first, *_] = await Resolver(LONG).resolve("127.0.0.1", 80)
    assert (first["host"], first["port"]) == ("127.0.0.1", 80)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: True), 20)
    with pytest.raises(HangingError):
        await dead[0].resolve("dead0.example", 80)


async def _refused(resolver: Resolver, host: str) -> bool:
    with pytest.raises(TimeoutError, match="has not answered"):
        await resolver.resolve(host, 80)
    return True


async def test_aiohttp_takes_what_it_finds() -> None:
    async with aiohttp.TCPConnector(resolver=Resolver(LONG)) as connector:
        found = await connector._resolve_host("localhost", 80)
    assert {each["port"] for each in found} == {80}
