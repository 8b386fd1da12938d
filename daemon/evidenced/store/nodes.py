"""Which nodes there are: each tells the database now and then that it is there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from evidenced.core.cluster import Cluster, ClusterNode

GONE = timedelta(seconds=10)
"""One that was not seen for so long is away."""

MAKE = """
CREATE TABLE IF NOT EXISTS nodes (
    name text PRIMARY KEY, since timestamptz NOT NULL, seen timestamptz NOT NULL)
"""
SEE = """
INSERT INTO nodes AS known VALUES (%(node)s, clock_timestamp(), clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, since = CASE
    WHEN known.seen < excluded.seen - %(gone)s THEN excluded.since ELSE known.since END
"""
FORGET = "DELETE FROM nodes WHERE name = %(node)s"
_FORGET_OLD = "DELETE FROM nodes WHERE seen < clock_timestamp() - interval '30 days'"
_ALL = """
SELECT n.name, n.seen > clock_timestamp() - %(gone)s, n.since, n.seen, l.name, l.since
FROM nodes n LEFT JOIN leases l ON l.node = n.name AND l.until > clock_timestamp()
ORDER BY n.name, l.name
"""
_CHANGES = "SELECT coalesce(sum(epoch), 0)::bigint FROM leases"

Execute = Callable[[str, Mapping[str, Any]], Iterable[Any]]


def see(execute: Execute, node: str) -> None:
    """This node is there; what has been away for thirty days is forgotten."""
    execute(SEE, {"node": node, "gone": GONE})
    execute(_FORGET_OLD, {})


def cluster(execute: Execute) -> Cluster:
    """All nodes, by name, with what they hold."""
    found = dict[str, ClusterNode]()
    for name, is_up, since, seen, lease, held in execute(_ALL, {"gone": GONE}):
        node = found.get(name) or ClusterNode(
            name=name, is_up=is_up, since=since, seen=seen
        )
        if lease is not None:
            node = replace(node, holds={**node.holds, lease: held})
        found[name] = node
    ((changes,),) = execute(_CHANGES, {})
    return Cluster(nodes=tuple(found.values()), changes=changes)
