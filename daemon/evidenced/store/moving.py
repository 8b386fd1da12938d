"""Leases of recorders on their way from node to node, for the event loop.

The lease itself blocks for the database; each call here runs on the store's own thread
for such work, one after another.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.store.dialect import Claim, Moving

T = TypeVar("T")


class StoreLeases:
    """`ports.Leases` of one node."""

    def __init__(self, claim: Moving, thread: Executor) -> None:
        self._claim = claim
        self._thread = thread

    async def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        return await self._run(lambda: self._claim.look(reports, lacks))

    async def take(self, names: Collection[str]) -> dict[str, HeldLease]:
        return await self._run(lambda: self._claim.take_more(names))

    async def let_go(self, names: Collection[str]) -> None:
        await self._run(lambda: self._claim.let_go(names))

    def left(self, lease: HeldLease) -> timedelta:
        return self._claim.left(lease)

    def when_gone(self, tell: Callable[[HeldLease], object]) -> None:
        loop = asyncio.get_running_loop()
        self._claim.on_gone = lambda held: _soon(loop, tell, held)

    def listen(self, tell: Callable[[str], object]) -> None:
        loop = asyncio.get_running_loop()
        self._claim.listen(lambda name: _soon(loop, tell, name))

    def pass_on(self, name: str) -> None:
        self._claim.pass_on(name)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def leases_of(claim: Claim, thread: Executor) -> StoreLeases | None:
    """None where all recorders are one daemon's for good."""
    moving = claim.moving
    return None if moving is None else StoreLeases(moving, thread)


def _soon(loop: asyncio.AbstractEventLoop, tell: Callable[[T], object], it: T) -> None:
    """Tell it on the loop; one that has ended needs no telling."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(tell, it)
