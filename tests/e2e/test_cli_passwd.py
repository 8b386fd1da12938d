"""`evidenced passwd` at a real terminal: asked twice, shown never."""

import os
import pty
import subprocess
import sys
import termios

from argon2 import PasswordHasher

PASSWORD = "correct horse battery"


class Terminal:
    """The command with a terminal of its own; its stdout is a pipe, as in `$(...)`."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "-c", "-w", sys.executable, "-m", "evidenced", "passwd"],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        self.said = ""

    def until(self, words: str) -> None:
        """Read till it says so; echo is off by the time that it asks."""
        while words not in self.said:
            self.said += self.read()

    def read(self) -> str:
        try:
            return os.read(self.ours, 4096).decode()
        except OSError:  # EIO: nobody has the other end any more
            raise AssertionError(f"it ended: {self.said}") from None

    def type(self, text: str) -> None:
        assert not termios.tcgetattr(self.ours)[3] & termios.ECHO
        os.write(self.ours, f"{text}\n".encode())

    def end(self) -> tuple[int, str]:
        """Its exit code and stdout; what it still says is read."""
        out, _ = self.process.communicate(timeout=20)
        try:
            while more := os.read(self.ours, 4096):
                self.said += more.decode()
        except OSError:
            pass
        os.close(self.ours)
        return self.process.returncode, out.decode()


def test_it_asks_twice_and_shows_nothing() -> None:
    terminal = Terminal()
    terminal.until("assword: ")
    terminal.type(PASSWORD)
    terminal.until("once more: ")
    terminal.type(PASSWORD)
    code, out = terminal.end()
    assert code == 0
    assert PasswordHasher().verify(out.strip(), PASSWORD)
    assert PASSWORD not in terminal.said


def test_a_slip_is_told_and_makes_nothing() -> None:
    terminal = Terminal()
    terminal.until("assword: ")
    terminal.type(PASSWORD)
    terminal.until("once more: ")
    terminal.type("another battery")
    code, out = terminal.end()
    assert (code, out) == (2, "")
    assert "the two differ; nothing was made" in terminal.said
    assert "battery" not in terminal.said
