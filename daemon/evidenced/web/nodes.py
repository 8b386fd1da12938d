"""The nodes that share the store, for programs."""

from evidenced.core.cluster import ClusterNode
from evidenced.core.instants import render_utc
from evidenced.core.telling.objects import JsonObject


def node_object(node: ClusterNode) -> JsonObject:
    """`since`: it is there without a break; `holds`: what it does, since when."""
    return {
        "name": node.name,
        "up": node.is_up,
        "since": render_utc(node.since),
        "seen": render_utc(node.seen),
        "holds": {name: render_utc(since) for name, since in node.holds.items()},
    }
