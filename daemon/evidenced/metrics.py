"""Counters and gauges for Prometheus, in a registry of their own.

A library that only counts in memory: no thread, no listener, no global registry.
`incidents`, `oldest_due_seconds`, `inbox_*` and `recorder_up` are set by whoever
renders the page.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

# each would be a second series, which nobody looks at
disable_created_metrics()  # type: ignore[no-untyped-call]

PREFIX = "evidenced"
LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
EXPORT_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "alarms": ("Messages by what became of them", ("rule", "outcome")),
    "faults": ("Expressions that failed on a message", ()),
    "limited": (
        "Alarms and exports beyond a limit, by rule or recorder",
        ("limit", "of"),
    ),
    "notifications": (
        "Messages to people by receiver: sent, or tries that failed",
        ("to", "outcome"),
    ),
    "exports": ("Export requests by how they ended", ("recorder", "outcome")),
    "answers": ("Answers to export requests by code", ("recorder", "code")),
    "evidence_records": ("Evidence records by what became of them", ("outcome",)),
    "evidence_hashed_bytes": ("Footage hashed on mounted shares, in bytes", ()),
    "tags": ("Requests to protect footage by outcome", ("recorder", "outcome")),
    "lease_changes": ("How often a node took over the store, as that counts it", ()),
}
HISTOGRAMS: dict[str, tuple[str, tuple[float, ...]]] = {
    "export_seconds": ("From the request to the end of an export", EXPORT_BUCKETS),
    "due_lag_seconds": ("From due to asked", LAG_BUCKETS),
}
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "incidents": ("Incidents in the store by state", ("state",)),
    "oldest_due_seconds": (
        "Age of the clip that has been due longest, 0 when none is",
        (),
    ),
    "inbox_messages": ("Messages stored and not yet read by the rules", ()),
    "inbox_bytes": ("Their topics and payloads, in bytes", ()),
    "mqtt_connected": ("1 while the broker is connected and subscribed", ()),
    "recorder_up": ("1 while the recorder answers", ("recorder",)),
    "recorder_clock_offset_seconds": ("Recorder minus host", ("recorder",)),
    "evidence_waiting": ("Evidence records that wait to be written", ()),
    "share_up": ("1 while a destination's mounted share can be used", ("destination",)),
    "tags_waiting": ("Cameras of protected incidents that are not confirmed yet", ()),
    "node_up": ("1 while a node that shares the store is there", ("node",)),
    "recorders_held": ("Recorders whose work a node does", ("node",)),
    "database_answer_seconds": (
        "How long the database took to answer lately, NaN while it does not",
        (),
    ),
    "clock_synchronized": (
        "1 when the host's clock is known to be right, 0 when not, NaN: not known",
        (),
    ),
    "config_last_reload_successful": (
        "1 when the configuration on disk is the one in force",
        (),
    ),
}


OF_RECORDERS = [
    *(f"{PREFIX}_{name}_total" for name in ("exports", "answers", "tags", "limited")),
    *(
        f"{PREFIX}_{name}_{part}"
        for name in HISTOGRAMS
        for part in ("bucket", "sum", "count")
    ),
]
"""Samples that whoever does a recorder's work counts, whether it leads or not."""


class Metrics:
    """One daemon's metrics. The names are promises: see interfaces."""

    alarms: Counter
    faults: Counter
    limited: Counter
    notifications: Counter
    exports: Counter
    answers: Counter
    evidence_records: Counter
    evidence_hashed_bytes: Counter
    tags: Counter
    lease_changes: Counter
    export_seconds: Histogram
    due_lag_seconds: Histogram
    incidents: Gauge
    oldest_due_seconds: Gauge
    inbox_messages: Gauge
    inbox_bytes: Gauge
    mqtt_connected: Gauge
    recorder_up: Gauge
    recorder_clock_offset_seconds: Gauge
    evidence_waiting: Gauge
    share_up: Gauge
    tags_waiting: Gauge
    node_up: Gauge
    recorders_held: Gauge
    database_answer_seconds: Gauge
    clock_synchronized: Gauge
    config_last_reload_successful: Gauge

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        for name, (text, labels) in COUNTERS.items():
            counter = Counter(name, text, labels, namespace=PREFIX, registry=registry)
            setattr(self, name, counter)
        for name, (text, labels) in GAUGES.items():
            gauge = Gauge(name, text, labels, namespace=PREFIX, registry=registry)
            setattr(self, name, gauge)
        for name, (text, buckets) in HISTOGRAMS.items():
            histogram = Histogram(
                name, text, namespace=PREFIX, registry=registry, buckets=buckets
            )
            setattr(self, name, histogram)
        build = Info("build", "This daemon", namespace=PREFIX, registry=registry)
        build.info({"version": version})
        self.config_last_reload_successful.set(1)
        self._lease_changes = 0

    def of_recorders(self) -> bytes:
        """What a node counts that does nothing but recorders' work, as a page."""
        return generate_latest(self.registry.restricted_registry(OF_RECORDERS))

    def leases_changed(self, number: int) -> None:
        """So often altogether, by a count that outlives the nodes."""
        self.lease_changes.inc(max(0, number - self._lease_changes))
        self._lease_changes = max(number, self._lease_changes)
