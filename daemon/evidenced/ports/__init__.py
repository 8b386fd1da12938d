"""What the pipeline needs of the outside world, as small protocols.

An adapter tries once and reports; nothing behind a port retries on its own (the one
exception, written into `RecorderPort`, is a login that ended). The simulation replaces
these and runs everything else as it is.
"""

from evidenced.ports.broker import (
    AlarmSource,
    BrokerPort,
    Delivery,
    Publisher,
    Remembered,
    Session,
)
from evidenced.ports.control import Actions, Condition, Control, Live, SilencePort
from evidenced.ports.messenger import Messenger, NotSent
from evidenced.ports.recorder import RecorderPort
from evidenced.ports.share import SharePort
from evidenced.ports.store import Store
from evidenced.ports.timing import Clock, Dice
from evidenced.store.tx import Tx, View

__all__ = [
    "Actions",
    "AlarmSource",
    "BrokerPort",
    "Clock",
    "Condition",
    "Control",
    "Delivery",
    "Dice",
    "Live",
    "Messenger",
    "NotSent",
    "Publisher",
    "RecorderPort",
    "Remembered",
    "Session",
    "SharePort",
    "SilencePort",
    "Store",
    "Tx",
    "View",
]
