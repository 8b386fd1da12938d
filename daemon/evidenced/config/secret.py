"""Secrets: where they come from is configuration, what they are is read late.

Read late, so that a rotated password works without a restart and no object keeps it.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from typing_extensions import override

from evidenced.core.errors import BadInput

MAX_SECRET_BYTES = 64 * 1024
"""Room for any token; a secret is read into memory at every login."""


class Origin(StrEnum):
    FILE = "file"
    CREDENTIAL = "credential"
    ENV = "env"
    LITERAL = "literal"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret by its origin. Nothing but `reveal` ever gives its value.

    `where` is the file, the credential's or the variable's name; for a literal it is
    the secret itself.
    """

    origin: Origin
    where: str

    @override
    def __repr__(self) -> str:
        shown = "***" if self.origin is Origin.LITERAL else self.where
        return f"Secret({self.origin}: {shown})"

    __str__ = __repr__

    def reveal(self, environ: Mapping[str, str] | None = None) -> str:
        """The value, read now, without the line break at its end. Blocks on a file.

        Raises:
            BadInput: it cannot be read or is empty; one sentence, without the value.
        """
        environ = os.environ if environ is None else environ
        match self.origin:
            case Origin.LITERAL:
                value = self.where
            case Origin.ENV:
                value = environ.get(self.where, "")
            case Origin.FILE:
                value = self._read(Path(self.where))
            case Origin.CREDENTIAL:
                value = self._read(self._credential(environ))
        value = value.removesuffix("\n").removesuffix("\r")
        if not value:
            raise BadInput(f"{self._place()} is empty or not set; put the secret there")
        return value

    def exposure(self, environ: Mapping[str, str] | None = None) -> str:
        """Who besides its owner and group may touch its file; "" where nobody does.

        Raises:
            BadInput: there is no credential folder.
        """
        environ = os.environ if environ is None else environ
        match self.origin:
            case Origin.FILE:
                why = exposure_of(Path(self.where))
            case Origin.CREDENTIAL:
                why = exposure_of(self._credential(environ))
            case _:
                why = ""
        return why and f"{self._place()} {why}"

    def _credential(self, environ: Mapping[str, str]) -> Path:
        """Source: systemd.exec(5), LoadCredential and $CREDENTIALS_DIRECTORY."""
        folder = environ.get("CREDENTIALS_DIRECTORY", "")
        if not folder:
            raise BadInput(
                f"{self._place()} cannot be read because $CREDENTIALS_DIRECTORY is not "
                "set; start the daemon from its systemd unit with LoadCredential"
            )
        return Path(folder) / self.where

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_SECRET_BYTES + 1)
            if len(raw) > MAX_SECRET_BYTES:
                raise BadInput(
                    f"{self._place()} is longer than {MAX_SECRET_BYTES} bytes; "
                    "it must hold the secret and nothing else"
                )
            return raw.decode("utf-8")
        except OSError as error:
            raise BadInput(
                f"{self._place()} cannot be read: {error.strerror or 'unknown error'}"
            ) from None
        except ValueError:  # not UTF-8, or a path with a NUL
            raise BadInput(
                f"{self._place()} is not readable UTF-8 text; write it as UTF-8"
            ) from None

    def _place(self) -> str:
        match self.origin:
            case Origin.FILE:
                return f'the secret file "{self.where}"'
            case Origin.CREDENTIAL:
                return f'the credential "{self.where}"'
            case Origin.ENV:
                return f"the environment variable {self.where}"
            case Origin.LITERAL:
                return "the secret in the configuration"


def exposure_of(file: Path) -> str:
    """What is wrong with who may read or replace a secret file; "" where nothing is.

    Its group may read it: that is how a service of its own user is given one.
    """
    folder = file.resolve().parent
    try:
        mode, above = file.stat().st_mode, folder.stat().st_mode
    except (OSError, ValueError):  # not there: told when it is read
        return ""
    advice = f"(mode {stat.S_IMODE(mode):04o}): chmod 600 it"
    if mode & (stat.S_IWOTH | stat.S_IWGRP):
        return f"can be written by others {advice}"
    if mode & stat.S_IROTH:
        return f"can be read by everybody {advice}"
    if above & stat.S_IWOTH and not above & stat.S_ISVTX:
        return f"can be replaced by whoever may write its folder: chmod o-w {folder}"
    return ""
