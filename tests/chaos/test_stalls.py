"""Processes that stop, die and come back under load: daemon, broker and recorder."""

import asyncio
import random
import signal
from pathlib import Path

from chaos.books import Books, exports_by_incident
from chaos.conftest import loaded_site
from chaos.load import Load
from fakes.installation import DEADLINE_S, Installation, InstallationFactory, Recorder
from fakes.mosquitto import Peer
from fakes.proofs import duplicates
from fakes.recorder_process import RecorderProcess

STATUS = "evidenced/test/status"
AWAY = 40
"""Alarms that come meanwhile."""


async def _all_made_once(books: Books, recorder: Recorder) -> None:
    await books.settled()
    exports = recorder.journal.exports
    figures = await books.close([record.order.path for record in exports])
    assert (figures.lost, figures.second_exports) == (0, 0)
    assert duplicates(recorder.journal) == []
    print(figures)  # noqa: T201 - the proof


async def test_stopped_and_continued(
    site: Installation, recorder: Recorder, dice: random.Random
) -> None:
    """The host was suspended, or a debugger held it: not long enough to be missed."""
    daemon = await site.start()
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        for _ in range(5):
            await daemon.told(len(daemon.raw) + dice.randint(0, 100))
            daemon.signal(signal.SIGSTOP)
            await load.more(dice.randint(1, AWAY))
            books.nothing_lost_yet()
            daemon.signal(signal.SIGCONT)
    await _all_made_once(books, recorder)


async def test_stopped_until_the_broker_gives_it_up(
    site: Installation, recorder: Recorder
) -> None:
    """Longer than its keepalive: it is told dead, and comes back to its session."""
    site.config["mqtt"]["keepalive"] = "5s"
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.subscribe(STATUS)
        assert peer.next().payload == b"online"
        async with Load(site.broker.port) as load:
            books = Books(site, load)
            await load.more(AWAY)
            daemon.signal(signal.SIGSTOP)
            assert (
                await asyncio.to_thread(peer.next, DEADLINE_S)
            ).payload == b"offline"
            books.nothing_lost_yet()
            daemon.signal(signal.SIGCONT)
            assert (await asyncio.to_thread(peer.next, DEADLINE_S)).payload == b"online"
    await _all_made_once(books, recorder)


async def test_a_broker_that_is_killed_and_comes_back(
    site: Installation, recorder: Recorder, dice: random.Random
) -> None:
    """It may lose what it had not yet saved; never what we acknowledged."""
    daemon = await site.start()
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        for n in range(3):
            await load.more(dice.randint(1, AWAY))
            site.broker.kill()
            books.nothing_lost_yet()
            site.broker.start()
            await daemon.subscribed(n + 2)
        await load.more(1)
    await books.settled()
    exports = recorder.journal.exports
    figures = await books.close([record.order.path for record in exports])
    assert figures.second_exports == 0
    assert figures.incidents + figures.lost == figures.confirmed
    print(figures)  # noqa: T201 - the proof


async def test_a_recorder_that_is_killed_and_comes_back(
    installation_factory: InstallationFactory, tmp_path: Path, dice: random.Random
) -> None:
    """With ids from 1 and an empty list: what it forgot is asked for again, once."""
    recorder = RecorderProcess(tmp_path)
    site = await loaded_site(installation_factory, recorder)
    daemon = await site.start()
    async with Load(site.broker.port) as load:
        books = Books(site, load)
        for n in range(3):
            await load.more(dice.randint(1, AWAY))
            await recorder.stop()
            await daemon.line("recorder does not answer; incidents wait", n + 1)
            await recorder.start()
            await daemon.line("recorder works again", n + 1)
    await books.settled()
    figures = await books.close([each["path"] for each in recorder.exports])
    assert figures.lost == 0
    for life in {each["life"] for each in recorder.exports}:
        paths = [each["path"] for each in recorder.exports if each["life"] == life]
        assert set(exports_by_incident(paths).values()) == {1}
    print(figures)  # noqa: T201 - the proof
