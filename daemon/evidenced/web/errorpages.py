"""Refusals and errors as pages, in plain words, for whoever looks with a browser."""

import json
from dataclasses import dataclass

from aiohttp import web

from evidenced.web.answers import Handler, is_for_people
from evidenced.web.frame import Frame

TITLES = {
    400: "That cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Nothing is here",
    405: "That means nothing here",
    409: "Not possible now",
    413: "Too large",
    421: "Not by this name",
    429: "Too many tries",
    500: "A fault of ours",
    503: "Not now",
}


@dataclass(frozen=True, slots=True)
class ErrorPages:
    """The outermost middleware: the same errors as the API's, as pages."""

    frame: Frame

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        is_error = response.status >= 400  # noqa: PLR2004 - where HTTP's errors begin
        if not is_error or not is_for_people(request):
            return response
        if not isinstance(response, web.Response) or response.text is None:
            return response
        if response.content_type != "application/json":  # it is a page already
            return response
        message = json.loads(response.text)["error"]["message"]
        page = self.frame.page(
            request,
            "error.html",
            response.status,
            title=TITLES.get(response.status, "Not possible"),
            message=message,
        )
        for name in ("Allow", "Retry-After"):
            if name in response.headers:
                page.headers[name] = response.headers[name]
        return page
