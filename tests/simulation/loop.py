"""An event loop whose time is virtual: when nothing is ready it jumps to what is next.

Everything else is asyncio as it is. With dice, callbacks that are ready together run in
an order of theirs: what only works in one order is found.
"""

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from functools import partial
from random import Random
from typing import Any

from typing_extensions import override


class Stuck(RuntimeError):  # noqa: N818 - told as what it is
    """Nothing is ready and no timer runs: whoever waits, waits for ever."""


class _Leaping(selectors.SelectSelector):
    """Instead of waiting for files it lets the loop's time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualLoop | None = None

    @override
    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("no callback is ready and no timer runs")
        if self.loop is not None:
            self.loop.pass_time(timeout)
        return []


NODE: ContextVar[str | None] = ContextVar("node", default=None)
"""The process whose callback runs, where there are several."""
OUTSIDE = Context()
"""Of what happens in the network, whatever becomes of who began it."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds since its start; `dice` shuffle what is ready together.

    A process that is frozen stands still: what would run in it waits until it thaws.
    """

    def __init__(self, dice: Random | None = None) -> None:
        self._virtual = 0.0
        self._dice = dice
        self.turns = 0
        self._frozen: dict[str, list[Callable[[], object]]] = {}
        self.at_turn: dict[int, Callable[[], None]] = {}
        """What happens at the nth turn of the loop: between any two awaits."""
        selector = _Leaping()
        super().__init__(selector)
        selector.loop = self

    def freeze(self, node: str) -> None:
        self._frozen.setdefault(node, [])

    def is_frozen(self, node: str) -> bool:
        return node in self._frozen

    def thaw(self, node: str) -> None:
        """It goes on, and does not know that time has passed."""
        for again in self._frozen.pop(node, []):
            again()

    @override
    def call_soon(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if not self._frozen:
            return super().call_soon(callback, *args, context=context)
        found: list[asyncio.Handle] = []
        guarded = self._guarded(callback, context, found)
        found.append(super().call_soon(guarded, *args, context=context))
        return found[0]

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        found: list[asyncio.Handle] = []
        guarded = self._guarded(callback, context, found)
        handle = super().call_at(when, guarded, *args, context=context)
        found.append(handle)
        return handle

    def _guarded(
        self,
        callback: Callable[..., object],
        context: Context | None,
        found: list[asyncio.Handle],
    ) -> Callable[..., object]:
        """It runs, or waits with all else of a frozen process."""
        node = NODE.get() if context is None else context.get(NODE)
        if node is None:
            return callback

        def run(*args: Any) -> None:
            if node not in self._frozen:
                callback(*args)
                return
            own = copy_context()

            def late() -> None:
                if not found[0].cancelled():
                    callback(*args)

            self._frozen[node].append(partial(self.call_soon, late, context=own))

        return run

    @override
    def time(self) -> float:
        return self._virtual

    @override
    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """At once: a thread's work would end between other callbacks in each run."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            future.set_exception(error)
        return future

    def pass_time(self, seconds: float) -> None:
        self._virtual += max(seconds, 0.0)
        self.turns += 1
        if self.turns in self.at_turn:
            self.at_turn.pop(self.turns)()
        ready = getattr(self, "_ready")  # noqa: B009 - asyncio's own, not typed
        if self._dice is not None and len(ready) > 1:
            handles = list(ready)
            self._dice.shuffle(handles)
            ready.clear()
            ready.extend(handles)
