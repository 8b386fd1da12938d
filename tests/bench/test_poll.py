"""One look at how exports are doing, whatever else the recorder has in its list."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import pytest
from recording import report
from typing_extensions import override

from evidenced.core.ids import SessionId
from evidenced.sense import SenseClient, SenseSettings
from evidenced.sense.transport import Call, Reply, Transport
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.exporting import Exporting

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

FEW, MANY = 10, 10_000
LOOKS = 40
ALLOWED = 1.5
DEVICE = (
    "<device><serverid>1001</serverid><deviceid>{0}</deviceid><progress>100</progress>"
    "<starttime>2026-11-23 06:00:00.000</starttime>"
    "<endtime>2026-11-23 06:01:00.000</endtime><status>finished</status></device>"
)
ENDED = (
    "<export><exportid>{0}</exportid><path>V:\\evidence\\{0}</path>"
    "<status>finished</status><devices>"
    + "".join(DEVICE.format(2000 + n) for n in range(4))
    + "</devices></export>"
)


class LongList(Transport):
    """A recorder with so many ended exports in its list, and one that runs."""

    def __init__(self, settings: SenseSettings, ended: int) -> None:
        super().__init__(settings)
        self._ended = "".join(ENDED.format(n) for n in range(1000, 1000 + ended))
        self._running = ""

    @override
    async def send(self, call: Call, key: str | None = None) -> Reply:
        text = "<result errorcode='0'><sessionkey>KEY</sessionkey></result>"
        if call.what == "/info":
            text = "<apiinfo><utc>2026-11-23 13:00:00</utc></apiinfo>"
        elif call.what == "exportVideo":
            body = (call.body or b"").decode().partition("<export>")[2]
            inside = body.partition("</export>")[0]
            self._running = (
                f"<export><exportid>1</exportid><status>busy</status>{inside}</export>"
            )
            text = "<result errorcode='0'><exportid>1</exportid></result>"
        elif call.what == "getExportVideoStatus":
            asked = parse_qs(urlsplit(call.target).query)
            ended = "" if "exportid" in asked else self._ended
            inside = f"<exports>{ended}{self._running}</exports>"
            text = f"<result errorcode='0'>{inside}</result>"
        return Reply(status=200, body=text.encode())


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[SqlStore]]:
    made = [
        open_store(StoreSettings(directory=tmp_path / name)) for name in ("few", "many")
    ]
    yield made
    for store in made:
        store.close()


async def running(store: SqlStore, ended: int) -> Exporting:
    settings = SenseSettings(
        name="main", url="http://h", username="u", password=lambda: "p", nonce="n"
    )
    transport = LongList(settings, ended)
    bench = Exporting(store, None)  # type: ignore[arg-type]
    client = SenseClient(settings, bench.clock, lambda: SessionId("s"), transport)
    bench.link.port = client
    await bench.wait_for("i0")
    await bench.send()
    return bench


async def poll(bench: Exporting) -> float:
    bench.clock.advance(5)
    began = time.perf_counter()
    assert await bench.track.once()
    return time.perf_counter() - began


async def test_a_poll_costs_the_same_beside_10_and_10_000_ended_exports(
    stores: list[SqlStore],
) -> None:
    few, many = [
        await running(store, ended)
        for store, ended in zip(stores, (FEW, MANY), strict=True)
    ]
    await asyncio.gather(poll(few), poll(many))
    # by turns, so that what else the machine does meets both alike
    times = [(await poll(few), await poll(many)) for _ in range(LOOKS)]
    short, long = (median(each) for each in zip(*times, strict=True))
    report("one poll, s", few=short, many=long, ratio=long / short)
    assert long / short < ALLOWED
    [export] = await many.exports("i0")
    assert export.finished_at is None
    assert export.handle is not None
