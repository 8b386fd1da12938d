"""Two runs of one plan, of which one has a fault: what did it hold up?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from evidenced.core.instants import from_ms
from evidenced.simulator import ExportRecord
from simulation.plan import MAIN
from simulation.run import Run

POLLS = timedelta(seconds=15)
"""A request may have to wait until it is seen that another ended: three polls."""
SOON = timedelta(seconds=2)
"""An alarm waits for commits only."""


def accepted(run: Run) -> list[tuple[list[str], datetime]]:
    """Which devices the main recorder was asked for, and when it took the request."""
    exports = run.simulators[MAIN].journal.exports
    return [
        ([each.device for each in record.order.devices], record.accepted_at)
        for record in sorted(exports, key=_order)
    ]


def _order(record: ExportRecord) -> tuple[list[str], datetime]:
    devices = record.order.devices
    return [each.device for each in devices], min(each.window.start for each in devices)


def opened(run: Run) -> list[datetime]:
    query = "SELECT at FROM history WHERE event = 'opened' ORDER BY at"
    return [from_ms(at) for (at,) in run.disk.rows(query)]


def held_up(before: Run, after: Run) -> Iterator[str]:
    """Incidents and exports that came later, or not at all."""
    for one, other in zip_longest(opened(before), opened(after)):
        if one is None or other is None or other - one > SOON:
            yield f"an incident was opened at {other}, without the fault at {one}"
    for was, became in zip_longest(accepted(before), accepted(after)):
        if was is None or became is None or was[0] != became[0]:
            yield f"other exports: {became}, without the fault {was}"
        elif became[1] - was[1] > POLLS:
            yield f"{was[0]} was asked for at {became[1]}, without the fault {was[1]}"
