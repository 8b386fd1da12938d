"""The recorder's commands, as the port wants them."""

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar
from urllib.parse import quote, urlencode

from evidenced.core.address import Address, Handle
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.following import Followed
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.instants import SECOND, ZERO
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
from evidenced.kinds.sense import FURTHEST_TAG, names_one_camera
from evidenced.ports import Clock
from evidenced.sense.address import (
    ExportId,
    read_address,
    read_handle,
    sense_handle,
)
from evidenced.sense.codes import (
    ACTION_CODES,
    EXPLAINED,
    EXPORT_CODES,
    GENERAL_ERROR,
    NO_TAG,
    answer_of,
)
from evidenced.sense.document import Unreadable, clean
from evidenced.sense.faults import SessionEnded
from evidenced.sense.fitness import LICENSE, too_old
from evidenced.sense.listed import ListedExport, ListedTag, Listing
from evidenced.sense.login import ApiSession, Login
from evidenced.sense.matching import find_tags, follow
from evidenced.sense.replies import (
    MOST_IMAGES,
    NoResult,
    Result,
    in_utc,
    read_devices,
    read_exportid,
    read_exports,
    read_has_video,
    read_images,
    read_license,
    read_result,
    read_tags,
)
from evidenced.sense.settings import SenseSettings
from evidenced.sense.transport import (
    LIST_LIMIT,
    PICTURE_LIMIT,
    RESULT_LIMIT,
    Call,
    Reply,
    Transport,
)
from evidenced.sense.wire import render_order, render_timestamp

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
        # Commands that were ever answered well: a strange code is then no habit.
        self._worked: set[str] = set()
        # Sessions here end in a way that an export cannot tell from a fault.
        self._is_wary = False
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
        call = _order_call(order)
        session, result, exportid = await self._act(call, read_exportid, EXPORT_CODES)
        if result.code >= 0 and exportid is None:
            raise self._garbage(call, Unreadable("holds no exportid"))
        answer = answer_of(result.code, result.text, EXPORT_CODES)
        handle = sense_handle(exportid, session.info.session) if exportid else None
        return session.info, replace(answer, handle=handle)

    async def _act(
        self, call: Call, read: Callable[[Result], T], own: Container[int]
    ) -> tuple[ApiSession, Result, T]:
        """Ask for what must not be done twice: repeated only after a clear 401 or 403.

        `own` are codes that the command means by itself. Any other may be how an ended
        session looks, so the next such call looks first whether it still holds; where
        sessions were seen to end so, each does.
        """
        session = await self._login.current()
        if session.is_doubtful or self._is_wary:
            settled = await self._settled()
            self._is_wary = self._is_wary or settled is not session
            session = settled
        try:
            result, value = await self._run(session, call, read)
        except SessionEnded as ended:
            self._login.forget(session)
            if not ended.is_clear:
                self._is_wary = True
                raise
            session = await self._login.renewed(session)
            result, value = await self._run(session, call, read)
        if result.code < 0 and result.code not in own:
            session.is_doubtful = True
        return session, result, value

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
        target = _target("exportVideo", {"exportid": exportid})
        call = Call(what="exportVideo", target=target, method="DELETE", acts=True)
        try:
            result, _ = await self._run(opened, call, read_exportid)
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
        call = Call(
            what="executeAction",
            target=_target("executeAction", _tag_query(order, self._clock.now())),
            acts=True,
        )
        _, result, _ = await self._act(call, read_exportid, ACTION_CODES)
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
        call = _get("getVideoTagList", limit=LIST_LIMIT)
        _, tags = await self._ask(call, read_tags)
        return tags

    async def exports(self) -> Listing:
        """The whole status list, times as they stand in it.

        Raises:
            RecorderError: RECORDER_FAULT for a negative code; else as the port says.
        """
        call = _get("getExportVideoStatus", limit=LIST_LIMIT)
        session, exports = await self._ask(call, read_exports)
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
            query = {"exportid": number.exportid}
            call = _get("getExportVideoStatus", query, limit=LIST_LIMIT)
            try:
                result, entries = await self._run(session, call, read_exports)
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
        call = _get("getDeviceList", limit=LIST_LIMIT)
        _, devices = await self._ask(call, read_devices)
        return devices

    async def has_video(self, address: Address, window: Window) -> bool | None:
        """Whether anything is recorded in the window; None when it cannot be told.

        Source: sense-api.md B6, getImageSequence with limit 1.
        """
        _, found = await self._ask(_images(address, window, 1), read_has_video)
        return found

    async def recorded(
        self, address: Address, window: Window
    ) -> tuple[datetime, ...] | None:
        """See ports.RecorderPort. Source: sense-api.md B6, getImageSequence."""
        call = _images(address, window, MOST_IMAGES, limit=LIST_LIMIT)
        _, found = await self._ask(call, read_images)
        return None if found is None else in_utc(found, window)

    async def picture(self, address: Address, at: datetime) -> bytes | None:
        """See ports.RecorderPort. Source: sense-api.md B6, getHistoricalImage.

        The image at that time or the next one: lists may give whole seconds only.
        """
        uids = read_address(address)
        query = {
            "serverid": uids.server,
            "cameraid": uids.device,
            "time": render_timestamp(at),
            "type": "atorafter",
        }
        call = _get("getHistoricalImage", query, limit=PICTURE_LIMIT)
        _, data = await self._ask(call, attrgetter("picture"))
        return data or None

    async def fitness(self, info: SessionInfo) -> Fitness:
        """Whether it can export at all. Source: sense-api.md part A and B7.

        Raises:
            RecorderError: it gave no usable answer.
        """
        if (old := too_old(info.version)) is not None:
            return Fitness(is_fit=False, text=old)
        call = _get("getSystemStatus", limit=LIST_LIMIT)
        _, is_licensed = await self._ask(call, read_license)
        return Fitness(is_fit=is_licensed, text=LICENSE[is_licensed])

    def describe(self, order: ExportOrder) -> RequestText:
        """The body byte for byte: what is shown is what would be sent."""
        call = _order_call(order)
        body = (call.body or b"").decode()
        return RequestText(head=f"{call.method} {call.target}", body=body)

    async def close(self) -> None:
        """Let go of connections. Never raises."""
        await self._transport.close()

    async def _ask(
        self, call: Call, read: Callable[[Result], T]
    ) -> tuple[ApiSession, T]:
        """Ask for something that changes nothing: repeated once after a new login."""
        session = await self._login.current()
        try:
            return session, await self._ask_once(session, call, read)
        except SessionEnded:
            session = await self._login.renewed(session)
            return session, await self._ask_once(session, call, read)

    async def _ask_once(
        self, session: ApiSession, call: Call, read: Callable[[Result], T]
    ) -> T:
        result, value = await self._run(session, call, read)
        explained = EXPLAINED[call.what]
        text = f"{call.what} was refused with {result.code} {result.text}".strip()
        if result.code < 0 and result.code not in explained:
            if call.what in self._worked or session.is_doubtful:
                raise SessionEnded(Reason.RECORDER_FAULT, text, is_sent=False)
            session.is_doubtful = True
        elif result.code != GENERAL_ERROR:
            session.is_doubtful = False
        if result.code >= 0:
            self._worked.add(call.what)
        if result.code < 0 and call.what in _LISTS and result.code != NO_TAG:
            raise RecorderError(Reason.RECORDER_FAULT, text, is_sent=False)
        return value

    async def _run(
        self, session: ApiSession, call: Call, read: Callable[[Result], T]
    ) -> tuple[Result, T]:
        """One exchange in this session, to a result of whatever code.

        Raises:
            SessionEnded: 401, 403, a redirect, or something else than a result.
            RecorderError: it gave no usable answer.
        """

        def parse(body: bytes) -> tuple[Result, T]:
            result = read_result(body)
            text = result.text.replace(session.key, "***")
            result = replace(result, text=text)
            return result, read(result)

        reply = await self._transport.send(call, session.key)
        self._check_status(reply, call)
        try:
            if len(reply.body) > _LONG:
                return await asyncio.to_thread(parse, reply.body)
            return parse(reply.body)
        except NoResult as fault:
            text = str(self._garbage(call, fault))
            raise SessionEnded(Reason.GARBAGE, text, is_sent=call.acts) from None
        except Unreadable as fault:
            raise self._garbage(call, fault) from None

    def _check_status(self, reply: Reply, call: Call) -> None:
        text = f"{self._transport.place} answered {call.what} with HTTP {reply.status}"
        match reply.status:
            case 401 | 403:
                raise SessionEnded(
                    Reason.LOGIN_REFUSED, text, is_sent=False, is_clear=True
                )
            case status if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own
                return
            case status if 300 <= status < 400:  # noqa: PLR2004
                raise SessionEnded(Reason.GARBAGE, text, is_sent=call.acts)
            case status if status >= 500:  # noqa: PLR2004
                raise RecorderError(Reason.SERVER_ERROR, text, is_sent=call.acts)
            case _:
                raise RecorderError(Reason.GARBAGE, text, is_sent=call.acts)

    def _garbage(self, call: Call, fault: Unreadable) -> RecorderError:
        text = f"the answer of {self._transport.place} to {call.what} {fault}"
        return RecorderError(Reason.GARBAGE, text, is_sent=call.acts)

    async def _settled(self) -> ApiSession:
        """A session that surely holds, before something is sent that may act.

        exportVideo answered with a code that explains nothing, which may be how an
        ended session looks; only a command that changes nothing may find out.
        """
        try:
            await self.exports()
        except RecorderError as fault:
            if fault.reason is not Reason.RECORDER_FAULT:
                raise
        return await self._login.current()


_LONG = 1 << 16
"""Bytes of a reply that are parsed beside the event loop: more than some 20 ms."""

_LISTS = frozenset({"getExportVideoStatus", "getVideoTagList", "getDeviceList"})


def _order_call(order: ExportOrder) -> Call:
    try:
        body = render_order(order)
    except ValueError:
        text = "the order holds a character that XML cannot carry; nothing was sent"
        raise RecorderError(Reason.BAD_REQUEST, text, is_sent=False) from None
    target = _target("exportVideo", {})
    return Call(what="exportVideo", target=target, method="POST", body=body, acts=True)


def _tag_query(order: TagOrder, now: datetime) -> dict[str, str]:
    """Whole seconds around the recorder's now, rounded outwards.

    Always with an end: without one the recorder would tag until it is stopped.
    """
    uids = read_address(order.address)
    before = min(max(now - order.window.start, ZERO), FURTHEST_TAG)
    return {
        "actionname": "server.tagVideoStart",
        "serverid": uids.server,
        "deviceid": uids.device,
        "pretime": str(_seconds(before)),
        "posttime": str(max(1, _seconds(order.window.end - now))),
        "title": order.title,
        "comment": order.comment,
    }


def _seconds(length: timedelta) -> int:
    return -(-length // SECOND)


def _get(
    command: str, query: Mapping[str, str] | None = None, *, limit: int = RESULT_LIMIT
) -> Call:
    return Call(what=command, target=_target(command, query or {}), limit=limit)


def _images(
    address: Address, window: Window, most: int, *, limit: int = RESULT_LIMIT
) -> Call:
    """Asks for so many recorded images of the window. Source: sense-api.md B6."""
    uids = read_address(address)
    query = {
        "serverid": uids.server,
        "cameraid": uids.device,
        "starttime": render_timestamp(window.start),
        "endtime": render_timestamp(window.end),
        "limit": str(most),
    }
    return _get("getImageSequence", query, limit=limit)


def _target(command: str, query: Mapping[str, str]) -> str:
    """Percent-encoded whole; a blank as %20, as it is unknown if + is read (B4)."""
    query = {"command": command, **query}
    return "/command?" + urlencode(query, quote_via=quote, errors="replace")


def _vanished(exportid: ExportId) -> RecorderError:
    text = f"the API session that export {clean(exportid, 64)} belonged to has ended"
    return RecorderError(Reason.EXPORT_VANISHED, text, is_sent=False)
