"""Our own style, script and icon, under names that change with their content.

So a browser may keep them for ever, and never shows a new page in an old style.
"""

import hashlib
from functools import cache
from importlib.resources import files

from aiohttp import web

from evidenced import picture

KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
DIGITS = 16
FOREVER = "public, max-age=31536000, immutable"


@cache
def assets() -> dict[str, tuple[str, str]]:
    """By the address: the text and its type."""
    folder = files("evidenced.web").joinpath("static")
    texts = {
        each.name: each.read_text("utf-8")
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in KINDS
    }
    texts["page.css"] += picture.STYLE
    return {
        _address(name, text): (text, KINDS[name.rpartition(".")[2]])
        for name, text in texts.items()
    }


@cache
def address(name: str) -> str:
    """Where a page finds the file of this name."""
    stem, _, ending = name.rpartition(".")
    rest = len(f"-{'0' * DIGITS}.{ending}")
    return next(each for each in assets() if each[:-rest] == f"/static/{stem}")


def _address(name: str, text: str) -> str:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
    return f"/static/{stem}-{digest}.{ending}"


class Static:
    def routes(self) -> list[web.RouteDef]:
        return [web.get("/static/{name}", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        found = assets().get(request.path)
        if found is None:
            raise web.HTTPNotFound
        text, kind = found
        headers = {"Cache-Control": FOREVER}
        return web.Response(
            text=text, content_type=kind, charset="utf-8", headers=headers
        )
