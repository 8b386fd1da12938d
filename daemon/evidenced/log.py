"""Log lines: one event each, as JSON for machines or in colour on a terminal.

A line is a constant text with key=value. Values may come from anywhere, so they are
bounded and cannot forge a line, move a cursor or hold up the daemon. A secret is masked
by its own type; names that only ever carry secrets are masked here once more.
"""

import json
import logging
import math
import os
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TextIO
from unicodedata import category

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer

from evidenced.core.instants import render_utc

MAX_TEXT = 2_000
"""Characters of one value; a journal line stops at 48 KiB. Source: journald.conf(5)."""
MAX_TRACEBACK = 16_000
MAX_ITEMS = 50
MAX_DEPTH = 3
MAX_INT_BITS = 256
"""Python refuses to write out integers of thousands of digits, and so may a reader."""

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
"""Source: sd-daemon(3), the "<N>" at a line's start."""

_Event = MutableMapping[str, Any]


def configure(
    level: str, *, stream: TextIO, is_terminal: bool, has_priorities: bool = False
) -> None:
    """Send every log line to the stream, ours from `level` on, libraries' warnings.

    May be called again: with another level after a reload, with another stream in a
    test. `has_priorities` marks lines for systemd's journal, see `is_journal`.

    Raises:
        KeyError: no such level; configuration has checked it.
    """
    lines = _Lines(stream)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _add_time,
            ExceptionRenderer(),
            _make_safe,
            _Renderer(is_terminal=is_terminal, has_priorities=has_priorities),
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


def is_journal(stream: TextIO, journal_stream: str) -> bool:
    """Whether the stream is the very one that systemd connected to its journal.

    `journal_stream` is the variable JOURNAL_STREAM, "device:inode", which is inherited
    also where stderr was redirected since. Source: systemd.exec(5).
    """
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return journal_stream == f"{stat.st_dev}:{stat.st_ino}"


class _Lines:
    """Writes lines. A log that cannot be written must not stop the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):  # full disk, broken pipe, closed stream
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Hands what libraries log to structlog, so that there is one form of line."""

    def emit(  # type: ignore[explicit-override]  # typing.override is not in 3.11
        self, record: logging.LogRecord
    ) -> None:
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
    def __init__(self, *, is_terminal: bool, has_priorities: bool) -> None:
        self._console = (
            ConsoleRenderer(exception_formatter=plain_traceback, pad_event_to=0)
            if is_terminal
            else None
        )
        self._has_priorities = has_priorities

    def __call__(self, logger: object, method: str, event: _Event) -> str:
        if self._console is not None:
            event["timestamp"] = event.pop("time")
            return str(self._console(logger, method, event))
        first = {name: event.pop(name, "") for name in ("time", "level", "event")}
        # ASCII on purpose: escapes bidi characters and lone surrogates too
        line = json.dumps(first | dict(event), ensure_ascii=True, default=str)
        return (
            f"<{_PRIORITIES[first['level']]}>{line}" if self._has_priorities else line
        )


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
