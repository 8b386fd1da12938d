"""/incidents/{id}: one incident as a picture and in words, and the actions on it."""

import json
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from evidenced.core.account import Role
from evidenced.core.alarms.payload import keepable
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Clip
from evidenced.core.keeping.evidence import HashedFile
from evidenced.core.keeping.kept import Dossier
from evidenced.core.telling.sentences import sentence
from evidenced.core.telling.story import (
    Story,
    answer_words,
    camera_name,
    clip_words,
    progress,
    why,
)
from evidenced.core.telling.timeline import NARROW, WIDE, lay_out
from evidenced.picture import draw
from evidenced.ports import View
from evidenced.web.acts import Acts, incident_id, unknown
from evidenced.web.answers import see_other, within
from evidenced.web.footage import MAX_FILES, places_of, record_folders
from evidenced.web.frame import Frame
from evidenced.web.users import ROLE
from evidenced.web.wording import time_words, window_reasons

DONE = {
    "retry": "Asked for again: the cameras without footage are due now.",
    "cancel": "Cancelled: nothing more is asked for, and what ran is withdrawn.",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    dossier: Dossier
    files: tuple[HashedFile, ...]


class IncidentPage:
    def __init__(self, frame: Frame, acts: Acts) -> None:
        self._frame = frame
        self._acts = acts

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/incidents/{id}", self._show),
            web.get("/incidents/{id}/{action:retry|cancel}", self._confirm),
            web.post("/incidents/{id}/{action:retry|cancel}", self._act),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        incident = incident_id(request)
        may_act = request[ROLE] is Role.OPERATOR

        async def make() -> str:
            found = await self._find(incident)
            return self._part(found, may_act=may_act)

        has_acted = "done" in request.query  # and sees what that did
        return await self._frame.live(
            request,
            "incident.html",
            make,
            key=None if has_acted else f"{incident} {may_act}",
            id=incident,
            notice=DONE.get(request.query.get("done", ""), ""),
        )

    async def _find(self, incident: IncidentId) -> _Shown:
        def read(view: View) -> _Shown | None:
            dossier = view.dossier(incident)
            if dossier is None:
                return None
            files = view.evidence.files(incident, MAX_FILES)
            return _Shown(dossier, tuple(files))

        work = self._frame.store.read(read)
        found = await within(f"incident {incident}", work)
        if found is None:
            raise unknown("incident", incident)
        return found

    def _part(self, found: _Shown, *, may_act: bool) -> str:
        story = self._story(found.dossier)
        incident, here = story.incident, self._frame.installation.here
        pictures = [
            (kind, Markup(draw(lay_out(story, width), kind)))  # noqa: S704 - draw escapes
            for kind, width in (("wide", WIDE), ("narrow", NARROW))
        ]
        return self._frame.text(
            "incidentpart.html",
            zone=story.zone,
            incident=incident,
            dossier=found.dossier,
            folders=record_folders(found.dossier, found.files, here),
            pictures=pictures,
            progress=progress(incident, found.dossier.exports),
            why=why(story),
            time_words=time_words,
            windows=[
                (clip, camera_name(clip), window_reasons(story, clip), clip_words(clip))
                for clip in incident.clips
            ],
            attempts=[(each, answer_words(each)) for each in found.dossier.exports],
            places=places_of(found.dossier, here),
            alarms=[(each, keepable(each.payload)) for each in found.dossier.alarms],
            history=[
                (each, sentence(each, story.zone), detail_of(each))
                for each in found.dossier.history
            ],
            may_retry=may_act and any(_is_lost(clip) for clip in incident.clips),
            may_cancel=may_act and not incident.is_ended,
        )

    def _story(self, dossier: Dossier) -> Story:
        about = self._frame.installation
        return Story(
            dossier=dossier,
            now=self._frame.clock.now(),
            settles=about.settles,
            zone=about.zone,
        )

    async def _confirm(self, request: web.Request) -> web.Response:
        found = await self._find(incident_id(request))
        incident = found.dossier.incident
        return self._frame.page(
            request,
            "confirm.html",
            action=request.match_info["action"],
            incident=incident,
            lost=[camera_name(c) for c in incident.clips if _is_lost(c)],
            left=[camera_name(c) for c in incident.clips if not c.is_ended],
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        incident = await self._acts.on_incident(request)
        done = request.match_info["action"]
        return see_other(f"/incidents/{incident.id}?done={done}")


def _is_lost(clip: Clip) -> bool:
    return clip.can_retry


def detail_of(entry: Entry) -> list[tuple[str, str]]:
    """What an entry says besides its event: names and plain values."""
    return [
        (name.replace("_", " "), _plain(value)) for name, value in entry.detail.items()
    ]


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "to" in value:
        step = value.get("camera"), value.get("from"), "->", value["to"]
        return " ".join(str(each) for each in step if each)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(each) for each in value)
    return json.dumps(value, ensure_ascii=False, default=str)
