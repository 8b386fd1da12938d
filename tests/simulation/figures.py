"""What /metrics counts is what the rows say, where one process has seen it all."""

from collections import Counter
from collections.abc import Iterator

import prometheus_client

from simulation.run import Run


def figure_problems(run: Run) -> Iterator[str]:
    """A process counts from its own start on."""
    metrics = run.metrics
    if metrics is None or run.restarts != 1:
        return
    ends = "SELECT recorder, state, count(*) FROM exports GROUP BY recorder, state"
    stored = {(of, how): number for of, how, number in run.disk.rows(ends)}
    yield from _apart(_counted(metrics.exports, "recorder", "outcome"), stored)
    written = "SELECT count(*) FROM history WHERE event = 'recorded'"
    ((number,),) = run.disk.rows(written)
    told = _counted(metrics.evidence_records, "outcome")
    yield from _apart({("written",): told["written",]}, {("written",): number})


def _counted(
    counter: prometheus_client.Counter, *labels: str
) -> Counter[tuple[str, ...]]:
    found = Counter[tuple[str, ...]]()
    for family in counter.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[tuple(sample.labels[each] for each in labels)] = int(sample.value)
    return found


def _apart(
    told: dict[tuple[str, ...], int], stored: dict[tuple[str, ...], int]
) -> Iterator[str]:
    for what in sorted({*told, *stored}):
        if told.get(what, 0) != stored.get(what, 0):
            yield (
                f"metrics: {' '.join(what)}: {told.get(what, 0)} counted, "
                f"{stored.get(what, 0)} stored"
            )
