"""The VDG Sense recorder as a RecorderPort. Vendor words stop inside this package."""

from evidenced.sense.client import SenseClient
from evidenced.sense.settings import Auth, SenseSettings
from evidenced.sense.wire import render_order

__all__ = ["Auth", "SenseClient", "SenseSettings", "render_order"]
