"""`evidenced incidents`: looking at them, and the few actions on them."""

import sys
from typing import Annotated

import typer

from evidenced.cli.family import new_family
from evidenced.cli.incidentviews import print_incident, print_list
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    IncidentArgument,
    InUtc,
    cameras,
    parse_time,
    rules,
    show_times,
    site_zone,
)
from evidenced.cli.seeing import order, seen_list, seen_one
from evidenced.cli.table import Json
from evidenced.cli.terminal import AsJson, say_json, tell
from evidenced.core.instants import render_utc

Comment = Annotated[str, typer.Option(help="Why, for the history and the record.")]

family = new_family()


@family.callback()
def incidents() -> None:
    """Look at incidents, retry, cancel, hold or record them, by the running daemon.

    Exit 0: done. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced incidents list --state failed`
    """


@family.command("list")
def list_incidents(
    config: ConfigFile = DEFAULT_CONFIG,
    state: Annotated[
        str, typer.Option(help="Only these, comma separated: waiting,failed.")
    ] = "",
    rule: Annotated[
        str, typer.Option(help="Only of this rule.", autocompletion=rules)
    ] = "",
    camera: Annotated[str, typer.Option(help="Only with this camera.")] = "",
    since: Annotated[
        str, typer.Option(help="Opened then or later: 7d, tuesday, ISO.")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Opened earlier: yesterday, 14:00, ISO.")
    ] = "",
    text: Annotated[
        str, typer.Option("--search", help="In id, rule, key and fields.")
    ] = "",
    held: Annotated[
        bool, typer.Option("--held", help="Only those that somebody holds.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str, typer.Option(help="`next` of an earlier page.")] = "",
    utc: InUtc = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first: from the store where no daemon answers.

    Example: `evidenced incidents list --state waiting,failed --limit 20`
    """
    query = {
        "state": state,
        "rule": rule,
        "camera": camera,
        "since": _instant(since, config, "--since"),
        "until": _instant(until, config, "--until"),
        "q": text,
        "held": "true" if held else "",
        "limit": str(limit),
        "cursor": cursor,
    }
    answer = seen_list(config, query)
    show_times(config, utc=utc)
    say_json(answer) if as_json else print_list(answer)


@family.command()
def show(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    utc: InUtc = False,
    as_json: AsJson = False,
) -> None:
    """Show one incident: alarms, clips, exports and what happened, in order.

    The store is read where no daemon answers.

    Example: `evidenced incidents show k3f9qx2a`
    """
    answer = seen_one(config, incident)
    show_times(config, utc=utc)
    say_json(answer) if as_json else print_incident(answer)


@family.command()
def retry(
    incident: IncidentArgument,
    again: Annotated[
        bool, typer.Option("--again", help="Exported ones too, to a new folder.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Ask again for every ended clip without footage.

    Example: `evidenced incidents retry 20261123-061530-k3f9qx2a`
    """
    said: Json = {"again": True} if again else {}
    _order(config, incident, "retry", said, as_json=as_json)


@family.command()
def cancel(
    incident: IncidentArgument,
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Withdraw an incident's pending exports; its record stays. A person is asked why.

    Example: `evidenced incidents cancel ID --comment "test of the door"`
    """
    why = comment or _asked_why()
    _order(config, incident, "cancel", {"comment": why}, as_json=as_json)


@family.command()
def acknowledge(
    incident: IncidentArgument,
    comment: Annotated[str, typer.Option(help="What you know of it, for the history.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take note of footage that is lost: until then it counts as such.

    Example: `evidenced incidents acknowledge ID --comment "camera was off"`
    """
    words, said = "{}: its loss is acknowledged", {"comment": comment}
    _order(config, incident, "acknowledge", said, words, as_json=as_json)


@family.command()
def hold(
    incident: IncidentArgument,
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Keep an incident and its footage, whatever its age, until it is released.

    Example: `evidenced incidents hold ID --comment "police, file 2026/311"`
    """
    said = {"comment": comment}
    _order(config, incident, "hold", said, "{} is held", as_json=as_json)


@family.command()
def release(
    incident: IncidentArgument,
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Hold an incident no more: from now on it goes by its age, as any other.

    Example: `evidenced incidents release ID --comment "case closed"`
    """
    said = {"comment": comment}
    _order(config, incident, "release", said, "{} is released", as_json=as_json)


@family.command()
def comment(
    incident: IncidentArgument,
    text: Annotated[str, typer.Argument(help="What you know of it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write a comment into an incident's history; it stays there.

    Example: `evidenced incidents comment ID "the guard has seen a van"`
    """
    words, said = "{}: the comment is in its history", {"comment": text}
    _order(config, incident, "comment", said, words, as_json=as_json)


@family.command()
def extend(
    incident: IncidentArgument,
    until: Annotated[
        str, typer.Option(metavar="TIME", help="Up to then, of every camera.")
    ] = "",
    camera: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="This camera too, over the same time; may be repeated.",
            autocompletion=cameras,
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Save more of an incident: a later end, other cameras. Whatever its state is.

    Example: `evidenced incidents extend ID --until 14:20 --camera gate`
    """
    said: dict[str, object] = {"cameras": camera or []}
    if until:
        said["until"] = render_utc(parse_time(until, site_zone(config), "--until"))
    _order(config, incident, "extend", said, as_json=as_json)


@family.command()
def record(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write the evidence record once more, as a new revision beside the old one.

    Example: `evidenced incidents record 20261123-061530-k3f9qx2a`
    """
    words = "{}: its evidence record is written anew"
    _order(config, incident, "record", {}, words, as_json=as_json)


def _asked_why() -> str:
    """Why somebody at a terminal cancels: it is the first question that is asked later.

    A program that says nothing is not held up.
    """
    if not sys.stdin.isatty():
        return ""
    return str(typer.prompt("Why", err=True)).strip()


def _instant(text: str, config: ConfigFile, option: str) -> str:
    return render_utc(parse_time(text, site_zone(config), option)) if text else ""


def _order(
    config: ConfigFile,
    incident: str,
    action: str,
    said: Json,
    words: str = "{} is {state}",
    *,
    as_json: bool,
) -> None:
    name, answer = order(config, incident, action, said)
    known, state = answer.get("id", name), answer.get("state", "changed")
    tell(answer, words.format(known, state=state), as_json=as_json)
