"""/api/incidents: what there is, and the few actions on it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from unicodedata import normalize

from aiohttp import web

from evidenced.core.errors import NotFound
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.held import Held
from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.keeping.still import Still
from evidenced.core.spoken import stamp
from evidenced.core.telling.objects import (
    JsonObject,
    acknowledged_object,
    footage_object,
    incident_object,
    incident_row,
    record_object,
)
from evidenced.ports import View
from evidenced.web.acts import incident_id, unknown
from evidenced.web.answers import answer, answer_text, dump, within
from evidenced.web.bodies import (
    AcknowledgeBody,
    CommentBody,
    MoreBody,
    MovedBody,
    OrderBody,
    SaveBody,
    read_body,
    read_hand,
    read_json,
)
from evidenced.web.frame import Frame
from evidenced.web.query import PARAMETERS, read_cursor, read_filter, render_cursor

MOST_LINES = 10_000
FORMULA = frozenset("=+-@")
"""What a formula of a table begins with."""
ACTIONS = "retry|cancel|record|hold|release"
COLUMNS = (
    "id",
    "local time",
    "utc",
    "state",
    "rule",
    "about",
    "cameras",
    "without footage",
    "reason",
    "alarms",
)


FOR_EVER = {"Cache-Control": "private, max-age=604800, immutable"}


@dataclass(frozen=True, slots=True)
class IncidentsApi:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/incidents", self._list),
            web.get("/api/incidents.csv", self._table),
            web.post("/api/incidents", self._by_hand),
            web.get("/api/incidents/{id}", self._show),
            web.get(r"/api/incidents/{id}/stills/{n:[0-9]{1,9}}.jpg", self._still),
            web.post("/api/incidents/{id}/acknowledge", self._acknowledge),
            web.post("/api/incidents/{id}/footage", self._became),
            web.post("/api/incidents/{id}/comment", self._comment),
            web.post("/api/incidents/{id}/extend", self._extend),
            web.post(f"/api/incidents/{{id}}/{{action:{ACTIONS}}}", self._act),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        wanted = read_filter(request.query.items())
        # Rendered where it is read: a full page is megabytes, too long for the loop.
        work = self.frame.store.read(lambda view: dump(_page(view, wanted)))
        return answer_text(await within("the list of incidents", work))

    async def _table(self, request: web.Request) -> web.Response:
        known = tuple(name for name in PARAMETERS if name not in {"limit", "cursor"})
        wanted = read_filter(request.query.items(), known)
        zone = self.frame.installation.zone
        work = self.frame.store.read(lambda view: _csv(view, wanted, zone))
        return web.Response(
            text=await within("the table of incidents", work),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": 'attachment; filename="incidents.csv"'},
        )

    async def _show(self, request: web.Request) -> web.Response:
        return answer_text(await self._object(incident_id(request)))

    async def _still(self, request: web.Request) -> web.Response:
        """A picture as the recorder gave it; of a number it never changes."""
        incident, n = incident_id(request), int(request.match_info["n"])
        work = self.frame.store.read(lambda view: view.stills.picture(incident, n))
        data = await within(f"still {n} of incident {incident}", work)
        if data is None:
            raise unknown("still", f"{n} of incident {incident}")
        return web.Response(body=data, content_type="image/jpeg", headers=FOR_EVER)

    async def _object(self, incident: IncidentId) -> str:
        def read(view: View) -> str | None:
            found = stored_object(view, incident)
            return None if found is None else dump(found)

        text = await within(f"incident {incident}", self.frame.store.read(read))
        if text is None:
            raise unknown("incident", incident)
        return text

    async def _by_hand(self, request: web.Request) -> web.Response:
        said, acts = read_hand(await read_body(request)), self.frame.acts
        if isinstance(said, SaveBody):
            incident = await acts.save(request, said)
        else:
            incident = await acts.trigger(request, said)
        # One that was open already took the alarm as another of its own.
        status = 201 if incident.alarms == 1 else 200
        response = answer_text(await self._object(incident.id), status)
        response.headers["Location"] = f"/api/incidents/{incident.id}"
        return response

    async def _acknowledge(self, request: web.Request) -> web.Response:
        said = read_json(AcknowledgeBody, await read_body(request))
        loss = await self.frame.acts.acknowledge(request, said)
        name = incident_id(request)
        try:
            return answer_text(await self._object(name))
        except NotFound:  # pruned: what its footage has lost on shares is left
            return answer({"id": name, "acknowledged": acknowledged_object(loss)})

    async def _comment(self, request: web.Request) -> web.Response:
        said = read_json(CommentBody, await read_body(request))
        incident = await self.frame.acts.comment(request, said)
        return answer_text(await self._object(incident.id))

    async def _extend(self, request: web.Request) -> web.Response:
        said = read_json(MoreBody, await read_body(request))
        incident = await self.frame.acts.add(request, said)
        return answer_text(await self._object(incident.id))

    async def _became(self, request: web.Request) -> web.Response:
        """Also of an incident that is pruned: its footage is known for longer."""
        said = read_json(MovedBody, await read_body(request))
        folders = await self.frame.acts.became(request, said)
        found = [footage_object(each) for each in folders]
        return answer({"id": incident_id(request), "footage": found})

    async def _act(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        said = read_json(OrderBody, body) if body else OrderBody()
        incident = await self.frame.acts.on_incident(
            request, said.comment, again=said.again
        )
        return answer_text(await self._object(incident.id))


def stored_page(view: View, pairs: Iterable[tuple[str, str]]) -> JsonObject:
    """A page as GET /api/incidents gives it.

    Raises:
        BadInput: a parameter is wrong.
    """
    return _page(view, read_filter(pairs))


def stored_object(view: View, incident: IncidentId) -> JsonObject | None:
    """One incident as GET /api/incidents/{id} gives it."""
    dossier = view.dossier(incident)
    if dossier is None:
        return None
    record = dossier.record and record_object(dossier.record)
    return incident_object(dossier) | {"record": record}


def _page(view: View, wanted: IncidentFilter) -> JsonObject:
    shown, cursor = page_of(view, wanted)
    exports = exports_by_incident(view, shown)
    stills = stills_by_incident(view, shown)
    held = held_by_incident(view, shown)
    rows = [
        incident_row(each, exports[each.id], stills[each.id], held.get(each.id))
        for each in shown
    ]
    return {"incidents": rows, "next": cursor}


def _csv(view: View, wanted: IncidentFilter, zone: tzinfo) -> str:
    """One line an incident, the newest first, up to MOST_LINES.

    What begins as a formula would is marked as text: tables come from payloads, and
    programs that show them obey them.
    """
    made = io.StringIO()
    table = csv.writer(made)
    table.writerow(COLUMNS)
    lines, page = 0, replace(wanted, limit=500)
    while lines < MOST_LINES:
        found, cursor = page_of(view, page)
        for each in found:
            table.writerow([_plain_cell(cell) for cell in _line(each, zone)])
        lines += len(found)
        if cursor is None:
            break
        page = replace(page, after=read_cursor(cursor))
    return made.getvalue()


def _line(incident: Incident, zone: tzinfo) -> list[str]:
    lacking = [clip.label or clip.camera for clip in incident.wanted if clip.is_lacking]
    cameras = [clip.label or clip.camera for clip in incident.wanted]
    return [
        incident.id,
        stamp(incident.opened_at, zone),
        render_utc(incident.opened_at),
        incident.state,
        incident.label,
        incident.summary or incident.key,
        ", ".join(dict.fromkeys(cameras)),
        ", ".join(dict.fromkeys(lacking)),
        str(incident.reason or ""),
        str(incident.alarms),
    ]


def _plain_cell(text: str) -> str:
    """Source: OWASP, "CSV Injection". Wide forms of a sign are the sign to some."""
    first = normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if first in FORMULA else text


def exports_by_incident(
    view: View, shown: Iterable[Incident]
) -> dict[IncidentId, list[ExportRequest]]:
    """All export requests of these incidents."""
    found: dict[IncidentId, list[ExportRequest]] = {each.id: [] for each in shown}
    for export in view.exports.of(found):
        found[export.incident].append(export)
    return found


def stills_by_incident(
    view: View, shown: Iterable[Incident]
) -> dict[IncidentId, list[Still]]:
    """All stills of these incidents, in order."""
    found: dict[IncidentId, list[Still]] = {each.id: [] for each in shown}
    for still in view.stills.of(found):
        found[still.incident].append(still)
    return found


def footage_by_incident(
    view: View, shown: Iterable[Incident]
) -> dict[IncidentId, list[FootageFolder]]:
    """All folders with a record of these incidents."""
    found: dict[IncidentId, list[FootageFolder]] = {each.id: [] for each in shown}
    for folder in view.footage.of(list(found)):
        found[folder.incident].append(folder)
    return found


def held_by_incident(view: View, shown: Iterable[Incident]) -> dict[IncidentId, Held]:
    """Those of these incidents that somebody holds, with who does."""
    return {each.incident: each for each in view.held.of([one.id for one in shown])}


def page_of(view: View, wanted: IncidentFilter) -> tuple[list[Incident], str | None]:
    """A page of the list, and where the next begins: None after the last.

    A search for text may find fewer than fit, and go on all the same.
    """
    found = view.incidents.search(replace(wanted, limit=wanted.limit + 1))
    shown = found[: wanted.limit]
    if len(found) > len(shown):
        return shown, render_cursor(shown[-1].opened_at, shown[-1].id)
    reach = view.incidents.reach(wanted)
    return shown, None if reach is None else render_cursor(*reach)
