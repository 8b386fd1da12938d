"""State topics under our base topic; a broker that refuses them stops no alarm.

Some refuse with a reason, some hang up (RabbitMQ, aedes, HiveMQ: MQTT 3.1.1 has no
other way). Then each connection would end with our first words on it, and no alarm
come through: after two such ends nothing is published for ten minutes.
"""

from structlog.typing import FilteringBoundLogger

from evidenced.core.streak import Streak
from evidenced.mqtt.connection import Connection
from evidenced.mqtt.problems import BrokerError
from evidenced.mqtt.settings import BrokerSettings

STATUS = "status"
ENDS = 2
"""Connections in a row that ended while we published, and nothing was: no accident."""
PAUSE_S = 600.0


class StateTopics:
    """Publishes on the connection it is given; tells of refusals once a streak."""

    def __init__(self, settings: BrokerSettings, log: FilteringBoundLogger) -> None:
        self._base_topic = settings.base_topic
        self._is_look = not settings.is_kept
        self._log = log
        self._refused = Streak()
        self._is_cut = False
        self._ends = 0
        self._paused_until = 0.0

    @property
    def is_refused(self) -> bool:
        """Whether the broker took the last one not."""
        return bool(self._refused.count)

    def paused_for(self, now: float) -> float:
        """Seconds in which nothing is to be published."""
        return max(self._paused_until - now, 0.0)

    def ended(self, now: float) -> bool:
        """The connection did, by the broker; whether for what we published."""
        is_cut, self._is_cut = self._is_cut, False
        if not is_cut:
            return False
        self._ends += 1
        if self._ends >= ENDS:
            self._paused_until = now + PAUSE_S
            self._log.warning(
                "the broker hangs up when we publish; no states for ten minutes",
                topic=f"{self._base_topic}/#",
            )
        return True

    async def announce(
        self, connection: Connection, payload: bytes, now: float
    ) -> None:
        """Retain whether we are online, where the last will would say otherwise."""
        if self._base_topic and not self.paused_for(now):
            said = b"" if self._is_look else payload  # a look leaves nothing behind
            await self.publish(connection, STATUS, said, retain=True)

    async def publish(
        self, connection: Connection, topic: str, payload: bytes, *, retain: bool
    ) -> bool:
        """Whether it is settled, published or refused.

        It is not when the connection ended before the answer: publish again.
        """
        full = f"{self._base_topic}/{topic}"
        is_answered = False
        try:
            code = await connection.publish(full, payload, retain=retain)
        except BrokerError as why:
            if not connection.is_open:
                return False
            is_answered = True
            self._note_refused(full, str(why))
            return True
        else:
            is_answered = True
        finally:
            self._is_cut |= not is_answered
        self._ends = 0
        # 0x10, no matching subscribers, is a success. Source: MQTT 5.0, 3.4.2.1.
        if code.is_failure:
            self._note_refused(full, str(code))
        else:
            self._refused.over()
        return True

    def _note_refused(self, topic: str, why: str) -> None:
        if self._refused.met():
            self._log.warning(
                "the broker refuses our state topics; alarms are not affected",
                topic=topic,
                reason=why,
            )
