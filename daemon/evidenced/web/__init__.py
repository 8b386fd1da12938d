"""The daemon's own HTTP: health, metrics, the API and a plain page."""

from evidenced.web.app import make_app
from evidenced.web.events import Limits
from evidenced.web.server import WebServer

__all__ = ["Limits", "WebServer", "make_app"]
