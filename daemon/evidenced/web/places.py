"""Recorders, destinations and holds."""

from aiohttp import web

from evidenced.core.instants import floor_ms
from evidenced.core.recorder import NEGLIGIBLE
from evidenced.web.frame import Frame


class PlacesPages:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/recorders", self._recorders),
        ]

    async def _recorders(self, request: web.Request) -> web.Response:
        frame, now = self._frame, self._frame.clock.now()

        async def make() -> str:
            condition = frame.control.condition
            found = condition.recorders()
            tries = {
                each.name: each.next_try for each in found if each.next_try is not None
            }
            return frame.text(
                "recorderspart.html",
                zone=frame.installation.zone,
                recorders=found,
                negligible=NEGLIGIBLE,
                tries={name: floor_ms(now + wait) for name, wait in tries.items()},
                shares={each.destination: each for each in condition.shares()},
                destinations=frame.installation.destinations,
                problems=condition.unready(),
            )

        return await frame.live(request, "recorders.html", make)
