"""The store: snapshots to read, transactions to write, one after another.

What one can ask and save in them is told by the store's own `View` and `Tx`, one object
for each concept: they are the same over every database, so nothing stands between.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar

from evidenced.core.cluster import Cluster, HeldLease
from evidenced.store.tx import Tx, View

T = TypeVar("T")


class Store(Protocol):
    """Steps run one after another on one writer; what is queued shares a commit."""

    @property
    def leases(self) -> "Leases | None":
        """Those of recorders; None where all of them are one daemon's for good."""

    async def write(self, step: Callable[[Tx], T], lease: HeldLease | None = None) -> T:
        """Run the step in a transaction; durable when this returns.

        Nothing of it is kept unless the lease is held then; None is for what is no
        recorder's. Cancelling does not undo a step that was queued.

        Raises:
            LeaseLost: another node has it now.
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

    def left(self, lease: HeldLease | None = None) -> timedelta:
        """For how long no other node can take over what this one does under the lease.

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


class Leases(Protocol):
    """Leases of recorders, by the names of `cluster.lease_of`.

    Each method but `left` and `when_gone` raises StoreError where it cannot be done.
    """

    async def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        """The nodes as they are now, and by recorder which node told what of it last.

        `reports` is what this one tells of its own, `lacks` the destinations whose
        shares are not there on it.
        """

    async def take(self, names: Collection[str]) -> dict[str, HeldLease]:
        """Those of these that nobody had are held from now on, each for a while."""

    async def let_go(self, names: Collection[str]) -> None:
        """These are anybody's; nothing more is committed under them by this node."""

    def left(self, lease: HeldLease) -> timedelta:
        """For how long no other node can have it."""

    def when_gone(self, tell: Callable[[HeldLease], object]) -> None:
        """Call this on the running loop as soon as another node has a lease of ours."""

    def listen(self, tell: Callable[[str], object]) -> None:
        """From now on tell, on the running loop, what other nodes pass on: hints."""

    def pass_on(self, name: str) -> None:
        """Tell other nodes this name soon. Never blocks; it may be lost."""
