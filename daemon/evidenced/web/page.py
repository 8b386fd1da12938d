"""GET /: the list of incidents, with search and filters in its address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, tzinfo
from urllib.parse import urlencode

from aiohttp import web

from evidenced.core.errors import BadInput
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import DAY, floor_ms
from evidenced.core.keeping.kept import Dossier, IncidentFilter
from evidenced.core.telling.story import Progress, Story, progress, why
from evidenced.core.telling.verdict import verdict
from evidenced.ports import View
from evidenced.ports.control import Installation
from evidenced.web.answers import within
from evidenced.web.frame import Frame
from evidenced.web.incidents import exports_by_incident, page_of
from evidenced.web.query import read_filter

SHOWN = 50
WITHOUT = "without"
"""The word in the address for incidents whose footage is late or missing."""
FILTERS = ("q", "state", "rule", "camera", "day")
MAX_LATE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident as the list shows it."""

    incident: Incident
    cameras: str
    progress: Progress
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """The list, and the one of incidents without footage."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._show),
            web.get("/without-footage", self._without),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        about = self.frame.installation
        asked = {name: text for name, text in request.query.items() if text}
        wanted = read_query(request.query, about.zone)
        return await self._answer(request, "list.html", asked, wanted)

    async def _without(self, request: web.Request) -> web.Response:
        asked = {name: text for name, text in request.query.items() if text}
        states = (IncidentState.FAILED, IncidentState.PARTIAL)
        wanted = replace(read_filter(asked.items(), ("cursor",)), states=states)
        return await self._answer(request, "without.html", asked, wanted)

    async def _answer(
        self,
        request: web.Request,
        template: str,
        asked: Mapping[str, str],
        wanted: IncidentFilter,
    ) -> web.Response:
        async def make() -> str:
            return await self._part(request, template, asked, wanted)

        return await self.frame.live(
            request,
            template,
            make,
            key=request.path_qs,
            asked=asked,
            states=list(IncidentState),
        )

    async def _part(
        self,
        request: web.Request,
        template: str,
        asked: Mapping[str, str],
        wanted: IncidentFilter,
    ) -> str:
        """What changes of the page; made where the store is read, off the loop."""
        now, about = self.frame.clock.now(), self.frame.installation
        around = self.frame.control.condition.surroundings()
        is_first = wanted.after is None

        def read(view: View) -> str:
            shown, cursor = page_of(view, wanted)
            late: tuple[IncidentRow, ...] = ()
            if template == "without.html" and is_first:
                late = _rows(view, view.incidents.late(MAX_LATE), now, about)
            return self.frame.text(
                "rows.html",
                zone=about.zone,
                rows=_rows(view, shown, now, about),
                next=cursor,
                counts=view.incidents.counts(),
                late=late,
                verdict=verdict(view.facts.read(around, now, about.zone)),
                asked=asked,
                is_filtered=any(name in asked for name in FILTERS),
                is_first=is_first,
                path=request.path,
                address=lambda **changes: address(request.path, asked, changes),
            )

        return await within("the page", self.frame.store.read(read))


def _rows(
    view: View, shown: Sequence[Incident], now: datetime, about: Installation
) -> tuple[IncidentRow, ...]:
    exports = exports_by_incident(view, shown)
    return tuple(_row(each, exports[each.id], now, about) for each in shown)


def _row(
    incident: Incident,
    exports: Sequence[ExportRequest],
    now: datetime,
    about: Installation,
) -> IncidentRow:
    dossier = Dossier(incident=incident, alarms=(), exports=tuple(exports), history=())
    story = Story(dossier=dossier, now=now, settles=about.settles, zone=about.zone)
    names = dict.fromkeys(clip.label or clip.camera for clip in incident.clips)
    return IncidentRow(
        incident=incident,
        cameras=", ".join(names),
        progress=progress(incident, exports),
        why=why(story),
    )


def read_query(query: Mapping[str, str], zone: tzinfo) -> IncidentFilter:
    """Which incidents the address of the list asks for.

    Raises:
        BadInput: a filter cannot be read.
    """
    pairs = [(name, text) for name, text in query.items() if name != "day"]
    wanted = replace(read_filter(pairs), limit=SHOWN)
    day = query.get("day", "")
    if not day:
        return wanted
    try:
        begin = datetime.combine(datetime.fromisoformat(day).date(), time(), zone)
        end = datetime.combine(begin.date() + DAY, time(), zone)
        return replace(wanted, since=floor_ms(begin), until=floor_ms(end))
    except (ValueError, OverflowError):
        raise BadInput("day: write a date such as 2026-11-23") from None


def address(path: str, asked: Mapping[str, str], changes: Mapping[str, str]) -> str:
    """The address of the same list with something changed; empty takes away."""
    kept = {name: text for name, text in {**asked, **changes}.items() if text}
    if "cursor" not in changes:
        kept.pop("cursor", None)
    return f"{path}?{urlencode(kept)}" if kept else path
