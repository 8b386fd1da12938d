"""The whole configuration: the only source of keys, defaults, ranges and effects."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr

from evidenced.config.daemon import DaemonConfig, LimitsConfig
from evidenced.config.destinations import DestinationConfig
from evidenced.config.evidence import EvidenceConfig
from evidenced.config.forms import text
from evidenced.config.mqtt import MqttConfig
from evidenced.config.notices import NotifyConfig, ReportConfig
from evidenced.config.recorders import CameraConfig, RecorderConfig
from evidenced.config.rules import ConditionConfig, RuleConfig
from evidenced.config.secret import Secret
from evidenced.config.section import (
    Name,
    Section,
    SiteName,
)
from evidenced.config.web import WebConfig
from evidenced.core.wording import KeyPath

DEFAULT_STATE_DIR = Path("state")
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
