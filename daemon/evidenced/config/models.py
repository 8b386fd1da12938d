"""The whole configuration: the only source of keys, defaults, ranges and effects."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr

from evidenced.config.forms import choice, duration, file, text, whole
from evidenced.config.notices import NotifyConfig, ReportConfig
from evidenced.config.recorders import CameraConfig, RecorderConfig
from evidenced.config.rules import ConditionConfig, DestinationConfig, RuleConfig
from evidenced.config.secret import Secret
from evidenced.config.section import (
    ANY_LINE,
    FilePath,
    Name,
    RateValue,
    SecretValue,
    Section,
    SiteName,
)
from evidenced.config.special import (
    EMBEDDED,
    account,
    address,
    listen_at,
    proxy,
    secret,
    store_in,
    zone,
)
from evidenced.core.account import Account
from evidenced.core.instants import DAY, MINUTE, SECOND
from evidenced.core.wording import KeyPath

DEFAULT_STATE_DIR = Path("state")
PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
WEBSOCKET_PATH = "/mqtt"
"""What brokers call it, and their clients where nothing else is said."""
"""Source: IANA service names mqtt and secure-mqtt."""


MOST_OF_ALL = 1_000_000


class LimitsConfig(Section):
    alarms_per_topic: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=600,
        description="Alarms a minute on one topic that may open incidents. Those "
        "beyond are kept and exported all the same, in one incident for all groups of "
        "their rule, without waiting for a clear. 0 = unlimited.",
    )
    incidents_per_rule: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=1000,
        description="Incidents an hour of one rule. Alarms beyond are kept and "
        "exported all the same, likewise in one. 0 = unlimited.",
    )
    exports_per_recorder: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=1000,
        description="Export requests an hour on one recorder, those that are sent "
        "again not counted. Clips beyond wait until the hour is over. 0 = unlimited.",
    )


class DaemonConfig(Section):
    instance: Name = Field(
        default="site-1",
        description="Names this installation in MQTT topics, metrics and reports.",
    )
    site: Annotated[str, text("text on one line", pattern=ANY_LINE, most=200)] = Field(
        default="",
        description="Name and address of the place, as evidence records tell it to "
        'people. With "" they say the instance.',
        examples=["Bakker, Grote Markt 1, Haarlem"],
    )
    state_dir: Annotated[
        Path | None,
        file(what="the absolute path of a folder", such_as="/var/lib/evidenced"),
    ] = Field(
        default=None,
        description="Folder of the embedded store, the one thing to back up. "
        "Without it: $STATE_DIRECTORY (systemd sets it), else ./state.",
        examples=["/var/lib/evidenced"],
    )
    store: Annotated[str, store_in()] = Field(
        default=EMBEDDED,
        description="Where alarms, incidents and the audit chain are kept: embedded in "
        "`state_dir`, or in a PostgreSQL database that several hosts share. One of "
        "them works, the others stand by and take over within seconds. Such a "
        "database sorts by C, and its commits must be durable: systemd/README.md.",
        examples=["postgresql://evidenced@db.example/evidenced?sslmode=verify-full"],
    )
    store_password: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="The password of the database's user; read at every connect.",
        examples=[{"credential": "store-password"}],
    )
    node: Annotated[
        str | None,
        text(
            'a name of at most 64 letters, digits, ".", "_" and "-"',
            pattern=r"[A-Za-z0-9._-]{1,64}",
            most=64,
        ),
    ] = Field(
        default=None,
        description="This host among those that share the store. Without it: the "
        "host's name.",
        examples=["host-a"],
    )
    timezone: Annotated[str, zone(may_be_empty=True)] = Field(
        default="",
        description="Local time of paths and of bandwidth windows. "
        'With "" it is the host\'s own.',
        examples=["Europe/Amsterdam"],
    )
    trouble_after: Annotated[
        timedelta, duration(least="1s", most="1d", such_as="1m")
    ] = Field(
        default=MINUTE,
        description="A recorder, destination, queue, share, broker, store or clock in "
        "trouble for so long is written down and told; for as long it has to be in "
        "order to count as over.",
    )
    log_level: Annotated[str, choice("debug", "info", "warning", "error")] = Field(
        default="info",
        description="Least severe log lines that are written: JSON on stderr, or "
        "readable colour where stderr is a terminal.",
    )
    retain: Annotated[timedelta, duration(least="1d", most="3650d", such_as="90d")] = (
        Field(
            default=90 * DAY,
            description="Finished incidents older than this are pruned, unless "
            "somebody holds them; the audit "
            "chain keeps its head. Not until the host's clock has run for an hour "
            "without being set.",
        )
    )


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


class TlsConfig(Section):
    certificate: FilePath = Field(
        default=None,
        description="The page's certificate in PEM, and those of its chain behind it.",
        examples=["/etc/evidenced/page.pem"],
    )
    key: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="Its private key in PEM, without a password.",
        examples=[{"credential": "page-key"}],
    )


class WebConfig(Section):
    listen: Annotated[str, listen_at()] = Field(
        default="127.0.0.1:8470",
        description="Address of the page, the API and the metrics; "
        '"unix:/run/evidenced/control.sock" works too, "" turns all of it off.',
    )
    public_url: Annotated[
        str | None,
        address(
            "https",
            "http",
            such_as="https://evidence.example",
            with_path={"http", "https"},
        ),
    ] = Field(
        default=None,
        description="The page as people reach it: messages link there.",
        examples=["https://evidence.example"],
    )
    users: dict[Name, Annotated[Account, account()]] = Field(
        default={},
        repr=False,
        description="Users and the hashes of their passwords, as `evidenced passwd` "
        "makes them; a hash alone is an operator's, a `viewer` changes nothing. "
        "Needed as soon as the page listens beyond loopback. A hash may be a secret: "
        "then it stands in no file that others read.",
        examples=[{"anna": {"credential": "anna-hash"}}],
    )
    displays: dict[Name, SecretValue] = Field(
        default={},
        description="Screens on a wall, each by its token: it opens /wall?token=... "
        "once, stays logged in over restarts, and sees that page and nothing else. A "
        "token has at least 20 characters, such as `openssl rand -hex 16` makes.",
        examples=[{"wall": {"credential": "wall-token"}}],
    )
    tls: TlsConfig = Field(
        default=TlsConfig(),
        description="With both keys the page speaks TLS and nothing else, so that no "
        "proxy is needed. Files that are replaced count within half a minute.",
    )
    proxies: tuple[Annotated[str, proxy()], ...] = Field(
        default=(),
        description="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        'believed: addresses, networks, "unix" for who may open the socket file.',
        examples=[["127.0.0.1"]],
    )


class EvidenceConfig(Section):
    recheck: Annotated[timedelta, duration(most="3650d", such_as="30d")] = Field(
        default=timedelta(0),
        description="Recorded footage on a mounted share is read and hashed again this "
        "often, in the background and no faster than `hash_rate`. What was altered, or "
        "is gone though nobody said so, is a loss until somebody acknowledges it, and "
        'told as `altered`. "0s" is never.',
        examples=["30d"],
    )
    key: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="The private key that signs evidence records, made by `evidenced "
        "keygen`. Without it they are written unsigned, and say so.",
        examples=[{"credential": "evidence-key"}],
    )
    timestamp: Annotated[
        str | None,
        address(
            "https",
            "http",
            such_as="https://tsa.example",
            with_path={"https", "http"},
        ),
    ] = Field(
        default=None,
        description="An authority that is asked once a day, by RFC 3161, to sign that "
        "the audit chain's head was there by then. It gets a hash, and nothing else.",
        examples=["https://tsa.example"],
    )
    timestamp_ca_file: FilePath = Field(
        default=None,
        description="Certificates that sign the authority's; without it the system's. "
        "Leave those of an earlier authority in it: its stamps are verified by them.",
        examples=["/etc/evidenced/tsa.pem"],
    )
    hash_rate: RateValue = Field(
        default=50_000_000,
        description="How fast footage on the share is read to hash it, so that neither "
        "share nor host suffer; 0 is as fast as it goes.",
    )
    stable: Annotated[timedelta, duration(least="1s", most="1h", such_as="10s")] = (
        Field(
            default=10 * SECOND,
            description="Footage is complete once the recorder says so and no file "
            "has changed for so long.",
        )
    )
    patience: Annotated[timedelta, duration(least="1m", most="7d", such_as="1h")] = (
        Field(
            default=60 * MINUTE,
            description="Footage that is not to be seen on the share, or goes on "
            "changing, this long after the recorder said that it is done: no record, "
            "and that is told.",
        )
    )


INCLUDED = text(
    "the path of a .toml file in the same folder or below it, such as "
    '"systems/axis.toml"',
    pattern=r"(?!.*(?:^|/)\.)[^\x00-\x1f\x7f\\/]+(?:/[^\x00-\x1f\x7f\\/]+)*\.toml",
)


class Config(Section):
    """Everything that the file says; equal configurations compare equal."""

    _rule_places: tuple[str, ...] = PrivateAttr(default=())

    include: tuple[Annotated[str, INCLUDED], ...] = Field(
        default=(),
        description="Other files whose tables and rules are added: beside this one, "
        "else those that come with evidenced. Stands above the first table.",
        examples=[("systems/axis.toml",)],
    )
    daemon: DaemonConfig = Field(
        default=DaemonConfig(), description="The daemon as a whole, on this host."
    )
    mqtt: MqttConfig = Field(
        description="The broker that alarms come from and states go to."
    )
    web: WebConfig = Field(
        default=WebConfig(),
        description="The operators' page, its API, health and metrics.",
    )
    limits: LimitsConfig = Field(
        default=LimitsConfig(),
        description="What alarms can cause at most, whoever sends them. A site in "
        "order meets none of these.",
    )
    evidence: EvidenceConfig = Field(
        default=EvidenceConfig(),
        description="Evidence records: beside the footage where a destination has a "
        "`mount`, else in the store.",
    )
    notify: dict[Name, NotifyConfig] = Field(
        default={},
        description="Who is told of what, through Apprise. `evidenced notify test` "
        "says who would be, and sends it with --send.",
    )
    report: ReportConfig = Field(
        default=ReportConfig(), description="The daily report."
    )
    recorders: dict[Name, RecorderConfig] = Field(
        default={}, description="One table for each VDG Sense management server."
    )
    cameras: dict[SiteName, CameraConfig] = Field(
        default={},
        description="Names for the recorders' devices. A name may have spaces, so "
        "that it can equal what a panel calls its zone.",
    )
    groups: dict[
        SiteName, tuple[Annotated[str, text('a camera or an "@group"')], ...]
    ] = Field(
        default={},
        description='Names for several cameras; "@name" stands for another group.',
    )
    destinations: dict[Name, DestinationConfig] = Field(
        default={}, description="Where exports go, as the recorder sees it."
    )
    conditions: dict[Name, ConditionConfig] = Field(
        default={},
        description="States of other topics, for `only_while`: the last message on the "
        "topic counts, and is remembered over a restart. Until one was seen the "
        "condition holds (footage too much beats too little), and that is told.",
    )
    rules: tuple[RuleConfig, ...] = Field(
        default=(),
        description="What an alarm means. Every rule whose topics match reads a "
        "message, in this order.",
    )

    def with_rule_places(self, places: Iterable[str]) -> "Config":
        """The same, knowing where each rule is written; for messages only."""
        self._rule_places = tuple(places)
        return self

    def rule_place(self, n: int) -> str:
        """Where a rule is written: "rules[2]", "systems/axis.toml: rules[0]"."""
        return self._rule_places[n] if self._rule_places else f"rules[{n}]"

    @property
    def client_id(self) -> str:
        return self.mqtt.client_id or f"evidenced-{self.daemon.instance}"

    def destination_of(self, rule: RuleConfig) -> str:
        """The name of the destination that a checked rule uses."""
        return rule.destination or self.default_destination

    @property
    def default_destination(self) -> str:
        """That of whatever names none: the one that says so, else the first."""
        named = (name for name, each in self.destinations.items() if each.default)
        return next(named, next(iter(self.destinations)))

    def recorder_of(self, camera: CameraConfig) -> str:
        """The name of the recorder that a checked camera belongs to."""
        return camera.recorder or next(iter(self.recorders))

    def key_files(self) -> Iterator[tuple[KeyPath, Path]]:
        """Files with private keys that are read by their path, with their places."""
        if self.mqtt.client_key is not None:
            yield ("mqtt", "client_key"), self.mqtt.client_key

    def secrets(self) -> Iterator[tuple[KeyPath, Secret]]:
        """Every secret with its place, for those who try whether it can be read."""
        if self.daemon.store_password is not None:
            yield ("daemon", "store_password"), self.daemon.store_password
        if self.mqtt.password is not None:
            yield ("mqtt", "password"), self.mqtt.password
        if self.evidence.key is not None:
            yield ("evidence", "key"), self.evidence.key
        if self.web.tls.key is not None:
            yield ("web", "tls", "key"), self.web.tls.key
        for name, token in self.web.displays.items():
            yield ("web", "displays", name), token
        for name, user in self.web.users.items():
            if isinstance(user.password, Secret):
                yield ("web", "users", name), user.password
        for name, recorder in self.recorders.items():
            yield ("recorders", name, "password"), recorder.password
        for name, receiver in self.notify.items():
            yield ("notify", name, "url"), receiver.url
