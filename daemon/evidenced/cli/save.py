"""`evidenced save`: footage by hand."""

from typing import Annotated

import typer

from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    cameras,
    daemon_of,
    parse_time,
    site_zone,
)
from evidenced.cli.terminal import AsJson, tell
from evidenced.core.instants import render_utc


def save(
    camera: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Of this camera, by name or label; may be repeated.",
            autocompletion=cameras,
        ),
    ],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME",
            help="From then on: '14:05', 'tuesday 14:05', ISO.",
        ),
    ],
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="Up to then; `now` is possible.")
    ],
    comment: Annotated[str, typer.Option(help="Why, for the history and the record.")],
    destination: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Where it goes; without it, to the default one."
        ),
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Save footage by hand, through the running daemon: an incident of rule by-hand.

    Times without a zone are the site's local time.

    Exit 0: it is an incident. 1: refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced save --camera lobby --from 'tuesday 14:00' --to 'tuesday 14:10'
    --comment 'parcel is gone'`
    """
    zone = site_zone(config)
    said = {
        "cameras": camera,
        "from": render_utc(parse_time(start, zone, "--from")),
        "to": render_utc(parse_time(end, zone, "--to")),
        "comment": comment,
        "destination": destination,
    }
    answer = daemon_of(config).post("/api/incidents", said)
    tell(answer, f"{answer.get('id')} is {answer.get('state')}", as_json=as_json)
