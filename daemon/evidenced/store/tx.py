"""Writing: one transaction of the one writer, a file for each concept."""

from evidenced.store.keptalarms import KeptAlarmsTx
from evidenced.store.piling import PilesTx
from evidenced.store.pruning import PruningTx
from evidenced.store.queue import QueueTx
from evidenced.store.received import ReceivedTx
from evidenced.store.room import RoomTx
from evidenced.store.silencing import SilencesTx


class SqlTx(ReceivedTx, KeptAlarmsTx, QueueTx, SilencesTx, PilesTx, PruningTx, RoomTx):
    """`ports.Tx` over the writer's connection."""
