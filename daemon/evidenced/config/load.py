"""Reading the configuration: all of it, or every fault at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evidenced.config.checks import problems_of, warnings_of
from evidenced.config.draft import MAX_PROBLEMS, Fault, Located, read_draft
from evidenced.config.include import Gathered, gather, with_hint
from evidenced.config.models import Config
from evidenced.config.tomlfile import ConfigUnreadable, parse, read
from evidenced.core.errors import ConfigError
from evidenced.core.wording import KeyPath

__all__ = ["ConfigUnreadable", "Loaded", "load", "load_raw", "load_text"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without faults. `warnings` are sentences like the problems'."""

    config: Config
    warnings: tuple[str, ...]
    files: tuple[Path, ...] = field(default=(), compare=False)
    """All that were read; none of a text."""


def load(path: Path) -> Loaded:
    """The configuration in a file. Blocks on the disk; never starts anything.

    Raises:
        ConfigUnreadable: the file is missing, no file, too large or not UTF-8.
        ConfigError: its content is wrong; every fault that could be found.
    """
    gathered = gather(parse(read(path)), path.parent, path.name)
    return replace(_load(gathered), files=(path, *gathered.files))


def load_text(text: str) -> Loaded:
    """The configuration that a TOML text says; it can include what comes with us.

    Raises:
        ConfigError: it is wrong; every fault that could be found.
    """
    return load_raw(parse(text))


def load_raw(raw: dict[str, Any]) -> Loaded:
    """The configuration in a TOML document that was parsed already.

    Raises:
        ConfigError: it is wrong; every fault that could be found.
    """
    return _load(gather(raw, None))


def _load(gathered: Gathered) -> Loaded:
    if gathered.faults:  # what is missing now would only raise more of them
        raise ConfigError(_sentences(gathered.faults))
    raw, locate = gathered.raw, gathered.locate
    draft, faults = read_draft(raw, locate)
    faults += problems_of(draft)
    if faults:
        told = _located((with_hint(each, gathered) for each in faults), locate)
        raise ConfigError(_sentences(told))
    warnings = _located(warnings_of(draft), locate)
    config = draft.config
    places = [str(locate(("rules", n))) for n in range(len(config.rules))]
    return Loaded(
        config.with_rule_places(places) if config.include else config,
        tuple(str(fault) for fault in warnings),
    )


def _located(
    faults: Iterable[Fault], locate: Callable[[KeyPath], Located]
) -> list[Fault]:
    """Each with the file that it stands in, and its place there."""
    places = ((locate(fault.place), fault.text) for fault in faults)
    return [Fault(at.place, text, at.file) for at, text in places]


def _sentences(faults: Sequence[Fault]) -> list[str]:
    told = [str(fault) for fault in faults[:MAX_PROBLEMS]]
    if len(faults) > MAX_PROBLEMS:
        told.append("and more; only the first are told, correct these first")
    return told
