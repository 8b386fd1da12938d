"""/api/alarms and the page "Ignored messages": messages that opened nothing, and why.

Of those that a silence withheld the footage can be asked for after all.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.keeping.kept import RefusedAlarm
from evidenced.core.keeping.loss import OF_RULES
from evidenced.core.phrase import Tongue, phrase
from evidenced.core.telling.objects import refused_object
from evidenced.ports import Store, View
from evidenced.web.acts import alarm_number, unknown
from evidenced.web.answers import answer, see_other, within
from evidenced.web.bodies import AcknowledgeBody, read_body, read_json
from evidenced.web.frame import Frame
from evidenced.web.query import read_alarm_filter
from evidenced.web.users import ROLE

MEANINGS: dict[Outcome, str] = {
    Outcome.UNMATCHED: phrase("no rule takes it"),
    Outcome.DUPLICATE: phrase("repeats one that is kept"),
    Outcome.RETAINED: phrase("an old state, replayed by the broker"),
    Outcome.STALE: phrase("older than max_age"),
    Outcome.INVALID: phrase("cannot be read"),
    Outcome.CLEARED: phrase("a clear, and nothing awaited one"),
    Outcome.SILENCED: phrase("came under a silence"),
    Outcome.UNMET: phrase("a condition of its rule did not hold"),
    Outcome.UNCHANGED: phrase("says again what its rule knew"),
    Outcome.WAITING: phrase("an alarm only if it lasts"),
}


IN_FULL = (Outcome.INVALID, Outcome.STALE, Outcome.SILENCED)
"""What may have been an alarm, and what was one: each by itself, with what to do."""
SHOWN = 20
GATHERED = 500
"""Messages that are looked through for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Messages of one topic that opened nothing for one reason, and the newest one."""

    number: int
    last: RefusedAlarm


def gather(alarms: Iterable[RefusedAlarm]) -> list[Alike]:
    """The newest kind first; `alarms` are, too."""
    found: dict[tuple[object, ...], list[RefusedAlarm]] = {}
    for each in alarms:
        if each.outcome not in IN_FULL:
            key = each.outcome, each.topic, each.rule, each.detail
            found.setdefault(key, []).append(each)
    return [Alike(number=len(each), last=each[0]) for each in found.values()]


@dataclass(frozen=True, slots=True)
class AlarmPages:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/alarms", self._list),
            web.post("/api/alarms/{number}/export", self._export),
            web.post("/api/alarms/acknowledge", self._acknowledge),
            web.get("/refused", self._show),
            web.get("/refused/{number}/export", self._confirm),
            web.post("/refused/{number}/export", self._export_by_form),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        found, after = await _page(self.frame.store, request.query.items())
        return answer(
            {"alarms": [refused_object(each) for each in found], "next": after}
        )

    async def _export(self, request: web.Request) -> web.Response:
        incident = await self.frame.acts.export(request)
        response = answer({"incident": incident.id}, 201)
        response.headers["Location"] = f"/api/incidents/{incident.id}"
        return response

    async def _acknowledge(self, request: web.Request) -> web.Response:
        said = read_json(AcknowledgeBody, await read_body(request))
        number = await self.frame.acts.acknowledge_unreadable(request, said)
        return answer({"acknowledged": number})

    async def _show(self, request: web.Request) -> web.Response:
        if not request.query:
            return await self._overview(request)

        async def make(tongue: Tongue) -> str:
            found, after = await _page(self.frame.store, request.query.items())
            return self.frame.text(
                tongue,
                "refusedpart.html",
                alarms=found,
                meanings=MEANINGS,
                outcome=request.query.get("outcome", ""),
                next=after,
                is_first="cursor" not in request.query,
                parts=(),
                unread=0,
                alike=(),
            )

        return await self.frame.live(request, "refused.html", make, meanings=MEANINGS)

    async def _overview(self, request: web.Request) -> web.Response:
        """What wants somebody first; what was meant for nobody in groups."""
        may_act = request[ROLE] is Role.OPERATOR

        async def make(tongue: Tongue) -> str:
            def read(view: View) -> str:
                unread = [
                    each
                    for kind in OF_RULES.values()
                    for each in view.losses.open_of(kind)
                ]
                newest = view.refused.newest(GATHERED)
                parts = [
                    (each, view.refused.newest(SHOWN, None, each)) for each in IN_FULL
                ]
                lost = [kind for kind, found in parts if found and kind in OF_RULES]
                return self.frame.text(
                    tongue,
                    "refusedpart.html",
                    parts=parts,
                    lost_first=next(iter(lost), None),
                    unread=sum(each.number for each in unread) if may_act else 0,
                    alike=gather(newest),
                    alarms=newest[:1],
                    meanings=MEANINGS,
                    outcome="",
                    next=None,
                    is_first=True,
                )

            return await within("the page", self.frame.store.read(read))

        return await self.frame.live(request, "refused.html", make, meanings=MEANINGS)

    async def _confirm(self, request: web.Request) -> web.Response:
        number = alarm_number(request)
        work = self.frame.store.read(lambda view: view.refused.get(number))
        alarm = await within("the page", work)
        if alarm is None:
            raise unknown("alarm", str(number))
        withheld = alarm.withheld.cameras if alarm.withheld else ()
        labels = self.frame.installation.cameras
        cameras = [labels.get(name) or name for name in withheld]
        return self.frame.page(
            request, "exportalarm.html", alarm=alarm, cameras=cameras
        )

    async def _export_by_form(self, request: web.Request) -> web.StreamResponse:
        incident = await self.frame.acts.export(request)
        return see_other(f"/incidents/{incident.id}")


async def _page(
    store: Store, query: Iterable[tuple[str, str]]
) -> tuple[list[RefusedAlarm], int | None]:
    """A page of the list, and what the next one's cursor is."""
    wanted = read_alarm_filter(query)

    def read(view: View) -> list[RefusedAlarm]:
        return view.refused.newest(wanted.limit + 1, wanted.before, wanted.outcome)

    found = await within("the list of alarms", store.read(read))
    shown = found[: wanted.limit]
    return shown, shown[-1].number if len(found) > len(shown) else None
