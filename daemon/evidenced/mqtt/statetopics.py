"""State topics under our base topic; a broker that refuses them stops no alarm."""

from structlog.typing import FilteringBoundLogger

from evidenced.core.streak import Streak
from evidenced.mqtt.connection import Connection
from evidenced.mqtt.problems import BrokerError

STATUS = "status"


class StateTopics:
    """Publishes on the connection it is given; tells of refusals once a streak."""

    def __init__(self, base_topic: str, log: FilteringBoundLogger) -> None:
        self._base_topic = base_topic
        self._log = log
        self._refused = Streak()

    async def announce(self, connection: Connection, payload: bytes) -> None:
        """Retain whether we are online, where the last will would say otherwise."""
        if self._base_topic:
            await self.publish(connection, STATUS, payload, retain=True)

    async def publish(
        self, connection: Connection, topic: str, payload: bytes, *, retain: bool
    ) -> bool:
        """Whether it is settled, published or refused.

        It is not when the connection ended before the answer: publish again.
        """
        full = f"{self._base_topic}/{topic}"
        try:
            code = await connection.publish(full, payload, retain=retain)
        except BrokerError as why:
            if not connection.is_open:
                return False
            self._note_refused(full, str(why))
            return True
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
