"""What the simulator's journal proves that a client did, or did not do."""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate

from evidenced.simulator import ExportRecord, Journal, RequestRecord
from evidenced.simulator.asked import AskedWindow
from evidenced.simulator.journal import TagRecord


def tagged_everything(journal: Journal) -> list[TagRecord]:
    """Tags without a server and a device, which were set on every camera."""
    return [record for record in journal.tags if record.is_everything]


def early(journal: Journal, settle: timedelta) -> list[RequestRecord]:
    """Export requests that came before end + settle by the recorder's clock."""
    return [
        record
        for record in journal.requests
        if record.order is not None
        and record.own_at
        < max(device.window.end for device in record.order.devices) + settle
    ]


def duplicates(journal: Journal) -> list[tuple[AskedWindow, int]]:
    """Devices and windows that were accepted more than once, and how often."""
    counted = Counter(
        device for record in journal.exports for device in record.order.devices
    )
    return [(device, count) for device, count in counted.items() if count > 1]


def peak_exports(journal: Journal) -> int:
    """The most exports that were accepted and unfinished at one time."""
    return _peak((record, 1) for record in journal.exports)


def peak_bandwidth(journal: Journal) -> float:
    """The largest sum of caps at one time; one without a cap is infinite."""
    if any(not record.order.bandwidth for record in journal.exports):
        return math.inf
    return _peak((record, record.order.bandwidth) for record in journal.exports)


def _peak(weighted: Iterable[tuple[ExportRecord, int]]) -> int:
    """The maximum over time of the sum of weights; `[accepted, finished)` counts."""
    steps: list[tuple[datetime, int]] = []
    for record, weight in weighted:
        steps.append((record.accepted_at, weight))
        if record.finished_at is not None:
            steps.append((record.finished_at, -weight))
    # sorted: at one instant what ends goes before what begins
    return max(accumulate(weight for _, weight in sorted(steps)), default=0)
