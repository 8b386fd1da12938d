"""/api/silences: what is off until when, and who said so."""

from datetime import datetime

from aiohttp import web

from evidenced.config.units import parse_duration
from evidenced.core.alarms.payload import PayloadFormat, one_line, parse_payload
from evidenced.core.errors import BadInput, NotFound
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject
from evidenced.core.instants import render_utc
from evidenced.core.telling.objects import JsonObject
from evidenced.ports import Clock, Control, Store, View
from evidenced.web.answers import answer, within
from evidenced.web.body import read_body
from evidenced.web.query import read_id, read_time
from evidenced.web.users import USER

PAST = 100
"""Silences that are over and still listed."""
MAX_AUTHOR = 60
KEYS = (*Subject, "until", "for", "comment", "author")


class Silences:
    """Listing, beginning and ending; for the same users as incidents are."""

    def __init__(self, store: Store, control: Control, clock: Clock) -> None:
        self._store = store
        self._control = control
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
        now = self._clock.now()
        order, author = read_order(await read_body(request), now)
        user = request[USER]
        who = f"{author} ({user})" if author and author != user else user
        made = await within("the silence", self._control.silence(order, who))
        response = answer(silence_object(made, now), 201)
        response.headers["Location"] = "/api/silences"
        return response

    async def _end(self, request: web.Request) -> web.Response:
        await read_body(request)  # means nothing here, and has to be off the wire
        text = request.match_info["id"]
        if read_id(text) is None:
            raise NotFound(f"there is no silence {one_line(text, 64)}")
        work = self._control.end_silence(SilenceId(text), request[USER])
        over = await within("the end of the silence", work)
        return answer(silence_object(over, self._clock.now()))


def silences_of(view: View, now: datetime) -> list[Silence]:
    """Those in force, the next to end first; then the last ones that are over."""
    return [*view.silences(now), *view.past_silences(now, PAST)]


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


def read_order(raw: bytes, now: datetime) -> tuple[SilenceOrder, str]:
    """What a POST of a silence says, and who it says its author is, if it does.

    Raises:
        BadInput: no JSON object, or a key that is unknown, missing or wrong.
    """
    value = parse_payload(raw, PayloadFormat.JSON)
    if not isinstance(value, dict):
        raise BadInput(
            'the body must be an object such as {"rule": "door-forced", ...}'
        )
    for key, said in value.items():
        if key not in KEYS:
            shown = one_line(repr(key), 80)
            raise BadInput(f"a key is {shown}; there are {', '.join(KEYS)}")
        if said is not None and not isinstance(said, str):
            raise BadInput(f"{key} is no text")
    said = {key: text for key, text in value.items() if text}
    about = [each for each in Subject if each in said]
    if len(about) != 1:
        raise BadInput("say one of rule, camera and topic: what is to be silent")
    author = said.get("author", "")
    if one_line(author, MAX_AUTHOR) != author:
        raise BadInput(f"author: write at most {MAX_AUTHOR} characters on one line")
    order = SilenceOrder(
        subject=about[0],
        name=said[about[0]],
        until=_until(said, now),
        comment=said.get("comment", ""),
    )
    return order, author


def _until(said: dict[str, str], now: datetime) -> datetime:
    if ("until" in said) == ("for" in said):
        raise BadInput('say until when ("until": a time) or how long ("for": "2h")')
    if "until" in said:
        return read_time("until", said["until"])
    try:
        return now + parse_duration(said["for"])
    except (ValueError, OverflowError):
        shown = one_line(repr(said["for"]), 80)
        raise BadInput(
            f"for is {shown}; write a duration such as 90m, 2h or 3d"
        ) from None
