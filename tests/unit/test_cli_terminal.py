"""Nothing that a terminal obeys gets through, whoever wrote it."""

import json

import pytest

from evidenced.cli.terminal import complain, say, say_json, warn

HOSTILE = "a\x1b[31mb\u009b31mc\u202ed\u2066e\rf\ng"
OBEYED = {"\x1b", "\u009b", "\u202e", "\u2066", "\r"}


@pytest.mark.parametrize("tell", [say, complain, warn])
def test_a_line_is_one_line_of_harmless_characters(
    tell: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(tell)
    tell(HOSTILE)
    said = "".join(capsys.readouterr())
    assert said.count("\n") == 1
    assert OBEYED & set(said) == set()


@pytest.mark.parametrize("is_terminal", [False, True])
def test_so_is_json(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
) -> None:
    """Also a stranger's, who took the page's port and answers the command."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    value = {"id": HOSTILE + "\u2028\ud800\x85", "door": "Tür"}
    say_json(value)
    said = capsys.readouterr().out
    assert OBEYED & set(said) == set()
    assert json.loads(said) == value
    assert ("Tür" in said) is is_terminal
