"""/incidents/{id}: one incident as a picture and in words, and the actions on it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from evidenced.core.account import Role
from evidenced.core.alarms.payload import keepable
from evidenced.core.errors import BadInput, NotFound
from evidenced.core.folders.whereabouts import Whereabouts
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Entry
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import MINUTE
from evidenced.core.keeping.evidence import HashedFile, folders_of
from evidenced.core.keeping.footage import words
from evidenced.core.keeping.kept import Dossier, IncidentFilter
from evidenced.core.keeping.loss import LossKind, last_of
from evidenced.core.phrase import Tongue, joined, kept, phrase
from evidenced.core.telling.advice import advice_of
from evidenced.core.telling.cameranames import camera_name
from evidenced.core.telling.clocks import time_words
from evidenced.core.telling.lead import lead
from evidenced.core.telling.runs import TRIES, fold
from evidenced.core.telling.sentences import sentence
from evidenced.core.telling.shapes import NARROW, WIDE
from evidenced.core.telling.story import (
    Story,
    answer_words,
    clip_words,
    coverage_words,
    lacking_words,
    progress,
    why,
)
from evidenced.core.telling.timeline import lay_out
from evidenced.picture import draw
from evidenced.ports import View
from evidenced.web import footage
from evidenced.web.acts import incident_id, unknown
from evidenced.web.answers import see_other, within
from evidenced.web.bodies import AcknowledgeBody, OrderBody, read_fields, read_form
from evidenced.web.frame import Frame
from evidenced.web.users import ROLE
from evidenced.web.wording import foremost, window_reasons

DONE = {
    "retry": phrase("Asked for again: it is due now."),
    "record": phrase("Asked for: the evidence record is written anew."),
    "acknowledge": phrase("Acknowledged: it is lost, and no longer open."),
    "cancel": phrase(
        "Cancelled: nothing more is asked for, and what ran is withdrawn."
    ),
    "hold": phrase("Held: it is neither pruned nor disposed of until it is released."),
    "release": phrase("Released: it goes by its age, as any other."),
}

ACTIONS = "|".join(DONE)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/incidents/{id}", self._show),
            web.get(f"/incidents/{{id}}/{{action:{ACTIONS}}}", self._confirm),
            web.post(f"/incidents/{{id}}/{{action:{ACTIONS}}}", self._act),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        try:
            return await self._shown(request)
        except NotFound as error:
            return await self._remains(request, error)

    async def _shown(self, request: web.Request) -> web.Response:
        incident = incident_id(request)
        may_act = request[ROLE] is Role.OPERATOR

        async def make(tongue: Tongue) -> str:
            return self._part(tongue, await self._find(incident), may_act=may_act)

        has_acted = "done" in request.query  # and sees what that did
        return await self.frame.live(
            request,
            "incident.html",
            make,
            key=None if has_acted else f"{incident} {may_act}",
            id=incident,
            notice=(DONE | footage.DONE).get(self.frame.deeds.told(request), ""),
        )

    async def _remains(self, request: web.Request, unknown: NotFound) -> web.Response:
        """The way to what is left of one that was pruned. Raises it of any other."""
        name = incident_id(request)
        left = self.frame.store.read(
            lambda view: view.footage.of([name]) or view.losses.open_among([name])
        )
        is_left = await within(f"incident {name}", left)
        path, done = f"/incidents/{name}/footage", self.frame.deeds.told(request)
        if not is_left and done == "acknowledge":  # that was all there was of it
            return self.frame.deeds.lead(request, "/", "acknowledge-all")
        if not is_left:
            raise unknown
        return self.frame.deeds.lead(request, path, done) if done else see_other(path)

    async def _find(self, incident: IncidentId) -> "Shown":
        def read(view: View) -> Shown | None:
            dossier = view.dossier(incident)
            if dossier is None:
                return None
            files = view.evidence.files(incident, MAX_FILES)
            return Shown(dossier, files, beside(view, dossier.incident))

        found = await within(f"incident {incident}", self.frame.store.read(read))
        if found is None:
            raise unknown("incident", incident)
        return found

    def _part(self, tongue: Tongue, found: "Shown", *, may_act: bool) -> str:
        dossier = found.dossier
        about, incident = self.frame.surveyed, dossier.incident
        story = Story(
            dossier=dossier,
            now=self.frame.clock.now(),
            settles=about.settles,
            zone=about.zone,
            away=about.away,
            held=about.held,
        )
        shown, others = foremost(incident.clips)
        pictures = [
            (kind, Markup(draw(lay_out(story, width, tongue), kind)))  # noqa: S704 - draw escapes
            for kind, width in (("wide", WIDE), ("narrow", NARROW))
        ]
        return self.frame.text(
            tongue,
            "incidentpart.html",
            zone=story.zone,
            incident=incident,
            dossier=dossier,
            folders=record_folders(dossier, found.files, about.places),
            names={clip.camera: camera_name(clip) for clip in incident.clips},
            pictures=pictures,
            progress=progress(incident, dossier.exports),
            why=why(story),
            happened=_happened(story, about.instance),
            advice=advice_of(incident),
            time_words=time_words,
            windows=[_window(story, clip) for clip in shown],
            more_windows=[_window(story, clip) for clip in others],
            attempts=[(each, answer_words(each)) for each in dossier.exports],
            places=places_of(dossier, about.places),
            beside=[(each, each.title) for each in found.beside],
            near=NEAR,
            alarms=[(each, keepable(each.payload)) for each in dossier.alarms],
            history=fold(
                [
                    (each, sentence(each, story.zone), detail_of(each))
                    for each in dossier.history
                ],
                lambda told: told[0].event in TRIES,
            ),
            more_lost=more_lost(dossier),
            known=[each for each in dossier.losses if not each.is_open],
            gone=[(each.path, words(each)) for each in dossier.footage if each.at],
            **{name: may_act and can for name, can in _acts(dossier).items()},
        )

    async def _confirm(self, request: web.Request) -> web.Response:
        try:
            dossier = (await self._find(incident_id(request))).dossier
        except NotFound as error:
            return await self._remains(request, error)
        incident = dossier.incident
        again = "again" in request.query
        return self.frame.page(
            request,
            "confirm.html",
            action=request.match_info["action"],
            incident=incident,
            again=again,
            lost=[
                camera_name(c)
                for c in incident.clips
                if (c.can_be_asked_again if again else c.can_retry)
            ],
            losses=open_losses(dossier),
            seen=last_of(each for each in dossier.losses if each.is_open),
            is_failed=dossier.record is not None and dossier.record.is_failed,
            held=dossier.held,
            left=[camera_name(c) for c in incident.clips if not c.is_ended],
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        done = request.match_info["action"]
        form = await read_form(request)
        said = form.get("comment", "").strip()
        if done in {"retry", "record"}:
            again = "again" in form
            await self.frame.acts.on_incident(request, again=again)
        elif not said:
            raise BadInput(phrase("it needs a comment: say why in a few words"))
        elif done == "acknowledge":
            shown = {"seen": form["seen"]} if form.get("seen") else {}
            known = read_fields(AcknowledgeBody, {"comment": said, **shown})
            await self.frame.acts.acknowledge(request, known)
        else:
            why_so = read_fields(OrderBody, {"comment": said}).comment
            await self.frame.acts.on_incident(request, why_so)
        return self.frame.deeds.lead(
            request, f"/incidents/{incident_id(request)}", done
        )


NEAR = 5 * MINUTE
"""What is so close to an incident's windows happened at that time, too."""
MAX_BESIDE = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """What the store has of an incident, and those beside it."""

    dossier: Dossier
    files: Sequence[HashedFile]
    beside: Sequence[Incident]


def beside(view: View, incident: Incident) -> list[Incident]:
    """Other incidents that began about then, in the order in which they did.

    Those of one instant, which alarms that are taken in one step have, come in any.
    """
    wanted = IncidentFilter(
        since=incident.span.start - NEAR,
        until=incident.span.end + NEAR,
        limit=MAX_BESIDE + 1,
    )
    found = [each for each in view.incidents.search(wanted) if each.id != incident.id]
    return found[:MAX_BESIDE][::-1]


def _acts(dossier: Dossier) -> dict[str, bool]:
    """What there is to be done, for whoever may."""
    is_ours = dossier.incident.imported_at is None
    clips = dossier.incident.clips if is_ours else ()
    return {
        "may_add": is_ours,
        "may_acknowledge": bool(open_losses(dossier)),
        "may_retry": any(clip.can_retry for clip in clips),
        "may_ask_again": any(
            clip.has_footage and clip.can_be_asked_again for clip in clips
        ),
        "may_record": dossier.record is not None and dossier.record.is_failed,
        "may_cancel": not dossier.incident.is_ended,
        "may_hold": dossier.held is None,
        "may_release": dossier.held is not None,
        "may_tell": any(each.is_here for each in dossier.footage),
    }


def _happened(story: Story, site: str) -> str:
    """What happened, in the sentences of the record; of one that goes on the first."""
    sentences = lead(story, site)
    return joined(" ", sentences if story.incident.is_ended else sentences[:1])


def _window(story: Story, clip: Clip) -> tuple[Clip, str, Sequence[str], str]:
    said = clip_words(clip) or coverage_words(clip, story.zone)
    return clip, camera_name(clip), window_reasons(story, clip), said


def open_losses(dossier: Dossier) -> list[str]:
    """What is lost and nobody has acknowledged, a sentence each."""
    lacking = lacking_words(dossier.incident)
    return [
        (lacking if each.kind is LossKind.INCIDENT else "") or kept(each.text)
        for each in dossier.losses
        if each.is_open
    ]


def more_lost(dossier: Dossier) -> list[str]:
    """What else nobody has acknowledged than what its cameras lack."""
    kinds = {LossKind.UNRECORDED, LossKind.UNPLACED, LossKind.UNTAGGED}
    return [each.text for each in dossier.losses if each.is_open and each.kind in kinds]


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


MAX_FILES = 200
"""Of an evidence record, as the page lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFolder:
    """A folder to copy: `word` says what is in it.

    `path` is the recorder's, `link` that of people's own computers, `here` this host's;
    the last two may be empty.
    """

    word: str
    path: str
    link: str
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPart:
    """One folder of an evidence record; `sha256` is that of its incident.json.

    `n` is its number among those that are written, from 1; 0 before that. `more` is how
    many of its files are not listed.
    """

    path: str
    here: str
    n: int
    sha256: str
    files: tuple[HashedFile, ...]
    more: int = 0

    @property
    def verify(self) -> str:
        """The command that checks it, for a shell."""
        quoted = self.here.replace("'", "'\\''")
        return f"evidenced verify '{quoted}'"


def places_of(dossier: Dossier, places: Whereabouts) -> list[ShownFolder]:
    """Folders with footage; while there is none, those that were asked for last."""
    paths, word = list(folders_of(dossier.incident, dossier.exports)), phrase("Folder")
    if not paths:
        running = [e.path for e in dossier.exports if e.finished_at is None]
        paths = running or [e.path for e in dossier.exports[-1:]]
        word = phrase("Being filled") if running else phrase("Asked for, not exported")
    name = dossier.incident.terms.destination
    return [
        ShownFolder(
            word=word,
            path=path,
            link=places.link(path, name),
            here=places.here(path, name),
        )
        for path in dict.fromkeys(paths)
    ]


def record_folders(
    dossier: Dossier, files: Sequence[HashedFile], places: Whereabouts
) -> list[FolderPart]:
    """The folders of its record, with the files that are hashed by now."""
    if dossier.record is None:
        return []
    written = {each.path: each for each in dossier.record.folders}
    return [
        FolderPart(
            path=path,
            here=places.here(path, dossier.incident.terms.destination),
            n=[*written].index(path) + 1 if path in written else 0,
            sha256=written[path].sha256 if path in written else "",
            files=(own := tuple(each for each in files if each.folder == path)),
            more=max(written[path].files - len(own), 0) if path in written else 0,
        )
        for path in dict.fromkeys([*written, *(each.folder for each in files)])
    ]
