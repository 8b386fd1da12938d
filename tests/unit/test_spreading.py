"""Which recorders a node takes and gives: each by itself, and all of them even."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from evidenced.core.cluster import (
    ALL,
    LONGER,
    PATIENCE,
    Cluster,
    ClusterNode,
    idle,
    lease_of,
)
from evidenced.core.ids import RecorderName
from evidenced.core.instants import EPOCH, SECOND, ZERO
from evidenced.core.spreading import (
    AVOIDED,
    LONGEST_DRAIN,
    ORPHANED,
    OVERLOADED,
    UNSEEING,
    Free,
    Lasting,
    Moves,
    Tenure,
    free_of,
    moves_of,
)

IDLE, BUSY = Tenure(is_idle=True), Tenure(is_idle=False)
NEW = Free(since=ZERO)


def recorders(number: int) -> list[RecorderName]:
    return [RecorderName(f"r{n}") for n in range(number)]


def node(
    name: str,
    *names: str,
    site: str = "1",
    is_up: bool = True,
    ahead: timedelta = ZERO,
    lacks: frozenset[str] = frozenset(),
) -> ClusterNode:
    return ClusterNode(
        name=name,
        is_up=is_up,
        since=EPOCH,
        seen=EPOCH,
        site=site,
        ahead=ahead,
        lacks=lacks,
        holds=dict.fromkeys(names, EPOCH),
    )


def cluster(*nodes: ClusterNode) -> Cluster:
    return Cluster(nodes=nodes)


def leases(names: list[RecorderName]) -> list[str]:
    return [lease_of(name) for name in names]


R = recorders(4)


def test_one_node_alone_takes_all() -> None:
    found = moves_of("a", cluster(node("a", ALL)), 4, {}, dict.fromkeys(R, NEW))
    assert set(found.take) == set(R)
    assert found.give == ()


def test_two_nodes_take_half_each() -> None:
    both = cluster(node("a", ALL), node("b"))
    for name in ("a", "b"):
        found = moves_of(name, both, 4, {}, dict.fromkeys(R, NEW))
        assert len(found.take) == 2


def test_who_has_too_many_gives_idle_ones_and_no_others() -> None:
    both = cluster(node("a", ALL, *leases(R)), node("b"))
    mine = {R[0]: BUSY, R[1]: BUSY, R[2]: BUSY, R[3]: IDLE}
    assert moves_of("a", both, 4, mine, {}) == Moves(give=(R[3],), is_over=True)
    mine = dict.fromkeys(R, IDLE)
    assert len(moves_of("a", both, 4, mine, {}).give) == 2


def test_what_is_always_busy_moves_too() -> None:
    both = cluster(node("a", ALL, *leases(R)), node("b"))
    mine = dict.fromkeys(R, BUSY)
    found = moves_of("a", both, 4, mine, {}, Lasting(OVERLOADED - SECOND))
    assert (found.is_over, found.give, found.drain) == (True, (), frozenset())
    found = moves_of("a", both, 4, mine, {}, Lasting(OVERLOADED))
    assert (len(found.drain), found.give) == (2, ())
    one, other = sorted(found.drain)
    mine |= {one: IDLE, other: Tenure(is_idle=False, drained=LONGEST_DRAIN - SECOND)}
    found = moves_of("a", both, 4, mine, {}, Lasting(OVERLOADED))
    assert (found.drain, found.give) == ({other}, (one,))
    mine |= {other: Tenure(is_idle=False, drained=LONGEST_DRAIN)}
    found = moves_of("a", both, 4, mine, {}, Lasting(OVERLOADED))
    assert (found.drain, set(found.give)) == (frozenset(), {one, other})


@pytest.mark.parametrize(("a", "b"), [(1, 0), (2, 1), (2, 2), (0, 1)])
def test_nothing_moves_for_the_rest_of_a_division(a: int, b: int) -> None:
    names = recorders(a + b)
    both = cluster(node("a", ALL, *leases(names[:a])), node("b", *leases(names[a:])))
    for name, own in (("a", names[:a]), ("b", names[a:])):
        mine = dict.fromkeys(own, IDLE)
        assert moves_of(name, both, a + b, mine, {}) == Moves()


def test_another_configuration_gives_all_and_takes_none() -> None:
    both = cluster(node("a", ALL, site="2"), node("b", *leases(R[:2])))
    free = dict.fromkeys(R[2:], NEW)
    mine = {R[0]: BUSY, R[1]: IDLE}
    assert moves_of("b", both, 4, mine, free) == Moves(give=(R[0], R[1]))
    found = moves_of("a", both, 4, {}, free)  # the other one is no peer
    assert set(found.take) == set(R[2:])


def test_while_nobody_leads_nothing_moves() -> None:
    found = cluster(node("a", is_up=False), node("b", *leases(R[:2])))
    mine = dict.fromkeys(R[:2], IDLE)
    assert moves_of("b", found, 4, mine, dict.fromkeys(R[2:], NEW)) == Moves()


def test_what_nobody_takes_is_taken_beyond_the_share() -> None:
    both = cluster(node("a", ALL, *leases(R[:2])), node("b"))
    mine = dict.fromkeys(R[:2], BUSY)
    for since, taken in ((ORPHANED - SECOND, set()), (ORPHANED, set(R[2:]))):
        free = dict.fromkeys(R[2:], Free(since=since))
        assert set(moves_of("a", both, 4, mine, free).take) == taken


@pytest.mark.parametrize(
    ("away", "had", "gives"),
    [
        (PATIENCE - SECOND, True, False),
        (PATIENCE, True, True),
        (PATIENCE, False, False),
        (LONGER, False, True),
    ],
)
def test_one_that_cannot_be_reached_is_given_while_another_node_is_there(
    away: timedelta, *, had: bool, gives: bool
) -> None:
    mine = {R[0]: Tenure(is_idle=False, away=away, had=had)}
    alone = cluster(node("a", ALL, *leases(R[:1])))
    assert moves_of("a", alone, 1, mine, {}) == Moves()
    both = cluster(*alone.nodes, node("b"))
    found = moves_of("a", both, 1, mine, {})
    assert found.give == ((R[0],) if gives else ())
    assert found.cut_off == frozenset(found.give)


def test_one_that_was_given_so_is_left_to_others_for_a_while() -> None:
    both = cluster(node("a", ALL), node("b"))
    avoided = {R[0]: Free(since=ORPHANED, is_avoided=True)}
    assert moves_of("a", both, 1, {}, avoided) == Moves()
    assert moves_of("b", both, 1, {}, {R[0]: NEW}).take == (R[0],)
    assert AVOIDED > ORPHANED


@dataclass
class Played:
    """Nodes that look in turn, as they do over one database."""

    number: int
    up: list[str]
    leader: str = "a"
    holders: dict[RecorderName, str] = field(default_factory=dict)
    moves: int = 0

    def look(self, name: str) -> None:
        nodes = [
            node(
                each,
                *([ALL] if each == self.leader else []),
                *(lease_of(r) for r, by in self.holders.items() if by == each),
            )
            for each in self.up
        ]
        mine = {r: IDLE for r, by in self.holders.items() if by == name}
        free = free_of(cluster(*nodes), recorders(self.number))
        found = moves_of(
            name, cluster(*nodes), self.number, mine, dict.fromkeys(free, NEW)
        )
        for each in found.give:
            del self.holders[each]
        self.holders |= dict.fromkeys(found.take, name)
        self.moves += len(found.give) + len(found.take)

    def settle(self) -> Mapping[str, int]:
        for _ in range(9):
            for name in self.up:
                self.look(name)
        before = self.moves
        for name in self.up:
            self.look(name)
        assert self.moves == before
        by = list(self.holders.values())
        assert len(by) == self.number
        return {name: by.count(name) for name in self.up}


def test_500_recorders_over_nodes_that_come_and_go() -> None:
    played = Played(500, ["a"])
    assert played.settle() == {"a": 500}
    played.up = ["a", "b"]
    assert played.settle() == {"a": 250, "b": 250}
    assert played.moves == 500 + 2 * 250  # none moved that had not to
    played.up = ["a", "b", "c"]
    assert max(played.settle().values()) == 167
    played.up = ["a", "c"]
    played.holders = {r: by for r, by in played.holders.items() if by != "b"}
    assert played.settle() == {"a": 250, "c": 250}


NAS, FAR = frozenset({"nas"}), frozenset({"far"})


@pytest.mark.parametrize("blind", ["a", "b"])
def test_a_node_that_lacks_a_share_which_another_has_lets_go_of_its_recorders(
    blind: str,
) -> None:
    """Nothing was sent there by it, while the other one might."""
    seeing = "b" if blind == "a" else "a"
    mine, free = dict.fromkeys(R[:2], BUSY), dict.fromkeys(R[2:], NEW)
    both = cluster(
        *(
            node(name, *own, lacks=NAS if name == blind else frozenset())
            for name, own in (("a", [ALL]), ("b", []))
        )
    )
    early = moves_of(blind, both, 4, mine, free, Lasting(unseeing=UNSEEING - SECOND))
    assert early == Moves()
    found = moves_of(blind, both, 4, mine, free, Lasting(unseeing=UNSEEING))
    assert found == Moves(give=(R[0], R[1]))
    assert set(moves_of(seeing, both, 4, mine, free).take) == set(R[2:])
    (told,) = idle(both)
    assert told == (
        f"node {blind} does no recorder's work while it lacks the share of nas, which "
        f"is there on node {seeing}"
    )


@pytest.mark.parametrize(
    ("one", "other"), [(NAS, NAS), (NAS, FAR), (NAS | FAR, NAS | FAR)]
)
def test_where_no_node_sees_more_both_work(
    one: frozenset[str], other: frozenset[str]
) -> None:
    both = cluster(node("a", ALL, lacks=one), node("b", lacks=other))
    free = dict.fromkeys(R, NEW)
    for name in ("a", "b"):
        assert (
            len(moves_of(name, both, 4, {}, free, Lasting(unseeing=UNSEEING)).take) == 2
        )
    assert idle(both) == []


def test_a_node_whose_clock_is_another_has_no_recorder() -> None:
    """It would ask for what was recorded minutes before or after the alarm."""
    mine = dict.fromkeys(R[:2], IDLE)
    for ahead in (timedelta(minutes=3), timedelta(minutes=-3)):
        both = cluster(node("a", ALL), node("b", *leases(R[:2]), ahead=ahead))
        assert set(moves_of("b", both, 4, mine, {}).give) == set(R[:2])
        assert moves_of("b", both, 4, {}, dict.fromkeys(R, NEW)) == Moves()
        assert set(moves_of("a", both, 4, {}, dict.fromkeys(R, NEW)).take) == set(R)
        (told,) = idle(both)
        assert told == "node b does no recorder's work: its clock differs by 3 min"
    # what counts is that they agree, whatever the database's own clock says
    same = cluster(
        node("a", ALL, ahead=timedelta(minutes=3)),
        node("b", ahead=timedelta(minutes=3, seconds=1)),
    )
    assert len(moves_of("b", same, 4, {}, dict.fromkeys(R, NEW)).take) == 2
    assert idle(same) == []
    other = cluster(node("a", ALL), node("b", site="2"), node("c", is_up=False))
    assert idle(other) == [
        "node b does no recorder's work: its configuration is another one"
    ]
