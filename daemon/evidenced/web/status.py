"""GET /api/status: the verdict, and what it was made of, for programs."""

from dataclasses import dataclass

from aiohttp import web

from evidenced.core.keeping.kept import IncidentFilter
from evidenced.core.telling.judgement import verdict_object
from evidenced.core.telling.objects import JsonObject, utc
from evidenced.core.telling.verdict import verdict
from evidenced.ports import View
from evidenced.web.answers import answer, within
from evidenced.web.frame import Frame
from evidenced.web.nodes import database_object, node_object
from evidenced.web.recorders import condition_objects, stored_condition
from evidenced.web.silences import silence_object


@dataclass(frozen=True, slots=True)
class StatusApi:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/status", self._status)]

    async def _status(self, _request: web.Request) -> web.Response:
        condition, now = self.frame.control.condition, self.frame.clock.now()
        around, zone = condition.surroundings(), self.frame.installation.zone
        unready, about = condition.unready(), condition.installation()
        recorders, shares = condition.recorders(), condition.shares()

        def read(view: View) -> JsonObject:
            facts = view.facts.read(around, now, zone)
            stored = stored_condition(view, about, recorders, shares, now)
            return {
                "verdict": verdict_object(verdict(facts)),
                "silences": [silence_object(each, now) for each in facts.silences],
                **stored_status(view),
                **condition_objects(recorders, shares, stored, now),
            }

        return answer(
            {
                **await within("the status", self.frame.store.read(read)),
                "broker": {"up": not unready, "problems": unready},
                "nodes": [
                    node_object(each) for each in self.frame.store.cluster().nodes
                ],
                "database": database_object(self.frame.store.cluster()),
            }
        )


def stored_status(view: View) -> JsonObject:
    """What rows alone say: how much is under way, and which alarm was the last."""
    newest = next(iter(view.incidents.search(IncidentFilter(limit=1))), None)
    return {
        "queue": {
            "messages": view.inbox.waiting().messages,
            "incidents": dict(view.incidents.counts()),
            "oldest_due": utc(view.queue.oldest_due()),
        },
        "last_alarm": newest
        and {
            "at": utc(newest.last_at),
            "incident": newest.id,
            "rule": newest.rule,
            "label": newest.label,
        },
    }
