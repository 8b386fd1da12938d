"""One line on stderr that says how far it is, on a terminal only."""

import sys
import threading
from collections.abc import Callable
from typing import Self

from evidenced.core.alarms.payload import one_line

EVERY_S = 0.2
WIDTH = 79
"""A line that wraps could not be taken back."""
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """The line; for several threads at once. Taken back when it is left."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._is_shown = sys.stderr.isatty()
        self._monotonic = monotonic
        self._next = 0.0
        self._lock = threading.Lock()

    def show(self, words: Callable[[], str]) -> None:
        """Show these words instead of the last; made only when it is time to."""
        if not self._is_shown:
            return
        with self._lock:
            now = self._monotonic()
            if now >= self._next:
                self._next = now + EVERY_S
                sys.stderr.write(_CLEAR + one_line(words(), WIDTH))
                sys.stderr.flush()

    def clear(self) -> None:
        """Take it back, before something is said that stays."""
        if self._is_shown:
            with self._lock:
                self._next = 0.0
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
