"""Nodes that share one store, as its database sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evidenced.core.ids import RecorderName
from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase

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
    and `holds` these leases, each since then. `site` tells configurations apart.
    """

    name: str
    is_up: bool
    since: datetime
    seen: datetime
    site: str = ""
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
