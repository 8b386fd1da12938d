"""/silences and /api/silences: what is off until when, and who said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.errors import BadInput, EvidencedError, NotFound, Refused
from evidenced.core.incidents.silence import MAX_COMMENT, Silence, Subject
from evidenced.core.instants import DAY, HOUR, render_utc
from evidenced.core.phrase import Tongue, phrase
from evidenced.core.telling.objects import JsonObject
from evidenced.ports import View
from evidenced.web.acts import silence_id, unknown
from evidenced.web.answers import answer, within
from evidenced.web.bodies import (
    SilenceBody,
    read_body,
    read_boxes,
    read_fields,
    read_json,
)
from evidenced.web.errors import denied_by
from evidenced.web.frame import LIVE, Frame
from evidenced.web.users import ROLE

PAST = 100
"""Silences that are over and still listed."""
SHOWN_PAST = 20
LENGTHS = {
    "30m": timedelta(minutes=30),
    "1h": HOUR,
    "4h": timedelta(hours=4),
    "8h": timedelta(hours=8),
    "1d": DAY,
    "7d": timedelta(days=7),
}


PROPOSED = ("subject", "name", "from", "comment")
DONE = {
    "begun": phrase("The silence is in force."),
    "planned": phrase("The silence is planned."),
    "ended": phrase("It has ended."),
}


@dataclass(frozen=True, slots=True)
class SilencePages:
    """Listing, beginning and ending; for the same users as incidents are."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/silences", self._list),
            web.post("/api/silences", self._begin),
            web.post("/api/silences/{id}/end", self._end),
            web.get("/silences", self._show),
            web.post("/silences", self._begin_by_form),
            web.get("/silences/{id}/end", self._confirm),
            web.post("/silences/{id}/end", self._end_by_form),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        now = self.frame.clock.now()
        work = self.frame.store.read(lambda view: stored_silences(view, now))
        return answer(await within("the list of silences", work))

    async def _begin(self, request: web.Request) -> web.Response:
        said = read_json(SilenceBody, await read_body(request))
        made = await self.frame.acts.silence(request, said)
        # Not by a clock that was read before it began: it is in force, and says so.
        response = answer(silence_object(made, self.frame.clock.now()), 201)
        response.headers["Location"] = "/api/silences"
        return response

    async def _end(self, request: web.Request) -> web.Response:
        over = await self.frame.acts.end_silence(request)
        return answer(silence_object(over, self.frame.clock.now()))

    async def _show(self, request: web.Request) -> web.Response:
        """With what the address proposes: the silence after one that is extended."""
        asked = request.query
        typed = {key: asked[key][:MAX_COMMENT] for key in PROPOSED if key in asked}
        return await self._form(request, typed)

    async def _form(
        self,
        request: web.Request,
        typed: Mapping[str, str],
        fault: EvidencedError | None = None,
    ) -> web.Response:
        """With what was typed, where that is refused."""
        may_act = request[ROLE] is Role.OPERATOR

        async def make(tongue: Tongue) -> str:
            return await self._part(tongue, may_act=may_act)

        denied = denied_by(request, fault) if fault else None
        is_live = LIVE in request.headers
        response = await self.frame.live(
            request,
            "silences.html",
            make,
            key=str(may_act) if is_live else None,  # whoever just began one sees it
            lengths=LENGTHS,
            max_comment=MAX_COMMENT,
            subjects=list(Subject),
            notice=DONE.get(self.frame.deeds.told(request), ""),
            typed=typed,
            fault=denied.message if denied else "",
        )
        if denied:
            response.set_status(denied.status)
        return response

    async def _part(self, tongue: Tongue, *, may_act: bool) -> str:
        """What changes of the page: the form stays as it is being filled in."""
        now = self.frame.clock.now()

        def read(view: View) -> tuple[list[Silence], list[Silence]]:
            return view.silences.standing(now), view.silences.past(now, SHOWN_PAST)

        standing, past = await within("the page", self.frame.store.read(read))
        return self.frame.text(
            tongue,
            "silencespart.html",
            silences=[each for each in standing if not each.is_planned(now)],
            planned=[each for each in standing if each.is_planned(now)],
            past=past,
            zone=self.frame.installation.zone,
            may_act=may_act,
        )

    async def _begin_by_form(self, request: web.Request) -> web.StreamResponse:
        form = await read_boxes(request)
        sent, zone = form.fields, self.frame.installation.zone
        said = {sent.get("subject", ""): sent.get("name", "")}
        said |= {key: sent.get(key, "").strip() for key in ("for", "comment", "author")}
        try:
            if start := form.at("from", zone):
                said["from"] = start
            made = await self.frame.acts.silence(
                request, read_fields(SilenceBody, said)
            )
        except (BadInput, NotFound, Refused) as fault:
            return await self._form(request, sent, fault)
        is_planned = made.is_planned(self.frame.clock.now())
        done = "planned" if is_planned else "begun"
        return self.frame.deeds.lead(request, "/silences", done)

    async def _confirm(self, request: web.Request) -> web.Response:
        name = silence_id(request)
        found = await within(
            "the page", self.frame.store.read(lambda view: view.silences.get(name))
        )
        if found is None:
            raise unknown("silence", name)
        now = self.frame.clock.now()
        return self.frame.page(
            request, "endsilence.html", silence=found, planned=found.is_planned(now)
        )

    async def _end_by_form(self, request: web.Request) -> web.StreamResponse:
        await self.frame.acts.end_silence(request)
        return self.frame.deeds.lead(request, "/silences", "ended")


def stored_silences(view: View, now: datetime) -> JsonObject:
    """As GET /api/silences gives them."""
    found = silences_of(view, now, PAST)
    return {"silences": [silence_object(each, now) for each in found]}


def silences_of(view: View, now: datetime, past: int) -> list[Silence]:
    """Those in force or planned, the next to end first; then the last that are over."""
    return [*view.silences.standing(now), *view.silences.past(now, past)]


def silence_object(silence: Silence, now: datetime) -> JsonObject:
    """One of `rule`, `camera` and `topic` says what it is about; the others are null.

    `until` is the end that was wanted, `ended` the one that it had; `planned` says that
    it is still to begin, `held_back` how many alarms came under it.
    """
    is_active = silence.is_in_force(now)
    subjects = {
        str(each): silence.name if silence.subject is each else None for each in Subject
    }
    return {
        "id": silence.id,
        **subjects,
        "active": is_active,
        "planned": silence.is_planned(now),
        "started": render_utc(silence.starts_at),
        "until": render_utc(silence.until),
        "ended": None if now < silence.ends_at else render_utc(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
        "held_back": silence.held_back,
        "ended_by": silence.ended_by or None,
    }
