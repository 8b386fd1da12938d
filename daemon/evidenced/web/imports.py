"""/api/imports: a record on a share is taken into the store, one folder an order."""

from dataclasses import dataclass

from aiohttp import web

from evidenced.core.telling.objects import utc
from evidenced.web.answers import answer
from evidenced.web.bodies import ImportBody, read_body, read_json
from evidenced.web.frame import Frame


@dataclass(frozen=True, slots=True)
class ImportsApi:
    """`evidenced incidents import` asks for each folder whose files it has hashed."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/imports", self._import)]

    async def _import(self, request: web.Request) -> web.Response:
        said = read_json(ImportBody, await read_body(request))
        done = await self.frame.acts.take_in(request, said)
        value = {
            "id": done.incident,
            "new": done.is_new,
            "kept_until": utc(done.kept_until),
            "footage_until": utc(done.stays_until),
        }
        return answer(value, 201 if done.is_new else 200)
