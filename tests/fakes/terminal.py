"""A command of ours with a terminal of its own, and somebody who types there."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

DEADLINE_S = 100
OWN_TERMINAL = ("setsid", "-c", "-w", "env", "--default-signal=HUP,INT,QUIT,TERM")
"""Who runs tests in the background has them ignore Ctrl-C, nohup the end of a terminal:
both are inherited."""


class Terminal:
    """The command with a terminal of its own; its stdout is a pipe, as in `$(...)`."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*OWN_TERMINAL, sys.executable, "-m", "evidenced", *arguments],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        self.said = ""
        self._typed = 0

    def until(self, words: str) -> None:
        """Read till it says so, since the last line that was typed."""
        while words not in self.said[self._typed :]:
            self.said += self.read()

    def read(self) -> str:
        ready, _, _ = select.select([self.ours], [], [], DEADLINE_S)
        assert ready, f"it says nothing more: {self.said}"
        try:
            return os.read(self.ours, 4096).decode()
        except OSError:  # EIO: nobody has the other end any more
            raise AssertionError(f"it ended: {self.said}") from None

    def type(self, text: str, *, is_secret: bool = False) -> None:
        """One line; a secret only where the terminal shows nothing of it."""
        shows = termios.tcgetattr(self.ours)[3] & termios.ECHO
        assert not (is_secret and shows)
        self._typed = len(self.said)
        os.write(self.ours, f"{text}\n".encode())

    def answer(self, question: str, text: str, *, is_secret: bool = False) -> None:
        """What is asked next, and what somebody types then."""
        self.until(question)
        self.type(text, is_secret=is_secret)

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.write(self.ours, b"\x03")

    def kill(self, number: signal.Signals) -> None:
        """The signal, to the command itself: setsid may wait for it as its child."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(children[0]) if children else pid, number)

    def end(self) -> tuple[int, str]:
        """Its exit code and stdout; what it still says is read."""
        out, _ = self.process.communicate(timeout=DEADLINE_S)
        try:
            while more := os.read(self.ours, 4096):
                self.said += more.decode()
        except OSError:
            pass
        os.close(self.ours)
        return self.process.returncode, out.decode()
