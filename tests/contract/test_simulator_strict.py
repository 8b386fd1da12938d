"""The simulator over real HTTP, with a client that shares no code with the daemon."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from evidenced.simulator import Action, Scenario, Simulator, SimulatorServer, Strike
from evidenced.simulator.scenario import CameraScenario, ExportsScenario, Gap
from fakes.clock import START, FakeClock
from fakes.proofs import early, tagged_everything

XML = {"Content-Type": "text/xml"}
LOGIN = (
    "<AuthenticateUser><username>export</username>"
    "<password>secret</password></AuthenticateUser>"
)
EXPORT = "/command?command=exportVideo"
STATUS = "/command?command=getExportVideoStatus"
PATIENCE = aiohttp.ClientTimeout(total=20)


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def device(
    server: str = "1001",
    device: str = "2001",
    start: str = stamp(START - timedelta(minutes=2)),
    end: str = stamp(START - timedelta(minutes=1)),
) -> str:
    return (
        f"<device><serverid>{server}</serverid><deviceid>{device}</deviceid>"
        f"<starttime>{start}</starttime><endtime>{end}</endtime></device>"
    )


def body(
    devices: str = device(), path: str = r"V:\evidence\1", bandwidth: str = "1000000"
) -> str:
    return (
        f"<export><devices>{devices}</devices><path>{path}</path>"
        f"<bandwidth>{bandwidth}</bandwidth></export>"
    )


def code_of(text: str) -> int:
    found = re.search(r'errorcode="(-?\d+)"', text)
    assert found, text
    return int(found[1])


@dataclass
class Raw:
    simulator: Simulator
    server: SimulatorServer
    clock: FakeClock
    http: aiohttp.ClientSession
    key: str = ""

    async def ask(
        self,
        method: str,
        url: str,
        text: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        cookie = {"Cookie": f"sessionkey={self.key}"} if self.key else {}
        async with self.http.request(
            method,
            url,
            data=text.encode() if text else None,
            headers={**XML, **cookie, **(headers or {})},
            allow_redirects=False,
        ) as response:
            return response.status, (await response.read()).decode("utf-8", "replace")

    async def login(self) -> None:
        _, text = await self.ask("POST", "/webservice", LOGIN)
        found = re.search(r"<sessionkey>(\d+)</sessionkey>", text)
        assert found, text
        self.key = found[1]

    async def export(self, text: str | None = None) -> int:
        status, answer = await self.ask(
            "POST", EXPORT, body() if text is None else text
        )
        assert status == 200
        return code_of(answer)

    async def words(self) -> list[str]:
        _, text = await self.ask("GET", STATUS)
        return re.findall(r"<status>([^<]*)</status>", text)


@asynccontextmanager
async def recorder(
    scenario: Scenario | None = None, directory: Path | None = None
) -> AsyncIterator[Raw]:
    clock = FakeClock()
    simulator = Simulator(scenario or Scenario(), clock, directory=directory)
    async with (
        SimulatorServer(simulator, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(
            server.url, timeout=PATIENCE, cookie_jar=aiohttp.DummyCookieJar()
        ) as http,
    ):
        raw = Raw(simulator, server, clock, http)
        await raw.login()
        yield raw


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with recorder() as opened:
        yield opened


BAD_BODIES = {
    "not well-formed": (body().replace("</path>", ""), -18),
    "empty": ("", -18),
    "other root": (body().replace("export>", "exports>"), -18),
    "entities": ('<!DOCTYPE x [<!ENTITY e "V:">]>' + body(path=r"&e;\x"), -18),
    "document type": ("<!DOCTYPE export>" + body(), -18),
    "unknown element": (body(device() + "<camera/>"), -18),
    "unknown leaf": (body(device().replace("</d", "<name/></d", 1)), -18),
    "attribute": (body().replace("<path>", '<path kind="nas">'), -18),
    "twice": (body().replace("<path>", r"<path>D:\x</path><path>"), -18),
    "no devices": (body(""), -10),
    "no serverid": (body(device().replace("<serverid>1001</serverid>", "")), -33),
    "empty serverid": (body(device(server="")), -33),
    "no deviceid": (body(device().replace("<deviceid>2001</deviceid>", "")), -34),
    "no starttime": (body(device(start="")), -4),
    "no milliseconds": (body(device(start="2026-11-23 05:00:00")), -4),
    "ISO form": (body(device(start="2026-11-23T05:00:00.000Z")), -4),
    "no such day": (body(device(start="2026-02-30 05:00:00.000")), -4),
    "foreign digits": (body(device(start="\u0662\u066026-11-23 05:00:00.000")), -4),
    "end before start": (body(device(end="2026-11-23 05:57:59.999")), -37),
    "unknown server": (body(device(server="1002")), -17),
    "unknown device": (body(device(device="2999")), -2),
    "negative bandwidth": (body(bandwidth="-1"), -22),
    "bandwidth no number": (body(bandwidth="1e6"), -22),
    "bandwidth empty": (body(bandwidth=""), -22),
    "no path": (body(path=""), -58),
    "relative path": (body(path=r"evidence\1"), -58),
    "drive-relative": (body(path=r"V:evidence"), -58),
    "dots": (body(path=r"V:\evidence\..\..\1"), -58),
    "device namespace": (body(path=r"\\.\COM1\x"), -58),
    "stream": (body(path=r"V:\a:b"), -58),
    "window is empty": (body(device(end=stamp(START - timedelta(minutes=2)))), -48),
    "future": (body(device(end=stamp(START))), -48),
}


@pytest.mark.parametrize(("text", "code"), BAD_BODIES.values(), ids=BAD_BODIES)
async def test_each_mistake_gets_its_code_and_exports_nothing(
    raw: Raw, text: str, code: int
) -> None:
    assert await raw.export(text) == code
    assert not raw.simulator.journal.exports
    assert raw.simulator.journal.requests[-1].code == code


async def test_a_good_request_is_exported_at_the_cap(raw: Raw) -> None:
    assert await raw.export() == 0  # 60 s of 500 kB/s at 1 MB/s: 30 s
    assert await raw.words() == ["busy", "pending"]
    raw.clock.advance(29.9)
    assert await raw.words() == ["busy", "busy"]
    raw.clock.advance(0.1)
    assert await raw.words() == ["finished", "finished"]
    (record,) = raw.simulator.journal.exports
    assert record.finished_at == START + timedelta(seconds=30)


async def test_names_have_no_case_and_no_order(raw: Raw) -> None:
    text = (
        r"<EXPORT><Path>V:\x</Path><Devices><DEVICE>"
        f"<EndTime>{stamp(START - timedelta(minutes=1))}</EndTime>"
        f"<StartTime>{stamp(START - timedelta(minutes=2))}</StartTime>"
        "<DeviceID>2001</DeviceID><ServerID>1001</ServerID>"
        "</DEVICE></Devices></EXPORT>"
    )
    status, answer = await raw.ask("POST", "/command?Command=EXPORTVIDEO", text)
    assert (status, code_of(answer)) == (200, 0)


async def test_footage_is_there_after_the_lag_and_not_before(raw: Raw) -> None:
    text = body(device(end=stamp(START)))
    assert await raw.export(text) == -48
    raw.clock.advance(1.999)
    assert await raw.export(text) == -48
    raw.clock.advance(0.001)
    assert await raw.export(text) == 0
    found = early(raw.simulator.journal, timedelta(seconds=2))
    assert [record.code for record in found] == [-48, -48]


async def test_one_camera_without_video_refuses_all_and_is_not_named() -> None:
    minutes = timedelta(minutes=1)
    cameras = (
        CameraScenario(server="1001", device="2001"),
        CameraScenario(server="1001", device="2002", dead=True),
        CameraScenario(
            server="1001",
            device="2003",
            gaps=(Gap(start=-3 * minutes, end=-minutes),),
        ),
    )
    async with recorder(Scenario(devices=cameras)) as raw:
        good, dead, gap = (device(device=uid) for uid in ("2001", "2002", "2003"))
        assert await raw.export(body(good + dead)) == -48
        assert await raw.export(body(good + gap)) == -48
        _, text = await raw.ask("POST", EXPORT, body(good + dead))
        assert "2002" not in text
        longer = device(device="2003", start=stamp(START - 4 * minutes))
        assert await raw.export(body(good + longer)) == 0


async def test_places_and_space() -> None:
    exports = ExportsScenario(
        roots=("V:\\", r"\\nas\share"),
        unwritable=(r"V:\locked",),
        disk_space=30_000_000,
    )
    async with recorder(Scenario(exports=exports)) as raw:
        assert await raw.export(body(path=r"W:\x")) == -58
        assert await raw.export(body(path=r"v:\LOCKED\x")) == -61
        assert await raw.export(body(path=r"\\NAS\share\x")) == 0
        assert await raw.export(body(path=r"V:\x")) == -60


async def test_urls_methods_sessions_and_licence(raw: Raw) -> None:
    key = raw.key
    assert (await raw.ask("GET", "/nothing"))[0] == 404
    assert (await raw.ask("GET", EXPORT))[0] == 405
    assert (await raw.ask("GET", "/webservice"))[0] == 405
    plain = {"Content-Type": "text/plain"}
    assert (await raw.ask("POST", EXPORT, body(), plain))[0] == 415
    assert code_of((await raw.ask("GET", "/command?command=getServers"))[1]) == -1
    raw.key = "1"
    assert (await raw.ask("POST", EXPORT, body()))[0] == 401
    raw.key = ""
    assert (await raw.ask("GET", STATUS))[0] == 401
    assert (await raw.ask("GET", "/info"))[0] == 200
    raw.key = key
    raw.simulator.end_sessions()
    assert (await raw.ask("GET", STATUS))[0] == 401
    async with recorder(Scenario(licensed=False)) as other:
        assert await other.export() == -1
        devices = await other.ask("GET", "/command?command=getDeviceList")
        assert code_of(devices[1]) == 0


async def test_deleting(raw: Raw) -> None:
    async def delete(query: str) -> int:
        return code_of((await raw.ask("DELETE", EXPORT + query))[1])

    assert await raw.export() == 0
    assert await delete("") == -57
    assert await delete("&exportid=7") == -9
    assert await delete("&exportid=x") == -9
    assert await delete("&exportid=1&noCache=17") == 0
    assert await raw.words() == []
    assert await delete("&exportid=1") == -9
    assert raw.simulator.journal.exports[0].state == "cancelled"
    await raw.export()
    raw.clock.advance(30)
    assert await delete("&exportid=2") == -9  # completed: nothing is pending
    assert await raw.words() == ["finished", "finished"]


async def test_the_journal_is_there_as_json(raw: Raw) -> None:
    await raw.export()
    async with raw.http.get("/simulator/journal") as response:
        shown = await response.json()
    assert [request["command"] for request in shown["requests"]] == [
        "login",
        "exportVideo",
    ]
    assert shown["exports"][0]["devices"][0]["start"] == "2026-11-23T05:58:00.000Z"
    assert "secret" not in str(shown)


async def test_files_grow_below_the_folder_and_the_index_ends_them(
    tmp_path: Path,
) -> None:
    async with recorder(directory=tmp_path) as raw:
        assert await raw.export(body(path=r"\\nas\share\a&amp;b\1")) == 0
        folder = tmp_path / "UNC" / "nas" / "share" / "a&b" / "1"
        raw.clock.advance(15)
        raw.simulator.tick()
        (growing,) = folder.iterdir()
        assert growing.stat().st_size == 32 << 10
        raw.clock.advance(15)
        await raw.words()
        assert {file.suffix for file in folder.iterdir()} == {".dvn", ".dvi"}
        assert growing.stat().st_size == 64 << 10


async def test_files_of_an_export_that_was_done_when_it_was_forgotten_are_whole(
    tmp_path: Path,
) -> None:
    forgets = Strike(action=Action.FORGET, at=timedelta(seconds=60))
    async with recorder(Scenario(faults=(forgets,)), tmp_path) as raw:
        assert await raw.export() == 0
        raw.clock.advance(61)
        assert await raw.words() == []
        assert raw.simulator.journal.exports[0].state == "done"
        sizes = [file.stat().st_size for file in tmp_path.rglob("*.dvn")]
        assert sizes == [64 << 10]


async def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "V").mkdir(parents=True)
    outside.mkdir()
    (inside / "V" / "link").symlink_to(outside)
    async with recorder(directory=inside) as raw:
        assert await raw.export(body(path=r"V:\link\x")) == -61
    assert not list(outside.iterdir())


def fault(action: Action, **more: object) -> Strike:
    return Strike.model_validate({"action": action, "command": "exportVideo", **more})


BROKEN = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)


@pytest.mark.parametrize("after", [False, True])
async def test_a_cut_connection(raw: Raw, after: bool) -> None:
    raw.simulator.inject(fault(Action.CUT, after=after))
    with pytest.raises(BROKEN):
        await raw.export()
    assert len(raw.simulator.journal.exports) == int(after)
    assert await raw.export() == 0


async def test_a_refused_call_never_arrives(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.REFUSE))
    with pytest.raises(BROKEN):
        await raw.export()
    assert raw.simulator.journal.requests[-1].outcome == "refused"
    assert not raw.simulator.journal.exports


async def test_nobody_listens_for_a_while(raw: Raw) -> None:
    spell = Strike(
        action=Action.REFUSE, at=timedelta(seconds=5), lasts=timedelta(seconds=5)
    )
    raw.simulator.inject(spell)
    assert await raw.words() == []
    raw.clock.advance(5)
    with pytest.raises(BROKEN):  # the kept connection
        await raw.words()
    async with asyncio.timeout(60):
        await raw.server.silent.wait()
    with pytest.raises(aiohttp.ClientConnectorError):
        await raw.words()
    raw.clock.advance(5)
    async with asyncio.timeout(60):
        await raw.server.listening.wait()
    assert await raw.words() == []


async def test_an_answer_cut_in_the_middle(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.CUT_MIDDLE))
    with pytest.raises(aiohttp.ClientPayloadError):
        await raw.export()
    assert len(raw.simulator.journal.exports) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_that_never_comes(raw: Raw, after: bool) -> None:
    raw.simulator.inject(fault(Action.HANG, after=after))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await raw.export()
    assert len(raw.simulator.journal.exports) == int(after)


async def test_a_late_answer(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.DELAY, delay="300ms"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await raw.export()
    assert len(raw.simulator.journal.exports) == 1
    raw.simulator.inject(fault(Action.DELAY, delay="10ms"))
    assert await raw.export() == 0


@pytest.mark.parametrize("status", [500, 503])
async def test_an_http_error(raw: Raw, status: int) -> None:
    raw.simulator.inject(fault(Action.STATUS, status=status))
    assert (await raw.ask("POST", EXPORT, body()))[0] == status
    assert not raw.simulator.journal.exports


async def test_answers_that_are_none(raw: Raw) -> None:
    for action in (Action.GARBAGE, Action.HTML, Action.TRUNCATE):
        raw.simulator.inject(fault(action))
        status, text = await raw.ask("POST", EXPORT, body())
        assert status == 200
        assert not text.endswith("</result>")
    assert len(raw.simulator.journal.exports) == 1  # the truncated one


async def test_a_huge_answer_comes_whole(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.HUGE, size=3_000_000))
    _, text = await raw.ask("POST", EXPORT, body())
    assert len(text) > 3_000_000
    assert code_of(text) == 0


async def test_any_code_with_or_without_the_deed(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.CODE, code=-53))
    assert await raw.export() == -53
    assert not raw.simulator.journal.exports
    raw.simulator.inject(fault(Action.CODE, code=-18, after=True))
    assert await raw.export() == -18
    assert len(raw.simulator.journal.exports) == 1


async def test_a_restart_ends_sessions_and_forgets(raw: Raw) -> None:
    await raw.export()
    restart = Strike(action=Action.RESTART, at=timedelta(seconds=1))
    raw.simulator.inject(restart)
    raw.clock.advance(1)
    assert (await raw.ask("GET", STATUS))[0] == 401
    await raw.login()
    assert await raw.words() == []
    assert raw.simulator.journal.exports[0].state == "forgotten"
    assert await raw.export() == 0
    assert raw.simulator.journal.exports[1].exportid == 1


async def test_a_restart_that_keeps_all_but_the_ids(raw: Raw) -> None:
    await raw.export()
    raw.simulator.inject(fault(Action.RESTART, keep_list=True, keep_sessions=True))
    await raw.export()
    _, text = await raw.ask("GET", STATUS)
    assert re.findall(r"<exportid>(\d+)<", text) == ["1", "1"]


async def test_what_strikes_an_export(raw: Raw) -> None:
    raw.simulator.inject(fault(Action.FORGET))
    await raw.export()
    assert await raw.words() == []
    raw.simulator.inject(fault(Action.WORD, word="zzz", lasts="1s"))
    await raw.export()
    assert await raw.words() == ["zzz", "zzz"]
    raw.clock.advance(1)
    assert await raw.words() == ["busy", "busy"]
    raw.simulator.inject(fault(Action.TAKE_ID))
    await raw.export()
    _, text = await raw.ask("GET", STATUS + "&exportid=3")
    assert "somebody-else" in text


async def test_failing_and_stalling(raw: Raw) -> None:
    two = body(device() + device(device="2002"))
    raw.simulator.inject(fault(Action.FAIL, percent=50, device="2001"))
    await raw.export(two)
    raw.clock.advance(45)
    assert await raw.words() == ["failed", "failed", "finished"]
    raw.clock.advance(timedelta(hours=1))
    raw.simulator.inject(fault(Action.FAIL, percent=50))
    await raw.export(two)
    raw.clock.advance(30)
    assert await raw.words() == ["failed", "finished", "failed"]
    raw.clock.advance(timedelta(hours=1))
    raw.simulator.inject(fault(Action.STALL, percent=50, lasts="1m"))
    await raw.export()
    raw.clock.advance(89.9)
    assert await raw.words() == ["busy", "busy"]
    raw.clock.advance(0.1)
    assert await raw.words() == ["finished", "finished"]
    await raw.export()  # the stall struck once, however long it lasted
    raw.clock.advance(30)
    assert await raw.words() == ["finished"] * 4


async def test_a_pause_stops_answers_and_exports(raw: Raw) -> None:
    await raw.export()
    pause = Strike(
        action=Action.PAUSE, at=timedelta(seconds=10), lasts=timedelta(minutes=1)
    )
    raw.simulator.inject(pause)
    raw.clock.advance(10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await raw.words()
    raw.clock.advance(79.9)
    assert await raw.words() == ["busy", "busy"]
    raw.clock.advance(0.1)
    assert await raw.words() == ["finished", "finished"]


TAG = "/command?command=executeAction&actionname=server.tagVideoStart"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("&serverid=1001&deviceid=2001&pretime=30&posttime=60&title=a&comment=b", 0),
        ("&SERVERID=1001&deviceid=2001&pretime=0&posttime=1", 0),
        ("&serverid=1001&deviceid=2001&pretime=86401&posttime=60", -22),
        ("&serverid=1001&deviceid=2001&pretime=-1&posttime=60", -22),
        ("&serverid=1001&deviceid=2001&pretime=1.5&posttime=60", -22),
        ("&serverid=7&deviceid=2001&pretime=1&posttime=1", -17),
        ("&serverid=1001&deviceid=7&pretime=1&posttime=1", -2),
        ("&serverid=1001&deviceid=2001&unknown=1", -18),
    ],
)
async def test_a_tag_is_checked(raw: Raw, query: str, code: int) -> None:
    assert code_of((await raw.ask("GET", TAG + query))[1]) == code
    assert len(raw.simulator.journal.tags) == (code == 0)
    assert tagged_everything(raw.simulator.journal) == []


@pytest.mark.parametrize(
    "query", ["", "&serverid=1001", "&serverid=0&deviceid=2001", "&deviceid=2001"]
)
async def test_a_tag_without_a_camera_is_set_on_every_one_and_shows(
    raw: Raw, query: str
) -> None:
    _, answer = await raw.ask("GET", TAG + query + "&pretime=1&posttime=1")
    assert code_of(answer) == 0
    assert len(tagged_everything(raw.simulator.journal)) == 1
    _, listed = await raw.ask("GET", "/command?command=getVideoTagList")
    assert listed.count("<videotag>") == 4


async def test_an_action_that_is_not_known_is_refused(raw: Raw) -> None:
    base = "/command?command=executeAction"
    _, answer = await raw.ask("GET", f"{base}&actionname=server.reboot")
    assert code_of(answer) == -24
    assert code_of((await raw.ask("GET", base))[1]) == -10
