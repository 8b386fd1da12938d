"""The configuration in force, as values: what alarms, exports and notices need of it.

`evidenced.config.compile` makes a site of a checked file; nothing here knows TOML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta, tzinfo
from functools import cached_property
from typing import NamedTuple

from evidenced.core.alarms.braces import SortedNames
from evidenced.core.alarms.payload import one_line
from evidenced.core.alarms.rules import Precondition, Rule
from evidenced.core.alarms.switchboard import Switchboard
from evidenced.core.camera import Camera, Roster
from evidenced.core.errors import NotFound
from evidenced.core.exports.bandwidth import BandwidthWindow
from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.folders.whereabouts import Destination, Whereabouts
from evidenced.core.ids import (
    CameraName,
    ConditionName,
    DestinationName,
    GroupName,
    RecorderName,
    RuleName,
)
from evidenced.core.incidents.allowance import Limits
from evidenced.core.incidents.byhand import COMMENT, LONGEST
from evidenced.core.incidents.silence import Subject
from evidenced.core.instants import MINUTE
from evidenced.core.keeping.evidence import Care
from evidenced.core.recorder import Capabilities
from evidenced.core.severity import Severity
from evidenced.core.telling.routing import Route
from evidenced.core.terms import Terms
from evidenced.core.wording import suggest

LATE_BY_HAND = 30 * MINUTE
"""Footage that is asked for by hand is late as that of a rule is, unless it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """How one recorder is asked. Rates are bytes per second, 0 = unlimited."""

    name: RecorderName
    settle: timedelta
    timeout: timedelta
    poll_interval: timedelta
    stuck_after: timedelta
    watch: timedelta
    retention: timedelta | None = None
    max_exports: int
    max_devices: int
    bandwidth: int
    bandwidth_windows: tuple[BandwidthWindow, ...]
    retry: RetryPolicy
    can: Capabilities = field(default_factory=Capabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """When the report of the day before goes to whom; `days` 0 = Monday."""

    at: time = time(7)
    days: frozenset[int] = frozenset()
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePlan:
    """Who hears of what: all but the receivers' addresses, which the messenger keeps.

    `severities` are those of the rules, `page` is the page's address for links.
    """

    routes: tuple[Route, ...] = ()
    severities: Mapping[RuleName, Severity] = field(default_factory=dict)
    page: str = ""
    report: ReportPlan = field(default_factory=ReportPlan)
    trouble_after: timedelta = MINUTE


class Clearing(NamedTuple):
    """How a rule finds the incidents that a clear ends, and how long it waits."""

    grouping: str
    within: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that alarms and exports need to know of the configuration.

    `name` is what people call the place, "" where nobody said. `language` is that of
    what is written for all who read it. `zone` is the local time
    of paths and bandwidth windows. `settings` are the rules as they are written, by the
    digest that their incidents keep.
    """

    instance: str
    name: str = ""
    language: str = "en"
    zone: tzinfo
    rules: tuple[Rule, ...]
    conditions: tuple[Precondition, ...] = ()
    roster: Roster
    recorders: Mapping[RecorderName, RecorderSettings]
    destinations: Mapping[DestinationName, Destination]
    limits: Limits = field(default_factory=Limits)
    care: Care = field(default_factory=Care)
    settings: Mapping[str, str] = field(default_factory=dict)
    notices: NoticePlan = field(default_factory=NoticePlan)

    @cached_property
    def places(self) -> Whereabouts:
        """Its destinations, and where paths on the recorder lie for others."""
        return Whereabouts(self.destinations)

    @cached_property
    def labels(self) -> Mapping[tuple[Subject, str], str]:
        """What people call rules and cameras."""
        rules = {
            (Subject.RULE, str(rule.name)): rule.terms.label or str(rule.name)
            for rule in self.rules
        }
        cameras = {
            (Subject.CAMERA, str(name)): camera.label or str(name)
            for name, camera in self.roster.cameras.items()
        }
        return rules | cameras

    @cached_property
    def rule_of(self) -> Mapping[RuleName, Rule]:
        """The rules by their names."""
        return {rule.name: rule for rule in self.rules}

    def by_hand(self, destination: str = "") -> Terms:
        """What footage that is asked for by hand keeps; "" is the default destination.

        Raises:
            NotFound: there is no such destination; which was probably meant.
        """
        place = self.places.default
        if destination:
            found = self.destinations.get(DestinationName(destination))
            if found is None:
                words = one_line(repr(destination), 80)
                hint = suggest(destination, self.destinations, what="destinations")
                raise NotFound(f"there is no destination {words}; {hint}")
            place = found
        return Terms(
            destination=place.name,
            path=place.path.text,
            root=place.root,
            max_length=LONGEST,
            alert_after=LATE_BY_HAND,
            label="Saved by hand",
            summary=f"{{{COMMENT}}}",
        )

    @cached_property
    def expectant(self) -> tuple[Rule, ...]:
        """The rules whose sources are expected to say something now and then."""
        return tuple(rule for rule in self.rules if rule.expect_every)

    @cached_property
    def clearing(self) -> Mapping[RuleName, Clearing]:
        """The rules that can clear an incident."""
        return {
            rule.name: Clearing(rule.terms.grouping, rule.clear_within)
            for rule in self.rules
            if rule.awaits_clear
        }

    @cached_property
    def used_cameras(self) -> Mapping[RecorderName, tuple[Camera, ...]]:
        """The cameras that a rule names, or may name once values are captured."""
        roster = self.roster
        cameras = SortedNames(roster.cameras)
        groups = SortedNames(f"@{name}" for name in roster.groups)
        found: dict[CameraName, None] = {}
        for template in dict.fromkeys(t for rule in self.rules for t in rule.cameras):
            found |= dict.fromkeys(map(CameraName, cameras.like(template)))
            for group in groups.like(template):
                found |= dict.fromkeys(roster.groups[GroupName(group[1:])])
        used: dict[RecorderName, list[Camera]] = {}
        for name in found:
            camera = roster.cameras[name]
            used.setdefault(camera.recorder, []).append(camera)
        return {recorder: tuple(each) for recorder, each in used.items()}

    @cached_property
    def condition_of(self) -> Mapping[ConditionName, Precondition]:
        """The conditions by their names."""
        return {condition.name: condition for condition in self.conditions}

    @cached_property
    def switchboard(self) -> Switchboard:
        """The rules and conditions by their topics."""
        return Switchboard(self.rules, self.conditions)

    @cached_property
    def settles(self) -> Mapping[RecorderName, timedelta]:
        """How long each recorder is given to write footage before it is asked."""
        return {name: each.settle for name, each in self.recorders.items()}

    @cached_property
    def protects(self) -> bool:
        """Whether any rule wants footage protected at the recorder."""
        return any(rule.terms.protect for rule in self.rules)

    @cached_property
    def pictures(self) -> bool:
        """Whether any rule wants pictures of its cameras."""
        return any(rule.terms.stills for rule in self.rules)

    @property
    def filters(self) -> tuple[str, ...]:
        """The MQTT filters of all rules and conditions, each once."""
        rules = (topic.filter for rule in self.rules for topic in rule.topics)
        conditions = (condition.topic.filter for condition in self.conditions)
        return tuple(dict.fromkeys((*rules, *conditions)))
