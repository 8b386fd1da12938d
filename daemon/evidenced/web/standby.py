"""What a node that stands by answers: that it is well, and who does the work."""

from collections.abc import Callable

from aiohttp import web

from evidenced.web.answers import set_headers
from evidenced.web.peers import PEERS, Peers


def make_standby(holder: Callable[[], str]) -> web.Application:
    """`/healthz` and `/readyz` are 200; all else names the node that has the store."""

    async def well(_request: web.Request) -> web.Response:
        return web.Response(text=f"standby: node {holder()} does the work\n")

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable(
            text=f"This node stands by. Node {holder()} does the work: ask there.\n",
            headers={"Retry-After": "10"},
        )

    app = web.Application()
    app[PEERS] = Peers()
    app.router.add_get("/healthz", well)
    app.router.add_get("/readyz", well)
    app.router.add_route("*", "/{any:.*}", elsewhere)
    app.on_response_prepare.append(set_headers)
    return app
