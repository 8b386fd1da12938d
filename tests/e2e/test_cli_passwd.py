"""`evidenced passwd` at a real terminal: asked twice, shown never."""

from argon2 import PasswordHasher

from fakes.terminal import Terminal

PASSWORD = "correct horse battery"


def test_it_asks_twice_and_shows_nothing() -> None:
    terminal = Terminal("passwd")
    terminal.until("assword: ")
    terminal.type(PASSWORD, is_secret=True)
    terminal.until("once more: ")
    terminal.type(PASSWORD, is_secret=True)
    code, out = terminal.end()
    assert code == 0
    assert PasswordHasher().verify(out.strip(), PASSWORD)
    assert PASSWORD not in terminal.said


def test_a_slip_is_told_and_makes_nothing() -> None:
    terminal = Terminal("passwd")
    terminal.until("assword: ")
    terminal.type(PASSWORD, is_secret=True)
    terminal.until("once more: ")
    terminal.type("another battery", is_secret=True)
    code, out = terminal.end()
    assert (code, out) == (2, "")
    assert "the two differ; nothing was made" in terminal.said
    assert "battery" not in terminal.said
