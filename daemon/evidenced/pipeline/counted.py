"""Counters that alerts look at are there, with 0, before they first count.

One that appears with its first failure shows Prometheus no increase: whoever alerts by
`increase` alone would not hear of the first failure of all. A large site's would be
megabytes at each scrape, most of them 0; `alerts.yml` takes one that appears for one
that grew, and so needs none of them.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from prometheus_client import Counter

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.states import EXPORT_LIVE, ExportState
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.tag import TagState
from evidenced.core.site import Site
from evidenced.metrics import Metrics
from evidenced.pipeline.rationing import PER_RECORDER, PER_RULE, PER_TOPIC

BEGUN_AT_MOST = 500
"""Rules: where there are more, the series of each begins when it counts."""

Labels = Iterable[tuple[str, ...]]

ALARMS = (Outcome.OPENED, Outcome.INVALID, Outcome.STALE)
MESSAGES = ("sent", "failed")
ENDS = frozenset(ExportState) - EXPORT_LIVE - {ExportState.CHECKING}


def begin_counting(metrics: Metrics, site: Site) -> None:
    """Every counter that is looked at has its series for this configuration."""
    for counter, labels in _expected(metrics, site):
        for values in labels:
            counter.labels(*values)


def count_exports(metrics: Metrics, exports: Iterable[ExportRequest]) -> None:
    """Those of a step that ended with it; one that is checked has not yet."""
    for export in exports:
        if export.state in ENDS:
            metrics.exports.labels(export.recorder, export.state).inc()


def _expected(metrics: Metrics, site: Site) -> Iterator[tuple[Counter, Labels]]:
    are_few = len(site.rules) <= BEGUN_AT_MOST
    rules = [str(rule.name) for rule in site.rules] if are_few else []
    recorders = [str(name) for name in site.recorders]
    receivers = [str(route.name) for route in site.notices.routes]
    yield metrics.alarms, product(("", *rules), ALARMS)  # "": taken by no rule
    yield metrics.limited, product((PER_TOPIC, PER_RULE), rules)
    yield metrics.limited, product((PER_RECORDER,), recorders)
    yield metrics.notifications, product(receivers, MESSAGES)
    yield metrics.exports, product(recorders, ENDS)
    yield metrics.tags, product(recorders, (TagState.CONFIRMED, TagState.REFUSED))
    yield metrics.evidence_records, product((RecordState.WRITTEN, RecordState.FAILED))
