"""The daemon's own HTTP: health, metrics, the API and a plain page."""

from evidenced.web.app import make_app
from evidenced.web.doors import Entrance
from evidenced.web.events import StreamLimits
from evidenced.web.front import Front
from evidenced.web.server import WebServer
from evidenced.web.sessions import WebSessions
from evidenced.web.standby import make_standby
from evidenced.web.visitors import DoorLimits

__all__ = [
    "DoorLimits",
    "Entrance",
    "Front",
    "StreamLimits",
    "WebServer",
    "WebSessions",
    "make_app",
    "make_standby",
]
