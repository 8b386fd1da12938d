"""/silences: what is off until when, who said so, and the forms to begin and to end."""

from datetime import timedelta

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.errors import BadInput, NotFound
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import MAX_COMMENT, Silence, SilenceOrder, Subject
from evidenced.core.instants import floor_ms
from evidenced.ports import View
from evidenced.web.answers import see_other, within
from evidenced.web.fragments import Fragments
from evidenced.web.frame import LIVE, Frame
from evidenced.web.query import read_id
from evidenced.web.users import ROLE, USER

PAST = 20
LENGTHS = {
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "8h": timedelta(hours=8),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
MAX_AUTHOR = 60


class SilencePage:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._fragments = Fragments(frame.clock, frame.control.changes)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/silences", self._show),
            web.post("/silences", self._begin),
            web.get("/silences/{id}/end", self._confirm),
            web.post("/silences/{id}/end", self._end),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        may_act = request[ROLE] is Role.OPERATOR

        async def make() -> str:
            return await self._part(may_act=may_act)

        if LIVE in request.headers:
            get = self._fragments.get(str(may_act), make, is_live=True)
            return self._frame.part(await get)
        return self._frame.page(
            request,
            "silences.html",
            part=await make(),  # whoever just began one sees it
            lengths=LENGTHS,
            max_comment=MAX_COMMENT,
            subjects=list(Subject),
            notice={"begun": "The silence is in force.", "ended": "It has ended."}.get(
                request.query.get("done", ""), ""
            ),
        )

    async def _part(self, *, may_act: bool) -> str:
        """What changes of the page: the form stays as it is being filled in."""
        now = self._frame.clock.now()

        def read(view: View) -> tuple[list[Silence], list[Silence]]:
            return view.silences(now), view.past_silences(now, PAST)

        inforce, past = await within("the page", self._frame.store.read(read))
        return self._frame.text(
            "silencespart.html", silences=inforce, past=past, may_act=may_act
        )

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        fields = await self._frame.form(request)
        length = LENGTHS.get(fields.get("for", ""))
        if length is None:
            raise BadInput("say how long the silence is to last")
        order = SilenceOrder(
            subject=_subject(fields.get("subject", "")),
            name=fields.get("name", "").strip(),
            until=floor_ms(self._frame.clock.now() + length),
            comment=fields.get("comment", "").strip(),
        )
        author = fields.get("author", "").strip()[:MAX_AUTHOR]
        who = request[USER]
        if author and not self._frame.has_users:
            who = f"{author} ({who})"
        await within("the silence", self._frame.control.silence(order, who))
        return see_other("/silences?done=begun")

    async def _confirm(self, request: web.Request) -> web.Response:
        name = _id_of(request)
        found = await within(
            "the page", self._frame.store.read(lambda view: view.silence(name))
        )
        if found is None:
            raise NotFound(f"there is no silence {name}")
        return self._frame.page(request, "endsilence.html", silence=found)

    async def _end(self, request: web.Request) -> web.StreamResponse:
        await self._frame.form(request)
        work = self._frame.control.end_silence(_id_of(request), request[USER])
        await within("the end", work)
        return see_other("/silences?done=ended")


def _subject(text: str) -> Subject:
    try:
        return Subject(text)
    except ValueError:
        raise BadInput("say whether a rule, a camera or a topic is silent") from None


def _id_of(request: web.Request) -> SilenceId:
    found = read_id(request.match_info["id"])
    if found is None:
        raise NotFound("there is no such silence")
    return SilenceId(found)
