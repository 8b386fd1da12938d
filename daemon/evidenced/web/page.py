"""GET /: a plain page without script or style, for whoever opens the address."""

from collections.abc import Mapping, Sequence
from html import escape

from aiohttp import web

from evidenced.core.states import IncidentState
from evidenced.core.status import RecorderStatus
from evidenced.ports import Control, Store
from evidenced.web.answers import within

LINKS = ("/healthz", "/readyz", "/metrics", "/api/incidents", "/api/recorders")


class Page:
    def __init__(self, store: Store, control: Control) -> None:
        self._store = store
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self._show)]

    async def _show(self, _request: web.Request) -> web.Response:
        work = self._store.read(lambda view: view.counts())
        counts = await within("the page", work)
        text = render_page(counts, self._control.recorders())
        return web.Response(text=text, content_type="text/html")


def render_page(
    counts: Mapping[IncidentState, int], recorders: Sequence[RecorderStatus]
) -> str:
    states = "".join(
        f'<tr><th scope="row"><a href="/api/incidents?state={state}">{state}</a></th>'
        f"<td>{count}</td></tr>\n"
        for state, count in counts.items()
    )
    rows = "".join(_recorder(each) for each in recorders)
    links = "".join(f'<li><a href="{link}">{link}</a></li>\n' for link in LINKS)
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>evidenced</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body>
<h1>evidenced</h1>
<p>Turns alarms into video evidence, exported from a VDG Sense recorder.</p>
<h2>Incidents</h2>
<table>
{states}</table>
<h2>Recorders</h2>
<table>
{rows}</table>
<h2>More</h2>
<ul>
{links}</ul>
</body>
</html>
"""


def _recorder(status: RecorderStatus) -> str:
    word = "answers" if status.is_up else status.problem or "does not answer"
    return (
        f'<tr><th scope="row">{escape(status.name)}</th><td>{escape(word)}</td></tr>\n'
    )
