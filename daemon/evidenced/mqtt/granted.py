"""What the broker grants of what we ask for, and what it will not keep therefore.

MQTT lets a broker shorten the session or lower the quality, and it says so in CONNACK
and SUBACK only: nothing fails, until alarms are lost. Source: MQTT 5.0, 3.2.2.3 and
3.9.3. A 3.1.1 broker tells of the quality alone.
"""

from dataclasses import dataclass
from datetime import timedelta

from paho.mqtt.properties import Properties

from evidenced.core.spoken import spoken
from evidenced.mqtt.settings import BrokerSettings

LEAST_PACKET_BYTES = 8192
"""A state is smaller than that, whatever its incident is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """As the CONNACK says; None or the defaults where it says nothing."""

    session_expiry: timedelta | None = None
    packet_bytes: int | None = None
    retains: bool = True
    qos: int = 2
    inflight: int | None = None
    """Of our own publishes, before the first of them is confirmed."""

    def told(self, settings: BrokerSettings) -> str:
        """What it keeps of an absence and takes of us, in one line."""
        if not settings.is_v5:
            return (
                "with MQTT 3.1.1 a broker says nothing of how long it keeps a session "
                "and how many alarms in it"
            )
        kept = self.session_expiry or settings.session_expiry
        size = f"up to {self.packet_bytes} bytes" if self.packet_bytes else "any size"
        window = self.inflight or 65535
        return (
            f"keeps our session for {spoken(kept)}, QoS {min(self.qos, settings.qos)}, "
            f"{'retains' if self.retains else 'does not retain'} states, takes packets "
            f"of {size}, {window} of them at once; how many alarms it keeps, and "
            "whether over a restart of its own, no broker says (mosquitto: "
            "max_queued_messages, persistence, autosave_on_changes)"
        )

    def shortfalls(self, settings: BrokerSettings) -> list[str]:
        """A sentence for each thing that is less than what was asked for."""
        found = []
        kept, asked = self.session_expiry, settings.session_expiry
        if kept is not None and kept < asked:
            found.append(
                f"the broker keeps our session for {spoken(kept)}, not for mqtt."
                f"session_expiry ({spoken(asked)}): alarms of a longer absence are "
                "lost (RabbitMQ: mqtt.max_session_expiry_interval_seconds; ejabberd: "
                "session_expiry)"
            )
        if self.qos < settings.qos:
            found.append(
                "the broker takes QoS 0 only: what comes while the connection is down "
                "is lost (mosquitto: max_qos)"
            )
        if settings.base_topic and not self.retains:
            found.append(
                "the broker retains nothing: who subscribes to our states sees only "
                'those that change then; publish_prefix = "" publishes none'
            )
        least = self.packet_bytes
        if settings.base_topic and least is not None and least < LEAST_PACKET_BYTES:
            found.append(
                f"the broker takes packets of up to {least} bytes: some of our states "
                "will not be published"
            )
        return found


def granted_by(properties: Properties | None) -> Granted:
    """What a CONNACK says."""
    seconds = getattr(properties, "SessionExpiryInterval", None)
    return Granted(
        session_expiry=None if seconds is None else timedelta(seconds=seconds),
        packet_bytes=getattr(properties, "MaximumPacketSize", None),
        retains=bool(getattr(properties, "RetainAvailable", 1)),
        qos=getattr(properties, "MaximumQoS", 2),
        inflight=getattr(properties, "ReceiveMaximum", None),
    )
