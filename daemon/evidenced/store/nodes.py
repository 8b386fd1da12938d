"""Which nodes there are: each tells the database now and then that it is there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from evidenced.core.cluster import Cluster, ClusterNode
from evidenced.core.errors import StoreError

GONE = timedelta(seconds=10)
"""One that was not seen for so long is away."""

MAKE = """
CREATE TABLE IF NOT EXISTS nodes (
    name text PRIMARY KEY, since timestamptz NOT NULL, seen timestamptz NOT NULL,
    site text NOT NULL DEFAULT '', ahead interval NOT NULL DEFAULT '0',
    instance text NOT NULL DEFAULT '', lacks text NOT NULL DEFAULT '')
"""
WIDEN = """
ALTER TABLE nodes ADD COLUMN IF NOT EXISTS site text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS ahead interval NOT NULL DEFAULT '0',
    ADD COLUMN IF NOT EXISTS instance text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS lacks text NOT NULL DEFAULT ''
"""
"""For a table of before, as in `leaserows`."""
SEE = """
INSERT INTO nodes AS known (name, since, seen, site, ahead, instance, lacks)
VALUES (%(node)s, clock_timestamp(), clock_timestamp(), %(site)s,
    coalesce(%(ahead)s::interval, '0'), %(instance)s, %(lacks)s)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, site = excluded.site,
instance = excluded.instance, lacks = excluded.lacks,
ahead = coalesce(%(ahead)s::interval, known.ahead), since = CASE
    WHEN known.seen < excluded.seen - %(gone)s THEN excluded.since ELSE known.since END
"""
ONE_JOINS = "SELECT pg_advisory_xact_lock(6983426202)"
"""Of two that come at once the second one sees the first."""
STRANGER = """
SELECT name, instance FROM nodes
WHERE instance NOT IN ('', %(instance)s)
AND (name <> %(node)s OR seen > clock_timestamp() - %(gone)s)
ORDER BY seen DESC LIMIT 1
"""
"""A node of another instance that was not stopped; of our own name, one that works."""
NOW = "SELECT clock_timestamp()"
MAKE_REPORTS = """
CREATE TABLE IF NOT EXISTS recorder_reports (
    recorder text PRIMARY KEY, node text NOT NULL, report text NOT NULL)
"""
"""How recorders are, as their holders see them: shown, and decided by nowhere."""
_REPORT = """
INSERT INTO recorder_reports
SELECT recorder, %(node)s, report
FROM unnest(%(recorders)s::text[], %(reports)s::text[]) AS told (recorder, report)
ORDER BY recorder
ON CONFLICT (recorder) DO UPDATE SET node = excluded.node, report = excluded.report
"""
_REPORTS = "SELECT recorder, node, report FROM recorder_reports"
FORGET = "DELETE FROM nodes WHERE name = %(node)s"
_FORGET_OLD = "DELETE FROM nodes WHERE seen < clock_timestamp() - interval '30 days'"
_ALL = """
SELECT n.name, n.seen > clock_timestamp() - %(gone)s, n.since, n.seen, n.site,
    n.ahead, n.lacks, l.name, l.since
FROM nodes n LEFT JOIN leases l ON l.node = n.name AND l.until > clock_timestamp()
ORDER BY n.name, l.name
"""
_CHANGES = "SELECT coalesce(sum(epoch), 0)::bigint FROM leases WHERE name = 'all'"
_COPIES = """
SELECT count(*), CASE WHEN bool_and(state IS NOT NULL)
    THEN max(coalesce(flush_lag, interval '0')) END
FROM pg_stat_replication
"""
"""Only a member of pg_monitor sees more than that there are some; one that is idle has
no lag. Source: postgresql.org/docs/current/monitoring-stats.html."""

Execute = Callable[[str, Mapping[str, Any]], Iterable[Any]]


def check_instance(execute: Execute, who: Mapping[str, str], where: str) -> None:
    """That this node may join, which no other does until the transaction is over.

    Raises:
        StoreError: nodes of another instance are there.
    """
    execute(ONE_JOINS, {})
    if not who["instance"]:
        return
    for node, instance in execute(STRANGER, {**who, "gone": GONE}):
        raise StoreError(
            f"{where} is that of instance {instance!r} (node {node}), and this daemon "
            f"is instance {who['instance']!r}: give each instance a database of its "
            "own (daemon.store); to rename one, stop all its nodes first"
        )


def see(execute: Execute, who: Mapping[str, str], ahead: timedelta | None) -> None:
    """This node is there; what has been away for thirty days is forgotten.

    `who` is its name (`node`), its `site` and its `instance`, and destinations that it
    `lacks`, one a line. `ahead`: by so much its clock is; None where that could not be
    found out.
    """
    execute(SEE, {**who, "gone": GONE, "ahead": ahead})
    execute(_FORGET_OLD, {})


def cluster(execute: Execute) -> Cluster:
    """All nodes, by name, with what they hold."""
    found = dict[str, ClusterNode]()
    rows = execute(_ALL, {"gone": GONE})
    for name, is_up, since, seen, site, ahead, lacks, lease, held in rows:
        node = found.get(name) or ClusterNode(
            name=name,
            is_up=is_up,
            since=since,
            seen=seen,
            site=site,
            ahead=ahead,
            lacks=frozenset(lacks.split("\n") if lacks else ()),
        )
        if lease is not None:
            node = replace(node, holds={**node.holds, lease: held})
        found[name] = node
    ((changes,),) = execute(_CHANGES, {})
    ((copies, behind),) = execute(_COPIES, {})
    return Cluster(
        nodes=tuple(found.values()), changes=changes, copies=copies, behind=behind
    )


def report(execute: Execute, node: str, reports: Mapping[str, str]) -> None:
    """How these recorders are, as this node sees it."""
    if reports:
        texts = {"recorders": list(reports), "reports": list(reports.values())}
        execute(_REPORT, {"node": node, **texts})


def reports(execute: Execute) -> dict[str, tuple[str, str]]:
    """Of each recorder which node has told how it is, and what."""
    return {name: (node, told) for name, node, told in execute(_REPORTS, {})}
