"""What was seen of an export's files where the share is mounted."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How many files there were, and their size altogether. At least one."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a look for the files of some exports came to, by their numbers.

    `found` are those with files. Of those in `unknown` the share could not be looked
    at, which proves nothing. Any other has no files, or no mounted share.
    """

    found: Mapping[int, Sighting] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()
