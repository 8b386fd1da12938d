"""`evidenced silences`: what is off until when, through the running daemon."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from evidenced.cli.family import new_family
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    InUtc,
    daemon_of,
    parse_time,
    rules,
    show_times,
    site_zone,
)
from evidenced.cli.seeing import seen_silences
from evidenced.cli.table import Columns, cell, print_table
from evidenced.cli.terminal import AsJson, Failed, say, say_json, tell
from evidenced.core.instants import render_utc

PATH = "/api/silences"
SUBJECTS = ("rule", "camera", "topic")
_COLUMNS: Columns = (
    ("id", "id"),
    ("state", "state"),
    ("silent", "about"),
    ("from", "started"),
    ("until", "until"),
    ("ended", "ended"),
    ("held back", "held_back"),
    ("by", "author"),
    ("comment", "comment"),
)


Comment = Annotated[str, typer.Option(help="Why, for whoever wonders later.")]
OfRule = Annotated[
    str, typer.Option(help="All alarms of this rule.", autocompletion=rules)
]
OfCamera = Annotated[str, typer.Option(help="This camera, for every rule.")]
OfTopic = Annotated[
    str, typer.Option(help="Alarms of matching topics; + and # as in MQTT.")
]
For = Annotated[str, typer.Option("--for", metavar="DURATION", help="90m, 2h, 3d.")]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="TIME", help="When it begins, as --until. Default: now."
    ),
]
Until = Annotated[
    str, typer.Option(metavar="TIME", help="ISO 8601; without a zone local time.")
]
Author = Annotated[
    str, typer.Option(help="Who wants it. Default: the user of this shell.")
]


family = new_family()


@family.callback()
def silences() -> None:
    """Silence a rule, a camera or a topic until an end, through the running daemon.

    Alarms that arrive meanwhile are kept and open nothing; `evidenced alarms export
    NAME` exports one afterwards. What was recording before goes on, and an alarm that
    is still on when its silence ends is exported from then on.

    Exit 0: done. 1: not found, refused, or the daemon does not answer. 2: bad input.

    Example: `evidenced silences add --rule door-forced --for 2h --comment
    'lock is being replaced'`
    """


@family.command("list")
def list_silences(
    config: ConfigFile = DEFAULT_CONFIG,
    past: Annotated[
        bool, typer.Option("--past", help="Also the last ones that are over.")
    ] = False,
    utc: InUtc = False,
    as_json: AsJson = False,
) -> None:
    """List the silences that are in force or planned, the next to end first.

    The store is read where no daemon answers.

    Example: `evidenced silences list --past`
    """
    answer = seen_silences(config)
    found = [each for each in answer.get("silences", []) if past or _stands(each)]
    if as_json:
        say_json({"silences": found})
    elif found:
        show_times(config, utc=utc)
        print_table("", _COLUMNS, [_row(each) for each in found])
    else:
        say("no silences" if past else "no silences in force")


@family.command()
def add(
    comment: Comment,
    config: ConfigFile = DEFAULT_CONFIG,
    rule: OfRule = "",
    camera: OfCamera = "",
    topic: OfTopic = "",
    start: From = "",
    duration: For = "",
    until: Until = "",
    author: Author = "",
    as_json: AsJson = False,
) -> None:
    """Silence a rule, a camera or a topic from now on, or from a time that is ahead.

    Example: `evidenced silences add --topic 'zigbee2mqtt/garage/#' --until
    '2026-11-24 18:00' --comment 'painters in the garage'`
    """
    body = {"rule": rule, "camera": camera, "topic": topic, "for": duration}
    if sum(map(bool, (rule, camera, topic))) != 1:
        raise Failed("say one of --rule, --camera and --topic", code=2)
    if bool(duration) == bool(until):
        raise Failed("say how long (--for 2h) or until when (--until TIME)", code=2)
    for key, text in (("from", start), ("until", until)):
        if text:
            at = parse_time(text, site_zone(config), f"--{key}")
            body[key] = render_utc(at)
    said = {key: text for key, text in body.items() if text}
    said |= {"comment": comment, "author": author}
    answer = daemon_of(config).post(PATH, said)
    show_times(config, utc=False)
    about, until = _about(answer), cell(answer.get("until"))
    begins = f"from {cell(answer.get('started'))} " if answer.get("planned") else ""
    text = f"{answer.get('id')}: {about} is silent {begins}until {until}"
    tell(answer, text, as_json=as_json)


@family.command()
def end(
    silence: Annotated[
        str, typer.Argument(metavar="ID", help="As `evidenced silences` shows it.")
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """End a silence now, before its time.

    Example: `evidenced silences end k3f9qx2a`
    """
    daemon = daemon_of(config)
    answer = daemon.post(f"{PATH}/{quote(silence, safe='')}/end", {})
    text = f"{answer.get('id')}: {_about(answer)} is no longer silent"
    tell(answer, text, as_json=as_json)


def _about(silence: Mapping[str, Any]) -> str:
    return next(
        (f"{each} {silence[each]}" for each in SUBJECTS if silence.get(each)), "-"
    )


def _stands(silence: Mapping[str, Any]) -> bool:
    return bool(silence.get("active") or silence.get("planned"))


def _row(silence: Mapping[str, Any]) -> dict[str, Any]:
    state = "planned" if silence.get("planned") else "over"
    state = "in force" if silence.get("active") else state
    return {**silence, "about": _about(silence), "state": state}
