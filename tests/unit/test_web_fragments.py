"""Parts of pages are made once for many screens, and never leave a change out."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from evidenced.web import frame as fragments
from evidenced.web.frame import Fragments
from fakes.clock import FakeClock


class Parts:
    """Counts how often a part was made."""

    def __init__(self) -> None:
        self.changes = 0
        self._made = itertools.count(1)

    async def make(self) -> str:
        return f"part {next(self._made)}"


def sleep_of(clock: FakeClock) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    return sleep


async def test_a_part_is_made_once_while_it_is_fresh() -> None:
    parts, clock = Parts(), FakeClock()
    found = Fragments(clock, lambda: parts.changes)
    assert await found.get("a", parts.make) == "part 1"
    assert await found.get("a", parts.make, is_live=True) == "part 1"
    parts.changes += 1
    assert await found.get("a", parts.make) == "part 1"
    clock.advance(fragments.FRESH_S)
    assert await found.get("a", parts.make) == "part 2"


async def test_a_live_screen_gets_the_change_that_it_looks_for() -> None:
    """Seen: a screen showed what was so before, and nothing made it look again."""
    parts, clock = Parts(), FakeClock()
    found = Fragments(clock, lambda: parts.changes, sleep_of(clock))
    assert await found.get("a", parts.make) == "part 1"
    parts.changes += 1
    screens = [found.get("a", parts.make, is_live=True) for _ in range(50)]
    assert set(await asyncio.gather(*screens)) == {"part 2"}


async def test_a_change_while_a_part_is_made_is_not_taken_for_part_of_it() -> None:
    parts, clock = Parts(), FakeClock()
    found = Fragments(clock, lambda: parts.changes, sleep_of(clock))

    async def meanwhile() -> str:
        parts.changes += 1
        return await parts.make()

    assert await found.get("a", meanwhile) == "part 1"
    assert await found.get("a", parts.make, is_live=True) == "part 2"


async def test_only_so_many_are_kept() -> None:
    parts = Parts()
    found = Fragments(FakeClock(), lambda: parts.changes)
    for n in range(fragments.KEPT + 1):
        await found.get(str(n), parts.make)
    assert await found.get("0", parts.make) == f"part {fragments.KEPT + 2}"
