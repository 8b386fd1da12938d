"""From the checked configuration to the values that the daemon works with."""

import json
import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, tzinfo
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from evidenced.config.camerachecks import flatten
from evidenced.config.models import DEFAULT_STATE_DIR, Config
from evidenced.config.recorders import RecorderConfig
from evidenced.config.rules import RuleConfig
from evidenced.config.section import Section
from evidenced.core.alarms.payload import Wrapping
from evidenced.core.alarms.rules import Precondition, Rule
from evidenced.core.camera import Camera, Roster
from evidenced.core.exports.bandwidth import BandwidthWindow
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.ids import (
    CameraName,
    DestinationName,
    GroupName,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents.allowance import Limits
from evidenced.core.keeping.evidence import Care
from evidenced.core.site import (
    NoticePlan,
    RecorderSettings,
    ReportPlan,
    Site,
)
from evidenced.core.telling.routing import Route
from evidenced.core.terms import Terms
from evidenced.kinds import KINDS

LOCALTIME = Path("/etc/localtime")
"""The host's own zone. Source: localtime(5)."""
T = TypeVar("T")


def build_site(config: Config) -> Site:
    """Compile a configuration that `load` gave; reads the host's zone, nothing else."""
    enabled = [(n, rule) for n, rule in enumerate(config.rules) if rule.enabled]
    settings = {rule.name: _settings(config, rule) for _, rule in enabled}
    own = config.daemon.timezone
    zones = {n: zone_of(n) for n in {own, *(r.timezone or own for _, r in enabled)}}
    return Site(
        instance=config.daemon.instance,
        name=config.daemon.site,
        language=config.web.language or "en",
        zone=zones[own],
        rules=tuple(
            _rule(config, n, zones[rule.timezone or own], _digest(settings[rule.name]))
            for n, rule in enabled
        ),
        conditions=tuple(
            _like(Precondition, each, name=name, wrapping=_like(Wrapping, each))
            for name, each in config.conditions.items()
        ),
        roster=_roster(config),
        recorders={
            RecorderName(name): _recorder(name, recorder)
            for name, recorder in config.recorders.items()
        },
        destinations={
            DestinationName(name): _like(
                Destination,
                section,
                name=name,
                root=section.fixed_root,
                is_recorded=section.record,
            )
            for name, section in config.destinations.items()
        },
        limits=_like(Limits, config.limits),
        care=_like(Care, config.evidence, rate=config.evidence.hash_rate),
        settings={_digest(text): text for text in settings.values()},
        notices=notice_plan(config),
    )


def _like(kind: type[T], section: Section, **own: Any) -> T:  # noqa: ANN401
    """A value whose fields are the section's keys of the same names, and its own."""
    keys = _alike(kind, type(section))  # type: ignore[arg-type]  # classes do hash
    said = {name: getattr(section, name) for name in keys}
    return kind(**(said | own))


@cache
def _alike(kind: type[Any], section: type[Section]) -> frozenset[str]:
    return frozenset(each.name for each in fields(kind)) & section.model_fields.keys()


def notice_plan(config: Config) -> NoticePlan:
    """What a checked configuration says of notices."""
    return NoticePlan(
        routes=tuple(
            _like(
                Route,
                each,
                name=name,
                events=frozenset(each.events),
                rules=frozenset(each.rules),
            )
            for name, each in config.notify.items()
        ),
        severities={RuleName(rule.name): rule.severity for rule in config.rules},
        page=(config.web.public_url or "").rstrip("/"),
        report=_like(ReportPlan, config.report),
        trouble_after=config.daemon.trouble_after,
    )


def state_dir(config: Config, environ: Mapping[str, str]) -> Path:
    """The folder of the store: as configured, else systemd's, else ./state.

    Source: systemd.exec(5), StateDirectory: several folders are joined by ":".
    """
    if config.daemon.state_dir is not None:
        return config.daemon.state_dir
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(first) if first else DEFAULT_STATE_DIR


def control_file(config: Config, environ: Mapping[str, str]) -> Path:
    """The socket that commands go by. Source: interfaces.md."""
    return state_dir(config, environ) / "control.sock"


def zone_of(name: str) -> tzinfo:
    """The zone of this name; with "" the host's own."""
    return ZoneInfo(name) if name else local_zone(os.environ, LOCALTIME)


def local_zone(environ: Mapping[str, str], localtime: Path) -> tzinfo:
    """The host's zone with its rules, not only its offset of today; UTC if unknown.

    Source: tzset(3): $TZ before the file; ":" may lead it, and it is a zone's name, the
    path of a zone's file, or the rules themselves ("CET-1CEST,M3.5.0,M10.5.0/3").
    """
    text = environ.get("TZ", "").removeprefix(":")
    file = Path(text) if text.startswith("/") else localtime
    for read in (ZoneInfo, _zone_of_rules) if text and file is localtime else ():
        with suppress(KeyError, ValueError, OSError):
            return read(text)
    try:
        with file.open("rb") as opened:
            return ZoneInfo.from_file(opened, key="localtime")
    except (ValueError, OSError):
        return UTC


def zone_name(environ: Mapping[str, str], localtime: Path) -> str:
    """The name of the host's zone; "" where it has none that others know.

    Source: localtime(5): the file is a link into the zones, whose rest is the name.
    """
    said = environ.get("TZ", "").removeprefix(":")
    if not said:
        with suppress(OSError):
            said = str(localtime.readlink()).partition("zoneinfo/")[2]
    return said if said in available_timezones() else ""


def _zone_of_rules(text: str) -> tzinfo:
    """The zone that follows these rules at all times: a file that has nothing else.

    Source: RFC 8536, 3: a header twice, one type of local time, and the rules.
    """
    part = struct.pack(">5s15x6llbb4s", b"TZif2", 0, 0, 0, 0, 1, 4, 0, 0, 0, b"UTC")
    file = BytesIO(part + part + f"\n{text}\n".encode())
    return ZoneInfo.from_file(file, key=text)


GROUPING = {
    "topics",
    "except_",
    "format",
    "encoding",
    "unpack",
    "pattern",
    "each",
    "clear",
    "fields",
    "group_by",
}
"""What decides which incidents a clear ends."""


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


def _rule(config: Config, n: int, zone: tzinfo, settings: str) -> Rule:
    rule = config.rules[n]
    name = config.destination_of(rule)
    destination = config.destinations[name]
    return _like(
        Rule,
        rule,
        place=config.rule_place(n),
        excepted=rule.except_,
        wrapping=_like(Wrapping, rule),
        ignores_unknown=rule.unknown == "ignore",
        clear_within=rule.clear_within or None,
        timezone=zone,
        accepts_retained=rule.retained == "accept",
        event_id=rule.id,
        terms=_like(
            Terms,
            rule,
            destination=name,
            path=destination.path.text,
            root=destination.fixed_root,
            alert_after=rule.alert_after or None,
            settings=settings,
            grouping=_digest(rule.model_dump_json(include=GROUPING)),
        ),
    )


def _roster(config: Config) -> Roster:
    return Roster(
        cameras={
            CameraName(name): _like(
                Camera,
                camera,
                name=name,
                recorder=config.recorder_of(camera),
                label=camera.label or name,
                address=camera.address,
            )
            for name, camera in config.cameras.items()
        },
        groups={
            GroupName(name): tuple(map(CameraName, flatten(config.groups, name)))
            for name in config.groups
        },
    )


def _recorder(name: str, recorder: RecorderConfig) -> RecorderSettings:
    return _like(
        RecorderSettings,
        recorder,
        name=name,
        bandwidth_windows=tuple(
            _like(BandwidthWindow, window, start=window.starts, end=window.to)
            for window in recorder.bandwidth_windows
        ),
        retry=_like(RetryPolicy, recorder.retry, longest=recorder.retry.max),
        can=KINDS[recorder.kind].can,
    )
