"""Recorders, destinations and holds; and the messages that no rule took."""

from aiohttp import web

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import BadInput
from evidenced.core.instants import floor_ms
from evidenced.core.recorder import NEGLIGIBLE
from evidenced.ports import View
from evidenced.web.answers import within
from evidenced.web.frame import Frame

SHOWN = 50
MAX_DIGITS = 18
MEANINGS: dict[Outcome, str] = {
    Outcome.UNMATCHED: "no rule takes it",
    Outcome.RETAINED: "an old state, replayed by the broker",
    Outcome.STALE: "older than max_age",
    Outcome.INVALID: "cannot be read",
    Outcome.CLEARED: "a clear, and nothing awaited one",
}


class PlacesPages:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/recorders", self._recorders),
            web.get("/refused", self._refused),
        ]

    async def _recorders(self, request: web.Request) -> web.Response:
        frame, now = self._frame, self._frame.clock.now()

        async def make() -> str:
            found = frame.control.recorders()
            tries = {
                each.name: each.next_try for each in found if each.next_try is not None
            }
            return frame.text(
                "recorderspart.html",
                zone=frame.installation.zone,
                recorders=found,
                negligible=NEGLIGIBLE,
                tries={name: floor_ms(now + wait) for name, wait in tries.items()},
                shares={each.destination: each for each in frame.control.shares()},
                destinations=frame.installation.destinations,
                problems=frame.control.unready(),
            )

        return await frame.live(request, "recorders.html", make)

    async def _refused(self, request: web.Request) -> web.Response:
        before = _number(request.query.get("before", ""))

        def read(view: View) -> str:
            found = view.alarms.refused(SHOWN + 1, before)
            shown = found[:SHOWN]
            return self._frame.text(
                "refusedpart.html",
                zone=self._frame.installation.zone,
                alarms=shown,
                meanings=MEANINGS,
                next=shown[-1][0] if len(found) > SHOWN else None,
                is_first=before is None,
            )

        async def make() -> str:
            return await within("the page", self._frame.store.read(read))

        return await self._frame.live(request, "refused.html", make)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise BadInput("before: take the link of the page as it stands")
    return int(text)
