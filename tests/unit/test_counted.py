"""What alerts look at is there before it first counts."""

import re
from pathlib import Path

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
    expressions = re.findall(r"expr: (.*)", ALERTS.read_text())
    looked_at = set(re.findall(r"evidenced_[a-z_]+_total", str(expressions)))
    looked_at.remove("evidenced_notifications_total")  # nobody is told on this site
    assert looked_at <= {name for name, *_ in values}
