"""Writing: one transaction of the one writer, a file for each concept."""

from evidenced.store.keptalarms import KeptAlarmsTx
from evidenced.store.pruning import PruningTx
from evidenced.store.queue import QueueTx
from evidenced.store.received import ReceivedTx
from evidenced.store.room import RoomTx


class SqlTx(ReceivedTx, KeptAlarmsTx, QueueTx, PruningTx, RoomTx):
    """`ports.Tx` over the writer's connection."""
