"""GET /: what needs somebody, what is silenced, the day, and the list of incidents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby
from urllib.parse import urlencode

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.errors import BadInput
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.instants import DAY, HOUR, floor_ms, is_datable, render_utc
from evidenced.core.keeping.held import Held
from evidenced.core.keeping.kept import Dossier, IncidentFilter
from evidenced.core.keeping.still import Still, telling
from evidenced.core.phrase import DayForm, Tongue, dated, phrase
from evidenced.core.telling.asking import Names, ask, name_meant
from evidenced.core.telling.cameranames import camera_name
from evidenced.core.telling.judgement import Cause, Mood
from evidenced.core.telling.objects import verified
from evidenced.core.telling.story import Progress, Story, progress, why
from evidenced.core.telling.verdict import verdict
from evidenced.ports import View
from evidenced.ports.control import Installation
from evidenced.web.answers import within
from evidenced.web.displays import WALL
from evidenced.web.frame import Frame
from evidenced.web.incidents import (
    exports_by_incident,
    footage_by_incident,
    held_by_incident,
    page_of,
    stills_by_incident,
)
from evidenced.web.query import address, csv_address, read_filter
from evidenced.web.users import ROLE

SHOWN = 50
FILTERS = ("q", "state", "rule", "camera", "day", "held", "since", "until", "coverage")
MAX_LATE = 100
ON_WALL = 8
HOURS = 24
PICTURE_BYTES = 500_000
LIST_BYTES = 5_000_000
"""Of one picture, and of all that a list shows: recorders give none that is smaller. A
larger one is on the incident's page."""
TALLEST = 200
"""Incidents of an hour whose bar fills the strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident as the list shows it.

    `cameras` are names, those that lack footage first, and whether they do. `has_more`
    is whether a picture is left out that is too large for a list. `is_open` is whether
    something is lost of it that nobody has acknowledged. `verified` is by
    whose word there is footage, see `objects.verified`.
    """

    incident: Incident
    title: str
    detail: str
    cameras: tuple[tuple[str, bool], ...]
    still: Still | None
    has_more: bool = False
    verified: str | None = None
    held: Held | None = None
    is_open: bool = True
    progress: Progress
    why: str

    @property
    def tone(self) -> str:
        """`lost` and `late` want attention; nothing else has a colour.

        What is lost and somebody knows of is `known`.
        """
        incident = self.incident
        is_lacking = any(lacks for _, lacks in self.cameras)
        is_failed = incident.state is IncidentState.FAILED
        if is_lacking or is_failed or self.verified == "altered":
            return "lost" if self.is_open else "known"
        if incident.is_ended:
            return "done" if incident.state is IncidentState.EXPORTED else "off"
        return "late" if incident.is_late_told else "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBar:
    """One hour of the strip: how many incidents, of a height from 0 to 100."""

    hour: str
    incidents: int
    lacking: int
    address: str

    @property
    def height(self) -> int:
        if not self.incidents:
            return 0
        return min(100, 18 + 82 * self.incidents.bit_length() // TALLEST.bit_length())


@dataclass(frozen=True, slots=True)
class Page:
    """The list, and the one of incidents without footage."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._show),
            web.get("/without-footage", self._without),
            web.get(WALL, self._wall),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        asked = {name: text for name, text in request.query.items() if text}
        wanted = read_query(asked, self.frame)
        return await self._answer(request, "list.html", asked, wanted)

    async def _without(self, request: web.Request) -> web.Response:
        asked = {name: text for name, text in request.query.items() if text}
        states = (IncidentState.FAILED, IncidentState.PARTIAL)
        wanted = replace(read_filter(asked.items(), ("cursor",)), states=states)
        return await self._answer(request, "without.html", asked, wanted)

    async def _wall(self, request: web.Request) -> web.Response:
        """For a screen across the room: nothing to press, nothing to type."""
        return await self.frame.live(
            request, "wall.html", self._wall_part, key="", now=self.frame.clock.now()
        )

    async def _wall_part(self, tongue: Tongue) -> str:
        now, about = self.frame.clock.now(), self.frame.surveyed
        condition = self.frame.control.condition
        around, recorders = condition.surroundings(), condition.recorders()
        shares = condition.shares()

        def read(view: View) -> str:
            facts = view.facts.read(around, now, about.zone)
            found = verdict(facts)
            newest = view.incidents.search(IncidentFilter(limit=ON_WALL))
            return self.frame.text(
                tongue,
                "wallpart.html",
                zone=about.zone,
                verdict=found,
                todo=todo_of(found.causes),
                silences=facts.silences,
                bars=_bars(view, now, about.zone),
                rows=_rows(view, newest, now, about),
                recorders=recorders,
                shares=shares,
                now=now,
                may_act=False,
            )

        return await within("the wall", self.frame.store.read(read))

    async def _answer(
        self,
        request: web.Request,
        template: str,
        asked: Mapping[str, str],
        wanted: IncidentFilter,
    ) -> web.Response:
        may_act = request[ROLE] is Role.OPERATOR

        async def make(tongue: Tongue) -> str:
            return await self._part(
                tongue, request, template, asked, wanted, may_act=may_act
            )

        has_acted = "done" in request.query  # and sees what that did
        return await self.frame.live(
            request,
            template,
            make,
            key=None if has_acted else f"{request.path_qs} {may_act}",
            asked=asked,
            states=list(IncidentState),
            is_filtered=any(name in asked for name in FILTERS if name != "q"),
            csv=csv_address(wanted),
            days=day_links(asked, self.frame),
            notice=DONE.get(self.frame.deeds.told(request), ""),
        )

    async def _part(
        self,
        tongue: Tongue,
        request: web.Request,
        template: str,
        asked: Mapping[str, str],
        wanted: IncidentFilter,
        *,
        may_act: bool,
    ) -> str:
        """What changes of the page; made where the store is read, off the loop."""
        now, about = self.frame.clock.now(), self.frame.surveyed
        around = self.frame.control.condition.surroundings()
        is_first = wanted.after is None
        is_home = template == "list.html" and is_first

        def read(view: View) -> str:
            shown, cursor = page_of(view, wanted)
            late: tuple[IncidentRow, ...] = ()
            gapped: tuple[IncidentRow, ...] = ()
            if template == "without.html" and is_first:
                late = _rows(view, view.incidents.late(MAX_LATE), now, about)
                gapped = _rows(view, _gapped(view), now, about)
            facts = view.facts.read(around, now, about.zone)
            found = verdict(facts)
            return self.frame.text(
                tongue,
                "rows.html",
                zone=about.zone,
                days=by_day(_rows(view, shown, now, about), now, about.zone),
                next=cursor,
                late=late,
                gapped=gapped,
                verdict=found,
                todo=todo_of(found.causes),
                silences=facts.silences if is_home else (),
                bars=_bars(view, now, about.zone) if is_home else (),
                is_home=is_home,
                may_act=may_act,
                asked=asked,
                is_filtered=any(name in asked for name in FILTERS),
                is_first=is_first,
                path=request.path,
                address=lambda **changes: address(request.path, asked, changes),
            )

        return await within("the page", self.frame.store.read(read))


DONE = {
    "retry-all": phrase("Asked for again: all that is lost and can be asked for."),
    "acknowledge-all": phrase(
        "Acknowledged: what is lost is in the history with your words."
    ),
}


def _gapped(view: View) -> list[Incident]:
    """With footage, and none of the alarm itself: the newest of them."""
    wanted = IncidentFilter(gapped=True, limit=MAX_LATE)
    found = view.incidents.search(wanted)
    return [each for each in found if any(clip.is_gapped for clip in each.clips)]


def todo_of(causes: Sequence[Cause]) -> list[Cause]:
    """What somebody has to look at."""
    return [cause for cause in causes if cause.mood in {Mood.WARN, Mood.BAD}]


def _bars(view: View, now: datetime, zone: tzinfo) -> list[HourBar]:
    """The last 24 hours, by the hours of the clock."""
    last = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    start = floor_ms(last) - (HOURS - 1) * HOUR
    return [
        HourBar(
            hour=f"{at.astimezone(zone):%H}",
            incidents=incidents,
            lacking=lacking,
            address=f"/?{urlencode({'since': render_utc(at)})}"
            f"&{urlencode({'until': render_utc(at + HOUR)})}",
        )
        for n, (incidents, lacking) in enumerate(view.incidents.hours(start, HOURS))
        for at in [start + n * HOUR]
    ]


def by_day(
    rows: Sequence[IncidentRow], now: datetime, zone: tzinfo
) -> list[tuple[str, list[IncidentRow]]]:
    """Rows under the words for their days, in the order in which they are."""
    today = now.astimezone(zone).date()
    days = groupby(rows, key=lambda row: row.incident.opened_at.astimezone(zone).date())
    return [(day_words(day, today), list(found)) for day, found in days]


def day_words(day: date, today: date) -> str:
    """`Today, Monday 30 November`; with the year where it is another one."""
    is_this_year = day.year == today.year
    form = DayForm.LONG_DAY_OF_YEAR if is_this_year else DayForm.LONG_DAY
    words = dated(day, form)
    if day == today:
        return phrase("Today, {day}", day=words)
    return phrase("Yesterday, {day}", day=words) if day == today - DAY else words


def _rows(
    view: View, shown: Sequence[Incident], now: datetime, about: Installation
) -> tuple[IncidentRow, ...]:
    exports, stills = exports_by_incident(view, shown), stills_by_incident(view, shown)
    folders = footage_by_incident(view, shown)
    held = held_by_incident(view, shown)
    lost = {each.name for each in view.losses.open_among([e.id for e in shown])}
    rows, room = [], LIST_BYTES
    for each in shown:
        still = telling(stills[each.id], each.opened_at)
        size = still.size_bytes if still else 0
        fits = size <= min(room, PICTURE_BYTES)
        room -= size if fits else 0
        row = row_of(each, exports[each.id], now, about)
        rows.append(
            replace(
                row,
                still=still if fits else None,
                has_more=not fits,
                held=held.get(each.id),
                is_open=each.id in lost,
                verified=verified(each, folders[each.id]),
            )
        )
    return tuple(rows)


def row_of(
    incident: Incident,
    exports: Sequence[ExportRequest],
    now: datetime,
    about: Installation,
) -> IncidentRow:
    """Without its picture."""
    dossier = Dossier(incident=incident, alarms=(), exports=tuple(exports), history=())
    story = Story(
        dossier=dossier,
        now=now,
        settles=about.settles,
        zone=about.zone,
        away=about.away,
        held=about.held,
    )
    lacking = {
        clip.camera: (camera_name(clip), clip.is_lacking)
        for clip in sorted(incident.wanted, key=lambda clip: clip.is_lacking)
    }
    cameras = sorted(lacking.values(), key=lambda each: not each[1])
    return IncidentRow(
        incident=incident,
        title=incident.summary or incident.label,
        detail=" · ".join(_detail(incident)),
        cameras=tuple(cameras),
        still=None,
        progress=progress(incident, exports),
        why=why(story),
    )


def _detail(incident: Incident) -> Iterator[str]:
    """Which of its kind it is: its group, else its fields; nothing twice."""
    if incident.summary:
        return
    if incident.key:
        yield incident.key
        return
    for value in incident.fields.values():
        yield value if isinstance(value, str) else ", ".join(value)


def read_query(asked: Mapping[str, str], frame: Frame) -> IncidentFilter:
    """Which incidents the address of the list asks for.

    The one field is read word by word; what the other fields say goes before it. A
    camera may be named by its label.

    Raises:
        BadInput: a filter cannot be read.
    """
    about, now = frame.installation, frame.clock.now()
    named = dict(asked)
    if "camera" in named:
        named["camera"] = name_meant(named["camera"], about.cameras)
    pairs = [(n, text) for n, text in named.items() if n not in {"day", "q", "done"}]
    said = read_filter([*pairs, ("q", asked.get("q", ""))])
    names = Names(cameras=about.cameras, rules=about.rules)
    meant = ask(said.text or "", names, now, about.zone)
    day = _day(asked.get("day", ""), about.zone)
    return replace(
        meant,
        states=said.states or meant.states,
        rule=said.rule or meant.rule,
        camera=said.camera or meant.camera,
        since=said.since or (day[0] if day else meant.since),
        until=said.until or (day[1] if day else meant.until),
        is_held=said.is_held,
        after=said.after,
        gapped=said.gapped or meant.gapped,
        limit=SHOWN,
    )


def _day(text: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    if not text:
        return None
    try:
        begin = datetime.combine(date.fromisoformat(text), time(), zone)
        end = datetime.combine(begin.date() + DAY, time(), zone)
        if is_datable(begin):
            return floor_ms(begin), floor_ms(end)
    except (ValueError, OverflowError):
        pass
    raise BadInput(phrase("day: write a date such as 2026-11-23"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLinks:
    """The day that is shown, in words, and the addresses of those beside it."""

    words: str
    before: str
    after: str


def day_links(asked: Mapping[str, str], frame: Frame) -> DayLinks:
    """Without a day it is today's, and there is none after it."""
    today = frame.clock.now().astimezone(frame.installation.zone).date()
    try:
        day = date.fromisoformat(asked.get("day", ""))
    except ValueError:
        day = today
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    kept = {name: text for name, text in asked.items() if name != "done"}
    return DayLinks(
        words=dated(day, DayForm.WEEKDAY) if "day" in asked else phrase("All days"),
        before=address("/", kept, {"day": before.isoformat()}),
        after=""
        if "day" not in asked
        else address("/", kept, {"day": after.isoformat() if after <= today else ""}),
    )
