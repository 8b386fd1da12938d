"""Reading the configuration: all of it, or every fault at once."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evidenced.config.checks import problems_of, warnings_of
from evidenced.config.draft import draft_of, salvage
from evidenced.config.faults import MAX_PROBLEMS, Fault, faults_of
from evidenced.config.models import Config
from evidenced.core.errors import BadInput, ConfigError

MAX_BYTES = 1024 * 1024
"""A thousand rules take half of this; anything larger is not our file."""
_TOML_PLACE = re.compile(
    r"\s*\((?:at (?P<where>line \d+, column \d+|end of document))\)"
)
_TOML_WORDS = {
    "Invalid value": "no value; text needs quotes",
    "Cannot overwrite a value": "this key is there already; write it once",
}


class ConfigUnreadable(BadInput):
    """The file could not be read at all, so nothing is known about its content."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without faults. `warnings` are sentences like the problems'."""

    config: Config
    warnings: tuple[str, ...]


def load(path: Path) -> Loaded:
    """The configuration in a file. Blocks on the disk; never starts anything.

    Raises:
        ConfigUnreadable: the file is missing, no file, too large or not UTF-8.
        ConfigError: its content is wrong; every fault that could be found.
    """
    return load_text(_read(path))


def load_text(text: str) -> Loaded:
    """The configuration that a TOML text says.

    Raises:
        ConfigError: it is wrong; every fault that could be found.
    """
    return load_raw(_parse(text))


def load_raw(raw: dict[str, Any]) -> Loaded:
    """The configuration in a TOML document that was parsed already.

    Raises:
        ConfigError: it is wrong; every fault that could be found.
    """
    config, faults = _validate(raw)
    draft = draft_of(config) if config else salvage(raw, (f.place for f in faults))
    faults += problems_of(draft)
    if config is None or faults:
        raise ConfigError(_sentences(faults))
    return Loaded(config, tuple(str(fault) for fault in warnings_of(draft)))


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise ConfigUnreadable(f"{path} is a folder; name the file in it")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigUnreadable(
                f"{path} is larger than {MAX_BYTES // 1024} KiB; "
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


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(["the file is nested too deeply; is it TOML?"]) from None
    except ValueError as error:  # TOMLDecodeError, and numbers beyond all bounds
        raise ConfigError([_syntax_fault(str(error))]) from None


def _syntax_fault(message: str) -> str:
    """The parser's own words name no value of the file, except for short characters."""
    found = _TOML_PLACE.search(message)
    if found is None:
        return "the file is no valid TOML: a number or text in it is beyond all bounds"
    what = message[: found.start()]
    what = _TOML_WORDS.get(what, what)
    where = found["where"].replace("end of document", "the end of the file")
    return f"{where}: no valid TOML: {what[:1].lower()}{what[1:]}"


def _validate(raw: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    try:
        return Config.model_validate(raw), []
    except ValidationError as error:
        return None, faults_of(error, raw)


def _sentences(faults: list[Fault]) -> list[str]:
    told = [str(fault) for fault in faults[:MAX_PROBLEMS]]
    if len(faults) > MAX_PROBLEMS:
        told.append("and more; only the first are told, correct these first")
    return told
