"""Who may use the page and the API, and what they may do there."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a user may do. Each contains the one before."""

    VIEWER = "viewer"
    """Reads everything, changes nothing."""
    OPERATOR = "operator"
    """Retries, cancels, triggers and silences as well."""


class Hidden(Protocol):
    """Something that is read late, such as a secret's file."""

    def reveal(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user's argon2id hash, or where it stands, and role."""

    password: str | Hidden = field(repr=False)
    role: Role = Role.OPERATOR

    def hashed(self) -> str:
        """The hash, read now. Blocks where it stands in a file.

        Raises:
            BadInput: it cannot be read.
        """
        if isinstance(self.password, str):
            return self.password
        return self.password.reveal()
