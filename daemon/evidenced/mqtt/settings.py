"""How to reach one broker, and what session to keep there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from evidenced.core.instants import MINUTE, SECOND, ZERO

MAX_INFLIGHT = 0xFFFF
"""Receive Maximum is a two byte integer. Source: MQTT 5.0, 3.1.2.11.3."""

MAX_SESSION_EXPIRY = timedelta(seconds=0xFFFF_FFFE)
"""One more would mean "never expires". Source: MQTT 5.0, 3.1.2.11.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """The broker's address, our login and the session; checked once, without secrets.

    `password` is asked at each connect, so that a rotated secret is picked up.
    `base_topic` stands before every topic that we publish, without a slash at its end;
    empty publishes nothing and leaves no last will.
    `is_kept` is False for a look at the broker: with 3.1.1, whose sessions know no
    expiry, the broker forgets it with the connection.
    `websocket_path` is that of MQTT over WebSocket; empty: over TCP alone.
    `session_expiry` and `inflight` (Receive Maximum) exist in MQTT 5 only; a 3.1.1
    broker has its own limits (mosquitto: max_inflight_messages, 20).

    Raises:
        ValueError: a value is out of its range.
    """

    host: str
    port: int
    client_id: str
    tls: bool = False
    websocket_path: str = ""
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    username: str | None = None
    password: Callable[[], str] | None = field(default=None, repr=False)
    session_expiry: timedelta = timedelta(days=7)
    qos: int = 1
    inflight: int = 256
    keepalive: timedelta = timedelta(seconds=30)
    base_topic: str = ""
    is_kept: bool = True
    retry_first: timedelta = SECOND
    retry_max: timedelta = MINUTE

    def __post_init__(self) -> None:
        if self.qos not in {0, 1}:
            # paho answers PUBREC before we see the message, and with it the broker
            # lets go: a crash before the commit would lose an alarm. QoS 1 cannot, and
            # its duplicates are recognised.
            raise ValueError(
                f"qos = {self.qos} is not supported: use 1, which loses nothing either"
            )
        if not self.client_id:
            raise ValueError("client_id is empty: a session is kept under its name")
        if not 1 <= self.inflight <= MAX_INFLIGHT:
            raise ValueError(f"inflight = {self.inflight} is not in 1..{MAX_INFLIGHT}")
        if not ZERO < self.session_expiry <= MAX_SESSION_EXPIRY:
            raise ValueError(f"session_expiry = {self.session_expiry} is out of range")

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_v5(self) -> bool:
        return self.protocol == "5"

    @property
    def status_topic(self) -> str:
        """Where `online` and `offline` are retained; empty: nothing is published."""
        return f"{self.base_topic}/status" if self.base_topic else ""
