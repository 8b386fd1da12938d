"""SIGKILL at random moments under load: nothing acknowledged is lost, nothing is twice.

A long run: `pytest tests/chaos/test_kills.py --kills 100 -s`.
"""

import asyncio
import random
from datetime import timedelta

import pytest

from chaos.books import Books
from chaos.conftest import MAX_EXPORTS
from chaos.load import Load
from fakes.installation import Daemon, Installation, Recorder
from fakes.proofs import duplicates, early, peak_exports

STARTUP_LINES = 6
LINES = 60
REQUESTS = 12
BACKLOG = 100
"""Alarms without an export: on a slow machine they come no faster than it goes."""
SPREAD_S = 0.05
"""A moment is a line or a request, and up to so much after it: until the next."""


async def test_killed_again_and_again(
    site: Installation,
    recorder: Recorder,
    dice: random.Random,
    request: pytest.FixtureRequest,
) -> None:
    kills = request.config.getoption("kills")
    await (await site.start()).stop()  # from now on the broker keeps its alarms
    exports = recorder.journal.exports
    load = Load(site.broker.port, lambda: load.sent - len(exports) >= BACKLOG)
    async with load:
        books = Books(site, load)
        for _ in range(kills):
            daemon = await site.launch()
            await _moment(dice, daemon, recorder)
            await daemon.kill()
            books.nothing_lost_so_far()
    daemon = await site.launch()
    await daemon.subscribed()
    await books.settled()
    figures = await books.close([r.order.path for r in exports])
    assert (figures.lost, figures.second_exports) == (0, 0)
    assert figures.acknowledged == figures.confirmed == figures.exports
    assert duplicates(recorder.journal) == []
    assert early(recorder.journal, timedelta(0)) == []
    assert peak_exports(recorder.journal) <= MAX_EXPORTS
    print(kills, "kills:", figures)  # noqa: T201 - the proof


async def _moment(dice: random.Random, daemon: Daemon, recorder: Recorder) -> None:
    """One in its start, amid its work, or between intent and answer."""
    match dice.choice(("start", "lines", "lines", "request")):
        case "start":
            await daemon.told(dice.randint(0, STARTUP_LINES))
        case "lines":
            await daemon.subscribed()
            await daemon.told(len(daemon.raw) + dice.randint(0, LINES))
        case "request":
            await daemon.subscribed()
            exports = recorder.journal.exports
            enough = len(exports) + dice.randint(1, REQUESTS)
            await recorder.until(lambda: len(exports) >= enough)
    await asyncio.sleep(dice.uniform(0, SPREAD_S))
