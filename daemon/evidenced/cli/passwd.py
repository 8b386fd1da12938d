"""`evidenced passwd`: the hash of a password, for [web] users."""

import sys

import typer
from argon2 import PasswordHasher

from evidenced.cli.terminal import AsJson, Failed, tell
from evidenced.core.account import Role

BAD_INPUT = 2
SHORTEST = 8
LONGEST = 1000
"""Characters; the page's login form takes no more."""


def passwd(as_json: AsJson = False) -> None:
    """Make the hash of a password for a user of the page.

    The password is asked for twice on a terminal, and read as one line from stdin
    otherwise; never given as an argument, where others could read it. Put the hash
    under [web] users. A hash alone is an operator's; who may only look is
    `{ password = "...", role = "viewer" }`.
    Exit 0: done. 2: no usable password.

    Example: `evidenced passwd`
    """
    hashed = PasswordHasher().hash(_checked(_read()))
    value = {"password": hashed, "roles": [role.value for role in Role]}
    tell(value, hashed, as_json=as_json)


def _read() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(LONGEST + 2).rstrip("\r\n")
    found: str = typer.prompt("password", hide_input=True, err=True)
    if typer.prompt("once more", hide_input=True, err=True) != found:
        raise Failed("the two differ; nothing was made", code=BAD_INPUT)
    return found


def _checked(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise Failed(
            f"a password has {SHORTEST} to {LONGEST} characters, this one "
            f"{len(password)}",
            code=BAD_INPUT,
        )
    if not password.isprintable():
        raise Failed("a password has no control characters", code=BAD_INPUT)
    return password
