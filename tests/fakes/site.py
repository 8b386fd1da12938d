"""The web part over HTTP: a real server and store, a fake daemon behind them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from argon2 import PasswordHasher

from evidenced.core.account import Account
from evidenced.core.address import handle_of
from evidenced.core.alarms.alarm import Moment, Reading, Signal, TimeSource
from evidenced.core.camera import Camera
from evidenced.core.exports import exporting
from evidenced.core.ids import (
    CameraName,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents import lifecycle
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.kept import KeptAlarm
from evidenced.core.recorder import Answer
from evidenced.core.trust import exactly
from evidenced.metrics import Metrics
from evidenced.ports import Store
from evidenced.sense.address import sense_address
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.web import DoorLimits, Entrance, StreamLimits, WebServer, make_app
from evidenced.web.displays import Tokens
from evidenced.web.languages import Languages
from fakes.clock import START, FakeClock
from fakes.control import FakeControl
from fakes.rule import make_rule

DEADLINE_S = 60.0
PASSWORD = "pässword"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASHED = _CHEAP.hash(PASSWORD)
"""Its hash, a cheap one."""
OTHER_HASHED = _CHEAP.hash("another")
MAIN = RecorderName("main")
LOBBY = Camera(
    name=CameraName("lobby"),
    recorder=MAIN,
    address=sense_address("1001", "17167089910108338829"),
    label="Lobby",
)
DOOR = replace(
    LOBBY, name=CameraName("door"), address=sense_address("1001", "2002"), label=""
)
SETTLES = {MAIN: timedelta(seconds=15)}


def numbered(n: int) -> IncidentId:
    return IncidentId(f"20261123-0600{n % 60:02d}-{n:08d}")


@dataclass
class Site:
    """What a test of the web part holds in its hands."""

    store: SqlStore
    control: FakeControl = field(default_factory=FakeControl)
    metrics: Metrics = field(default_factory=lambda: Metrics("1.2.3"))
    clock: FakeClock = field(default_factory=FakeClock)
    server: WebServer | None = None
    client: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.address

    async def get(self, path: str, **headers: str) -> "Reply":
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, value: object = None, **headers: str) -> "Reply":
        """With JSON, or without a body and marked as the CLI would."""
        if value is None:
            marked = {"X-Evidenced": "1"} | headers
            return await self.ask("POST", path, headers=marked)
        body = json.dumps(value).encode()
        typed = {"Content-Type": "application/json"} | headers
        return await self.ask("POST", path, headers=typed, body=body)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> "Reply":
        assert self.client is not None
        async with (
            asyncio.timeout(DEADLINE_S),
            self.client.request(
                method, self.url + path, headers=headers, data=body
            ) as got,
        ):
            # A bug must not pass for a refusal in tests that look at headers only.
            assert got.status != 500 or self.control.fault is not None
            return Reply(got.status, got.headers, await got.read())

    async def open(
        self,
        n: int,
        *,
        at: datetime = START,
        rule: str = "door-forced",
        cameras: Sequence[Camera] = (LOBBY,),
        clear: str = "",
        payload: bytes = b"{}",
        fields: Mapping[str, str] | None = None,
    ) -> Incident:
        """Incident number n, saved with its first alarm."""
        reading = Reading(
            rule=RuleName(rule),
            signal=Signal.ACTIVE,
            moment=Moment(at=at, earliest=at, latest=at, source=TimeSource.PAYLOAD),
            fields=dict(fields or {"door": "north"}),
            key=GroupKey("hq/north"),
        )
        happening = Happening(
            rule=replace(make_rule("a/{door}", clear=clear), name=RuleName(rule)),
            reading=reading,
            cameras=tuple(cameras),
            settles=SETTLES,
            now=exactly(at),
            trigger={"topic": "a/north"},
        )
        change = lifecycle.open_incident(happening, lambda _: numbered(n))
        alarm = KeptAlarm(
            incident=numbered(n),
            n=1,
            received_at=at + timedelta(seconds=1),
            at=at,
            signal=Signal.ACTIVE,
            time_source=TimeSource.PAYLOAD,
            topic="a/north",
            payload=payload,
        )
        await self.store.write(lambda tx: tx.ledger.save([change], at))
        await self.store.write(lambda tx: tx.alarms.save([alarm]))
        return change.after

    async def end(self, incident: Incident) -> Incident:
        """Its windows have ended: its clips are due."""
        now = incident.span.end
        changes = lifecycle.turn(
            incident, exactly(now), SETTLES, lambda _: numbered(999)
        )
        await self.store.write(lambda tx: tx.ledger.save(changes, now))
        return changes[-1].after

    async def export(self, incident: Incident) -> tuple[Incident, ExportRequest]:
        """All its clips were asked for at once, and the recorder took them."""
        now = incident.span.end + timedelta(seconds=15)
        intent = exporting.Intent(
            id=await self.store.write(lambda tx: tx.exports.new_id()),
            n=1,
            path=rf"V:\evidence\{incident.id}",
            bandwidth=1_000_000,
            offset=timedelta(seconds=3),
            now=now,
        )
        asked, export = exporting.request(incident, incident.clips, intent)
        taken = exporting.accept(
            asked.after,
            export,
            Answer(code="0", handle=handle_of({"exportid": "7", "session": "s1"})),
            now + timedelta(seconds=1),
        )
        await self.store.write(lambda tx: tx.ledger.save([asked, taken], now))
        return taken.after, taken.exports[0]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(self.body)

    def error(self) -> tuple[int, str, str]:
        """Status, code and message, and nothing else."""
        value = self.json()
        assert value.keys() == {"error"}
        assert value["error"].keys() == {"code", "message"}
        assert "Traceback" not in value["error"]["message"]
        return self.status, value["error"]["code"], value["error"]["message"]


@asynccontextmanager
async def serving(
    directory: Path,
    *,
    users: Mapping[str, Account] | None = None,
    limits: StreamLimits | None = None,
    door: DoorLimits | None = None,
    store: Store | None = None,
    hosts: Sequence[str] = (),
    proxies: Sequence[str] = (),
    displays: Tokens | None = None,
    languages: Languages | None = None,
) -> AsyncIterator[Site]:
    """Listening on a free loopback port; `store` answers in the real one's place."""
    kept = open_store(StoreSettings(directory=directory))
    site = Site(store=kept)
    app = make_app(
        store or kept,
        site.control.whole,
        site.metrics,
        site.clock,
        users or {},
        hosts=hosts,
        proxies=proxies,
        limits=limits,
        displays=displays or {},
        languages=languages,
    )
    site.server = WebServer(app, "127.0.0.1:0", Entrance(limits=door or DoorLimits()))
    try:
        await site.server.start()
        async with aiohttp.ClientSession() as site.client:
            yield site
    finally:
        await site.server.stop()
        kept.close()
