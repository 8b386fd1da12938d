"""The recorder's commands, as the port wants them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

from evidenced.core.address import Address, Handle
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.following import Followed
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.keeping.tag import Tag, TagKey, TagOrder
from evidenced.core.recorder import (
    Answer,
    Device,
    ExportOrder,
    Fitness,
    RequestText,
    SessionInfo,
)
from evidenced.core.window import Window
from evidenced.kinds.sense import names_one_camera
from evidenced.ports import Clock
from evidenced.sense.address import (
    ExportId,
    read_address,
    read_handle,
    sense_handle,
)
from evidenced.sense.calls import (
    export_call,
    get,
    images_call,
    picture_call,
    status_list,
    tag_call,
    withdrawal,
)
from evidenced.sense.codes import (
    ACTION_CODES,
    EXPORT_CODES,
    answer_of,
)
from evidenced.sense.conversation import Conversation
from evidenced.sense.document import Unreadable, clean
from evidenced.sense.faults import SessionEnded
from evidenced.sense.fitness import LICENSE, too_old
from evidenced.sense.listed import ListedExport, ListedTag, Listing
from evidenced.sense.login import ApiSession, Login
from evidenced.sense.matching import find_tags, follow
from evidenced.sense.replies import (
    MOST_IMAGES,
    in_utc,
    read_devices,
    read_exportid,
    read_exports,
    read_has_video,
    read_images,
    read_license,
    read_tags,
)
from evidenced.sense.settings import SenseSettings
from evidenced.sense.transport import (
    LIST_LIMIT,
    Transport,
)

T = TypeVar("T")


class SenseClient:
    """A VDG Sense recorder, as `RecorderPort`. Logs nothing, retries nothing."""

    def __init__(
        self,
        settings: SenseSettings,
        clock: Clock,
        new_session: Callable[[], SessionId],
        transport: Transport | None = None,
    ) -> None:
        """`transport`: one of these settings, other than HTTP in the simulation."""
        self._transport = transport or Transport(settings)
        self._clock = clock
        self._login = Login(settings, self._transport, clock, new_session)
        self._talk = Conversation(self._login, self._transport)
        # Asked for one export, it lists them all.
        self._lists_all = False

    async def open_session(self) -> SessionInfo:
        """Measure the clock (/info), then log in; an open session is kept as it is.

        Raises:
            RecorderError: LOGIN_REFUSED, UNREACHABLE, TIMEOUT, SERVER_ERROR, GARBAGE.
        """
        return (await self._login.measured()).info

    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        """Send one exportVideo; repeated only after a clear 401 or 403.

        Raises:
            RecorderError: as the port says; `is_sent` when the outcome is unknown, and
                then the next call looks whether the session still holds, and where an
                ended one answers with a page, so does each call after it: a session
                that is idle between two tries would be over each time. BAD_REQUEST
                when the order holds a character that XML cannot carry.
        """
        call = export_call(order)
        session, result, exportid = await self._talk.act(
            call, read_exportid, EXPORT_CODES
        )
        if result.code >= 0 and exportid is None:
            raise self._talk.garbage(call, Unreadable("holds no exportid"))
        answer = answer_of(result.code, result.text, EXPORT_CODES)
        handle = sense_handle(exportid, session.info.session) if exportid else None
        return session.info, replace(answer, handle=handle)

    async def delete_export(self, handle: Handle) -> Answer:
        """Withdraw a pending export of the session that is open now.

        Never logs in: in another session the number may be another export's.

        Raises:
            RecorderError: EXPORT_VANISHED when its session is gone; else as the port.
        """
        exportid, session = read_handle(handle)
        opened = self._login.opened
        if opened is None or session != opened.info.session:
            raise _vanished(exportid)
        call = withdrawal(exportid)
        try:
            result, _ = await self._talk.run(opened, call, read_exportid)
        except SessionEnded as ended:
            self._login.forget(opened)
            if ended.is_clear:
                raise _vanished(exportid) from None
            raise
        return answer_of(result.code, result.text, EXPORT_CODES)

    async def tag(self, order: TagOrder) -> Answer:
        """Send one tagVideoStart; repeated only after a clear 401 or 403.

        Raises:
            RecorderError: BAD_REQUEST, and nothing is sent, where server and device do
                not name one camera: it would be set on all. Else as the port says.
        """
        if not names_one_camera(order.address):
            uids = read_address(order.address)
            text = (
                f"a tag for server {clean(uids.server, 64)!r}, device "
                f"{clean(uids.device, 64)!r} might be set on every camera; it was not "
                "sent: both must be the recorder's numbers, above 0"
            )
            raise RecorderError(Reason.BAD_REQUEST, text, is_sent=False)
        call = tag_call(order, self._clock.now())
        _, result, _ = await self._talk.act(call, read_exportid, ACTION_CODES)
        return answer_of(result.code, result.text, ACTION_CODES)

    async def tagged(self, tags: Sequence[Tag]) -> Mapping[TagKey, str]:
        """Which of these tags of ours the recorder lists, and by what number.

        Raises:
            RecorderError: as `tags`.
        """
        return find_tags(tags, await self.tags())

    async def tags(self) -> tuple[ListedTag, ...]:
        """The whole list of tags; -26 says that there are none.

        Raises:
            RecorderError: RECORDER_FAULT for another negative code; else as the port.
        """
        call = get("getVideoTagList", limit=LIST_LIMIT)
        _, tags = await self._talk.ask(call, read_tags)
        return tags

    async def exports(self) -> Listing:
        """The whole status list, times as they stand in it.

        Raises:
            RecorderError: RECORDER_FAULT for a negative code; else as the port says.
        """
        session, exports = await self._talk.ask(status_list(), read_exports)
        return Listing(session=session.info.session, exports=exports)

    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        """How these exports of ours are doing.

        Each is asked for by its number, for the list holds whatever ever ended and may
        be thousands of entries long. The list is asked for what no number leads to: an
        answer that was lost, a session that ended, a number that is another's by now.

        Raises:
            RecorderError: as `exports`.
        """
        opened = self._login.opened
        followed = await self._by_number(opened, exports) if opened else None
        return followed or follow(exports, await self.exports())

    async def _by_number(
        self, session: ApiSession, exports: Sequence[ExportRequest]
    ) -> Followed | None:
        """The same, where this session numbered them all; None if the list has to say.

        Source: sense-api.md B2 2.6, and 2.11 for what an unknown number may bring.
        """
        name = session.info.session
        numbers = [read_handle(each.handle) for each in exports if each.handle]
        is_ours = all(number.session == name for number in numbers)
        if self._lists_all or not is_ours or len(numbers) < len(exports):
            return None
        listed: list[ListedExport] = []
        for number in numbers:
            call = status_list(number.exportid)
            try:
                result, entries = await self._talk.run(session, call, read_exports)
            except SessionEnded:
                return None  # or so it seems: the list tells, and logs in again
            if len(entries) > 1:
                self._lists_all = True
            if result.code < 0 or len(entries) != 1:
                return None
            listed += entries
        followed = follow(exports, Listing(session=name, exports=tuple(listed)))
        return followed if len(followed.verdicts) == len(exports) else None

    async def devices(self) -> tuple[Device, ...]:
        """All devices of all servers.

        Raises:
            RecorderError: RECORDER_FAULT for a negative code; else as the port says.
        """
        call = get("getDeviceList", limit=LIST_LIMIT)
        _, devices = await self._talk.ask(call, read_devices)
        return devices

    async def has_video(self, address: Address, window: Window) -> bool | None:
        """Whether anything is recorded in the window; None when it cannot be told.

        Source: sense-api.md B6, getImageSequence with limit 1.
        """
        _, found = await self._talk.ask(images_call(address, window, 1), read_has_video)
        return found

    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        """See ports.RecorderPort. Source: sense-api.md B6, getImageSequence."""
        call = images_call(address, window, MOST_IMAGES, limit=LIST_LIMIT)
        _, found = await self._talk.ask(call, read_images)
        return None if found is None else in_utc(found, window)

    async def picture(self, address: Address, at: datetime) -> bytes | None:
        """See ports.RecorderPort. Source: sense-api.md B6, getHistoricalImage."""
        call = picture_call(address, at)
        _, data = await self._talk.ask(call, attrgetter("picture"))
        return data or None

    async def fitness(self, info: SessionInfo) -> Fitness:
        """Whether it can export at all. Source: sense-api.md part A and B7.

        Raises:
            RecorderError: it gave no usable answer.
        """
        if (old := too_old(info.version)) is not None:
            return Fitness(is_fit=False, text=old)
        call = get("getSystemStatus", limit=LIST_LIMIT)
        _, is_licensed = await self._talk.ask(call, read_license)
        return Fitness(is_fit=is_licensed, text=LICENSE[is_licensed])

    def describe(self, order: ExportOrder) -> RequestText:
        """The body byte for byte: what is shown is what would be sent."""
        call = export_call(order)
        body = (call.body or b"").decode()
        return RequestText(head=f"{call.method} {call.target}", body=body)

    async def close(self) -> None:
        """Let go of connections. Never raises."""
        await self._transport.close()


def _vanished(exportid: ExportId) -> RecorderError:
    text = f"the API session that export {clean(exportid, 64)} belonged to has ended"
    return RecorderError(Reason.EXPORT_VANISHED, text, is_sent=False)
