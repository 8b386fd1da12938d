"""Counters and gauges for Prometheus, in a registry of their own.

A library that only counts in memory: no thread, no listener, no global registry.
`incidents`, `oldest_due_seconds`, `inbox_*` and `recorder_up` are set by whoever
renders the page.
"""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

PREFIX = "evidenced"
LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
EXPORT_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)


class Metrics:
    """One daemon's metrics. The names are promises: see interfaces."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, namespace=PREFIX, registry=self.registry)
        gauge = partial(Gauge, namespace=PREFIX, registry=self.registry)
        histogram = partial(Histogram, namespace=PREFIX, registry=self.registry)
        by_recorder = ["recorder"]

        self.alarms = counter(
            "alarms", "Messages by what became of them", ["rule", "outcome"]
        )
        self.limited = counter(
            "limited",
            "Alarms and exports beyond a limit, by rule or recorder",
            ["limit", "of"],
        )
        self.notifications = counter(
            "notifications",
            "Messages to people by receiver: sent, or tries that failed",
            ["to", "outcome"],
        )
        self.exports = counter(
            "exports", "Export requests by how they ended", ["recorder", "outcome"]
        )
        self.answers = counter(
            "answers", "Answers to exportVideo by code", ["recorder", "code"]
        )
        self.export_seconds = histogram(
            "export_seconds",
            "From the request to the end of an export",
            buckets=EXPORT_BUCKETS,
        )
        self.due_lag_seconds = histogram(
            "due_lag_seconds", "From due to asked", buckets=LAG_BUCKETS
        )
        self.incidents = gauge(
            "incidents", "Incidents in the store by state", ["state"]
        )
        self.oldest_due_seconds = gauge(
            "oldest_due_seconds",
            "Age of the clip that has been due longest, 0 when none is",
        )
        self.inbox_messages = gauge(
            "inbox_messages", "Messages stored and not yet read by the rules"
        )
        self.inbox_bytes = gauge("inbox_bytes", "Their topics and payloads, in bytes")
        self.mqtt_connected = gauge(
            "mqtt_connected", "1 while the broker is connected and subscribed"
        )
        self.recorder_up = gauge(
            "recorder_up", "1 while the recorder answers", by_recorder
        )
        self.recorder_clock_offset = gauge(
            "recorder_clock_offset_seconds", "Recorder minus host", by_recorder
        )
        self.evidence_records = counter(
            "evidence_records", "Evidence records by what became of them", ["outcome"]
        )
        self.evidence_hashed_bytes = counter(
            "evidence_hashed_bytes", "Footage hashed on mounted shares, in bytes"
        )
        self.evidence_waiting = gauge(
            "evidence_waiting", "Evidence records that wait to be written"
        )
        self.share_up = gauge(
            "share_up",
            "1 while a destination's mounted share can be used",
            ["destination"],
        )
        self.tags = counter(
            "tags", "Requests to protect footage by outcome", ["recorder", "outcome"]
        )
        self.tags_waiting = gauge(
            "tags_waiting", "Cameras of protected incidents that are not confirmed yet"
        )
        self.clock_synchronized = gauge(
            "clock_synchronized",
            "1 when the host's clock is known to be right, 0 when not, NaN: not known",
        )
        self.config_last_reload_successful = gauge(
            "config_last_reload_successful",
            "1 when the configuration on disk is the one in force",
        )
        build = Info("build", "This daemon", namespace=PREFIX, registry=self.registry)
        build.info({"version": version})
        self.config_last_reload_successful.set(1)
