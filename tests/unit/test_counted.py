"""What alerts look at is there before it first counts."""

import re
from dataclasses import replace
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from evidenced.core.ids import RecorderName, RuleName
from evidenced.metrics import Metrics
from evidenced.pipeline.counted import begin_counting
from fakes.world import make_site

ALERTS = Path(__file__).parents[2] / "systemd" / "alerts.yml"


def test_every_counter_of_an_alert_begins_with_nothing() -> None:
    metrics = Metrics("1")
    begin_counting(metrics, make_site())
    samples = [each for found in metrics.registry.collect() for each in found.samples]
    values = {
        (each.name, *each.labels.values()): each.value
        for each in samples
        if each.name.endswith("_total")
    }
    assert set(values.values()) == {0}
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    looked_at = set(re.findall(r"evidenced_[a-z_]+_total", str(expressions)))
    looked_at.remove("evidenced_notifications_total")  # nobody is told on this site
    assert looked_at <= {name for name, *_ in values}


def test_metrics_of_a_large_site_are_no_megabytes() -> None:
    """They were 4.5 MB with 5,000 rules and 500 recorders, nearly all of them 0."""
    site = make_site()
    recorders = {
        RecorderName(f"recorder-{n}"): next(iter(site.recorders.values()))
        for n in range(500)
    }
    rules = tuple(
        replace(site.rules[0], name=RuleName(f"area-{n}")) for n in range(5_000)
    )
    metrics = Metrics("1")
    begin_counting(metrics, replace(site, rules=rules, recorders=recorders))
    assert len(generate_latest(metrics.registry)) < 400_000
    metrics.alarms.labels("area-7", "invalid").inc()
    assert b'{outcome="invalid",rule="area-7"} 1.0' in generate_latest(metrics.registry)
