"""The commands behind /command: each takes a call and gives the body of its answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from evidenced.core.instants import SECOND
from evidenced.core.window import Window
from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.dialect import Dialect
from evidenced.simulator.drawn import draw
from evidenced.simulator.exchange import JPEG, XML, HeardCall
from evidenced.simulator.footage import NEAR, Footage
from evidenced.simulator.journal import Journal
from evidenced.simulator.order import Node, read_order, read_time
from evidenced.simulator.places import ExportFiles, Places
from evidenced.simulator.scenario import CameraScenario, Scenario
from evidenced.simulator.table import ExportTable
from evidenced.simulator.tagging import TagBoard

IMAGES = 100
"""Default number of images in a sequence. Source: sense-api.md B6 1."""
IMAGES_LIMIT = 1_000
EXPORT_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Command:
    run: Callable[[HeardCall], bytes]
    method: str
    is_licensed: bool
    content: str = XML


class Commands:
    def __init__(
        self,
        scenario: Scenario,
        dialect: Dialect,
        table: ExportTable,
        places: Places,
        journal: Journal,
        started_at: datetime,
    ) -> None:
        self._scenario = scenario
        self._dialect = dialect
        self._table = table
        self._places = places
        self._files = ExportFiles()
        self._servers = {camera.server for camera in scenario.devices}
        self._footage = {
            (camera.server, camera.device): Footage(
                camera, scenario.recording, started_at
            )
            for camera in scenario.devices
        }
        self._tags = TagBoard(
            scenario.tags, dialect, self._footage.keys(), journal.tags.append
        )
        self._commands = {
            "exportVideo": Command(self._export, "POST", is_licensed=True),
            "deleteExportVideo": Command(self._delete, "DELETE", is_licensed=True),
            "getExportVideoStatus": Command(self._status, "GET", is_licensed=True),
            "getSystemStatus": Command(self._system, "GET", is_licensed=True),
            "getDeviceList": Command(self._device_list, "GET", is_licensed=False),
            "getImageSequence": Command(self._images, "GET", is_licensed=False),
            "getHistoricalImage": Command(
                self._picture, "GET", is_licensed=False, content=JPEG
            ),
            "executeAction": Command(self._execute, "GET", is_licensed=True),
            "getVideoTagList": Command(self._tag_list, "GET", is_licensed=True),
        }

    def known(self, name: str) -> Command | None:
        return self._commands.get(name)

    def write_files(self) -> None:
        self._files.write()

    def _ok(self, *children: Node) -> bytes:
        return self._dialect.result(self._dialect.success, *children)

    def _export(self, call: HeardCall) -> bytes:
        """Checks: the body (see order.py), -17, -2, -58, -61, -48, -60."""
        order = read_order(call.request.body)
        call.order = order
        for asked in order.devices:
            self._check_device(asked.server, asked.device)
        self._places.check(order.path)
        sizes = [
            self._size(asked.server, asked.device, asked.window, call.own_now)
            for asked in order.devices
        ]
        self._table.check_room(sum(sizes))
        folder = self._places.make(order.path)
        session = call.session or ""
        export = self._table.accept(order, sizes, session, call.own_now)
        call.exportid = export.exportid
        if folder:
            self._files.begin(export, folder)
        number = Node("exportid", str(export.exportid))
        return self._ok(Node("export", children=(number,)))

    def _execute(self, call: HeardCall) -> bytes:
        self._tags.execute(call)
        return self._ok()

    def _tag_list(self, call: HeardCall) -> bytes:
        return self._ok(self._tags.listed(call))

    def _delete(self, call: HeardCall) -> bytes:
        if not call.query.get("exportid"):
            raise CommandDenied(Code.NO_EXPORT_ID)
        call.exportid = self._exportid(call)
        self._table.delete(call.exportid, call.session or "")
        return self._ok()

    def _status(self, call: HeardCall) -> bytes:
        session = call.session or ""
        if "exportid" not in call.query:
            return self._dialect.listing(self._table.listed(session))
        call.exportid = self._exportid(call)
        export = self._table.find(call.exportid, session)
        if export is None and self._scenario.exports.unknown_id == "code":
            raise CommandDenied(self._scenario.exports.unknown_id_code)
        return self._dialect.listing([export] if export else [])

    def _device_list(self, _call: HeardCall) -> bytes:
        blanks = self._dialect.blanks
        nodes = tuple(
            Node(
                "device",
                children=(
                    Node("name", blanks(camera.name)),
                    Node("serverid", blanks(camera.server)),
                    Node("deviceid", blanks(camera.device)),
                    Node("status", blanks("OK")),
                    Node("type", blanks("Camera")),
                    Node("brand", blanks("Simulated")),
                    Node("location", blanks("")),
                ),
            )
            for camera in sorted(self._scenario.devices, key=lambda one: one.name)
        )
        count = {"count": str(len(nodes))}
        return self._ok(Node("devices", children=nodes, attributes=count))

    def _system(self, call: HeardCall) -> bytes:
        nodes = []
        for camera in self._scenario.devices:
            footage = self._footage[camera.server, camera.device]
            span = footage.span(call.own_now)
            nodes.append(
                Node(
                    "devicestatus",
                    children=(
                        Node("id", camera.device),
                        Node("name", camera.name),
                        Node("state", "OK"),
                        Node("firstrecordedimage", self._dialect.time(span.start)),
                        Node("lastrecordedimage", self._dialect.time(span.end)),
                    ),
                )
            )
        count = {"count": str(len(nodes))}
        version = Node("productversion", self._scenario.info.version)
        licence = Node("license", children=(version, Node("api", "true")))
        devices = Node("devicestatuslist", children=tuple(nodes), attributes=count)
        return self._ok(Node("systemstatus", children=(licence, devices)))

    def _images(self, call: HeardCall) -> bytes:
        """One image for each second of footage; codes 0, -2, -4 only."""
        _, footage = self._asked_camera(call)
        span = footage.span(call.own_now)
        start = _time_or(call.query.get("starttime"), span.start)
        end = _time_or(call.query.get("endtime"), call.own_now)
        limit = _limit(call.query.get("limit", ""))
        if end < start:
            start, end, limit = end, start, -limit
        pieces = footage.within(Window(start=start, end=end), call.own_now)
        times = sorted(islice(_instants(pieces, is_reversed=limit < 0), abs(limit)))
        nodes = tuple(map(self._dialect.image, times))
        count = {"count": str(len(nodes))}
        return self._ok(Node("imagesequence", children=nodes, attributes=count))

    def _picture(self, call: HeardCall) -> bytes:
        """The image at a time, or near it; codes 0, -2, -3, -4, -11."""
        camera, footage = self._asked_camera(call)
        at = read_time(call.query.get("time", ""), is_strict=False)
        found = footage.image(at, call.query.get("type", ""), call.own_now)
        if found is None:
            is_exact = call.query.get("type", "") not in NEAR
            raise CommandDenied(Code.NOT_THAT_TIME if is_exact else Code.NO_IMAGE)
        seed = list(self._footage).index((camera.server, camera.device))
        return draw(camera.name or camera.device, found, seed)

    def _asked_camera(self, call: HeardCall) -> tuple[CameraScenario, Footage]:
        device = call.query.get("deviceid") or call.query.get("cameraid", "")
        footage = self._footage.get((call.query.get("serverid", ""), device))
        if footage is None:
            raise CommandDenied(Code.NO_DEVICE)
        return footage.camera, footage

    def _check_device(self, server: str, device: str) -> None:
        if server not in self._servers:
            raise CommandDenied(Code.NO_SERVER)
        if (server, device) not in self._footage:
            raise CommandDenied(Code.NO_DEVICE)

    def _size(
        self, server: str, device: str, window: Window, own_now: datetime
    ) -> float:
        """Bytes of footage.

        Raises:
            Denied: -48: none at all, or not yet recorded up to the window's end.
        """
        footage = self._footage[server, device]
        size = footage.size(window, own_now)
        if not size or not footage.is_complete(window, own_now):
            raise CommandDenied(Code.NO_VIDEO)
        return size

    def _exportid(self, call: HeardCall) -> int:
        text = call.query["exportid"]
        if not (text.isascii() and text.isdigit() and len(text) <= EXPORT_DIGITS):
            raise CommandDenied(self._scenario.exports.unknown_id_code)
        return int(text)


def _time_or(text: str | None, default: datetime) -> datetime:
    return default if text is None else read_time(text, is_strict=False)


def _limit(text: str) -> int:
    """Positive: the first n; negative: the last n; else the default."""
    try:
        wanted = int(text[:10])
    except ValueError:
        return IMAGES
    return max(-IMAGES_LIMIT, min(wanted, IMAGES_LIMIT)) or IMAGES


def _instants(pieces: tuple[Window, ...], *, is_reversed: bool) -> Iterable[datetime]:
    for piece in reversed(pieces) if is_reversed else pieces:
        whole = range(-(-piece.length // SECOND))
        for n in reversed(whole) if is_reversed else whole:
            yield piece.start + n * SECOND
