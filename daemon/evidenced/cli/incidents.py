"""`evidenced incidents`: looking at them, and the few actions on them."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from evidenced.cli.control import RunningDaemon, incident_path
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    IncidentArgument,
    cameras,
    daemon_of,
    parse_time,
    rules,
    site_zone,
)
from evidenced.cli.table import Columns, Json, cell, print_table
from evidenced.cli.terminal import say, say_json, say_labelled, tell
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.instants import render_utc
from evidenced.core.telling.sentences import sentence

Comment = Annotated[str, typer.Option(help="Why, for the history and the record.")]

family = typer.Typer(no_args_is_help=False)


@family.callback(invoke_without_command=True)
def incidents(context: typer.Context) -> None:
    """Look at incidents, retry, cancel, hold or record them, by the running daemon.

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
    since: Annotated[
        str, typer.Option(help="Opened then or later: 7d, tuesday, ISO.")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Opened earlier: yesterday, 14:00, ISO.")
    ] = "",
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
        "since": _instant(since, config, "--since"),
        "until": _instant(until, config, "--until"),
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
    _order(_daemon(config), incident, "retry", said, as_json=as_json)


@family.command()
def cancel(
    incident: IncidentArgument,
    comment: Comment = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Withdraw an incident's pending exports; its record stays.

    Example: `evidenced incidents cancel ID --comment "test of the door"`
    """
    daemon, said = _daemon(config), {"comment": comment}
    _order(daemon, incident, "cancel", said, as_json=as_json)


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
    answer = _daemon(config).post(
        incident_path(incident, "acknowledge"), {"comment": comment}
    )
    tell(answer, f"{incident}: its loss is acknowledged", as_json=as_json)


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
    answer = _daemon(config).post(incident_path(incident, "hold"), {"comment": comment})
    tell(answer, f"{incident} is held", as_json=as_json)


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
    answer = _daemon(config).post(
        incident_path(incident, "release"), {"comment": comment}
    )
    tell(answer, f"{incident} is released", as_json=as_json)


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
    daemon = _daemon(config)
    answer = daemon.post(incident_path(incident, "comment"), {"comment": text})
    tell(answer, f"{incident}: the comment is in its history", as_json=as_json)


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
    _order(_daemon(config), incident, "extend", said, as_json=as_json)


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


def _instant(text: str, config: ConfigFile, option: str) -> str:
    return render_utc(parse_time(text, site_zone(config), option)) if text else ""


def _daemon(config: ConfigFile) -> RunningDaemon:
    return daemon_of(config)


def _order(
    daemon: RunningDaemon,
    incident: str,
    action: str,
    said: Json,
    *,
    as_json: bool,
) -> None:
    answer = daemon.post(incident_path(incident, action), said)
    text = f"{answer.get('id', incident)} is {answer.get('state', 'changed')}"
    tell(answer, text, as_json=as_json)


_LIST: Columns = (
    ("id", "id"),
    ("state", "state"),
    ("rule", "rule"),
    ("key", "key"),
    ("opened", "opened"),
    ("clips", "clips"),
    ("reason", "reason"),
)
_CLIPS: Columns = (
    ("camera", "camera"),
    ("state", "state"),
    ("from", "start"),
    ("to", "end"),
    ("tries", "attempts"),
    ("code", "code"),
    ("message", "message"),
    ("next try", "next_try"),
)
_EXPORTS: Columns = (
    ("recorder", "recorder"),
    ("state", "state"),
    ("%", "progress"),
    ("requested", "requested"),
    ("finished", "finished"),
    ("path", "path"),
)
_ALARMS: Columns = (
    ("received", "received"),
    ("time", "time"),
    ("from", "time_source"),
    ("topic", "topic"),
    ("payload", "payload"),
)
_TAGS: Columns = (
    ("camera", "camera"),
    ("state", "state"),
    ("from", "start"),
    ("to", "end"),
    ("tag", "tag"),
    ("message", "message"),
)
_RECORDED: Columns = (
    ("folder", "path"),
    ("files", "files"),
    ("bytes", "bytes"),
    ("sha256", "sha256"),
)
_HISTORY: Columns = (("at", "at"), ("event", "event"), ("what happened", "words"))
"""In words, as the page has it; the details are in --json."""


def print_list(answer: Json) -> None:
    """A page of incidents, and how to get the next."""
    found = _rows(answer.get("incidents"))
    if not found:
        say("no incidents")
        return
    rows = [{**each, "clips": _clip_count(each)} for each in found]
    print_table("", _LIST, rows)
    if answer.get("next"):
        say(f"more: --cursor {answer['next']}")


def print_incident(incident: Json) -> None:
    """Everything that the API says of one incident."""
    for key in ("id", "state", "rule", "key", "reason", "opened", "ended", "finished"):
        if incident.get(key):
            say_labelled(key, [cell(incident[key])])
    fields = incident.get("fields")
    if isinstance(fields, dict):
        say_labelled("fields", [f"{k} = {cell(v)}" for k, v in fields.items()])
    held = incident.get("held")
    if isinstance(held, dict):
        why = f": {cell(held['comment'])}" if held.get("comment") else ""
        say_labelled("held", [f"since {cell(held['at'])} by {cell(held['by'])}{why}"])
    record = incident.get("record")
    if isinstance(record, dict):
        say_labelled("record", [_record_line(record)])
    for title, columns in (
        ("clips", _CLIPS),
        ("exports", _EXPORTS),
        ("tags", _TAGS),
        ("alarms", _ALARMS),
        ("history", _HISTORY),
    ):
        rows = _rows(incident.get(title))
        if title == "history":
            rows = [{**each, "words": _words(each)} for each in rows]
        if rows:
            print_table(title, columns, rows)
    if isinstance(record, dict) and record.get("folders"):
        print_table("recorded", _RECORDED, _rows(record["folders"]))


def _words(entry: Json) -> str:
    """An entry of the history in one sentence; its times are UTC, as the others here.

    A daemon of another version may send what this one does not know: that is told by
    its word.
    """
    detail = entry.get("detail")
    try:
        told = Entry(
            incident=None,
            at=datetime.fromisoformat(str(entry.get("at"))),
            event=Event(str(entry.get("event"))),
            detail=detail if isinstance(detail, dict) else {},
        )
    except ValueError:
        return cell(detail)
    return sentence(told, UTC)


def _record_line(record: Json) -> str:
    """The evidence record's state in one line, with whose key signed it."""
    said = f"{record.get('state')}, revision {record.get('revision')}"
    if record.get("signed_by"):
        said += f", signed by key {record['signed_by']}"
    return f"{said}: {record['message']}" if record.get("message") else said


def _rows(value: object) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [each for each in items if isinstance(each, dict)]


def _clip_count(incident: Json) -> str:
    """Exported of all."""
    clips = _rows(incident.get("clips"))
    done = sum(clip.get("state") == "exported" for clip in clips)
    return f"{done}/{len(clips)}"
