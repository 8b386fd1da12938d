"""What is wrong in a configuration: a place and one sentence for each fault."""

from dataclasses import dataclass

from typing_extensions import override

from evidenced.core.wording import KeyPath, render_place

MAX_PROBLEMS = 100
"""Faults told in one go; beyond these nobody reads on."""


@dataclass(frozen=True, slots=True)
class Located:
    """A place in one of the files; "" is the first."""

    file: str
    place: KeyPath

    @override
    def __str__(self) -> str:
        parts = (self.file, render_place(self.place))
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; `file` is "" for the first file."""

    place: KeyPath
    text: str
    file: str = ""

    @override
    def __str__(self) -> str:
        where = str(Located(self.file, self.place))
        return f"{where}: {self.text.rstrip('.')}" if where else self.text.rstrip(".")
