"""What was seen of an export's files where the share is mounted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How many files there were, and their size altogether. At least one."""

    files: int
    size_bytes: int
