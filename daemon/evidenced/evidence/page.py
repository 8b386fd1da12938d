"""The page of a record: one file that any browser shows, from nowhere but itself.

It also checks the folder that it lies in, by a script that its policy names by hash:
no other runs, and nothing is fetched or sent.
"""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from evidenced.core.address import parts_of, shown
from evidenced.core.incidents.incident import Clip
from evidenced.core.instants import render_utc
from evidenced.core.spoken import day_and_clock, span_words, zone_words
from evidenced.core.telling.cameranames import camera_name
from evidenced.core.telling.lead import lead
from evidenced.core.telling.sentences import sentence
from evidenced.core.telling.story import Story
from evidenced.core.telling.timeline import lay_out
from evidenced.picture import STYLE, draw

MOST_SHOWN = 12_000_000
"""Bytes of pictures in the page; all of them lie beside it."""
_PARTS = re.compile(r"[^0-9A-Za-z]+")


class RecordPage:
    """`ports.PagePort` over a template."""

    def render(
        self, record: Mapping[str, Any], story: Story, pictures: Mapping[str, bytes]
    ) -> bytes:
        page = _template().render(
            record=record,
            title=story.incident.summary or story.incident.label,
            site=record["site"] or record["instance"],
            lead=lead(story, record["site"] or record["instance"]),
            zone=zone_words(story.incident.opened_at, story.zone),
            written=day_and_clock(story.now, story.zone),
            stills=_stills(record, story, pictures),
            rows=_rows(record, story),
            clips=_clips(record, story),
            history=_history(story),
            timeline=Markup(draw(lay_out(story))),  # noqa: S704 - it escapes by itself
            list={
                "incident": record["incident"]["id"],
                "revision": record["revision"],
                "files": _hashes(record["files"]),
                "stills": _hashes(record["stills"]),
            },
        )
        return page.encode("utf-8", "xmlcharrefreplace")


def _hashes(files: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"name": each["name"], "sha256": each["sha256"]} for each in files]


def _stills(
    record: Mapping[str, Any], story: Story, pictures: Mapping[str, bytes]
) -> list[dict[str, str]]:
    """Those that the page shows: within it, for beside it a browser may open none.

    While there is room for them, the first of each camera before the second of any.
    """
    seen, ranks = Counter[str](), dict[str, int]()
    for each in record["stills"]:
        ranks[each["name"]] = seen[each["camera"]]
        seen[each["camera"]] += 1
    room, shown = MOST_SHOWN, set[str]()
    for name in sorted(ranks, key=lambda name: ranks[name]):
        room -= len(pictures.get(name, b""))
        if name in pictures and room >= 0:
            shown.add(name)
    names = {clip.camera: camera_name(clip) for clip in story.incident.clips}
    return [
        {
            "name": each["name"],
            "camera": names.get(each["camera"], each["camera"]),
            "at": day_and_clock(datetime.fromisoformat(each["at"]), story.zone),
            "data": b64encode(pictures[each["name"]]).decode(),
        }
        for each in record["stills"]
        if each["name"] in shown
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file with the cameras that it is of, as far as that is known."""

    file: Mapping[str, Any]
    cameras: Sequence[str]
    windows: Sequence[str]


def _rows(record: Mapping[str, Any], story: Story) -> list[FileRow]:
    here = _clips_here(record, story)
    rows = []
    for file in record["files"]:
        clips = _clips_in(file["name"], here)
        windows = (
            span_words(clip.window.start, clip.window.end, story.zone) for clip in clips
        )
        rows.append(
            FileRow(
                file=file,
                cameras=list(dict.fromkeys(map(camera_name, clips))),
                windows=list(dict.fromkeys(windows)),
            )
        )
    return rows


def _clips_here(record: Mapping[str, Any], story: Story) -> list[Clip]:
    """The windows that were exported to this folder."""
    numbers = {
        device.clip
        for export in story.dossier.exports
        if export.path == record["folder"]
        for device in export.devices
    }
    return [clip for clip in story.incident.clips if clip.n in numbers]


def _clips_in(name: str, here: Sequence[Clip]) -> list[Clip]:
    """Those that a file can be of: all, or those whose ids its name has both.

    How the recorder names its files is told nowhere, so a name that says nothing
    decides nothing. Source: sense-api.md part B, "Folder layout".
    """
    if len({clip.address for clip in here}) <= 1:
        return list(here)
    parts = set(_PARTS.split(name))
    return [clip for clip in here if parts.issuperset(parts_of(clip.address).values())]


def _clips(record: Mapping[str, Any], story: Story) -> list[dict[str, object]]:
    return [
        {
            "name": camera_name(clip),
            "at": f"{clip.recorder}, {shown(clip.address)}",
            "when": span_words(clip.window.start, clip.window.end, story.zone),
            "said": said,
        }
        for clip, said in zip(
            story.incident.clips, record["incident"]["clips"], strict=True
        )
    ]


def _history(story: Story) -> Iterator[dict[str, str]]:
    for entry in story.dossier.history:
        yield {
            "local": day_and_clock(entry.at, story.zone),
            "utc": render_utc(entry.at),
            "sentence": sentence(entry, story.zone),
        }


@cache
def _template() -> Template:
    folder = files("evidenced.evidence")
    text, style, script = (
        folder.joinpath(f"incident.{end}").read_text("utf-8")
        for end in ("html", "css", "js")
    )
    style += STYLE
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = _plain
    environment.globals |= {
        "style": Markup(style),  # noqa: S704 - ours
        "script": Markup(script),  # noqa: S704 - ours
        "policy": (
            f"default-src 'none'; script-src {_allowed(script)}; "
            f"style-src {_allowed(style)}; img-src data:; base-uri 'none'; "
            "form-action 'none'"
        ),
    }
    return environment.from_string(text)


def _allowed(text: str) -> str:
    """How a policy names what stands in the page. Source: CSP Level 3, 2.3.1."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _plain(value: object) -> str:
    """What JSON would say, without its marks where it is a text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
