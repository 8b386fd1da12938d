"""The nodes that share the store, for programs."""

from evidenced.core.cluster import Cluster, ClusterNode
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


def database_object(cluster: Cluster) -> JsonObject | None:
    """The database that nodes share: `answer_s` is None while it does not answer.

    `behind_s` is how far its last standby is, None where that is not known.
    """
    if not cluster.nodes:
        return None
    answer, behind = cluster.answer, cluster.behind
    return {
        "answer_s": None if answer is None else round(answer.total_seconds(), 3),
        "standbys": cluster.copies,
        "behind_s": None if behind is None else round(behind.total_seconds(), 3),
    }
