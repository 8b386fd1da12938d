"""Counters and gauges for Prometheus, in a registry of their own.

A library that only counts in memory: no thread, no listener, no global registry.
`incidents`, `oldest_due_seconds` and `recorder_up` are set by whoever renders the page.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

PREFIX = "evidenced"
LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
EXPORT_BUCKETS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)


class Metrics:
    """One daemon's metrics. The names are promises: see interfaces."""

    def __init__(self, version: str) -> None:
        registry = self.registry = CollectorRegistry()
        self.alarms = Counter(
            "alarms",
            "Messages by what became of them",
            ["rule", "outcome"],
            namespace=PREFIX,
            registry=registry,
        )
        self.incidents = Gauge(
            "incidents",
            "Incidents in the store by state",
            ["state"],
            namespace=PREFIX,
            registry=registry,
        )
        self.exports = Counter(
            "exports",
            "Export requests by how they ended",
            ["recorder", "outcome"],
            namespace=PREFIX,
            registry=registry,
        )
        self.answers = Counter(
            "answers",
            "Answers of the recorder to exportVideo by code",
            ["recorder", "code"],
            namespace=PREFIX,
            registry=registry,
        )
        self.export_seconds = Histogram(
            "export_seconds",
            "From the request to the end of an export",
            namespace=PREFIX,
            buckets=EXPORT_BUCKETS,
            registry=registry,
        )
        self.due_lag_seconds = Histogram(
            "due_lag_seconds",
            "From due to asked",
            namespace=PREFIX,
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self.oldest_due_seconds = Gauge(
            "oldest_due_seconds",
            "Age of the clip that has been due longest, 0 when none is",
            namespace=PREFIX,
            registry=registry,
        )
        self.mqtt_connected = Gauge(
            "mqtt_connected",
            "1 while the broker is connected and subscribed",
            namespace=PREFIX,
            registry=registry,
        )
        self.recorder_up = Gauge(
            "recorder_up",
            "1 while the recorder answers",
            ["recorder"],
            namespace=PREFIX,
            registry=registry,
        )
        self.recorder_clock_offset = Gauge(
            "recorder_clock_offset_seconds",
            "Recorder minus host",
            ["recorder"],
            namespace=PREFIX,
            registry=registry,
        )
        self.config_last_reload_successful = Gauge(
            "config_last_reload_successful",
            "1 when the configuration on disk is the one in force",
            namespace=PREFIX,
            registry=registry,
        )
        build = Info("build", "This daemon", namespace=PREFIX, registry=registry)
        build.info({"version": version})
        self.config_last_reload_successful.set(1)
