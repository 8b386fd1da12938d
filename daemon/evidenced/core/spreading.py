"""Which recorders a node takes, and which it lets go of, so that all have as many.

Nodes agree without a word: each looks at the same rows and does its own part.

    free, and this node has fewer than its share     it takes them
    free for ORPHANED, for whatever reason           anybody takes them
    this node has more than its share                it lets go of idle ones
    it still has for OVERLOADED, all of them busy    it begins nothing new on so many,
                                                     and lets go of each as its exports
                                                     end, after LONGEST_DRAIN anyway
    it works by another configuration, or its        it lets go of all, and takes none
    clock is another
    it cannot reach one, and another node might      it lets go of that one
    it lacks a share that another one has            it takes none, and after UNSEEING
                                                     lets go of all

The configuration and clock that count are those of the node that takes alarms. A share
is rounded up, so nothing moves to and fro for the rest of a division; and while that
node is being replaced nothing moves at all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from evidenced.core.cluster import (
    Cluster,
    ClusterNode,
    is_long_without,
    lease_of,
    sees_more,
    works_like,
)
from evidenced.core.ids import RecorderName

ORPHANED = timedelta(seconds=5)
"""A recorder that nobody has for so long is anybody's."""
AVOIDED = 3 * ORPHANED
"""For so long a node leaves one to others that it could not reach."""
OVERLOADED = timedelta(seconds=30)
"""Most exports end by themselves within this."""
UNSEEING = timedelta(seconds=90)
"""A share that goes or comes is seen by all of them within a minute."""
LONGEST_DRAIN = timedelta(minutes=2)
"""How long clips wait at most so that a busy recorder can move. Who takes it then finds
what runs there in its list, as after a death."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """A recorder that this node has. `away` is how long it has not answered.

    `is_idle`: no export of it runs. `had`: it has answered in this tenure. `drained` is
    for how long nothing new was begun there, so that it can move.
    """

    is_idle: bool
    away: timedelta | None = None
    had: bool = False
    drained: timedelta | None = None

    @property
    def may_go(self) -> bool:
        """Whether it can move without anything being asked for twice, or has to."""
        return self.is_idle or (self.drained or timedelta()) >= LONGEST_DRAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A recorder that nobody has, for how long as far as this node has seen.

    `is_avoided`: this node could not reach it lately.
    """

    since: timedelta
    is_avoided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What a node does now. `cut_off` are those of `give` that it does not reach.

    It begins nothing new on those of `drain`, and on no others; `is_over`: it has more
    than its share, and cannot let go of as many yet.
    """

    take: tuple[RecorderName, ...] = ()
    give: tuple[RecorderName, ...] = ()
    cut_off: frozenset[RecorderName] = field(default_factory=frozenset)
    drain: frozenset[RecorderName] = field(default_factory=frozenset)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Lasting:
    """For how long a node `is_over`, and another one has seen more shares than it."""

    over: timedelta = timedelta()
    unseeing: timedelta = timedelta()


def free_of(
    cluster: Cluster, recorders: Collection[RecorderName]
) -> frozenset[RecorderName]:
    """Those that no node has."""
    held = {name for node in cluster.nodes for name in node.holds}
    return frozenset(each for each in recorders if lease_of(each) not in held)


def moves_of(
    me: str,
    cluster: Cluster,
    number: int,
    mine: Mapping[RecorderName, Tenure],
    free: Mapping[RecorderName, Free],
    lasts: Lasting = Lasting(),
) -> Moves:
    """What the node `me` does about all of so many recorders."""
    leader, own = cluster.leader, _node(cluster, me)
    if leader is None or own is None:
        return Moves()
    if not works_like(own, leader):
        return Moves(give=tuple(sorted(mine)))
    if sees_more(cluster, own) is not None:
        return Moves(give=tuple(sorted(mine)) if lasts.unseeing >= UNSEEING else ())
    peers = [
        each
        for each in cluster.nodes
        if each.is_up and works_like(each, leader) and not sees_more(cluster, each)
    ]
    share = -(-number // max(1, len(peers)))
    cut_off = frozenset(
        name
        for name, each in mine.items()
        if len(peers) > 1 and each.away and is_long_without(each.away, had=each.had)
    )
    left = {name: each for name, each in mine.items() if name not in cut_off}
    surplus = max(0, len(left) - share)
    given = _ordered(me, [name for name, each in left.items() if each.may_go])[:surplus]
    drained = _ordered(me, left.keys() - given)[: surplus - len(given)]
    return Moves(
        take=_wanted(me, free, share - len(mine)),
        give=(*sorted(cut_off), *given),
        cut_off=cut_off,
        drain=frozenset(drained if lasts.over >= OVERLOADED else ()),
        is_over=bool(drained),
    )


def _wanted(
    me: str, free: Mapping[RecorderName, Free], room: int
) -> tuple[RecorderName, ...]:
    """Each node in an order of its own, so that they seldom want the same ones."""
    orphaned = [name for name, each in free.items() if each.since >= ORPHANED]
    others = [name for name in free if name not in orphaned]
    found = [*_ordered(me, orphaned), *_ordered(me, others)]
    able = [name for name in found if not free[name].is_avoided]
    return tuple(able[: max(room, len([n for n in able if n in orphaned]))])


def _ordered(me: str, names: Collection[RecorderName]) -> list[RecorderName]:
    return sorted(names, key=lambda name: sha256(f"{me} {name}".encode()).digest())


def _node(cluster: Cluster, name: str) -> ClusterNode | None:
    return next((each for each in cluster.nodes if each.name == name), None)
