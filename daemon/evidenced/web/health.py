"""/healthz, /readyz and /metrics: what monitors ask."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from evidenced.core.incidents.states import IncidentState
from evidenced.metrics import Metrics
from evidenced.ports import View
from evidenced.ports.control import RecorderStatus, ShareStatus
from evidenced.web.answers import answer, within
from evidenced.web.frame import Frame
from evidenced.web.users import USER

CHECK_S = 10.0
"""A daemon that needs longer to say that it works does not."""


@dataclass(frozen=True, slots=True)
class Health:
    frame: Frame
    metrics: Metrics

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self._healthz),
            web.get("/readyz", self._readyz),
            web.get("/metrics", self._render_metrics),
        ]

    async def _healthz(self, request: web.Request) -> web.Response:
        return _verdict(request, await self._stuck())

    async def _readyz(self, request: web.Request) -> web.Response:
        """Alarms are taken, or not; what only delays footage is told as notes."""
        here = self.frame.control.condition
        notes = _notes(here.recorders(), here.shares()) + here.notes()
        return _verdict(request, self.frame.control.condition.unready(), notes)

    async def _stuck(self) -> list[str]:
        try:
            async with asyncio.timeout(CHECK_S):
                return await self.frame.control.condition.stuck()
        except TimeoutError:
            return [f"the check itself did not finish within {CHECK_S:.0f} s"]

    async def _render_metrics(self, _request: web.Request) -> web.Response:
        counts, due, waiting, evidence = await within(
            "the metrics", self.frame.store.read(_numbers)
        )
        metrics = self.metrics
        for state, count in counts.items():
            metrics.incidents.labels(state).set(count)
        age = 0.0 if due is None else (self.frame.clock.now() - due).total_seconds()
        metrics.oldest_due_seconds.set(max(0.0, age))
        metrics.inbox_messages.set(waiting[0])
        metrics.inbox_bytes.set(waiting[1])
        metrics.evidence_waiting.set(evidence[0])
        metrics.tags_waiting.set(evidence[1])
        sync = self.frame.clock.in_sync()
        metrics.clock_synchronized.set(math.nan if sync is None else int(sync))
        self._set_recorders()
        self._set_nodes()
        response = web.Response(
            body=generate_latest(metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )
        response.enable_compression()  # if asked for, as Prometheus does
        return response

    def _set_nodes(self) -> None:
        metrics, cluster = self.metrics, self.frame.store.cluster()
        metrics.node_up.clear()
        metrics.recorders_held.clear()
        for each in cluster.nodes:
            metrics.node_up.labels(each.name).set(each.is_up)
            metrics.recorders_held.labels(each.name).set(len(each.recorders))
        metrics.leases_changed(cluster.changes)
        if cluster.nodes:
            answer = cluster.answer
            seconds = math.nan if answer is None else answer.total_seconds()
            metrics.database_answer_seconds.set(seconds)

    def _set_recorders(self) -> None:
        """From nothing each time: a reload may have removed one."""
        metrics = self.metrics
        metrics.recorder_up.clear()
        metrics.recorder_clock_offset_seconds.clear()
        metrics.share_up.clear()
        for share in self.frame.control.condition.shares():
            metrics.share_up.labels(share.destination).set(share.problem is None)
        for each in self.frame.control.condition.recorders():
            metrics.recorder_up.labels(each.name).set(each.is_up)
            if each.offset is not None:
                offset = each.offset.total_seconds()
                metrics.recorder_clock_offset_seconds.labels(each.name).set(offset)


def _numbers(
    view: View,
) -> tuple[dict[IncidentState, int], datetime | None, tuple[int, int], tuple[int, int]]:
    inbox = view.inbox.waiting()
    return (
        view.incidents.counts(),
        view.queue.oldest_due(),
        inbox,
        (view.evidence.waiting(), view.tags.waiting()),
    )


def _notes(
    recorders: Sequence[RecorderStatus], shares: Sequence[ShareStatus]
) -> list[str]:
    """Recorders and destinations for which incidents wait, a sentence each."""
    notes = [
        f"recorder {each.name}: {each.problem or 'not asked yet'}"
        for each in recorders
        if not each.is_up
    ]
    for each in shares:
        if each.problem:
            notes.append(f"destination {each.destination}: {each.problem}")
        elif each.no_records:
            notes.append(
                f"destination {each.destination}, evidence records: {each.no_records}"
            )
    return notes + [
        f"recorder {each.name}, destination {name} is held ({hold.reason}): {hold.text}"
        for each in recorders
        for name, hold in each.holds.items()
    ]


def _verdict(
    request: web.Request, reasons: Sequence[str], notes: Sequence[str] | None = None
) -> web.Response:
    """200 or 503; reasons and notes only for those who may know them."""
    value: dict[str, object] = {"status": "failing" if reasons else "ok"}
    if USER in request:
        value["reasons"] = list(reasons)
        if notes is not None:
            value["notes"] = list(notes)
    return answer(value, 503 if reasons else 200)
