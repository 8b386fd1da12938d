"""Nodes that share one store, as its database sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evidenced.core.ids import RecorderName
from evidenced.core.instants import ZERO, render_utc
from evidenced.core.phrase import phrase
from evidenced.core.spoken import spoken

ALL = "all"
"""The lease of what is done in one place: alarms are taken, rows are kept in order."""
_OF_RECORDER = "recorder:"


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease in one tenure: who takes it next counts the epoch up."""

    name: str
    epoch: int


def lease_of(recorder: RecorderName) -> str:
    """The name of the lease of one recorder."""
    return f"{_OF_RECORDER}{recorder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """A daemon that works or stands by, or did lately.

    By the database's clock: `since` it is there without a break, it was `seen` last,
    and `holds` these leases, each since then. `site` tells configurations apart,
    `ahead` is how far its own clock is ahead of the database's. It `lacks` the shares
    of these destinations, which are to be mounted on its host, and are not there.
    """

    name: str
    is_up: bool
    since: datetime
    seen: datetime
    site: str = ""
    ahead: timedelta = ZERO
    lacks: frozenset[str] = frozenset()
    holds: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def leads(self) -> bool:
        """Whether it is the one that takes alarms."""
        return ALL in self.holds

    @property
    def recorders(self) -> Mapping[RecorderName, datetime]:
        """Those whose work it does, each since when."""
        return {
            RecorderName(name.removeprefix(_OF_RECORDER)): since
            for name, since in self.holds.items()
            if name.startswith(_OF_RECORDER)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All nodes; none where the store is one daemon's own.

    `changes` counts how often a node took the lead, `answer` is how long the database
    took to answer lately, None while it does not. `copies` are the database's standbys
    now, `behind` how far the last of them is, None where there is none or the database
    does not let us see it.
    """

    nodes: tuple[ClusterNode, ...] = ()
    changes: int = 0
    answer: timedelta | None = None
    copies: int = 0
    behind: timedelta | None = None

    @property
    def leader(self) -> ClusterNode | None:
        """The node that takes alarms; None while nobody does."""
        return next((each for each in self.nodes if each.leads), None)


PATIENCE = timedelta(seconds=10)
"""How long a node may be without the broker, or a recorder, that another may reach."""
LONGER = timedelta(minutes=5)
"""The same for one that never had it in its turn: where the broker itself is away,
nodes would only hand the work to and fro."""


def is_long_without(without: timedelta, *, had: bool) -> bool:
    """Whether another node is to try what this one could not reach for so long."""
    return without >= (PATIENCE if had else LONGER)


ALIKE = timedelta(seconds=2)
"""Clocks that differ by no more are alike. A window is kept by the clock of the node
that takes alarms, and asked for by that of the recorder's node.
"""


def works_like(node: ClusterNode, leader: ClusterNode) -> bool:
    """Whether it may do recorders' work: by one configuration, at one time."""
    return node.site == leader.site and _is_clock_like(node, leader)


def _is_clock_like(node: ClusterNode, leader: ClusterNode) -> bool:
    return abs(node.ahead - leader.ahead) <= ALIKE


def sees_more(cluster: Cluster, node: ClusterNode) -> ClusterNode | None:
    """Another one that has all shares that this node has, and one that it lacks.

    Nothing is sent to a share that is not there: its recorders are better off there.
    """
    leader = cluster.leader
    for each in cluster.nodes if leader is not None and node.lacks else ():
        is_able = leader is not None and each.is_up and works_like(each, leader)
        if is_able and each.lacks < node.lacks:
            return each
    return None


def idle(cluster: Cluster) -> list[str]:
    """A sentence for each node that is there and may do no recorder's work."""
    leader = cluster.leader
    found = list[str]()
    for each in cluster.nodes:
        if leader is None or not each.is_up:
            continue
        if works_like(each, leader):
            if (other := sees_more(cluster, each)) is None:
                continue
            text = phrase(
                "node {name} does no recorder's work while it lacks the share of "
                "{shares}, which is there on node {other}",
                name=each.name,
                shares=", ".join(sorted(each.lacks - other.lacks)),
                other=other.name,
            )
        elif _is_clock_like(each, leader):
            text = phrase(
                "node {name} does no recorder's work: its configuration is another one",
                name=each.name,
            )
        else:
            text = phrase(
                "node {name} does no recorder's work: its clock differs by {span}",
                name=each.name,
                span=spoken(abs(each.ahead - leader.ahead)),
            )
        found.append(text)
    return found


def gives_way(cluster: Cluster, without: timedelta, *, had: bool) -> bool:
    """Whether another node is to try, after so long without the broker."""
    stands_by = any(each.is_up and not each.leads for each in cluster.nodes)
    return stands_by and is_long_without(without, had=had)


def alone(cluster: Cluster) -> list[str]:
    """A sentence where others were there, and none of them would go on now."""
    away = [each for each in cluster.nodes if not each.is_up]
    if not away or any(each.is_up and not each.leads for each in cluster.nodes):
        return []
    last = max(away, key=lambda each: each.seen)
    return [
        phrase(
            "no other node stands by: {name} was seen last at {seen}",
            name=last.name,
            seen=render_utc(last.seen),
        )
    ]
