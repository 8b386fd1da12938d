"""Footage that people ask for: /save by hand, and more of an incident that is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from aiohttp import web

from evidenced.core.errors import BadInput
from evidenced.core.incidents.byhand import LONGEST, MAX_COMMENT
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import MINUTE, render_utc
from evidenced.core.phrase import phrase
from evidenced.web.acts import incident_id, unknown
from evidenced.web.answers import within
from evidenced.web.bodies import (
    CommentBody,
    MoreBody,
    SaveBody,
    read_boxes,
    read_fields,
    read_form,
)
from evidenced.web.errors import denied_by
from evidenced.web.frame import Frame

DONE = {
    "save": phrase("It is saved: the recorder is asked for it as soon as it may be."),
    "extend": phrase(
        "More of it is saved: the recorder is asked as soon as it may be."
    ),
    "comment": phrase("Your comment is in the history."),
}
BACK = timedelta(minutes=10)
"""What the form proposes: the last minutes."""
MORE = {f"{n}m": n * MINUTE for n in (1, 5, 15, 60)}
"""How much longer, by the words of the form."""


@dataclass(frozen=True, slots=True)
class FootagePages:
    """Forms; a fault is told in the form, with all that was typed."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/save", self._ask_save),
            web.post("/save", self._save),
            web.get("/incidents/{id}/extend", self._ask_more),
            web.post("/incidents/{id}/extend", self._extend),
            web.get("/incidents/{id}/comment", self._ask_comment),
            web.post("/incidents/{id}/comment", self._comment),
        ]

    # ---- by hand

    async def _ask_save(self, request: web.Request) -> web.Response:
        now, zone = self.frame.clock.now(), self.frame.installation.zone
        typed = {"from": _field(now - BACK, zone), "to": _field(now, zone)}
        return self._save_form(request, typed, request.query.getall("camera", []))

    async def _save(self, request: web.Request) -> web.StreamResponse:
        form = await read_boxes(request)
        try:
            zone = self.frame.installation.zone
            said = {
                "cameras": form.chosen,
                "from": form.at("from", zone),
                "to": form.at("to", zone),
                "comment": form.fields.get("comment", "").strip(),
                "destination": form.fields.get("destination", ""),
            }
            incident = await self.frame.acts.save(request, read_fields(SaveBody, said))
        except BadInput as fault:
            return self._save_form(request, form.fields, form.chosen, fault)
        return self.frame.deeds.lead(request, f"/incidents/{incident.id}", "save")

    def _save_form(
        self,
        request: web.Request,
        typed: Mapping[str, str],
        cameras: Iterable[str],
        fault: BadInput | None = None,
    ) -> web.Response:
        denied = denied_by(request, fault) if fault else None
        return self.frame.page(
            request,
            "save.html",
            denied.status if denied else 200,
            typed=typed,
            chosen=set(cameras),
            cameras=self.frame.installation.cameras,
            destinations=self.frame.installation.places.names,
            longest=LONGEST,
            max_comment=MAX_COMMENT,
            fault=denied.message if denied else "",
        )

    # ---- more of an incident

    async def _ask_more(self, request: web.Request) -> web.Response:
        incident, about = await self._find(request), self.frame.installation
        known = {clip.camera for clip in incident.wanted}
        return self.frame.page(
            request,
            "extend.html",
            incident=incident,
            lengths=MORE,
            may_go_on=bool(incident.wanted) and not incident.is_active,
            cameras={
                name: label
                for name, label in about.cameras.items()
                if name not in known
            },
        )

    async def _extend(self, request: web.Request) -> web.StreamResponse:
        form = await read_boxes(request)
        longer = MORE.get(form.fields.get("more", ""))
        until = None
        if longer is not None:
            until = render_utc((await self._find(request)).span.end + longer)
        said = read_fields(MoreBody, {"until": until, "cameras": form.chosen})
        incident = await self.frame.acts.add(request, said)
        return self.frame.deeds.lead(request, f"/incidents/{incident.id}", "extend")

    async def _ask_comment(self, request: web.Request) -> web.Response:
        incident = await self._find(request)
        return self.frame.page(
            request, "comment.html", incident=incident, max_comment=MAX_COMMENT
        )

    async def _comment(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        said = read_fields(CommentBody, {"comment": form.get("comment", "").strip()})
        incident = await self.frame.acts.comment(request, said)
        return self.frame.deeds.lead(request, f"/incidents/{incident.id}", "comment")

    async def _find(self, request: web.Request) -> Incident:
        name = incident_id(request)
        work = self.frame.store.read(lambda view: view.incidents.get([name]))
        found = await within(phrase("incident {name}", name=name), work)
        if not found:
            raise unknown("incident", name)
        return found[0]


def _field(at: datetime, zone: tzinfo) -> str:
    """As an input of type datetime-local has it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}"
