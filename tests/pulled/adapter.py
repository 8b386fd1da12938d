"""The archive as `ports.RecorderPort`. Its words stop here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from evidenced.config.recorders import RecorderConfig
from evidenced.core.address import Address, Handle, address_of, handle_of, parts_of
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.following import DONE_PERCENT, Followed, Verdict
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.keeping.tag import Tag, TagKey, TagOrder
from evidenced.core.recorder import (
    Answer,
    ClockOffset,
    Device,
    ExportOrder,
    Fitness,
    RequestText,
    SessionInfo,
)
from evidenced.core.window import Window
from evidenced.ports import Clock
from pulled.archive import ARCHIVES, Cut, Denied, Silence

REASONS = {
    "NO_SUCH_CHANNEL": Reason.NO_DEVICE,
    "NOTHING_THERE": Reason.NO_VIDEO,
    "NO_SUCH_BASKET": Reason.EXPORT_VANISHED,
}
ALWAYS = SessionId("always")
"""Names of baskets hold across logins, so one session is as good as another."""


def settings_of(name: str, section: RecorderConfig) -> object:
    return name, section.url, section.username


def make(
    name: str,
    section: RecorderConfig,
    clock: Clock,
    _new_session: Callable[[], SessionId],
) -> "PulledRecorder":
    return PulledRecorder(name, section, clock)


class PulledRecorder:
    """An archive that footage is fetched from."""

    def __init__(self, name: str, section: RecorderConfig, clock: Clock) -> None:
        self._name = name
        self._section = section
        self._clock = clock
        self._archive = ARCHIVES[section.url]
        self._info: SessionInfo | None = None

    async def open_session(self) -> SessionInfo:
        with self._speaking(acts=False):
            try:
                theirs = self._archive.greet(
                    self._section.username, self._section.password.reveal()
                )
            except Denied as denied:
                raise RecorderError(
                    Reason.LOGIN_REFUSED, denied.word, is_sent=False
                ) from None
        now = self._clock.now()
        offset = ClockOffset(
            lowest=theirs - now,
            highest=theirs - now,
            measured_at=now,
            skew_s=now.timestamp() - self._clock.monotonic(),
        )
        self._info = SessionInfo(session=ALWAYS, offset=offset, version="7")
        return self._info

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        info = self._info or await self.open_session()
        with self._speaking(acts=True):
            try:
                name = self._archive.fill(_cuts(order))
            except Denied as denied:
                return info, _refusal(denied)
        return info, Answer(code="FILLING", handle=handle_of({"basket": name}))

    async def delete_export(self, handle: Handle) -> Answer:
        with self._speaking(acts=True):
            try:
                self._archive.throw_away(parts_of(handle).get("basket", ""))
            except Denied as denied:
                return _refusal(denied)
        return Answer(code="THROWN_AWAY")

    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        verdicts: dict[int, Verdict] = {}
        with self._speaking(acts=False):
            for export in exports:
                name = parts_of(export.handle).get("basket")
                name = name or self._archive.find(_cuts(export.order))
                share = self._archive.share_of(name) if name else None
                if name is not None and share is not None:
                    verdicts[export.id] = _verdict(export, name, share)
        return Followed(session=ALWAYS, verdicts=verdicts)

    async def devices(self) -> tuple[Device, ...]:
        with self._speaking(acts=False):
            channels = self._archive.channels
        return tuple(
            Device(address=_address(channel), name=name)
            for channel, name in channels.items()
        )

    async def has_video(self, address: Address, _window: Window) -> bool | None:
        with self._speaking(acts=False):
            try:
                return self._archive.has(_channel(address))
            except Denied:
                return None

    async def recorded(
        self, _address: Address, _window: Window
    ) -> tuple[datetime, ...] | None:
        return None

    async def picture(self, _address: Address, _at: datetime) -> bytes | None:
        return None

    async def tag(self, order: TagOrder) -> Answer:
        text = f"an archive keeps all it has; {order.title} was not asked for"
        raise RecorderError(Reason.BAD_REQUEST, text, is_sent=False)

    async def tagged(self, _tags: Sequence[Tag]) -> Mapping[TagKey, str]:
        return {}

    async def fitness(self, _info: SessionInfo) -> Fitness:
        return Fitness(is_fit=True, text="it can export")

    def describe(self, order: ExportOrder) -> RequestText:
        lines = (f"{c} {start} {end}" for c, start, end in _cuts(order))
        return RequestText(head="FILL", body="\n".join(lines))

    async def close(self) -> None:
        pass

    @contextmanager
    def _speaking(self, *, acts: bool) -> Iterator[None]:
        try:
            yield
        except Silence as silence:
            is_sent = acts and silence.was_heard
            reason = Reason.TIMEOUT if silence.was_heard else Reason.UNREACHABLE
            text = f"the archive {self._name} does not answer"
            raise RecorderError(reason, text, is_sent=is_sent) from None


def _refusal(denied: Denied) -> Answer:
    reason = REASONS.get(denied.word, Reason.RECORDER_FAULT)
    return Answer(reason=reason, code=denied.word)


def _verdict(export: ExportRequest, name: str, share: float) -> Verdict:
    percent = DONE_PERCENT * share
    devices = tuple(replace(each, percent=percent) for each in export.devices)
    clips = frozenset(each.clip for each in devices)
    return Verdict(
        devices=devices,
        done=clips if share == 1.0 else frozenset(),
        failed=frozenset(),
        handle=handle_of({"basket": name}),
    )


def _cuts(order: ExportOrder) -> tuple[Cut, ...]:
    return tuple(
        (_channel(each.address), each.window.start, each.window.end)
        for each in order.devices
    )


def _channel(address: Address) -> int:
    return int(parts_of(address)["device"]) - FIRST


def _address(channel: int) -> Address:
    return address_of({"server": "1001", "device": str(FIRST + channel)})


FIRST = 2000
"""The file names cameras by a server and a device: channel 1 is device 2001 there."""
