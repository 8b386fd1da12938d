from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path


class Auth(StrEnum):
    DIGEST = "digest"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SenseSettings:
    """How to reach one recorder and log in there.

    `name` is the recorder's in the configuration; texts name their deadline by it.
    `password` is called at each login, so that a secret is read late and may change.
    `timeout` bounds one HTTP exchange, connecting included.
    """

    name: str
    url: str
    username: str
    password: Callable[[], str] = field(repr=False, compare=False)
    auth: Auth = Auth.DIGEST
    nonce: str = field(default="", repr=False)
    timeout: timedelta = timedelta(seconds=30)
    ca_file: Path | None = None
