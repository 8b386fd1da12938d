"""When a node that works lets another one try."""

from datetime import timedelta

import pytest

from evidenced.core.cluster import (
    LONGER,
    PATIENCE,
    Cluster,
    ClusterNode,
    alone,
    gives_way,
)
from fakes.incident import t

NOW = t("12:00")
SHORTLY = timedelta(seconds=1)


def node(name: str, *, is_up: bool = True, works: bool = False) -> ClusterNode:
    holds = {"all": NOW} if works else {}
    return ClusterNode(name=name, is_up=is_up, since=NOW, seen=NOW, holds=holds)


ALONE = Cluster(nodes=(node("a", works=True), node("b", is_up=False)))
TWO = Cluster(nodes=(node("a", works=True), node("b")))


@pytest.mark.parametrize(
    ("cluster", "without", "had", "gives"),
    [
        (TWO, PATIENCE, True, True),
        (TWO, PATIENCE - SHORTLY, True, False),
        (TWO, LONGER - SHORTLY, False, False),
        (TWO, LONGER, False, True),
        (ALONE, LONGER, True, False),
        (Cluster(), LONGER, True, False),
    ],
)
def test_it_gives_way_to_one_that_stands_by(
    cluster: Cluster, without: timedelta, *, had: bool, gives: bool
) -> None:
    assert gives_way(cluster, without, had=had) is gives


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (Cluster(), []),
        (Cluster(nodes=(node("a", works=True),)), []),
        (TWO, []),
        (
            ALONE,
            ["no other node stands by: b was seen last at 2026-11-23T12:00:00.000Z"],
        ),
        (Cluster(nodes=(*TWO.nodes, node("c", is_up=False))), []),
    ],
)
def test_a_node_that_was_left_alone_says_so(cluster: Cluster, said: list[str]) -> None:
    assert alone(cluster) == said
