"""/recorders and /api/recorders: Health: recorders, cameras, destinations, records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from evidenced.core.exports.watching import CameraWatch
from evidenced.core.ids import CameraName, DestinationName, RecorderName
from evidenced.core.instants import floor_ms, render_utc
from evidenced.core.keeping.health import FAILURES_FOR, CameraTally, full_in
from evidenced.core.phrase import Tongue
from evidenced.core.recorder import NEGLIGIBLE
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.objects import JsonObject, utc
from evidenced.core.telling.verdict import verdict
from evidenced.ports import View
from evidenced.ports.control import Installation, RecorderStatus, ShareStatus
from evidenced.web.answers import answer, within
from evidenced.web.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """One camera that a rule uses. `failures` are those of the last 30 days.

    `watch` is None while it was never asked about; see `CameraWatch`.
    """

    name: CameraName
    label: str
    recorder: RecorderName
    watch: CameraWatch | None
    tally: CameraTally
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCondition:
    """What rows say of how all is: nothing of it is a scan.

    `waiting` counts the incidents that wait at each recorder or run there, within
    bounds; `full_in` is how long each share lasts, where that can be said; `records`
    those that wait to be written.
    """

    cameras: Sequence[CameraHealth]
    waiting: Mapping[RecorderName, int]
    full_in: Mapping[DestinationName, timedelta]
    records: int


def stored_condition(
    view: View,
    about: Installation,
    recorders: Iterable[RecorderStatus],
    shares: Iterable[ShareStatus],
    now: datetime,
) -> StoredCondition:
    tallies, failures = view.health.tallies(), view.health.failures(now)
    watches = {each.camera: each for each in view.watches.all()}
    forecasts = {
        each.destination: full_in(
            view.health.rooms(each.destination), each.min_free, now
        )
        for each in shares
    }
    return StoredCondition(
        cameras=[
            CameraHealth(
                name=name,
                label=about.cameras.get(name, name),
                recorder=recorder,
                watch=watches.get(name),
                tally=tallies.get(name, CameraTally(camera=name)),
                failures=failures.get(name, 0),
            )
            for name, recorder in about.used.items()
        ],
        waiting={
            each.name: view.facts.waiting((NoticeKind.RECORDER, each.name))
            for each in recorders
        },
        full_in={name: left for name, left in forecasts.items() if left is not None},
        records=view.evidence.waiting(),
    )


def camera_object(camera: CameraHealth) -> JsonObject:
    """`records` is null while nobody knows whether it does."""
    watch = camera.watch
    is_known = watch and (watch.recorded_at or watch.silent_since)
    return {
        "name": camera.name,
        "label": camera.label,
        "recorder": camera.recorder,
        "records": watch.silent_since is None if watch and is_known else None,
        "silent_since": utc(watch.silent_since) if watch else None,
        "asked": utc(watch.asked_at) if watch else None,
        "last_export": utc(camera.tally.exported_at),
        "last_no_video": utc(camera.tally.no_video_at),
        "failures": camera.failures,
    }


def share_object(status: ShareStatus, left: timedelta | None = None) -> JsonObject:
    """`full_in_s` is how long it lasts if it goes on so; null where nobody can say."""
    room = status.room
    return {
        "destination": status.destination,
        "up": status.problem is None,
        "problem": status.problem,
        "no_records": status.no_records,
        "free_bytes": room and room.free,
        "total_bytes": room and room.total,
        "full_in_s": left and left.total_seconds(),
    }


def recorder_object(
    status: RecorderStatus, now: datetime, waiting: int = 0
) -> JsonObject:
    """`clock_offset_s` is recorder minus host, null where unknown.

    `bandwidth` is the budget in force, bytes per second, 0 for none.
    """
    offset, wait, ago = status.offset, status.next_try, status.answered_ago
    return {
        "name": status.name,
        "up": status.is_up,
        "problem": status.problem,
        "reason": status.reason,
        "version": status.version,
        "answered": None if ago is None else render_utc(floor_ms(now - ago)),
        "clock_offset_s": None if offset is None else offset.total_seconds(),
        "exports": status.exports,
        "slots": status.slots,
        "waiting": waiting,
        "bandwidth": status.budget.limit,
        "paused": status.budget.is_paused,
        "budget_until": utc(status.budget_until),
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


def condition_objects(
    recorders: Iterable[RecorderStatus],
    shares: Iterable[ShareStatus],
    stored: StoredCondition,
    now: datetime,
) -> JsonObject:
    """What `/api/recorders` and `/api/status` both say."""
    return {
        "recorders": [
            recorder_object(each, now, stored.waiting.get(each.name, 0))
            for each in recorders
        ],
        "shares": [
            share_object(each, stored.full_in.get(each.destination)) for each in shares
        ],
        "cameras": [camera_object(each) for each in stored.cameras],
        "records_waiting": stored.records,
    }


HERE = "/recorders"


@dataclass(frozen=True, slots=True)
class RecorderPages:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/recorders", self._list),
            web.get(HERE, self._show),
        ]

    async def _list(self, _request: web.Request) -> web.Response:
        here, now = self.frame.control.condition, self.frame.clock.now()
        about, recorders, shares = here.installation(), here.recorders(), here.shares()

        def read(view: View) -> JsonObject:
            stored = stored_condition(view, about, recorders, shares, now)
            return condition_objects(recorders, shares, stored, now)

        return answer(await within("the recorders", self.frame.store.read(read)))

    async def _show(self, request: web.Request) -> web.Response:
        frame, now = self.frame, self.frame.clock.now()
        condition = frame.control.condition

        async def make(tongue: Tongue) -> str:
            found, about = condition.recorders(), condition.installation()
            shares, problems = condition.shares(), condition.unready()
            nodes = frame.store.cluster().nodes
            tries = {
                each.name: each.next_try for each in found if each.next_try is not None
            }

            around = condition.surroundings()

            def read(view: View) -> str:
                causes = verdict(view.facts.read(around, now, about.zone)).causes
                return frame.text(
                    tongue,
                    "recorderspart.html",
                    zone=about.zone,
                    recorders=found,
                    stored=stored_condition(view, about, found, shares, now),
                    failures_for=FAILURES_FOR,
                    negligible=NEGLIGIBLE,
                    tries={name: floor_ms(now + w) for name, w in tries.items()},
                    shares={each.destination: each for each in shares},
                    destinations=about.destinations,
                    problems=problems,
                    todo=[e for e in causes if e.see == HERE and e.is_urgent],
                    nodes=nodes,
                )

            return await within("the page", frame.store.read(read))

        return await frame.live(request, "recorders.html", make)
