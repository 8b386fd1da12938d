"""Families of commands: `evidenced incidents show`, and `evidenced incidents` alone."""

from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

LIST = "list"
"""What a family means that is given no command."""
_HELP = frozenset({"-h", "--help"})
_FILE = ("-c", "--config")


class Family(TyperGroup):
    """Each of its commands has its own options, also those that stand before its name.

    `incidents -c FILE show ID` is `incidents show -c FILE ID`, and `incidents --state
    failed` is `incidents list --state failed`: so an option means the same wherever it
    stands, and its default comes from one place.
    """

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(
            ctx, self._in_order(args, is_typed=ctx.resilient_parsing)
        )

    def _in_order(self, args: list[str], *, is_typed: bool) -> list[str]:
        """The command, then its options; while they are `is_typed` nothing is meant."""
        first = 0
        while first < len(args) and args[first].startswith(_FILE):
            first += 2 if args[first] in _FILE else 1
        before, rest = args[:first], args[first:]
        if rest and not rest[0].startswith("-"):
            return [rest[0], *before, *rest[1:]]
        if before and not rest and LIST not in self.commands:
            return []  # a command is what is missing
        if LIST in self.commands and not is_typed and _HELP.isdisjoint(rest):
            return [LIST, *before, *rest]
        return args


def new_family() -> typer.Typer:
    """One without commands yet."""
    return typer.Typer(cls=Family)
