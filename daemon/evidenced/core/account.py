"""Who may use the page and the API, and what they may do there."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a user may do. Each contains the one before."""

    VIEWER = "viewer"
    """Reads everything, changes nothing."""
    OPERATOR = "operator"
    """Retries, cancels, triggers and silences as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user's argon2id hash and role."""

    password: str = field(repr=False)
    role: Role = Role.OPERATOR
