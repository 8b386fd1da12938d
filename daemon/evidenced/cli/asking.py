"""Questions at a terminal, each of which an option can answer; and what is written."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeVar

import typer

from evidenced.cli.terminal import Failed, complain, note

BAD_INPUT = 2
PROBLEMS = 1
SIGNALLED = 128
"""An exit code beyond it is a signal's number. Source: POSIX, shells."""
ENDS = (signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")
U = TypeVar("U")


class NotGood(Exception):  # noqa: N818 - an answer is asked for again
    """An answer that does not do: why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Asker:
    """What an option answers is not asked; without a terminal nothing is."""

    is_interactive: bool
    _kept: dict[str, str] = field(default_factory=dict)

    def text(
        self,
        given: str | None,
        option: str,
        question: str,
        default: str | None = None,
        *,
        keeps: bool = False,
    ) -> str:
        """One line; it is "" only where that is the default.

        With `keeps` what is typed is the default when it is asked again.

        Raises:
            Failed: exit 2, nobody can be asked and there is no default.
        """
        if given is not None:
            return given.strip()
        if self.is_interactive:
            default = self._kept.get(option, default)
            shown = bool(default)
            answer = typer.prompt(question, default, err=True, show_default=shown)
            said = str(answer).strip()
            if keeps and said:
                self._kept[option] = said
            return said
        if default is None:
            raise Failed(f"{option} is missing: {question}", code=BAD_INPUT)
        return default

    def secret(
        self,
        given: Path | None,
        option: str,
        question: str,
        keep: Callable[[str], Path],
    ) -> Path:
        """The file that has it: the one given, or a new one for what is typed."""
        if given is not None:
            return given.absolute()
        if not self.is_interactive:
            raise Failed(f"{option} is missing: {question}", code=BAD_INPUT)
        return keep(str(typer.prompt(question, hide_input=True, err=True)))

    def until_it_works(
        self,
        ask: Callable[[], T],
        attempt: Callable[[T], U],
        code: int = PROBLEMS,
    ) -> tuple[T, U]:
        """Ask, try, and ask again as long as somebody can give another answer.

        Raises:
            Failed: with this exit code, nobody can.
        """
        while True:
            answer = ask()
            try:
                return answer, attempt(answer)
            except NotGood as error:
                if not self.is_interactive:
                    raise Failed(str(error), code=code) from None
                complain(str(error))
                note("asked again; Ctrl-C leaves, and nothing is written")


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(SIGNALLED + number)


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """A signal that ends the process, or a terminal that is closed, cleans up first."""
    before = {number: signal.getsignal(number) for number in ENDS}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # nohup's is to be ignored
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class NewFolder:
    """The folder that gets the configuration and the secrets."""

    folder: Path
    _written: list[Path] = field(default_factory=list)

    @contextmanager
    def made(self) -> Iterator[None]:
        """It is there within this block; of one that fails nothing stays.

        Raises:
            Failed: exit 2, it cannot be made or written to.
        """
        missing = [
            each for each in (self.folder, *self.folder.parents) if not each.exists()
        ]
        try:
            with _ends_in_order():
                self._make()
                yield
        except BaseException as error:
            for file in self._written:
                file.unlink(missing_ok=True)
            with suppress(OSError):
                for folder in missing:
                    folder.rmdir()
            if isinstance(error, KeyboardInterrupt | SystemExit | typer.Abort):
                with suppress(OSError):  # the terminal may be gone
                    note("\nnothing is written")
            raise

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            text = f"{self.folder} is a file, or below one: name a folder"
            raise Failed(text, code=BAD_INPUT) from None
        except OSError as error:
            text = f"{self.folder} cannot be made: {error.strerror}"
            raise Failed(text, code=BAD_INPUT) from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            text = f"{self.folder}: you may not write there; choose another folder"
            raise Failed(text, code=BAD_INPUT)

    def keeper(self, name: str) -> Callable[[str], Path]:
        """What writes a secret that was typed; typed again, the last one counts."""

        def keep(secret: str) -> Path:
            file = self.folder / name
            file.unlink(missing_ok=True)
            self.write(file, secret + "\n", 0o600)
            return file

        return keep

    def write(self, file: Path, text: str, mode: int) -> None:
        """A new file with this mode from its first moment on.

        Raises:
            Failed: exit 2, it cannot be written.
        """
        self._written.append(file)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            with os.fdopen(os.open(file, flags, mode), "w", encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}", code=BAD_INPUT) from None
