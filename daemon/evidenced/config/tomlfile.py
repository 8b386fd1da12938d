"""One TOML file: read within bounds, parsed, or refused in one sentence."""

import re
import tomllib
from pathlib import Path
from typing import Any

from evidenced.core.errors import BadInput, ConfigError

MAX_BYTES = 16 * 1024 * 1024
"""A thousand rules take a thirtieth of this; anything larger is not our file."""
_TOML_PLACE = re.compile(
    r"\s*\((?:at (?P<where>line \d+, column \d+|end of document))\)"
)
_TWICE = "Cannot overwrite a value"
_TOML_WORDS = {
    "Invalid value": "no value; text needs quotes",
}


class ConfigUnreadable(BadInput):
    """The file could not be read at all, so nothing is known about its content."""


def read(path: Path, *, most: int = MAX_BYTES) -> str:
    """The text of a file.

    Raises:
        ConfigUnreadable: it is missing, no file, larger than `most` or not UTF-8.
    """
    try:
        if path.is_dir():
            raise ConfigUnreadable(f"{path} is a folder; name the file in it")
        with path.open("rb") as file:
            raw = file.read(most + 1)
        if len(raw) > most:
            raise ConfigUnreadable(
                f"{path} is larger than {most // 1024} KiB; "
                "is it a configuration of evidenced?"
            )
        return raw.decode("utf-8-sig")
    except OSError as error:
        why = error.strerror or "unknown error"
        raise ConfigUnreadable(f"{path} cannot be read: {why}") from None
    except UnicodeDecodeError as error:
        raise ConfigUnreadable(
            f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from None
    except ValueError:  # a path with a NUL
        raise ConfigUnreadable("the path of the file is none") from None


def parse(text: str) -> dict[str, Any]:
    """The document that a text is.

    Raises:
        ConfigError: it is no TOML; one sentence with the line.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(["the file is nested too deeply; is it TOML?"]) from None
    except ValueError as error:  # TOMLDecodeError, and numbers beyond all bounds
        raise ConfigError([_syntax_fault(str(error), text)]) from None


def _syntax_fault(message: str, text: str) -> str:
    """The parser's own words name no value of the file, except for short characters."""
    found = _TOML_PLACE.search(message)
    if found is None:
        return "the file is no valid TOML: a number or text in it is beyond all bounds"
    what = message[: found.start()]
    if what == _TWICE:
        return _written_twice(found["where"], text)
    what = _TOML_WORDS.get(what, what)
    where = found["where"].replace("end of document", "the end of the file")
    return f"{where}: no valid TOML: {what[:1].lower()}{what[1:]}"


def _written_twice(where: str, text: str) -> str:
    """The line on which a key stands for the second time, and the key."""
    lines = text.rstrip().splitlines()
    number = len(lines)
    if where.startswith("line "):
        number = int(where.split()[1].rstrip(","))
    key, sign, _ = lines[number - 1].partition("=")
    named = f"{key.strip()} is" if sign and key.strip() else "this key is"
    return f"line {number}: no valid TOML: {named} there already; write it once"
