"""What of the configuration in force people see: names to choose from, and the zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo

from evidenced.core.ids import RecorderName


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`destinations` are the names and paths of those that exports go to."""

    instance: str = ""
    zone: tzinfo = UTC
    rules: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    destinations: Mapping[str, str] = field(default_factory=dict)
    settles: Mapping[RecorderName, timedelta] = field(default_factory=dict)
