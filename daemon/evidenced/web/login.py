"""Logging in and out with a browser."""

from aiohttp import web

from evidenced.web.answers import Denied, see_other
from evidenced.web.bodies import read_body, read_form
from evidenced.web.frame import Frame
from evidenced.web.peers import Peers
from evidenced.web.sessions import COOKIE, set_cookie
from evidenced.web.users import USER, Users

MAX_NEXT = 2000


class LoginPage:
    def __init__(self, frame: Frame, users: Users, peers: Peers) -> None:
        self._frame = frame
        self._users = users
        self._peers = peers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self._show),
            web.post("/login", self._log_in),
            web.post("/logout", self._log_out),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        target = own_path(request.query.get("next", "/"))
        if not self._users.is_needed or USER in request:
            return see_other(target)
        return self._frame.page(request, "login.html", target=target, fault="", name="")

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        fields = await read_form(request)
        target = own_path(fields.get("next", "/"))
        if not self._users.is_needed:
            return see_other(target)
        name = fields.get("name", "")
        try:
            cookie = await self._users.log_in(request, name, fields.get("password", ""))
        except Denied as denied:
            values = {"target": target, "fault": denied.message, "name": name}
            return self._frame.page(request, "login.html", denied.status, **values)
        response = see_other(target)
        set_cookie(response, cookie, is_tls=self._peers.is_tls(request))
        return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        await read_body(request)
        self._users.log_out(request)
        response = see_other("/login")
        response.del_cookie(COOKIE, path="/")
        return response


def own_path(text: str) -> str:
    """A path of this page, never another site's address; else the list."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\"))
    is_plain = text.isascii() and text.isprintable() and len(text) <= MAX_NEXT
    return text if is_own and is_plain and "\\" not in text else "/"
