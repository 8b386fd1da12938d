import json
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
import structlog
from typing_extensions import override

from evidenced.host.journal import SystemJournal
from evidenced.host.log import MAX_ITEMS, MAX_TEXT, _Bridge, configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def stream() -> StringIO:
    stream = StringIO()
    configure("info", stream=stream, is_terminal=False)
    return stream


def lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(stream: StringIO, value: object) -> Any:
    structlog.get_logger().info("something happened", value=value)
    return lines(stream)[-1]["value"]


def test_a_line_is_an_event_with_its_time_and_level_first(stream: StringIO) -> None:
    structlog.get_logger().warning("clock is off", recorder="main", seconds=7)
    (line,) = lines(stream)
    assert list(line) == ["time", "level", "event", "recorder", "seconds"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "event": "clock is off",
        "recorder": "main",
        "seconds": 7,
    }


def test_a_reload_may_change_the_level_of_loggers_in_use(stream: StringIO) -> None:
    log = structlog.get_logger()
    log.debug("unseen")
    configure("debug", stream=stream, is_terminal=False)
    log.debug("seen")
    configure("error", stream=stream, is_terminal=False)
    log.warning("unseen")
    assert [line["event"] for line in lines(stream)] == ["seen"]


def test_no_such_level() -> None:
    with pytest.raises(KeyError):
        configure("loud", stream=StringIO(), is_terminal=False)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (2**600, "(huge integer)"),
        (Colour.RED, "red"),
        ("Zürich", "Zürich"),
        ("a\u00a0b", "a\u00a0b"),
        ("x\n{}\r\x1b[2J\x00", "x\\n{}\\r\\x1b[2J\\x00"),
        ("\u202eevil\u2028\ud800\x85", "\\u202eevil\\u2028\\ud800\\x85"),
        (b"\xffA\n", "\\xffA\\n"),
        (
            datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
            "2026-01-02T03:04:05.678Z",
        ),
        (timedelta(minutes=1), 60.0),
        (("a", 1, None), ["a", 1, None]),
        ({"k\n": {"x": 1}}, {"k\\n": {"x": 1}}),
        ([[[[1]]]], [[["[1]"]]]),
        (Path("a"), "a"),
        (ValueError("no\nway"), "no\\nway"),
    ],
)
def test_values(stream: StringIO, value: object, expected: object) -> None:
    assert logged(stream, value) == expected


def test_values_are_bounded(stream: StringIO) -> None:
    assert logged(stream, "x" * 5000) == "x" * MAX_TEXT + "... (5000 characters)"
    assert logged(stream, "x" * MAX_TEXT) == "x" * MAX_TEXT
    assert len(logged(stream, b"\xff" * 1_000_000)) < 5 * MAX_TEXT
    assert len(logged(stream, list(range(1000)))) == MAX_ITEMS
    assert len(logged(stream, {n: n for n in range(1000)})) == MAX_ITEMS


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_value_cannot_forge_a_line(is_terminal: bool) -> None:
    stream = StringIO()
    configure("info", stream=stream, is_terminal=is_terminal)
    structlog.get_logger().info("x", value="a\nforged\r\x1b[1A\u2028\x0b\x0c\x85z")
    text = stream.getvalue()
    assert len(text.splitlines()) == 1
    assert "\x1b[1A" not in text


def test_names_of_secrets_are_masked(stream: StringIO) -> None:
    structlog.get_logger().info("x", password="hunter2", token=7, cookie=None)
    assert "hunter2" not in stream.getvalue()
    assert lines(stream)[0]["password"] == lines(stream)[0]["token"] == "***"


def log_a_bug(secret: str) -> None:
    try:
        int(f"first\n{len(secret)}")
    except ValueError:
        structlog.get_logger().exception("bug")


def test_an_exception_is_one_json_line_without_local_values(stream: StringIO) -> None:
    log_a_bug("hunter" + str(2))
    (line,) = lines(stream)
    assert line["level"] == "error"
    *trace, last = line["exception"].splitlines()
    assert trace[0] == "  Traceback (most recent call last):"
    assert last.startswith("  ValueError: invalid literal")
    assert "hunter2" not in stream.getvalue()


def test_an_exception_on_a_terminal_keeps_its_lines_and_no_local_values() -> None:
    stream = StringIO()
    configure("info", stream=stream, is_terminal=True)
    log_a_bug("hunter" + str(2))
    assert "\n  ValueError: invalid literal" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_colour_on_a_terminal() -> None:
    stream = StringIO()
    configure("info", stream=stream, is_terminal=True)
    structlog.get_logger().info("alarm stored", rule="door")
    assert "\x1b[" in stream.getvalue()
    assert "alarm stored" in stream.getvalue()


class Entries(SystemJournal):
    """The journal as a list; with `is_away` it takes nothing."""

    def __init__(self, *, is_away: bool = False) -> None:
        super().__init__()
        self.all: list[dict[str, str]] = []
        self._is_away = is_away

    @override
    def send(self, fields: Mapping[str, str]) -> bool:
        self.all.append(dict(fields))
        return not self._is_away


def test_the_journal_gets_the_line_and_its_values_as_fields() -> None:
    stream, journal = StringIO(), Entries()
    configure("info", stream=stream, is_terminal=False, journal=journal)
    structlog.get_logger().warning("footage is late", incident="i-1", cameras=["a"])
    (entry,) = journal.all
    assert json.loads(entry.pop("MESSAGE"))["incident"] == "i-1"
    assert entry == {
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "evidenced",
        "EVIDENCED_EVENT": "footage is late",
        "EVIDENCED_INCIDENT": "i-1",
        "EVIDENCED_CAMERAS": '["a"]',
    }
    assert stream.getvalue() == ""


def test_the_journal_gets_no_secret() -> None:
    journal = Entries()
    configure("info", stream=StringIO(), is_terminal=False, journal=journal)
    structlog.get_logger().info("x", password="hunter2")
    assert "hunter2" not in str(journal.all)


@pytest.mark.parametrize(
    ("level", "prefix"), [("info", "<6>{"), ("warning", "<4>{"), ("error", "<3>{")]
)
def test_without_its_journal_a_line_goes_to_stderr(level: str, prefix: str) -> None:
    stream = StringIO()
    away = Entries(is_away=True)
    configure("info", stream=stream, is_terminal=False, journal=away)
    getattr(structlog.get_logger(), level)("x")
    assert stream.getvalue().startswith(prefix)


def test_libraries_are_heard_from_warning_on(stream: StringIO) -> None:
    library = logging.getLogger("some.package")
    library.info("unseen")
    library.warning("slow by %d s\n", 3)
    library.log(35, "a level of its own")
    (first, second) = lines(stream)
    assert first["event"] == "slow by 3 s\\n"
    assert first["logger"] == "some.package"
    assert first["level"] == second["level"] == "warning"


def test_a_library_s_own_slip_is_still_a_line(stream: StringIO) -> None:
    root = logging.getLogger()  # without pytest's own handlers, which would raise
    root.handlers[:] = [h for h in root.handlers if isinstance(h, _Bridge)]
    logging.getLogger("some.package").error("%d of %d", *[1])
    assert lines(stream)[0]["event"] == "%d of %d"


def test_configuring_again_does_not_double_the_lines_of_libraries(
    stream: StringIO,
) -> None:
    configure("info", stream=stream, is_terminal=False)
    logging.getLogger("some.package").error("once")
    assert len(lines(stream)) == 1


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", buffering=1) as broken:
        configure("info", stream=broken, is_terminal=False)
        structlog.get_logger().info("into a broken pipe")
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)  # so that closing can flush
    structlog.get_logger().info("into a closed file")


class Stuck(SystemJournal):
    """A journal that does not read until it is let go."""

    let_go = threading.Event()
    taken: ClassVar[list[object]] = []

    @override
    def send(self, fields: Mapping[str, str]) -> bool:
        assert self.let_go.wait(60)
        line = json.loads(fields["MESSAGE"])
        self.taken.append(line.get("n", line["event"]))
        return True


def test_a_journal_that_does_not_read_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every call returns while nothing is written; what is too much is told."""
    monkeypatch.setattr("evidenced.host.log.MAX_WAITING", 1500)
    stuck = Stuck()
    configure(
        "info", stream=StringIO(), is_terminal=False, journal=stuck, is_apart=True
    )
    log = structlog.get_logger()
    for n in range(50):
        log.info("line", n=n)
    stuck.let_go.set()
    structlog.get_config()["logger_factory"]().flush()
    before = len(stuck.taken)
    assert 2 < before < 30
    assert stuck.taken == [*range(before)]
    log.info("room again")
    structlog.get_config()["logger_factory"]().flush()
    dropped = "log lines were dropped: nobody read them"
    assert stuck.taken[before:] == ["room again", dropped]


def test_a_pipe_that_nobody_reads_holds_nobody_up() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        configure("info", stream=stream, is_terminal=False, is_apart=True)
        for n in range(3000):  # more than a pipe holds
            structlog.get_logger().info("line", n=n)
        with os.fdopen(read) as reader:
            assert [json.loads(reader.readline())["n"] for _ in range(3000)] == [
                *range(3000)
            ]
        structlog.get_config()["logger_factory"]().flush()
