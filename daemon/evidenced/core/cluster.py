"""Nodes that share one store, as its database sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


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
