"""A strict double of a VDG Sense recorder: for the demo, for commissioning, for tests.

It knows nothing of the daemon's own client, so that a mistake there shows here.
"""

from evidenced.simulator.exchange import (
    Cut,
    Ending,
    Hang,
    NoConnection,
    Request,
    SentReply,
)
from evidenced.simulator.fault import Action, Strike
from evidenced.simulator.journal import ExportRecord, Journal, RequestRecord
from evidenced.simulator.recorder import Simulator
from evidenced.simulator.scenario import Scenario, load_scenario, read_scenario
from evidenced.simulator.server import SimulatorServer

__all__ = [
    "Action",
    "Cut",
    "Ending",
    "ExportRecord",
    "Hang",
    "Journal",
    "NoConnection",
    "Request",
    "RequestRecord",
    "Scenario",
    "SentReply",
    "Simulator",
    "SimulatorServer",
    "Strike",
    "load_scenario",
    "read_scenario",
]
