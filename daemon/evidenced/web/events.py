"""/api/events: every state change as a server-sent event, to a bounded few.

With `?pulse=1` it only says that there was some, once a second at most: fifty screens
in a storm of alarms would take most of the daemon's time for events that they answer
by looking at the list (measured: a sixth of the incidents opened a second was left).

Source: html.spec.whatwg.org, 9.2. A client that connects again has missed what happened
in between and reads the list again: events are hints, the store is the truth.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from aiohttp import web

from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.history import Told
from evidenced.core.telling.objects import entry_object
from evidenced.ports import Live
from evidenced.web.answers import Denied, dump
from evidenced.web.users import ACCOUNT, USER, Users

Subscription = asyncio.Queue[Told | None]

PING = b": still here\n\n"
PULSE = b"event: changed\ndata: {}\n\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",  # else nginx holds events back
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Bounds on live streams: on all, and on those of one user.

    `pulse_s` is how often a pulse looks whether something changed.
    `keep_alive_s` is how long a stream is silent before a comment goes out, which also
    finds out that a client has left or is not let in any more.
    """

    streams: int = 100
    of_user: int = 20
    pulse_s: float = 1.0
    keep_alive_s: float = 15.0


class Events:
    def __init__(self, live: Live, users: Users, limits: StreamLimits) -> None:
        self._live = live
        self._users = users
        self._limits = limits
        self._feeds: set[Subscription] = set()
        self._open: Counter[str] = Counter()
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/events", self._stream, allow_head=False)]

    async def close(self, _app: web.Application) -> None:
        """End all streams; a full one ends by itself."""
        self._closing.set()
        for feed in self._feeds:
            with suppress(asyncio.QueueFull):
                feed.put_nowait(None)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        user = request[USER] if ACCOUNT in request else ""
        self._refuse_if_full(user)
        self._open[user] += 1
        is_pulse = request.query.get("pulse") == "1"
        try:
            async with aclosing(
                self._pulses() if is_pulse else self._events()
            ) as found:
                return await self._send(request, found)
        finally:
            self._open[user] -= 1

    def _refuse_if_full(self, user: str) -> None:
        limits = self._limits
        if self._closing.is_set() or self._open.total() >= limits.streams:
            raise _too_many(f"{limits.streams} streams are open already; close one")
        if user and self._open[user] >= limits.of_user:
            raise _too_many(f"{user} has {limits.of_user} streams open; close one")

    async def _send(
        self, request: web.Request, blocks: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Until the client leaves, or is not let in any more: then without a word.

        One that does not read is let go by its connection (`doors`).
        """
        response = web.StreamResponse(headers=HEADERS)
        with suppress(ConnectionError):
            await response.prepare(request)
            async for block in blocks:
                if not self._users.is_in(request):
                    break
                await response.write(block)
        return response

    async def _events(self) -> AsyncGenerator[bytes, None]:
        async with self._live.subscribe() as feed:
            self._feeds.add(feed)
            try:
                yield PING
                while not self._closing.is_set():
                    try:
                        async with asyncio.timeout(self._limits.keep_alive_s):
                            told = await feed.get()
                    except TimeoutError:
                        yield PING
                        continue
                    if told is None:
                        return
                    yield render_event(told)
            finally:
                self._feeds.discard(feed)

    async def _pulses(self) -> AsyncGenerator[bytes, None]:
        yield PING
        seen, silent_s = self._live.changes(), 0.0
        while not await self._is_closed_within(self._limits.pulse_s):
            head, silent_s = self._live.changes(), silent_s + self._limits.pulse_s
            if head != seen or silent_s >= self._limits.keep_alive_s:
                yield PING if head == seen else PULSE
                seen, silent_s = head, 0.0

    async def _is_closed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False


def _too_many(message: str) -> Denied:
    return Denied(503, "too-many-streams", message)


def render_event(told: Told) -> bytes:
    """One event on the wire; JSON in ASCII has no line end that could forge another."""
    entry = told.entry
    data = {"incident": entry.incident} | entry_object(entry)
    name = one_line(entry.event, 64)
    return f"id: {told.seq}\nevent: {name}\ndata: {dump(data)}\n\n".encode()
