"""Requests that a stranger's web page made an operator's browser send, kept out.

On loopback there may be no users: whoever can open a socket on this host is trusted. A
browser on this host opens sockets for any page in the world, though, so:

- Host must be an IP address, localhost or configured, else a name that its owner points
  at this address (DNS rebinding) would read everything. With users set any name will
  do: a browser gives a password only to the name that it was typed for.
- Origin, where there is one, must be the Host. Source: fetch.spec.whatwg.org, 3.2:
  browsers send it with every POST and with what reads across origins.
- Sec-Fetch-Site must not be another site's, but for a link that somebody follows.
- A POST to the API says Content-Type application/json, or X-Evidenced: 1 when it has no
  body: a form can send neither, and a script of another origin has to ask first (CORS),
  which is never granted.
- A form of the page has to carry Origin or Sec-Fetch-Site. No token is asked for beside
  them: every browser that shows this page sends one of the two with a POST (Chrome 76,
  Firefox 70, Safari 16.4 and all later ones; Sec-Fetch-Site is not sent over plain HTTP
  to another host, but Origin is), neither can be set by a page, and a token would fail
  each form that stood open while the daemon was restarted. The same rule is in Go
  1.25 (net/http.CrossOriginProtection), which lets through what has neither; we do not.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase
from evidenced.web.answers import Denied, Handler

MAX_QUERY = 4096
"""Characters of a query; our longest has some 300."""

API = "/api/"
SAFE_METHODS = frozenset({"GET", "HEAD"})

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


def is_own_host(host: str | None, configured: Collection[str]) -> bool:
    """Whether a Host header names this host in a way that nobody else can."""
    found = _HOST.fullmatch(host or "")
    if found is None:
        return False
    name = found[1].strip("[]").removesuffix(".").lower()
    if name == "localhost" or name in configured:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def foreign(method: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is another site's doing; None when it is not."""
    origin = headers.get("Origin")
    if origin is not None and _netloc(origin) != headers.get("Host", "").lower():
        return "Origin is not this page's; open the page by the address you use here"
    is_link = method in SAFE_METHODS and headers.get("Sec-Fetch-Mode", "") == "navigate"
    site = headers.get("Sec-Fetch-Site", "none")
    if site not in {"none", "same-origin"} and not is_link:
        return "the request comes from another site's page"
    return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # brackets that hold no address
        return ""


def unmarked(method: str, headers: Mapping[str, str], path: str = API) -> str | None:
    """Why a request that acts may be another page's; None when it cannot be.

    `foreign` has looked at what Origin and Sec-Fetch-Site say.
    """
    if method in SAFE_METHODS:
        return None
    if not path.startswith(API):
        if "Origin" in headers or "Sec-Fetch-Site" in headers:
            return None
        return "the browser does not say which page this form is on; take a current one"
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    has_body = (
        headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
    )
    if kind == "application/json":
        return None
    if not has_body and headers.get("X-Evidenced") == "1":
        return None
    return (
        "send Content-Type: application/json, or X-Evidenced: 1 where there is no body"
    )


class Guard:
    """The middleware; `hosts` are names, in lower case, that this host is known by."""

    def __init__(self, hosts: Collection[str], *, any_host: bool) -> None:
        self._hosts = frozenset(hosts)
        self._any_host = any_host

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        if not self._any_host and not is_own_host(headers.get("Host"), self._hosts):
            raise Denied(
                421,
                "foreign-host",
                phrase(
                    "Host must be an IP address or localhost, for this listens on "
                    "loopback only"
                ),
            )
        fault = foreign(request.method, headers)
        if fault is not None:
            raise Denied(403, "foreign-origin", fault)
        fault = unmarked(request.method, headers, request.path)
        if fault is not None:
            is_form = not request.path.startswith(API)
            status, code = (403, "foreign-origin") if is_form else (415, "content-type")
            raise Denied(status, code, fault)
        if len(request.query_string) > MAX_QUERY:
            raise BadInput(
                phrase(
                    "the query has {query_string} characters; at most {max_query} are "
                    "read",
                    query_string=len(request.query_string),
                    max_query=MAX_QUERY,
                )
            )
        return await handler(request)
