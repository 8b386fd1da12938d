"""Leases of nodes on virtual time, by the rules of `store.lease`."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import Connection

from evidenced.core.cluster import ALL, Cluster, ClusterNode, HeldLease
from evidenced.core.errors import LeaseLost, StoreError
from evidenced.core.instants import EPOCH
from evidenced.store.lease import LIFE, RENEW
from evidenced.store.nodes import GONE
from simulation.ground import Ground
from simulation.loop import OUTSIDE

LIFE_S, RENEW_S, GONE_S = (each.total_seconds() for each in (LIFE, RENEW, GONE))


@dataclass(frozen=True, slots=True)
class Row:
    node: str
    epoch: int
    until: float


@dataclass(slots=True)
class LeaseTable:
    """What the database has of nodes and leases."""

    ground: Ground
    rows: dict[str, Row] = field(default_factory=dict)
    ahead: dict[str, timedelta] = field(default_factory=dict)
    """Of each node's clock; one that is not here is right."""
    lacks: dict[str, frozenset[str]] = field(default_factory=dict)
    seen: dict[str, tuple[float, str]] = field(default_factory=dict)
    reports: dict[str, tuple[str, str]] = field(default_factory=dict)
    claims: list["SimClaim"] = field(default_factory=list)

    @property
    def now(self) -> float:
        return self.ground.loop.time()

    def is_held(self, lease: HeldLease) -> bool:
        row = self.rows.get(lease.name)
        return row is not None and row.epoch == lease.epoch and row.until > self.now

    def take(self, name: str, node: str) -> HeldLease | None:
        row = self.rows.get(name)
        if row is not None and row.until >= self.now:
            return None
        epoch = 1 if row is None else row.epoch + 1
        self.rows[name] = Row(node, epoch, self.now + LIFE_S)
        return HeldLease(name, epoch)

    def renew(self, lease: HeldLease) -> bool:
        row = self.rows.get(lease.name)
        if row is None or row.epoch != lease.epoch or not row.node:
            return False
        self.rows[lease.name] = replace(row, until=self.now + LIFE_S)
        return True

    def let_go(self, lease: HeldLease) -> None:
        row = self.rows.get(lease.name)
        if row is not None and row.epoch == lease.epoch:
            self.rows[lease.name] = replace(row, until=self.now - 1e-6, node="")

    def cluster(self) -> Cluster:
        return Cluster(nodes=tuple(self._nodes()))

    def _nodes(self) -> Iterator[ClusterNode]:
        for node, (at, site) in self.seen.items():
            held = [n for n, r in self.rows.items() if r.node == node]
            yield ClusterNode(
                name=node,
                is_up=at > self.now - GONE_S,
                since=EPOCH,
                seen=EPOCH,
                site=site,
                ahead=self.ahead.get(node, timedelta()),
                lacks=self.lacks.get(node, frozenset()),
                holds={n: EPOCH for n in held if self.rows[n].until > self.now},
            )


class SimClaim:
    """`dialect.Claim` and `ports.Leases` of one process of a node."""

    def __init__(self, table: LeaseTable, node: str, site: str) -> None:
        self.table = table
        self.node = node
        self.site = site
        self.is_cut = False
        self.held: dict[str, int] = {}
        self.moving = None
        self.on_lost: Callable[[], object] = lambda: None
        self._on_gone: Callable[[HeldLease], object] = lambda _: None
        self._tell: Callable[[str], object] | None = None
        self._ends = table.now + LIFE_S
        self.is_over = False
        table.claims.append(self)

    def lead(self) -> bool:
        found = self.table.take(ALL, self.node)
        if found is not None:
            self.held[ALL] = found.epoch
        self.see()
        return found is not None

    def see(self) -> None:
        self.table.seen[self.node] = (self.table.now, self.site)

    def renew(self) -> None:
        """As the thread of the lease does."""
        if self.is_cut or self.is_over:
            return
        for name, epoch in tuple(self.held.items()):
            if not self.table.renew(HeldLease(name, epoch)):
                self._gone(HeldLease(name, epoch))
        self._ends = self.table.now + LIFE_S
        self.see()

    def _gone(self, lease: HeldLease) -> StoreError:
        if lease.name == ALL:
            if not self.is_over:
                self.is_over = True
                self.on_lost()
            return StoreError("another node has taken over")
        if self.held.get(lease.name) == lease.epoch:
            del self.held[lease.name]
            self._on_gone(lease)
        return LeaseLost(f"{lease.name} is another node's")

    def fence(
        self, _connection: Connection, leases: Collection[HeldLease | None]
    ) -> Mapping[HeldLease | None, StoreError]:
        refused: dict[HeldLease | None, StoreError] = {}
        for each in leases:
            held = each or HeldLease(ALL, self.held.get(ALL, 0))
            row = self.table.rows.get(held.name)
            if row is None or row.epoch != held.epoch:
                refused[each] = self._gone(held)
            elif row.until <= self.table.now:
                refused[each] = StoreError("the lease ran out and is being renewed")
        return refused

    def is_kept(self) -> bool:
        return False

    def left(self, lease: HeldLease | None = None) -> timedelta:
        held = lease or HeldLease(ALL, self.held.get(ALL, 0))
        if self.is_over or self.held.get(held.name) != held.epoch:
            return timedelta()
        return timedelta(seconds=max(0.0, self._ends - self.table.now))

    def cluster(self) -> Cluster:
        return self.table.cluster()

    def close(self) -> None:
        """In order: all is anybody's at once."""
        self.is_over = True
        if not self.is_cut:
            for name, epoch in self.held.items():
                self.table.let_go(HeldLease(name, epoch))

    # as ports.Leases

    async def look(
        self, reports: Mapping[str, str], lacks: Collection[str]
    ) -> tuple[Cluster, dict[str, tuple[str, str]]]:
        self._check()
        self.table.lacks[self.node] = frozenset(lacks)
        self.see()
        told = {name: (self.node, text) for name, text in reports.items()}
        self.table.reports |= told
        return self.table.cluster(), dict(self.table.reports)

    async def take(self, names: Collection[str]) -> dict[str, HeldLease]:
        self._check()
        found = {name: self.table.take(name, self.node) for name in names}
        taken = {name: lease for name, lease in found.items() if lease is not None}
        self.held |= {name: lease.epoch for name, lease in taken.items()}
        return taken

    async def let_go(self, names: Collection[str]) -> None:
        mine = [HeldLease(n, self.held.pop(n)) for n in names if n in self.held]
        self._check()
        for each in mine:
            self.table.let_go(each)

    def _check(self) -> None:
        if self.is_cut:
            raise StoreError("the leases cannot be seen: cut off")

    def when_gone(self, tell: Callable[[HeldLease], object]) -> None:
        self._on_gone = tell

    def listen(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def pass_on(self, name: str) -> None:
        """Arrives later, and not always."""
        ground = self.table.ground
        if self.is_cut or ground.random.random() < 0.1:
            return
        for each in self.table.claims:
            if each is not self and each._tell is not None and not each.is_over:
                later = ground.latency(0.5)
                ground.loop.call_later(later, each._tell, name, context=OUTSIDE)
