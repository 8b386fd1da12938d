"""Log lines: one event each, as JSON for machines or in colour on a terminal.

Under systemd each goes to the journal with its level and values as fields
(EVIDENCED_INCIDENT=...); its message is the same JSON line.

A line is a constant text with key=value. Values may come from anywhere, so they are
bounded and cannot forge a line, move a cursor or hold up the daemon. A secret is masked
by its own type; names that only ever carry secrets are masked here once more.
"""

import atexit
import json
import logging
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, TextIO
from unicodedata import category

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer
from typing_extensions import override

from evidenced.core.instants import render_utc
from evidenced.host.journal import SystemJournal, is_journal

MAX_TEXT = 2_000
"""Characters of one value; a journal line stops at 48 KiB. Source: journald.conf(5)."""
MAX_TRACEBACK = 16_000
MAX_ITEMS = 50
MAX_DEPTH = 3
MAX_INT_BITS = 256
"""Python refuses to write out integers of thousands of digits, and so may a reader."""

MAX_WAITING = 4 * 1024 * 1024
"""Characters of lines that wait to be written: some ten thousand lines."""
FLUSH_S = 2.0
"""What waits at the end has so long."""

_SECRET_NAMES = frozenset(
    {"password", "secret", "token", "authorization", "cookie", "nonce"}
)
_LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Source: syslog(3), and sd-daemon(3) for the "<N>" at a line's start."""

_Event = MutableMapping[str, Any]


def configure(
    level: str,
    *,
    stream: TextIO,
    is_terminal: bool,
    journal: SystemJournal | None = None,
    is_apart: bool = False,
) -> None:
    """Send every log line to the stream, ours from `level` on, libraries' warnings.

    May be called again: with another level after a reload, with another stream in a
    test. The stream serves where the journal cannot be reached. With `is_apart` lines
    are written on a thread, so that whoever does not read them holds up nobody.

    Raises:
        KeyError: no such level; configuration has checked it.
    """
    lines = _Lines(stream, journal)
    if is_apart:
        lines = _apart(stream, journal)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _add_time,
            ExceptionRenderer(),
            _make_safe,
            _Renderer(is_terminal=is_terminal, has_fields=journal is not None),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: lines,
        # a cached logger keeps its first level and stream for ever, whatever a reload
        # says; not caching costs 1.4 us a call (a written line costs 13)
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    ours = [handler for handler in root.handlers if isinstance(handler, _Bridge)]
    for handler in ours:
        root.removeHandler(handler)
    root.addHandler(_Bridge())
    root.setLevel(logging.WARNING)


def configure_process(level: str) -> None:
    """`configure` for what stderr is: the journal, a terminal, or anything else."""
    environ = os.environ.get("JOURNAL_STREAM", "")
    configure(
        level,
        stream=sys.stderr,
        is_terminal=sys.stderr.isatty(),
        journal=SystemJournal() if is_journal(sys.stderr, environ) else None,
        is_apart=True,
    )


class _Lines:
    """Writes lines. A log that cannot be written must not stop the daemon."""

    def __init__(self, stream: TextIO, journal: SystemJournal | None) -> None:
        self._stream = stream
        self._journal = journal

    def msg(self, line: str, fields: Mapping[str, str] | None = None) -> None:
        if fields is not None and self._journal is not None:
            if self._journal.send(fields):
                return
            line = f"<{fields['PRIORITY']}>{line}"
        with suppress(OSError, ValueError):  # full disk, broken pipe, closed stream
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Apart(_Lines):
    """The same on a thread: a journal that is stopped, a pipe that nobody reads.

    Where threads meet: any thread may log; `_ready` guards the queue and its size. Only
    the thread of this class writes, so lines keep their order. What comes while too
    much waits is dropped and counted, and the count is the next line that fits.
    """

    def __init__(self, stream: TextIO, journal: SystemJournal | None) -> None:
        super().__init__(stream, journal)
        self._ready = threading.Condition()
        self._waiting: deque[tuple[str, Mapping[str, str] | None]] = deque()
        self._size = 0
        self._dropped = 0
        self._is_writing = False
        threading.Thread(target=self._work, name="log", daemon=True).start()

    @override
    def msg(self, line: str, fields: Mapping[str, str] | None = None) -> None:
        with self._ready:
            if self._size + len(line) > MAX_WAITING:
                self._dropped += 1
                return
            dropped, self._dropped = self._dropped, 0
            self._size += len(line)
            self._waiting.append((line, fields))
            self._ready.notify_all()
        if dropped:
            text = "log lines were dropped: nobody read them"
            structlog.get_logger().warning(text, lines=dropped)

    debug = info = warning = error = critical = msg

    def flush(self) -> None:
        """What waits is written, or the time is over."""
        with self._ready:
            self._ready.wait_for(
                lambda: not (self._waiting or self._is_writing), FLUSH_S
            )

    def _work(self) -> None:
        while True:
            with self._ready:
                self._is_writing = False
                self._ready.notify_all()
                self._ready.wait_for(lambda: self._waiting)
                line, fields = self._waiting.popleft()
                self._is_writing = True
            super().msg(line, fields)  # may hang; nobody waits for it
            with self._ready:
                self._size -= len(line)


def flush() -> None:
    """What was logged is written, or nobody reads it."""
    for each in _MADE:
        each.flush()


_MADE: list[_Apart] = []


@lru_cache(maxsize=1)
def _apart(stream: TextIO, journal: SystemJournal | None) -> _Apart:
    """One thread however often the level changes."""
    made = _Apart(stream, journal)
    _MADE.append(made)
    atexit.register(made.flush)
    return made


class _Bridge(logging.Handler):
    """Hands what libraries log to structlog, so that there is one form of line."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a library's own slip in its % arguments
            text = str(record.msg)
        structlog.get_logger().log(
            _known_level(record.levelno),
            text,
            logger=record.name,
            exc_info=record.exc_info,
        )


class _Renderer:
    def __init__(self, *, is_terminal: bool, has_fields: bool) -> None:
        self._console = (
            ConsoleRenderer(exception_formatter=plain_traceback, pad_event_to=0)
            if is_terminal
            else None
        )
        self._has_fields = has_fields

    def __call__(
        self, logger: object, method: str, event: _Event
    ) -> str | tuple[tuple[str], dict[str, Any]]:
        if self._console is not None:
            event["timestamp"] = event.pop("time")
            return str(self._console(logger, method, event))
        first = {name: event.pop(name, "") for name in ("time", "level", "event")}
        # ASCII on purpose: escapes bidi characters and lone surrogates too
        line = json.dumps(first | dict(event), ensure_ascii=True, default=str)
        if not self._has_fields:
            return line
        values = {"event": first["event"]} | dict(event)
        return (line,), {"fields": _fields(line, first["level"], values)}


def _fields(line: str, level: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What the journal keeps of a line. Source: systemd.journal-fields(7)."""
    own = {
        f"EVIDENCED_{name.upper()}": (
            value if isinstance(value, str) else json.dumps(value, default=str)
        )
        for name, value in values.items()
    }
    return {
        "MESSAGE": line,
        "PRIORITY": str(_PRIORITIES[level]),
        "SYSLOG_IDENTIFIER": "evidenced",
        **own,
    }


def _add_time(_logger: object, _method: str, event: _Event) -> _Event:
    event["time"] = render_utc(datetime.now(UTC))
    return event


def _known_level(number: int) -> int:
    """The level at or below it that has a name: structlog knows no others."""
    return min(max(number // 10 * 10, logging.DEBUG), logging.CRITICAL)


def _make_safe(_logger: object, _method: str, event: _Event) -> _Event:
    for name, value in event.items():
        if name in _SECRET_NAMES:
            event[name] = "***"
        elif name == "exception":
            event[name] = _safe_traceback(str(value))
        else:
            event[name] = _safe(value)
    return event


def _safe(value: object, depth: int = 0) -> object:
    """The value as JSON can carry it: of bounded size, without control characters."""
    match value:
        case None | bool():
            return value
        case str():
            return _safe_text(value)
        case int() | float():
            return _safe_number(value)
        case datetime() if value.tzinfo is not None:
            return render_utc(value)
        case bytes():
            return _safe_text(value[: MAX_TEXT + 1].decode("utf-8", "backslashreplace"))
        case _:
            return _safe_other(value, depth)


def _safe_number(value: float) -> object:
    if isinstance(value, int):
        return value if value.bit_length() <= MAX_INT_BITS else "(huge integer)"
    return value if math.isfinite(value) else repr(value)


def _safe_other(value: object, depth: int) -> object:
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            items = islice(value.items(), MAX_ITEMS)
            return {_safe_text(str(k)): _safe(v, depth + 1) for k, v in items}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_safe(item, depth + 1) for item in islice(value, MAX_ITEMS)]
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _safe_text(str(value))


def _safe_traceback(text: str) -> str:
    """Its end, which says most, indented so that no line of it looks like an event."""
    lines = text[-MAX_TRACEBACK:].splitlines()
    return "\n".join(f"  {_safe_text(line)}" for line in lines)


def _safe_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}... ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(c: str) -> str:
    """Spaces of other scripts stay; what moves a cursor or a line is spelled out."""
    return c if category(c) == "Zs" else c.encode("unicode_escape").decode("ascii")
