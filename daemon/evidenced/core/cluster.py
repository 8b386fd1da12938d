"""Nodes that share one store, as its database sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evidenced.core.instants import render_utc
from evidenced.core.phrase import phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """A daemon that works or stands by, or did lately.

    By the database's clock: `since` it is there without a break, it was `seen` last,
    and `holds` these leases, each since then.
    """

    name: str
    is_up: bool
    since: datetime
    seen: datetime
    holds: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All nodes; none where the store is one daemon's own.

    `changes` counts how often a lease was taken, `answer` is how long the database took
    to answer lately, None while it does not.
    """

    nodes: tuple[ClusterNode, ...] = ()
    changes: int = 0
    answer: timedelta | None = None


PATIENCE = timedelta(seconds=10)
"""How long the node that works may be without the broker."""
LONGER = timedelta(minutes=5)
"""The same for one that never had it in its turn: where the broker itself is away,
nodes would only hand the work to and fro."""


def gives_way(cluster: Cluster, without: timedelta, *, had: bool) -> bool:
    """Whether another node is to try, after so long without the broker."""
    stands_by = any(each.is_up and not each.holds for each in cluster.nodes)
    return stands_by and without >= (PATIENCE if had else LONGER)


def alone(cluster: Cluster) -> list[str]:
    """A sentence where others were there, and none of them would go on now."""
    away = [each for each in cluster.nodes if not each.is_up]
    if not away or any(each.is_up and not each.holds for each in cluster.nodes):
        return []
    last = max(away, key=lambda each: each.seen)
    return [
        phrase(
            "no other node stands by: {name} was seen last at {seen}",
            name=last.name,
            seen=render_utc(last.seen),
        )
    ]
