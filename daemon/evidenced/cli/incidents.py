"""`evidenced incidents`: look at incidents and put them right, through the daemon."""

from typing import Annotated

import typer

from evidenced.cli.completion import incident_ids, rules
from evidenced.cli.control import RunningDaemon, find_daemon, incident_path
from evidenced.cli.incidentview import print_incident, print_list
from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.terminal import say_json, tell

IncidentArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="As `evidenced incidents list` shows it.",
        autocompletion=incident_ids,
    ),
]


family = typer.Typer(no_args_is_help=False)


@family.callback(invoke_without_command=True)
def incidents(context: typer.Context) -> None:
    """Look at incidents, retry, cancel or record them, through the running daemon.

    Exit 0: done. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced incidents list --state failed`
    """
    if context.invoked_subcommand is None:
        list_incidents()


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
    since: Annotated[str, typer.Option(help="Opened then or later, ISO 8601.")] = "",
    until: Annotated[str, typer.Option(help="Opened earlier, ISO 8601.")] = "",
    text: Annotated[
        str, typer.Option("--search", help="In id, rule, key and fields.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str, typer.Option(help="`next` of an earlier page.")] = "",
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first.

    Example: `evidenced incidents list --state waiting,failed --limit 20`
    """
    query = {
        "state": state,
        "rule": rule,
        "camera": camera,
        "since": since,
        "until": until,
        "q": text,
        "limit": str(limit),
        "cursor": cursor,
    }
    answer = _daemon(config).get("/api/incidents", query)
    say_json(answer) if as_json else print_list(answer)


@family.command()
def show(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show one incident: alarms, clips, exports and what happened, in order.

    Example: `evidenced incidents show 20261123-061530-k3f9qx2a`
    """
    answer = _daemon(config).get(incident_path(incident))
    say_json(answer) if as_json else print_incident(answer)


@family.command()
def retry(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Ask again for every ended clip without footage.

    Example: `evidenced incidents retry 20261123-061530-k3f9qx2a`
    """
    _order(_daemon(config), incident, "retry", as_json=as_json)


@family.command()
def cancel(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Withdraw an incident's pending exports; its record stays.

    Example: `evidenced incidents cancel 20261123-061530-k3f9qx2a`
    """
    _order(_daemon(config), incident, "cancel", as_json=as_json)


@family.command()
def record(
    incident: IncidentArgument,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write the evidence record once more, as a new revision beside the old one.

    Example: `evidenced incidents record 20261123-061530-k3f9qx2a`
    """
    answer = _daemon(config).post(incident_path(incident, "record"), {})
    tell(answer, f"{incident}: its evidence record is written anew", as_json=as_json)


def _daemon(config: ConfigFile) -> RunningDaemon:
    return find_daemon(load_config(config))


def _order(daemon: RunningDaemon, incident: str, action: str, *, as_json: bool) -> None:
    answer = daemon.post(incident_path(incident, action), {})
    text = f"{answer.get('id', incident)} is {answer.get('state', 'changed')}"
    tell(answer, text, as_json=as_json)
