"""What a node that stands by answers: that it is well, and who does the work."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from evidenced.core.errors import STANDBY
from evidenced.web.answers import answer, set_headers
from evidenced.web.peers import PEERS, Peers


def make_standby(
    holder: Callable[[], str], counted: Callable[[], bytes]
) -> web.Application:
    """What monitors ask is 200; all else names the node that has the store.

    `counted` are the metrics of what this node does of recorders' work.
    """

    async def well(_request: web.Request) -> web.Response:
        return web.Response(text=f"standby: node {holder()} does the work\n")

    async def metrics(_request: web.Request) -> web.Response:
        """A monitor finds that it is up; the node that leads has all other numbers."""
        note = f"# standby: node {holder()} does the work\n".encode()
        return web.Response(
            body=note + counted(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def elsewhere(request: web.Request) -> web.Response:
        text = f"This node stands by. Node {holder()} does the work: ask there."
        if request.path.startswith("/api/"):
            error = {"code": STANDBY, "message": text}
            return answer({"error": error}, web.HTTPServiceUnavailable.status_code)
        raise web.HTTPServiceUnavailable(
            text=f"{text}\n", headers={"Retry-After": "10"}
        )

    app = web.Application()
    app[PEERS] = Peers()
    app.router.add_get("/healthz", well)
    app.router.add_get("/readyz", well)
    app.router.add_get("/metrics", metrics)
    app.router.add_route("*", "/{any:.*}", elsewhere)
    app.on_response_prepare.append(set_headers)
    return app
