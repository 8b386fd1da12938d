"""`evidenced trigger`: an incident opened by hand."""

from typing import Annotated

import typer

from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    daemon_of,
    parse_time,
    rules,
    site_zone,
)
from evidenced.cli.terminal import AsJson, Failed, tell
from evidenced.core.instants import render_utc


def trigger(
    rule: Annotated[
        str,
        typer.Option(metavar="NAME", help="As an alarm of this.", autocompletion=rules),
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="A captured value; may be repeated."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When it happened, ISO 8601; without a zone local time. Default: now.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open an incident by hand, as an alarm of the rule would, in the running daemon.

    Exit 0: opened or extended. 1: refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced trigger --rule door-forced --field site=hq --field
    door=north --at '2026-11-23 07:15:30'`
    """
    body: dict[str, object] = {"rule": rule, "fields": _fields(field or [])}
    if at:
        body["at"] = render_utc(parse_time(at, site_zone(config)))
    answer = daemon_of(config).post("/api/incidents", body)
    text = f"{answer.get('id')} is {answer.get('state')}"
    tell(answer, text, as_json=as_json)


def _fields(said: list[str]) -> dict[str, str]:
    fields = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise Failed(
                f"--field {each!r} has no '='; write for example door=north", code=2
            )
        fields[name] = value
    return fields
