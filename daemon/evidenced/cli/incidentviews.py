"""What the API says of incidents, as people read it at a terminal."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from evidenced.cli.table import ZONE, Columns, Json, cell, print_table
from evidenced.cli.terminal import say, say_labelled
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.incidents.states import ExportState
from evidenced.core.telling.runs import TRIES, fold
from evidenced.core.telling.sentences import sentence

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
    is_shown = sys.stdout.isatty()
    rows = [
        {**each, "id": _short(each, is_shown=is_shown), "clips": _clip_count(each)}
        for each in found
    ]
    print_table("", _LIST, rows)
    if answer.get("next"):
        say(f"more: --cursor {answer['next']}")


def print_incident(incident: Json) -> None:
    """Everything that the API says of one incident."""
    for key in (
        "id",
        "state",
        "rule",
        "key",
        "reason",
        "opened",
        "ended",
        "finished",
        "imported",
    ):
        if incident.get(key):
            say_labelled(key, [cell(incident[key])])
    fields = incident.get("fields")
    if isinstance(fields, dict):
        say_labelled("fields", [f"{k} = {cell(v)}" for k, v in fields.items()])
    held = incident.get("held")
    if isinstance(held, dict):
        why = f": {cell(held['comment'])}" if held.get("comment") else ""
        say_labelled("held", [f"since {cell(held['at'])} by {cell(held['by'])}{why}"])
    known = incident.get("acknowledged")
    if isinstance(known, dict):
        told = f"{cell(known['at'])} by {cell(known['by'])}: {cell(known['comment'])}"
        say_labelled("known", [told])
    if gaps := list(_gap_lines(incident)):
        say_labelled("gaps", gaps)
    record = incident.get("record")
    if isinstance(record, dict):
        say_labelled("record", [_record_line(record)])
    _print_parts(incident)
    if isinstance(record, dict) and record.get("folders"):
        say()
        print_table("recorded", _RECORDED, _rows(record["folders"]))


def _print_parts(incident: Json) -> None:
    """Its tables, each after a blank line."""
    for title, columns in (
        ("clips", _CLIPS),
        ("exports", _EXPORTS),
        ("tags", _TAGS),
        ("alarms", _ALARMS),
        ("history", _HISTORY),
    ):
        found = rows = _rows(incident.get(title))
        if title == "history":
            rows = _folded(rows, _is_try, lambda each: {**each, "words": _words(each)})
        if title == "exports":
            rows = _folded(rows, _is_refused, dict)
        if rows:
            say()
            print_table(title, columns, rows)
        if title == "exports":
            _say_folders(found)


def _folded(
    rows: list[Json], is_try: Callable[[Json], bool], shown: Callable[[Json], Json]
) -> list[Json]:
    """The rows, and of what a recorder refused again and again how much there is."""
    told = []
    for run in fold(rows, is_try):
        first, *others = run
        if not others:
            told.append(shown(first))
            continue
        more = f"{len(run)} more: see --json"
        key = "words" if "event" in first else "state"
        at = "at" if "event" in first else "requested"
        told.append({at: first.get(at), key: more})
    return told


def _is_try(entry: Json) -> bool:
    return entry.get("event") in TRIES


def _is_refused(export: Json) -> bool:
    return export.get("state") == ExportState.REFUSED


def _gap_lines(incident: Json) -> Iterator[str]:
    """Of exported footage: what the recorder has not recorded of it."""
    for clip in _rows(incident.get("clips")):
        coverage = clip.get("coverage")
        for gap in _rows(coverage.get("gaps")) if isinstance(coverage, dict) else ():
            start, end = cell(gap.get("start")), cell(gap.get("end"))
            yield f"{cell(clip.get('camera'))}: {start} to {end}"


def _say_folders(exports: list[Json]) -> None:
    """Each once and in one piece, to be copied."""
    paths = dict.fromkeys(str(each["path"]) for each in exports if each.get("path"))
    if paths:
        say()
        say_labelled("folder", paths)


def _words(entry: Json) -> str:
    """An entry of the history in one sentence; its times are as the others here.

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
    return sentence(told, ZONE.get() or UTC)


def _record_line(record: Json) -> str:
    """The evidence record's state in one line, with whose key signed it."""
    said = f"{record.get('state')}, revision {record.get('revision')}"
    if record.get("signed_by"):
        said += f", signed by key {record['signed_by']}"
    return f"{said}: {record['message']}" if record.get("message") else said


def _short(incident: Json, *, is_shown: bool) -> str:
    """The end of its id, which commands take for it; whole where programs read it."""
    name = str(incident.get("id", ""))
    return name.rpartition("-")[2] if is_shown else name


def _rows(value: object) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [each for each in items if isinstance(each, dict)]


def _clip_count(incident: Json) -> str:
    """Exported of all."""
    clips = _rows(incident.get("clips"))
    done = sum(clip.get("state") == "exported" for clip in clips)
    return f"{done}/{len(clips)}"
