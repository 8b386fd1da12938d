"""The broker that alarms come from and states go to."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from evidenced.config.forms import choice, duration, text, whole
from evidenced.config.secret import Secret
from evidenced.config.section import (
    FilePath,
    Section,
)
from evidenced.config.special import (
    address,
    secret,
)
from evidenced.core.instants import DAY

PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""Source: IANA service names mqtt and secure-mqtt."""
WEBSOCKET_PATH = "/mqtt"
"""What brokers call it, and their clients where nothing else is said."""


class MqttConfig(Section):
    url: Annotated[
        str,
        address(
            "mqtt",
            "mqtts",
            "ws",
            "wss",
            such_as="mqtts://broker.example:8883",
            with_path={"ws", "wss"},
        ),
    ] = Field(
        description="The broker; mqtts:// is TLS. ws:// and wss:// speak through web "
        "proxies, with a path, /mqtt unless it is written. Ports default to 1883, "
        "8883, 80 and 443.",
        examples=["mqtts://broker.example:8883"],
    )
    protocol: Annotated[str, choice("5", "3.1.1")] = Field(
        default="5",
        description='"3.1.1" is for brokers that know no better. The session is '
        "always persistent, so that the broker queues alarms while we are away.",
    )
    client_id: Annotated[
        str | None,
        text("text of printable ASCII", pattern=r"[!-~]{1,64}", most=64),
    ] = Field(
        default=None,
        description="Names our session at the broker; changing it leaves the alarms "
        'queued for the old one behind. Without it: "evidenced-" and the instance.',
        examples=["evidenced-site-1"],
    )
    username: Annotated[str | None, text("text on one line")] = Field(
        default=None, description="Account at the broker.", examples=["evidenced"]
    )
    password: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="Its password; read at every connect.",
        examples=[{"credential": "mqtt-password"}],
    )
    ca_file: FilePath = Field(
        default=None,
        description="Certificates that sign the broker's; without it the system's.",
        examples=["/etc/evidenced/ca.pem"],
    )
    client_cert: FilePath = Field(
        default=None,
        description="Our certificate, for brokers that ask for one.",
        examples=["/etc/evidenced/client.pem"],
    )
    client_key: FilePath = Field(
        default=None,
        description="Its private key.",
        examples=["/etc/evidenced/client.key"],
    )
    session_expiry: Annotated[
        timedelta, duration(least="1m", most="3650d", such_as="7d")
    ] = Field(
        default=7 * DAY,
        description="How long the broker keeps our session and queues alarms while "
        "the daemon is down (MQTT 5; with 3.1.1 the broker decides).",
    )
    keepalive: Annotated[timedelta, duration(least="5s", most="18h", such_as="30s")] = (
        Field(
            default=timedelta(seconds=30),
            description="A silent connection is tested this often, so a dead one is "
            "noticed after one and a half times as long.",
        )
    )
    qos: Annotated[int, choice(0, 1)] = Field(
        default=1,
        description="Quality of service of the subscriptions. With 0 alarms are lost "
        "whenever the connection is; 2 would gain nothing, duplicates are recognised.",
    )
    publish_prefix: Annotated[
        str,
        text(
            'a topic without "+", "#", a leading "$" or a "/" at its ends',
            pattern=r"|(?![$/])[^\x00-\x1f\x7f+#]*[^\x00-\x1f\x7f+#/]",
            most=200,
        ),
    ] = Field(
        default="evidenced",
        description="State topics are published under this and the instance; "
        '"" publishes nothing.',
    )
    inflight: Annotated[int, whole(1, 65535)] = Field(
        default=256,
        description="Receive maximum: alarms that the broker sends before the first "
        "of them is acknowledged. They share one commit.",
    )

    @property
    def is_tls(self) -> bool:
        return urlsplit(self.url).scheme in {"mqtts", "wss"}

    @property
    def path(self) -> str:
        """That of a WebSocket; empty: plain MQTT."""
        parts = urlsplit(self.url)
        return (parts.path or WEBSOCKET_PATH) if parts.scheme in {"ws", "wss"} else ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or PORTS[parts.scheme]
