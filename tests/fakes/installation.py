"""A whole installation: broker, recorders, and the daemon as a process of its own.

Nothing here sleeps: what is waited for is a line of the daemon's log, one of its
server-sent events, or a request that reached a recorder.
"""

import asyncio
import json
import signal
import ssl
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp

from evidenced.config.tomltext import to_toml
from evidenced.host.clock import SystemClock
from evidenced.ports import Clock
from evidenced.simulator import Ending, Request, Scenario, Simulator, SimulatorServer
from evidenced.simulator.scenario import Recording
from fakes.mosquitto import Mosquitto, free_port

DEADLINE_S = 60.0
ENDED = frozenset({"exported", "partial", "failed", "cancelled"})

Object = dict[str, Any]
InstallationFactory = Callable[..., Awaitable["Installation"]]


def quick(**changes: Any) -> Scenario:
    """A recorder whose footage is there at once."""
    return Scenario(**({"recording": Recording(lag=timedelta(0))} | changes))


class Recorder(Simulator):
    """A simulator whose requests can be awaited."""

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        directory: Path | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        super().__init__(scenario or quick(), clock, directory=directory)
        self.port = free_port()
        self.scheme = "https" if tls else "http"
        self._tls = tls
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def start(self) -> None:
        server = SimulatorServer(self, "127.0.0.1", self.port, tls=self._tls)
        await self._stack.enter_async_context(server)

    async def stop(self) -> None:
        await self._stack.aclose()

    def handle(  # type: ignore[explicit-override]  # typing.override is not in 3.11
        self, request: Request
    ) -> Ending:
        outcome = super().handle(request)
        self._news.set()
        return outcome

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looks again after each request. For one waiter at a time."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await self._news.wait()
                self._news.clear()


class Daemon:
    """One process of `evidenced run`, and the lines of its log as they come.

    `under`: a command that becomes the daemon, such as `strace -D`.
    """

    program: Sequence[str] = ("-m", "evidenced", "run", "-c")

    def __init__(self, config: Path, *, under: Sequence[str] = ()) -> None:
        self._config = config
        self._under = under
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self.lines: list[Object] = []
        self.raw: list[str] = []

    async def start(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._under,
            *(sys.executable, *self.program, str(self._config)),
            stderr=PIPE,
            cwd=self._config.parent,
            limit=1 << 20,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for raw in self._process.stderr:
            text = raw.decode().rstrip("\n")
            async with self._news:
                self.raw.append(text)
                if text.startswith("{"):
                    self.lines.append(json.loads(text))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    def find(self, event: str, **values: Any) -> list[Object]:
        """Lines of this event whose values contain these texts."""
        return [
            line
            for line in self.lines
            if line["event"] == event
            and all(str(want) in str(line.get(name)) for name, want in values.items())
        ]

    async def told(self, count: int) -> None:
        """Wait till its log has so many lines, or it has ended."""
        assert self._reading is not None
        async with asyncio.timeout(DEADLINE_S), self._news:
            while len(self.raw) < count and not self._reading.done():
                await self._news.wait()

    async def line(self, event: str, nth: int = 1, **values: Any) -> Object:
        """Wait for the nth such line."""
        assert self._reading is not None
        async with asyncio.timeout(DEADLINE_S), self._news:
            while len(found := self.find(event, **values)) < nth:
                assert not self._reading.done(), f"it ended: {self.raw}"
                await self._news.wait()
            return found[nth - 1]

    async def subscribed(self, nth: int = 1) -> None:
        await self.line("alarms are subscribed", nth)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def exit(self, within: float = DEADLINE_S) -> int:
        """Its exit code."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await self._reading
        return code

    async def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.exit()

    async def kill(self) -> None:
        """End it as a power cut does."""
        self.signal(signal.SIGKILL)
        await self.exit()

    async def end(self) -> None:
        """For the end of a test: gone, whatever became of it."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        if self._reading is not None:
            await self._reading


class Installation:
    """Broker, recorders, a configuration that may be changed, and daemons of it."""

    def __init__(
        self, folder: Path, broker: Mosquitto, recorders: Mapping[str, Recorder]
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.recorders = recorders
        self.web_port = free_port()
        self.file = folder / "evidenced.toml"
        self.config: dict[str, Any] = {
            "daemon": {"instance": "test", "state_dir": str(folder / "state")},
            "mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}", "keepalive": "5s"},
            "web": {"listen": f"127.0.0.1:{self.web_port}"},
            "recorders": {
                name: recorder_section(each) for name, each in recorders.items()
            },
            "cameras": {
                f"{name}-{n}": {"recorder": name, "server": "1001", "device": f"200{n}"}
                for name in recorders
                for n in (1, 2)
            },
            "destinations": {"nas": {"path": r"V:\evidence\{rule}-{id}"}},
            "rules": [rule("forced", cameras=[f"{name}-1" for name in recorders])],
        }
        self._daemons: list[Daemon] = []
        self._http: aiohttp.ClientSession | None = None

    def write(self) -> None:
        text = "\n".join(f"{key} = {to_toml(v)}" for key, v in self.config.items())
        self.file.write_text(f"{text}\n", encoding="utf-8")

    async def launch(self, *, under: Sequence[str] = ()) -> Daemon:
        """A daemon over the configuration as it is now, which has yet to start."""
        self.write()
        daemon = Daemon(self.file, under=under)
        self._daemons.append(daemon)
        return await daemon.start()

    async def start(self, *, is_subscribed: bool = True) -> Daemon:
        """A daemon over the configuration as it is now."""
        daemon = await self.launch()
        await daemon.line("evidenced started")
        if is_subscribed:
            await daemon.subscribed()
        return daemon

    async def close(self) -> None:
        for daemon in self._daemons:
            await daemon.end()
        if self._http is not None:
            await self._http.close()
        for recorder in self.recorders.values():
            await recorder.stop()

    # the API

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                f"http://127.0.0.1:{self.web_port}",
                timeout=aiohttp.ClientTimeout(total=DEADLINE_S),
            )
        return self._http

    async def get(self, path: str) -> Any:
        async with self.http.get(path) as response:
            return await response.json()

    async def metric(self, name: str) -> float:
        """The value of one sample, labels included in its name."""
        async with self.http.get("/metrics") as response:
            text = await response.text()
        found = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    async def rows(self) -> list[Object]:
        """All incidents as the list shows them, oldest first."""
        found: list[Object] = (await self.get("/api/incidents?limit=500"))["incidents"]
        return found[::-1]

    async def incidents(self) -> list[Object]:
        """All of them with everything that is known, oldest first."""
        rows = await self.rows()
        return [await self.get(f"/api/incidents/{row['id']}") for row in rows]

    async def until(
        self, condition: Callable[[Sequence[Object]], bool]
    ) -> list[Object]:
        """Wait till the list is so, looking again after each event; then all of it."""
        found: list[Object] = []
        try:
            async with asyncio.timeout(DEADLINE_S), self.events() as events:
                while not condition(found := await self.rows()):
                    await anext(events)
            return await self.incidents()
        except TimeoutError:
            told = [line for daemon in self._daemons for line in daemon.raw]
            raise AssertionError("\n".join([json.dumps(found), *told])) from None

    async def all_in(self, *states: str, count: int = 1) -> list[Object]:
        """Wait till there are at least so many incidents, each in one of the states."""
        return await self.until(
            lambda rows: (
                len(rows) >= count and all(row["state"] in states for row in rows)
            )
        )

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[str]]:
        """The names of server-sent events from now on."""
        endless = aiohttp.ClientTimeout(total=None)  # its caller has a deadline
        async with self.http.get("/api/events", timeout=endless) as response:
            assert response.status == 200, await response.text()

            async def names() -> AsyncIterator[str]:
                async for line in response.content:
                    if line.startswith((b"event: ", b": ")):
                        yield line.decode().strip()
                raise AssertionError("the stream of events ended")

            yield names()


def recorder_section(recorder: Recorder) -> dict[str, Any]:
    return {
        "url": recorder.url,
        "username": "export",
        "password": "secret",
        "nonce": "AR5chsWVZagPfMpB",
        "settle": "0s",
        "timeout": "5s",
        "poll_interval": "100ms",
        "retry": {"first": "1s", "max": "1s"},
    }


def rule(name: str, **changes: Any) -> dict[str, Any]:
    """A rule over `access/{site}/NAME` that takes `{"state": "active"}`."""
    return {
        "name": name,
        "topics": [f"access/{{site}}/{name}"],
        "when": "state == 'active'",
        "group_by": ["site"],
        "pre_roll": "1s",
        "post_roll": "1s",
        **changes,
    }


def active(**values: Any) -> str:
    """An alarm for `rule`."""
    return json.dumps({"state": "active", **values})
