"""/api/silences: what is off until when, and who said so."""

from datetime import datetime

from aiohttp import web

from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.instants import render_utc
from evidenced.core.telling.objects import JsonObject
from evidenced.ports import Clock, Store, View
from evidenced.web.acts import Acts
from evidenced.web.answers import answer, within
from evidenced.web.bodies import SilenceBody, read_body, read_json

PAST = 100
"""Silences that are over and still listed."""


class SilencesApi:
    """Listing, beginning and ending; for the same users as incidents are."""

    def __init__(self, store: Store, acts: Acts, clock: Clock) -> None:
        self._store = store
        self._acts = acts
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/silences", self._list),
            web.post("/api/silences", self._begin),
            web.post("/api/silences/{id}/end", self._end),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        now = self._clock.now()
        work = self._store.read(lambda view: silences_of(view, now))
        found = await within("the list of silences", work)
        return answer({"silences": [silence_object(each, now) for each in found]})

    async def _begin(self, request: web.Request) -> web.Response:
        said = read_json(SilenceBody, await read_body(request))
        made = await self._acts.silence(request, said)
        # Not by a clock that was read before it began: it is in force, and says so.
        response = answer(silence_object(made, self._clock.now()), 201)
        response.headers["Location"] = "/api/silences"
        return response

    async def _end(self, request: web.Request) -> web.Response:
        over = await self._acts.end_silence(request)
        return answer(silence_object(over, self._clock.now()))


def silences_of(view: View, now: datetime) -> list[Silence]:
    """Those in force, the next to end first; then the last ones that are over."""
    return [*view.silences.ending_after(now), *view.silences.past(now, PAST)]


def silence_object(silence: Silence, now: datetime) -> JsonObject:
    """One of `rule`, `camera` and `topic` says what it is about; the others are null.

    `until` is the end that was wanted, `ended` the one that it had.
    """
    is_active = silence.is_in_force(now)
    subjects = {
        str(each): silence.name if silence.subject is each else None for each in Subject
    }
    return {
        "id": silence.id,
        **subjects,
        "active": is_active,
        "started": render_utc(silence.starts_at),
        "until": render_utc(silence.until),
        "ended": None if now < silence.ends_at else render_utc(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
        "ended_by": silence.ended_by or None,
    }
