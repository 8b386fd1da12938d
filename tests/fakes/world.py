"""A World over a real store, and small stand-ins for what the loops talk to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.core.address import Address, Handle
from evidenced.core.exports.following import Followed
from evidenced.core.exports.growth import Sighting
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.keeping.health import Room
from evidenced.core.keeping.tag import Tag, TagKey, TagOrder
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    Fitness,
    RequestText,
    SessionInfo,
)
from evidenced.core.site import Site
from evidenced.core.window import Window
from evidenced.pipeline.world import World
from evidenced.ports import Store
from fakes.clock import FakeClock
from fakes.running import Log

TOML = """
[mqtt]
url = "mqtt://127.0.0.1"
[recorders.main]
url = "http://127.0.0.1"
username = "export"
password = {{ env = "UNUSED" }}
nonce = "n"
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\\evidence\\{{rule}}-{{id}}'
{destination}
[[rules]]
name = "panic"
topics = ["panic/{{zone}}"]
cameras = [{cameras}]
"""


class FixedDice:
    def jitter(self) -> float:
        return 0.999

    def token(self) -> str:
        return "aaaaaaaa"


def make_site(destination: str = "", cameras: str = '"lobby"') -> Site:
    text = TOML.format(destination=destination, cameras=cameras)
    return build_site(load_text(text).config)


def make_world(
    store: Store, clock: FakeClock, log: Log | None = None, site: Site | None = None
) -> World:
    return World(site or make_site(), store, clock, FixedDice(), (log or Log()).bound)


class ScriptedRecorder:
    """`ports.RecorderPort` whose logins go as told; nothing else is expected."""

    def __init__(self, open_session: Callable[[], SessionInfo]) -> None:
        self._open = open_session
        self.logins = 0

    async def open_session(self) -> SessionInfo:
        self.logins += 1
        return self._open()

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        raise NotImplementedError(order)

    async def delete_export(self, handle: Handle) -> Answer:
        raise NotImplementedError(handle)

    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        raise NotImplementedError(exports)

    async def devices(self) -> tuple[Device, ...]:
        raise NotImplementedError

    async def has_video(self, address: Address, window: Window) -> bool | None:
        raise NotImplementedError(address, window)

    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        raise NotImplementedError(address, window)

    async def picture(self, address: Address, at: datetime) -> bytes | None:
        raise NotImplementedError(address, at)

    async def tag(self, order: TagOrder) -> Answer:
        raise NotImplementedError(order)

    async def tagged(self, tags: Sequence[Tag]) -> Mapping[TagKey, str]:
        raise NotImplementedError(tags)

    async def fitness(self, info: SessionInfo) -> Fitness:
        raise NotImplementedError(info)

    def describe(self, order: ExportOrder) -> RequestText:
        raise NotImplementedError(order)

    async def close(self) -> None:
        pass


class ToldShare:
    """`ports.SharePort` that says what it is told to."""

    def __init__(self) -> None:
        self.why: str | None = None
        self.blind: str | None = None
        self.fault: OSError | None = None
        self.seen: dict[Path, Sighting] = {}

    def problem(
        self, _mount: Path, _marker: str | None, _min_free: int = 0
    ) -> str | None:
        return self.why

    def room(self, _mount: Path) -> Room | None:
        return None

    def blindness(self, _mount: Path) -> str | None:
        return self.blind

    def sighting(self, mount: Path, names: tuple[str, ...]) -> Sighting | None:
        if self.fault is not None:
            raise self.fault
        return self.seen.get(mount.joinpath(*names))
