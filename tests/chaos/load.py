"""Alarms at a steady pace, and the broker's word that it has them."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fakes.installation import DEADLINE_S

PACE_S = 0.1
"""Between two alarms: always some on their way."""
TWICE = 7
"""Every seventh alarm is sent twice, byte for byte, as systems do that hear no answer:
with another time it would be another alarm."""
REFUSED = 0x80


class Load:
    """Alarm n comes from site `s<n>`, has the event id n and a time of its own.

    So what becomes of each can be told apart, and so can their windows. It speaks to
    the broker with a kept session: what the broker has not confirmed when it dies is
    sent again. While there `is_enough` to do nothing is sent.
    """

    def __init__(
        self, port: int, is_enough: Callable[[], bool] = lambda: False
    ) -> None:
        self.confirmed: set[str] = set()
        """Topics of alarms that the broker has acknowledged to us."""
        self.sent = 0
        self._at = datetime.now(UTC)
        self._open: dict[int, str] = {}
        self._done: deque[int] = deque()
        self._ending = Event()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="load", protocol=MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._port = port
        self._is_enough = is_enough
        self._thread = Thread(target=self._work, name="load", daemon=True)

    async def __aenter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        self._client.connect(
            "127.0.0.1", self._port, clean_start=False, properties=properties
        )
        self._client.loop_start()
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end() if kind is None else self._ending.set()
        await asyncio.to_thread(self._thread.join)
        self._client.disconnect()
        self._client.loop_stop()

    async def end(self) -> None:
        """No more alarms; the broker has all that were sent."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join)
        await self._until(lambda: self._look() == self.sent)

    @property
    def last(self) -> str:
        return _topic(self.sent)

    async def more(self, count: int) -> None:
        """Wait till the broker has so many more alarms."""
        enough = self._look() + count
        await self._until(lambda: self._look() >= enough)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await self._news.wait()
                self._news.clear()

    def _work(self) -> None:
        while not self._ending.wait(PACE_S):
            if self._is_enough():
                continue
            self.sent += 1
            alarm = self._alarm()
            for _ in range(2 if self.sent % TWICE == 0 else 1):
                self._publish(_topic(self.sent), alarm)

    def _alarm(self) -> str:
        now = datetime.now(UTC)
        self._at = max(now, self._at + timedelta(milliseconds=1))
        at = self._at.isoformat(timespec="milliseconds")
        return json.dumps({"state": "active", "event": str(self.sent), "at": at})

    def _publish(self, topic: str, payload: str) -> None:
        # While there is no connection paho keeps it, and sends it when there is one.
        self._open[self._client.publish(topic, payload, 1).mid] = topic

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: Any, _more: object
    ) -> None:
        assert reason.value < REFUSED, f"the broker refused an alarm: {reason}"
        self._done.append(mid)  # a lock here would wait for paho's, held by publish
        self._loop.call_soon_threadsafe(self._news.set)

    def _look(self) -> int:
        """How many alarms the broker has confirmed."""
        for _ in range(len(self._done)):
            mid = self._done.popleft()
            if topic := self._open.pop(mid, None):
                self.confirmed.add(topic)
            else:  # confirmed before `publish` returned
                self._done.append(mid)
        return len(self.confirmed)


def _topic(number: int) -> str:
    return f"access/s{number}/forced"
