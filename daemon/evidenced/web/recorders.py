"""/recorders and /api/recorders: how recorders, destinations and shares do."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from evidenced.core.instants import floor_ms, render_utc
from evidenced.core.recorder import NEGLIGIBLE
from evidenced.core.telling.objects import JsonObject, utc
from evidenced.ports.control import RecorderStatus, ShareStatus
from evidenced.web.answers import answer
from evidenced.web.frame import Frame


def share_object(status: ShareStatus) -> JsonObject:
    return {
        "destination": status.destination,
        "up": status.problem is None,
        "problem": status.problem,
        "no_records": status.no_records,
    }


def recorder_object(status: RecorderStatus, now: datetime) -> JsonObject:
    """`clock_offset_s` is recorder minus host, null where unknown."""
    offset, wait = status.offset, status.next_try
    return {
        "name": status.name,
        "up": status.is_up,
        "problem": status.problem,
        "reason": status.reason,
        "version": status.version,
        "clock_offset_s": None if offset is None else offset.total_seconds(),
        "exports": status.exports,
        "limited_until": utc(status.limited_until),
        "stuck": [{"path": path, "text": t} for path, t in status.stuck.items()],
        "next_try": None if wait is None else render_utc(now + wait),
        "holds": [
            {
                "destination": name,
                "reason": hold.reason,
                "message": hold.text,
                "since": render_utc(hold.since),
                "refusals": hold.failures,
                "next_try": render_utc(hold.next_try),
            }
            for name, hold in status.holds.items()
        ],
    }


@dataclass(frozen=True, slots=True)
class RecorderPages:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/recorders", self._list),
            web.get("/recorders", self._show),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        here, now = self.frame.control.condition, self.frame.clock.now()
        found = [recorder_object(each, now) for each in here.recorders()]
        shares = [share_object(each) for each in here.shares()]
        return answer({"recorders": found, "shares": shares})

    async def _show(self, request: web.Request) -> web.Response:
        frame, now = self.frame, self.frame.clock.now()
        condition = frame.control.condition

        async def make() -> str:
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
                nodes=frame.store.cluster().nodes,
            )

        return await frame.live(request, "recorders.html", make)
