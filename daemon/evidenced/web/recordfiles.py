"""/incidents/{id}/record/{n}: the page of a record, and its folder to take home."""

from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from evidenced.web.acts import incident_id
from evidenced.web.answers import within
from evidenced.web.frame import Frame

SANDBOX = {
    # It was made of what alarms say: of no origin, without scripts, forms or network.
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src "
    "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True)
class RecordFiles:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(r"/incidents/{id}/record/{n:[0-9]{1,4}}", self._show),
            web.get(r"/incidents/{id}/record/{n:[0-9]{1,4}}.zip", self._take),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        incident, number = incident_id(request), int(request.match_info["n"])
        work = self.frame.control.archive.page(incident, number)
        page = await within(f"the record of incident {incident}", work)
        return web.Response(
            body=page, content_type="text/html", charset="utf-8", headers=SANDBOX
        )

    async def _take(self, request: web.Request) -> web.StreamResponse:
        incident, number = incident_id(request), int(request.match_info["n"])
        work = self.frame.control.archive.bundle(incident, number)
        bundle = await within(f"the record of incident {incident}", work)
        response = web.StreamResponse(
            headers={"Content-Disposition": f'attachment; filename="{bundle.name}"'}
        )
        response.content_type = "application/zip"
        async with aclosing(bundle.chunks) as chunks:
            await response.prepare(request)
            try:
                async for data in chunks:
                    await response.write(data)
            except OSError:
                # The share went away, or the reader: an end would say that it is whole.
                if request.transport is not None:
                    request.transport.abort()
                return response
        await response.write_eof()
        return response
