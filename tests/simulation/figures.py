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
    yield from _export_problems(run, _counted(metrics.exports, "recorder", "outcome"))
    written = "SELECT count(*) FROM history WHERE event = 'recorded'"
    ((number,),) = run.disk.rows(written)
    told = _counted(metrics.evidence_records, "outcome")
    if told["written",] != number:
        yield _apart(("written",), told["written",], number)


def _export_problems(run: Run, told: Counter[tuple[str, ...]]) -> Iterator[str]:
    """What no recorder answered ends uncounted, or not: it may never have left.

    One that vanished and is found again ends once more.
    """
    least, most = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    ends = "SELECT recorder, state, answered_at, count(*) FROM exports GROUP BY 1, 2, 3"
    for recorder, state, answered, number in run.disk.rows(ends):
        most[recorder, state] += number
        least[recorder, state] += number if answered else 0
    for what in sorted({*told, *most}):
        is_right = least[what] <= told[what] <= most[what]
        if not is_right and not (what[1] == "vanished" and told[what] > least[what]):
            yield _apart(what, told[what], most[what])


def _counted(
    counter: prometheus_client.Counter, *labels: str
) -> Counter[tuple[str, ...]]:
    found = Counter[tuple[str, ...]]()
    for family in counter.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[tuple(sample.labels[each] for each in labels)] = int(sample.value)
    return found


def _apart(what: tuple[str, ...], told: int, stored: int) -> str:
    return f"metrics: {' '.join(what)}: {told} counted, {stored} stored"
