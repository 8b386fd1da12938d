"""What an incident keeps of the rule that opened it."""

from dataclasses import dataclass
from datetime import timedelta

from evidenced.core.ids import DestinationName
from evidenced.core.severity import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an incident keeps of the rule that opened it, for as long as it lives.

    A reload may remove the rule; the incident then finishes on these.
    `bandwidth` is the rule's cap in bytes per second, 0 = none. `protect` asks the
    recorder to keep the footage. `settings` names the rule's settings as they were.
    `grouping` is the same for rules that find a clear's incidents in the same way.
    `stills` is how many pictures of each camera are fetched.
    `severity` is how bad it is when the incident fails. `label` and `summary` are what
    people read; the latter is a template.
    """

    destination: DestinationName
    path: str
    root: str
    priority: int = 50
    bandwidth: int = 0
    max_length: timedelta
    alert_after: timedelta | None = None
    protect: bool = False
    settings: str = ""
    grouping: str = ""
    stills: int = 0
    severity: Severity = Severity.WARNING
    label: str = ""
    summary: str = ""
