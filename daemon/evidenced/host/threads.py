"""Work that may hang for ever, on threads that keep nobody waiting.

A share whose server is gone, a name server that is mute, a mail service that takes no
bytes: none of these calls can be cancelled, and one may return after minutes or never.
Three things follow, and they are the same wherever such a call is made:

    a thread of its own, not the loop's executor: that has few, and six calls that hang
        would take it away from everything else that needs one
    a daemon thread: the process ends although it hangs
    a bound: what was given up hangs on, so for each thing that is asked (a mount, a
        name, a receiver) only so many may hang; beyond that the answer is the same at
        once, without another thread

Where threads meet: a thread never touches a future, it hands its result to the loop by
`call_soon_threadsafe`; all that is counted is counted on the loop. The one thing done
on the thread besides the work is to let go of a result that no loop takes any more.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any, Protocol, TypeVar

from evidenced.core.spoken import spoken

T = TypeVar("T")


class Apart(Protocol):
    """Runs what may block for ever where it keeps nobody waiting."""

    def __call__(self, work: Callable[[], T], /) -> "asyncio.Future[T]": ...


def _let_go(_result: object) -> None:
    """There is nothing to be closed."""


def on_thread(
    work: Callable[[], T], *, unwanted: Callable[[T], None] = _let_go
) -> "asyncio.Future[T]":
    """Begin it on a thread of its own; `unwanted` gets what nobody waits for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T) -> None:
        if future.done():
            unwanted(result)
        else:
            future.set_result(result)

    def fail(error: Exception) -> None:
        if not future.done():
            future.set_exception(error)

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(fail, error)
            return
        try:
            loop.call_soon_threadsafe(settle, result)
        except RuntimeError:
            unwanted(result)

    Thread(target=run, name="apart", daemon=True).start()
    return future


class HangingError(TimeoutError):
    """As many calls as may be hang already: none was begun."""


class Threads:
    """Calls of one kind, of which some may hang: at most so many for each key."""

    def __init__(
        self,
        most: int = 1,
        *,
        apart: Apart | None = None,
        unwanted: Callable[[Any], None] = _let_go,
    ) -> None:
        """`unwanted` gets results that come after they were given up."""
        self._most = most
        self._apart = apart or partial(on_thread, unwanted=unwanted)
        self._unwanted = unwanted
        self._hanging: Counter[Hashable] = Counter()

    def begin(self, work: Callable[[], T], key: Hashable) -> "asyncio.Future[T]":
        """Its result. Cancel it to give it up: then it counts until it has ended.

        Raises:
            HangingError: as many as may be hang already.
        """
        thread = self._begin(work, key)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def given_up(_: object) -> None:
            if future.cancelled() and not thread.done():
                self._give_up(thread, key)
            elif future.cancelled():
                self._drop(thread)

        def ended(_: object) -> None:
            if not future.done():
                _pass_on(thread, future)

        future.add_done_callback(given_up)
        thread.add_done_callback(ended)
        return future

    async def run(self, work: Callable[[], T], key: Hashable, limit: timedelta) -> T:
        """Its result, within the limit.

        Raises:
            TimeoutError: the key has not answered; HangingError is one.
        """
        text = f"{key} has not answered for {spoken(limit)}"
        try:
            thread = self._begin(work, key)
        except HangingError:
            raise HangingError(text) from None
        try:
            await asyncio.wait({thread}, timeout=limit.total_seconds())
        finally:
            if not thread.done():
                self._give_up(thread, key)
        if not thread.done():
            raise TimeoutError(text)
        return thread.result()

    def _begin(self, work: Callable[[], T], key: Hashable) -> "asyncio.Future[T]":
        if self._hanging[key] >= self._most:
            raise HangingError
        return self._apart(work)

    def _give_up(self, thread: "asyncio.Future[Any]", key: Hashable) -> None:
        self._hanging[key] += 1

        def ended(_: object) -> None:
            self._hanging[key] -= 1
            self._drop(thread)

        thread.add_done_callback(ended)

    def _drop(self, thread: "asyncio.Future[Any]") -> None:
        if thread.exception() is None:  # asked, so that it is not told as forgotten
            self._unwanted(thread.result())


def _pass_on(thread: "asyncio.Future[T]", future: "asyncio.Future[T]") -> None:
    error = thread.exception()
    if error is None:
        future.set_result(thread.result())
    else:
        future.set_exception(error)
