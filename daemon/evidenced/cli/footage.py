"""`evidenced footage`: what people did by hand to footage on a share."""

from typing import Annotated

import typer

from evidenced.cli.family import new_family
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    IncidentArgument,
)
from evidenced.cli.seeing import order
from evidenced.cli.terminal import AsJson, tell

Comment = Annotated[str, typer.Option(help="Why, for the history and `verify`.")]

family = new_family()


@family.callback()
def footage() -> None:
    """Tell what was done by hand to footage on a share, through the running daemon.

    Nothing is deleted or moved by these commands. What they tell is an entry of the
    audit chain, and stands beside the record where that still lies there.
    Exit 0: done. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced footage moved ID --to "vault 3, disk 17"`
    """


@family.command()
def disposed(
    incident: IncidentArgument,
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """The footage of an incident was deleted by hand.

    Example: `evidenced footage disposed ID --comment "asked for by the person filmed"`
    """
    said = {"became": "disposed", "comment": comment}
    name, answer = order(config, incident, "footage", said)
    tell(answer, f"{name}: its footage is disposed of", as_json=as_json)


@family.command()
def moved(
    incident: IncidentArgument,
    to: Annotated[str, typer.Option(help="Where it lies now, in your words.")],
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """The footage of an incident was moved by hand.

    Example: `evidenced footage moved ID --to "vault 3, disk 17" --comment "case 311"`
    """
    said = {"became": "moved", "to": to, "comment": comment}
    name, answer = order(config, incident, "footage", said)
    tell(answer, f"{name}: its footage lies in {to}", as_json=as_json)
