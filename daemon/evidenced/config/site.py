"""From the checked configuration to the values that the daemon works with."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from evidenced.config.camerachecks import flatten
from evidenced.config.models import DEFAULT_STATE_DIR, Config
from evidenced.config.noticeplan import NoticePlan, notice_plan
from evidenced.config.recorders import CameraConfig, RecorderConfig
from evidenced.config.rules import DestinationConfig, RuleConfig
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import PayloadFormat
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.camera import Camera, Roster
from evidenced.core.exports.bandwidth import BandwidthWindow
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.folders.paths import PathTemplate, nearest
from evidenced.core.ids import (
    CameraName,
    DestinationName,
    DeviceId,
    GroupName,
    RecorderName,
    RuleName,
    ServerId,
)
from evidenced.core.incidents.allowance import Limits
from evidenced.core.keeping.evidence import Care
from evidenced.core.severity import Severity
from evidenced.core.terms import Terms

LOCALTIME = Path("/etc/localtime")
"""The host's own zone. Source: localtime(5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """How one recorder is asked. Rates are bytes per second, 0 = unlimited."""

    name: RecorderName
    settle: timedelta
    timeout: timedelta
    poll_interval: timedelta
    max_exports: int
    max_devices: int
    bandwidth: int
    bandwidth_windows: tuple[BandwidthWindow, ...]
    retry: RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where exports go on the recorder; `mount` is the same `root` seen from here.

    `is_recorded` is whether evidence records are written there. With less than
    `min_free` bytes free it is held.
    """

    name: DestinationName
    path: PathTemplate
    root: str
    mount: Path | None
    marker: str | None
    is_recorded: bool = True
    min_free: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that alarms and exports need to know, compiled.

    Groups are flat: cameras in the order of the file, each once. `zone` is the local
    time of paths and bandwidth windows. `settings` are the rules as they are written,
    by the digest that their incidents keep.
    """

    instance: str
    zone: tzinfo
    rules: tuple[Rule, ...]
    cameras: Mapping[CameraName, Camera]
    groups: Mapping[GroupName, tuple[CameraName, ...]]
    recorders: Mapping[RecorderName, RecorderSettings]
    destinations: Mapping[DestinationName, Destination]
    limits: Limits = field(default_factory=Limits)
    care: Care = field(default_factory=Care)
    settings: Mapping[str, str] = field(default_factory=dict)
    notices: NoticePlan = field(default_factory=NoticePlan)

    def place_of(
        self, path: str, name: DestinationName | None = None
    ) -> tuple[Destination, Path, tuple[str, ...]] | None:
        """The destination a path on the recorder lies below, its mount, and the way.

        Of several the one of that name, else the one whose root leads furthest.
        """
        mounted = (
            (each.root, (each, each.mount))
            for each in self.destinations.values()
            if each.mount
        )
        found = nearest(path, mounted)
        found.sort(key=lambda each: each[1][0].name != name)  # else as they stand
        for folders, (destination, mount) in found:
            return destination, mount, folders
        return None

    def seen_from_here(self, path: str) -> Path | None:
        """Where this host sees that path, if it does."""
        place = self.place_of(path)
        return place and place[1].joinpath(*place[2])

    @property
    def roster(self) -> Roster:
        return Roster(cameras=self.cameras, groups=self.groups)

    @property
    def filters(self) -> tuple[str, ...]:
        """The MQTT filters of all rules, each once."""
        return tuple(dict.fromkeys(t.filter for r in self.rules for t in r.topics))


def build_site(config: Config) -> Site:
    """Compile a configuration that `load` gave; reads the host's zone, nothing else."""
    settings = {rule.name: _settings(config, rule) for rule in config.rules}
    return Site(
        care=_care(config),
        settings={_digest(text): text for text in settings.values()},
        instance=config.daemon.instance,
        limits=_limits(config),
        notices=notice_plan(config),
        zone=zone_of(config.daemon.timezone),
        rules=tuple(
            _rule(config, n, rule, _digest(settings[rule.name]))
            for n, rule in enumerate(config.rules)
            if rule.enabled
        ),
        cameras={
            CameraName(name): _camera(config, name, camera)
            for name, camera in config.cameras.items()
        },
        groups={
            GroupName(name): tuple(map(CameraName, flatten(config.groups, name)))
            for name in config.groups
        },
        recorders={
            RecorderName(name): _recorder(name, recorder)
            for name, recorder in config.recorders.items()
        },
        destinations={
            DestinationName(name): _destination(name, destination)
            for name, destination in config.destinations.items()
        },
    )


def _care(config: Config) -> Care:
    evidence = config.evidence
    return Care(
        stable=evidence.stable, patience=evidence.patience, rate=evidence.hash_rate
    )


def _limits(config: Config) -> Limits:
    limits = config.limits
    return Limits(
        alarms_per_topic=limits.alarms_per_topic,
        incidents_per_rule=limits.incidents_per_rule,
        exports_per_recorder=limits.exports_per_recorder,
    )


def _destination(name: str, section: DestinationConfig) -> Destination:
    return Destination(
        name=DestinationName(name),
        path=PathTemplate.parse(section.path),
        root=section.fixed_root,
        mount=section.mount,
        marker=section.marker,
        is_recorded=section.record,
        min_free=section.min_free,
    )


def state_dir(config: Config, environ: Mapping[str, str]) -> Path:
    """The folder of the store: as configured, else systemd's, else ./state.

    Source: systemd.exec(5), StateDirectory: several folders are joined by ":".
    """
    if config.daemon.state_dir is not None:
        return config.daemon.state_dir
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(first) if first else DEFAULT_STATE_DIR


def zone_of(name: str) -> tzinfo:
    """The zone of this name; with "" the host's own."""
    return ZoneInfo(name) if name else local_zone(os.environ, LOCALTIME)


def local_zone(environ: Mapping[str, str], localtime: Path) -> tzinfo:
    """The host's zone with its rules, not only its offset of today; UTC if unknown.

    Source: tzset(3): $TZ before the file, and ":" may lead it.
    """
    try:
        if name := environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(name)
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (KeyError, ValueError, OSError):
        return UTC


def _settings(config: Config, rule: RuleConfig) -> str:
    """The rule and its destination as the file would hold them, for the record."""
    destination = config.destinations[config.destination_of(rule)]
    said = {
        **rule.model_dump(mode="json"),
        "destination": {
            "name": config.destination_of(rule),
            **destination.model_dump(mode="json"),
        },
    }
    return json.dumps(said, sort_keys=True)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _rule(config: Config, n: int, rule: RuleConfig, settings: str) -> Rule:
    name = config.destination_of(rule)
    destination = config.destinations[name]
    return Rule(
        name=RuleName(rule.name),
        place=config.rule_place(n),
        topics=tuple(map(TopicPattern.parse, rule.topics)),
        format=PayloadFormat(rule.format),
        pattern=TextPattern.parse(rule.pattern) if rule.pattern else None,
        when=_expression(rule.when),
        clear=_expression(rule.clear),
        clear_within=rule.clear_within or None,
        time=_expression(rule.time),
        timezone=zone_of(rule.timezone or config.daemon.timezone),
        max_age=rule.max_age,
        accepts_retained=rule.retained == "accept",
        event_id=_expression(rule.id),
        fields={key: Expression.parse(text) for key, text in rule.fields.items()},
        group_by=rule.group_by,
        cameras=rule.cameras,
        pre_roll=rule.pre_roll,
        post_roll=rule.post_roll,
        terms=Terms(
            destination=DestinationName(name),
            path=destination.path,
            root=destination.fixed_root,
            priority=rule.priority,
            bandwidth=rule.bandwidth,
            max_length=rule.max_length,
            alert_after=rule.alert_after or None,
            protect=rule.protect,
            settings=settings,
            severity=Severity(rule.severity),
        ),
    )


def _expression(text: str | None) -> Expression | None:
    return None if text is None else Expression.parse(text)


def _camera(config: Config, name: str, camera: CameraConfig) -> Camera:
    return Camera(
        name=CameraName(name),
        recorder=RecorderName(config.recorder_of(camera)),
        server=ServerId(camera.server),
        device=DeviceId(camera.device),
        label=camera.label or name,
        pre_roll=camera.pre_roll,
        post_roll=camera.post_roll,
    )


def _recorder(name: str, recorder: RecorderConfig) -> RecorderSettings:
    return RecorderSettings(
        name=RecorderName(name),
        settle=recorder.settle,
        timeout=recorder.timeout,
        poll_interval=recorder.poll_interval,
        max_exports=recorder.max_exports,
        max_devices=recorder.max_devices,
        bandwidth=recorder.bandwidth,
        bandwidth_windows=tuple(
            BandwidthWindow(
                start=window.starts,
                end=window.to,
                days=window.days,
                bandwidth=window.bandwidth,
                pause=window.pause,
            )
            for window in recorder.bandwidth_windows
        ),
        retry=RetryPolicy(
            first=recorder.retry.first,
            longest=recorder.retry.max,
            isolate=recorder.retry.isolate,
            give_up=recorder.retry.give_up,
        ),
    )
