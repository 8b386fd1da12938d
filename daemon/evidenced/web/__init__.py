"""The daemon's own HTTP: health, metrics, the API and a plain page."""

from evidenced.web.app import make_app
from evidenced.web.events import StreamLimits
from evidenced.web.server import WebServer
from evidenced.web.visitors import DoorLimits

__all__ = ["DoorLimits", "StreamLimits", "WebServer", "make_app"]
