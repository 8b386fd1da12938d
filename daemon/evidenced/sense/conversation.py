"""What is said to the recorder and answered, and what is asked again after a new login.

What changes nothing is asked once more; what may act is sent again only after a clear
401 or 403, and after a strange answer not before a command that changes nothing has
shown that the session holds: otherwise an ended session would make an export twice.
"""

import asyncio
from collections.abc import Callable, Container
from dataclasses import replace
from typing import TypeVar

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.phrase import phrase
from evidenced.sense.calls import status_list
from evidenced.sense.codes import EXPLAINED, GENERAL_ERROR, NO_TAG
from evidenced.sense.document import Unreadable
from evidenced.sense.faults import SessionEnded
from evidenced.sense.login import ApiSession, Login
from evidenced.sense.replies import NoResult, Result, read_exports, read_result
from evidenced.sense.transport import Call, Reply, Transport

T = TypeVar("T")

_LONG = 1 << 16
"""Bytes of a reply that are parsed beside the event loop: more than some 20 ms."""

_LISTS = frozenset({"getExportVideoStatus", "getVideoTagList", "getDeviceList"})


class Conversation:
    """Commands in the session that is open, or in a new one. Retries nothing else."""

    def __init__(self, login: Login, transport: Transport) -> None:
        self._login = login
        self._transport = transport
        # Commands that were ever answered well: a strange code is then no habit.
        self._worked: set[str] = set()
        # Sessions here end in a way that an export cannot tell from a fault.
        self._is_wary = False

    async def act(
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
            result, value = await self.run(session, call, read)
        except SessionEnded as ended:
            self._login.forget(session)
            if not ended.is_clear:
                self._is_wary = True
                raise
            session = await self._login.renewed(session)
            result, value = await self.run(session, call, read)
        if result.code < 0 and result.code not in own:
            session.is_doubtful = True
        return session, result, value

    async def ask(
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
        result, value = await self.run(session, call, read)
        explained = EXPLAINED[call.what]
        text = phrase(
            "{what} was refused with {code} {text}",
            what=call.what,
            code=result.code,
            text=result.text,
        ).strip()
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

    async def run(
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
            text = str(self.garbage(call, fault))
            raise SessionEnded(Reason.GARBAGE, text, is_sent=call.acts) from None
        except Unreadable as fault:
            raise self.garbage(call, fault) from None

    def _check_status(self, reply: Reply, call: Call) -> None:
        text = phrase(
            "{place} answered {what} with HTTP {status}",
            place=self._transport.place,
            what=call.what,
            status=reply.status,
        )
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

    def garbage(self, call: Call, fault: Unreadable) -> RecorderError:
        text = phrase(
            "the answer of {place} to {what} {fault}",
            place=self._transport.place,
            what=call.what,
            fault=fault,
        )
        return RecorderError(Reason.GARBAGE, text, is_sent=call.acts)

    async def _settled(self) -> ApiSession:
        """A session that surely holds, before something is sent that may act.

        exportVideo answered with a code that explains nothing, which may be how an
        ended session looks; only a command that changes nothing may find out.
        """
        try:
            await self.ask(status_list(), read_exports)
        except RecorderError as fault:
            if fault.reason is not Reason.RECORDER_FAULT:
                raise
        return await self._login.current()
