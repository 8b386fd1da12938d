"""An event loop whose time is virtual: when nothing is ready it jumps to what is next.

Everything else is asyncio as it is. With dice, callbacks that are ready together run in
an order of theirs: what only works in one order is found.
"""

import asyncio
import selectors
from collections.abc import Callable
from random import Random

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


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds since its start; `dice` shuffle what is ready together."""

    def __init__(self, dice: Random | None = None) -> None:
        self._virtual = 0.0
        self._dice = dice
        self.turns = 0
        self.at_turn: dict[int, Callable[[], None]] = {}
        """What happens at the nth turn of the loop: between any two awaits."""
        selector = _Leaping()
        super().__init__(selector)
        selector.loop = self

    @override
    def time(self) -> float:
        return self._virtual

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
