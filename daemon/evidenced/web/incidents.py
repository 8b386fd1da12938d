"""/api/incidents and /api/recorders: what there is, and the few actions on it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import NotFound
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.records import IncidentFilter
from evidenced.core.telling.objects import (
    incident_object,
    incident_row,
    record_object,
)
from evidenced.ports import Clock, Control, Store, View
from evidenced.web.answers import answer, answer_text, dump, within
from evidenced.web.body import read_body
from evidenced.web.query import read_filter, read_id, read_trigger, render_cursor
from evidenced.web.render import recorder_object, share_object
from evidenced.web.users import USER


class Incidents:
    def __init__(self, store: Store, control: Control, clock: Clock) -> None:
        self._store = store
        self._control = control
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/incidents", self._list),
            web.post("/api/incidents", self._trigger),
            web.get("/api/incidents/{id}", self._show),
            web.post("/api/incidents/{id}/retry", self._retry),
            web.post("/api/incidents/{id}/cancel", self._cancel),
            web.post("/api/incidents/{id}/record", self._record),
            web.get("/api/recorders", self._recorders),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        wanted = read_filter(request.query.items())
        # Rendered where it is read: a full page is megabytes, too long for the loop.
        work = self._store.read(lambda view: dump(_page(view, wanted)))
        return answer_text(await within("the list of incidents", work))

    async def _show(self, request: web.Request) -> web.Response:
        return answer_text(await self._object(id_of(request)))

    async def _object(self, incident: IncidentId) -> str:
        work = self._store.read(lambda view: _dossier(view, incident))
        text = await within(f"incident {incident}", work)
        if text is None:
            raise _unknown(incident)
        return text

    async def _trigger(self, request: web.Request) -> web.Response:
        wanted = read_trigger(await read_body(request))
        work = self._control.trigger(
            wanted.rule, wanted.fields, wanted.at, request[USER]
        )
        incident = await within("the trigger", work)
        # One that was open already took the alarm as another of its own.
        status = 201 if incident.alarms == 1 else 200
        response = answer_text(await self._object(incident.id), status)
        response.headers["Location"] = f"/api/incidents/{incident.id}"
        return response

    async def _retry(self, request: web.Request) -> web.Response:
        return await self._act(request, self._control.retry)

    async def _cancel(self, request: web.Request) -> web.Response:
        return await self._act(request, self._control.cancel)

    async def _record(self, request: web.Request) -> web.Response:
        return await self._act(request, self._control.record)

    async def _act(
        self,
        request: web.Request,
        act: Callable[[IncidentId, str], Awaitable[Incident]],
    ) -> web.Response:
        await read_body(request)  # means nothing here, and has to be off the wire
        incident = id_of(request)
        await within("the action", act(incident, request[USER]))
        return answer_text(await self._object(incident))

    async def _recorders(self, _request: web.Request) -> web.Response:
        now = self._clock.now()
        found = [recorder_object(each, now) for each in self._control.recorders()]
        shares = [share_object(each) for each in self._control.shares()]
        return answer({"recorders": found, "shares": shares})


def _page(view: View, wanted: IncidentFilter) -> dict[str, object]:
    shown, cursor = page_of(view, wanted)
    exports: dict[IncidentId, list[ExportRequest]] = {each.id: [] for each in shown}
    for export in view.exports_of(exports):
        exports[export.incident].append(export)
    rows = [incident_row(each, exports[each.id]) for each in shown]
    return {"incidents": rows, "next": cursor}


def page_of(view: View, wanted: IncidentFilter) -> tuple[list[Incident], str | None]:
    """A page of the list, and where the next begins: None after the last.

    A search for text may find fewer than fit, and go on all the same.
    """
    found = view.search(replace(wanted, limit=wanted.limit + 1))
    shown = found[: wanted.limit]
    if len(found) > len(shown):
        return shown, render_cursor(shown[-1].opened_at, shown[-1].id)
    reach = view.reach(wanted)
    return shown, None if reach is None else render_cursor(*reach)


def _dossier(view: View, incident: IncidentId) -> str | None:
    dossier = view.dossier(incident)
    if dossier is None:
        return None
    record = dossier.record and record_object(dossier.record)
    return dump(incident_object(dossier) | {"record": record})


def id_of(request: web.Request) -> IncidentId:
    text = request.match_info["id"]
    incident = read_id(text)
    if incident is None:
        raise _unknown(text)
    return incident


def _unknown(text: str) -> NotFound:
    return NotFound(f"there is no incident {one_line(text, 64)}")
