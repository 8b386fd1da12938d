"""What somebody has just done on a page, told once on the page that follows.

The address of that page says it, and any link can say the same: it is believed only of
who has done it here, and once.
"""

from collections import OrderedDict

from aiohttp import web

from evidenced.web.answers import see_other
from evidenced.web.users import USER

KEPT = 1000


class Deeds:
    """By user, page and deed; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._done: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def lead(self, request: web.Request, path: str, done: str) -> web.Response:
        """To the page that tells it."""
        self._done[request.get(USER, ""), path, done] = None
        while len(self._done) > KEPT:
            self._done.popitem(last=False)
        return see_other(f"{path}?done={done}")

    def told(self, request: web.Request) -> str:
        """What was done, if this page is the one that tells it; else ""."""
        done = request.query.get("done", "")
        deed = request.get(USER, ""), request.path, done
        return done if self._done.pop(deed, self) is None else ""
