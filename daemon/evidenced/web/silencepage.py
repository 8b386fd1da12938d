"""/silences: what is off until when, who said so, and the forms to begin and to end."""

from datetime import timedelta

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.incidents.silence import MAX_COMMENT, Silence, Subject
from evidenced.core.instants import DAY, HOUR
from evidenced.ports import View
from evidenced.web.acts import Acts, silence_id, unknown
from evidenced.web.answers import see_other, within
from evidenced.web.bodies import SilenceBody, read_fields, read_form
from evidenced.web.frame import LIVE, Frame
from evidenced.web.users import ROLE

PAST = 20
LENGTHS = {
    "30m": timedelta(minutes=30),
    "1h": HOUR,
    "4h": timedelta(hours=4),
    "8h": timedelta(hours=8),
    "1d": DAY,
    "7d": timedelta(days=7),
}


class SilencePage:
    def __init__(self, frame: Frame, acts: Acts) -> None:
        self._frame = frame
        self._acts = acts

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

        is_live = LIVE in request.headers
        return await self._frame.live(
            request,
            "silences.html",
            make,
            key=str(may_act) if is_live else None,  # whoever just began one sees it
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
            return view.silences.ending_after(now), view.silences.past(now, PAST)

        inforce, past = await within("the page", self._frame.store.read(read))
        return self._frame.text(
            "silencespart.html", silences=inforce, past=past, may_act=may_act
        )

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        sent = await read_form(request)
        said = {sent.get("subject", ""): sent.get("name", "")}
        said |= {key: sent.get(key, "").strip() for key in ("for", "comment", "author")}
        await self._acts.silence(request, read_fields(SilenceBody, said))
        return see_other("/silences?done=begun")

    async def _confirm(self, request: web.Request) -> web.Response:
        name = silence_id(request)
        found = await within(
            "the page", self._frame.store.read(lambda view: view.silences.get(name))
        )
        if found is None:
            raise unknown("silence", name)
        return self._frame.page(request, "endsilence.html", silence=found)

    async def _end(self, request: web.Request) -> web.StreamResponse:
        await self._acts.end_silence(request)
        return see_other("/silences?done=ended")
