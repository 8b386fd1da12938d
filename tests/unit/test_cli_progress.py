"""The line that says how far it is: on a terminal, now and then, and taken back."""

import io
import sys

import pytest
from typing_extensions import override

from evidenced.cli.progress import EVERY_S, ProgressLine
from fakes.clock import FakeClock


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def test_it_is_shown_now_and_then_and_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, clock = Terminal(), FakeClock()
    monkeypatch.setattr(sys, "stderr", terminal)
    made = []

    def words(text: str) -> str:
        made.append(text)
        return text

    with ProgressLine(clock.monotonic) as line:
        line.show(lambda: words("one\n\x1b[31m"))
        line.show(lambda: words("two"))
        clock.advance(EVERY_S)
        line.show(lambda: words("three"))
        line.clear()
        line.show(lambda: words("four"))
    assert made == ["one\n\x1b[31m", "three", "four"]
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown == ["", "one\ufffd\ufffd[31m", "three", "", "four", ""]


def test_where_there_is_no_terminal_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ProgressLine(FakeClock().monotonic) as line:
        line.show(lambda: pytest.fail("words are made for nobody"))
    assert stream.getvalue() == ""
