"""The store: snapshots to read, transactions to write, one after another.

What one can ask and save in them is told by the store's own `View` and `Tx`, one object
for each concept: they are the same over every database, so nothing stands between.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from evidenced.core.cluster import Cluster
from evidenced.store.tx import Tx, View

T = TypeVar("T")


class Store(Protocol):
    """Steps run one after another on one writer; what is queued shares a commit."""

    async def write(self, step: Callable[[Tx], T]) -> T:
        """Run the step in a transaction; durable when this returns.

        Cancelling does not undo a step that was queued.

        Raises:
            StoreError: not durable, nothing of the step is kept (disk full, I/O).
            RowRefused: likewise, for what the step saves can never be kept.
            Exception: whatever the step raised; nothing of it is kept.
        """

    async def read(self, query: Callable[[View], T]) -> T:
        """Run the query on a snapshot of its own, beside the writer.

        Raises:
            StoreError: the store cannot be read.
        """

    async def checkpoint(self) -> None:
        """Carry what was committed to its final place, beside reads and writes.

        Durability does not need it: it keeps files small and the next start short.

        Raises:
            StoreError: it cannot be done now; nothing is lost.
        """

    def left(self) -> timedelta:
        """For how long no other node can take over what this one does.

        What cannot be taken back, such as a request to a recorder, is only begun while
        there is some.
        """

    def cluster(self) -> Cluster:
        """The nodes that share this store, as they were seen a moment ago."""

    async def give_back(self) -> bool:
        """Free a little of the room on disk that is not needed; whether more may be.

        Raises:
            StoreError: it cannot be done now; nothing is lost.
        """
