"""The application: routes, and what every request passes on its way to one.

attend (its connection) > errors > guard (host, origin) > users (login, role) > handler
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from aiohttp import web

from evidenced.core.account import Account
from evidenced.metrics import Metrics
from evidenced.ports import Clock, Control, Store
from evidenced.web.alarms import AlarmPages
from evidenced.web.answers import Strict, set_headers
from evidenced.web.displays import Displays, Tokens
from evidenced.web.doors import attend
from evidenced.web.errors import Errors
from evidenced.web.events import Events, StreamLimits
from evidenced.web.fates import FatePages
from evidenced.web.footage import FootagePages
from evidenced.web.frame import Frame
from evidenced.web.guard import Guard
from evidenced.web.health import Health
from evidenced.web.imports import ImportsApi
from evidenced.web.incidentpage import IncidentPage
from evidenced.web.incidents import IncidentsApi
from evidenced.web.languages import Languages
from evidenced.web.login import LoginPage
from evidenced.web.losses import LossPages
from evidenced.web.page import Page
from evidenced.web.peers import PEERS, Peers
from evidenced.web.recorders import RecorderPages
from evidenced.web.recordfiles import RecordFiles
from evidenced.web.sessions import WebSessions
from evidenced.web.silences import SilencePages
from evidenced.web.static import Static
from evidenced.web.status import StatusApi
from evidenced.web.users import Users

MAX_BODY_BYTES = 64 * 1024
NOBODY: Mapping[str, Account] = MappingProxyType({})


def make_app(  # noqa: PLR0913 - the daemon's parts, then options
    store: Store,
    control: Control,
    metrics: Metrics,
    clock: Clock,
    users: Mapping[str, Account] = NOBODY,
    *,
    hosts: Collection[str] = (),
    proxies: Collection[str] = (),
    limits: StreamLimits | None = None,
    sessions: WebSessions | None = None,
    public_url: str = "",
    displays: Tokens = MappingProxyType({}),
    languages: Languages | None = None,
) -> web.Application:
    """The page, the API and the metrics, not yet listening.

    Without `users` whoever reaches the address is let in, so it must be loopback or a
    socket file. `hosts` are names beside localhost that the Host header may then carry,
    `proxies` those whose word about the client is taken. `sessions` are the logins of
    an earlier one that go on, `displays` give the tokens of screens by their names,
    `languages` say which one a request is answered in.
    """
    spoken = languages or Languages()
    frame = Frame(store, control, clock, spoken, has_users=bool(users))
    peers = Peers(proxies)
    people = Users(
        users, sessions or WebSessions(clock), clock, peers, Displays(displays, clock)
    )
    guard = Guard({name.lower() for name in hosts}, any_host=bool(users))
    app = web.Application(
        middlewares=[attend, Errors(frame).check, guard.check, people.check],
        client_max_size=MAX_BODY_BYTES,
    )
    app[PEERS] = peers
    events = Events(control.live, people, limits or StreamLimits())
    for part in (
        Health(frame, metrics),
        IncidentsApi(frame),
        ImportsApi(frame),
        SilencePages(frame),
        AlarmPages(frame),
        RecorderPages(frame),
        StatusApi(frame),
        events,
        LoginPage(frame, people, peers),
        Static(),
        Page(frame),
        LossPages(frame),
        IncidentPage(frame),
        FootagePages(frame),
        FatePages(frame),
        RecordFiles(frame),
    ):
        app.add_routes(part.routes())
    app.on_response_prepare.append(set_headers)
    app.on_response_prepare.append(Strict(public_url).say)
    app.on_shutdown.append(events.close)
    return app
