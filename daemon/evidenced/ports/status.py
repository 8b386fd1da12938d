"""How the daemon and what it talks to are doing, for people and monitors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evidenced.core.errors import Reason
from evidenced.core.exports.hold import Hold
from evidenced.core.ids import DestinationName, RecorderName


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareStatus:
    """A destination's mounted share now.

    `problem` is a sentence while nothing is exported there, `no_records` one while no
    evidence record can be written to it.
    """

    destination: DestinationName
    problem: str | None = None
    no_records: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """One recorder now. `offset` is recorder minus host, None where unknown.

    `problem` is a sentence while it does not answer; `next_try` how long until it is
    asked again. `holds` are destinations there that take no exports now;
    `limited_until` is set while exports wait, for the limit of this hour is reached.
    """

    name: RecorderName
    is_up: bool
    problem: str | None = None
    reason: Reason | None = None
    version: str = ""
    offset: timedelta | None = None
    exports: int = 0
    next_try: timedelta | None = None
    limited_until: datetime | None = None
    holds: Mapping[DestinationName, Hold] = field(default_factory=dict)
