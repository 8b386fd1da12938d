"""What a silence withholds: enough of an alarm to export its footage after all.

A silenced alarm is kept with what its rule read of it, so that a person may have it
exported from the list of alarms that opened nothing. One that its device has to clear
may still be on when the silence ends: then it is an alarm from that instant on, and
opens its incident, or its cameras join the one of its group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.alarms.alarm import Moment, Reading, Signal, TimeSource
from evidenced.core.alarms.fields import group_key
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Camera, CameraRef, Roster
from evidenced.core.ids import FieldValue, GroupKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """What one alarm would have asked for, had there been no silence; `why` tells it.

    `cameras` are the names that it was left without, also such as nobody configured.
    `until` is when a silence over one of them ends, and whether the alarm is still on
    is asked; None once it is known to be over, or where no clear is ever expected.
    `grouping` is that of its rule then: see `Terms`.
    """

    moment: Moment
    fields: Mapping[str, FieldValue]
    key: GroupKey
    cameras: tuple[str, ...]
    why: str
    until: datetime | None = None
    grouping: str = ""

    def rule_now(self, rule: Rule) -> Rule:
        """The rule as it is now, but for how it groups alarms.

        After a reload that names groups anew no clear may find this one: as one that
        opened its incident before the reload, it ends at its cut.
        """
        return replace(rule, terms=replace(rule.terms, grouping=self.grouping))

    def is_on(self, rule: Rule) -> bool:
        """Whether its device has not cleared it, as far as one can know.

        It has sent no clear; but a rule may say that a clear that is so late is lost,
        or await none any more.
        """
        if self.until is None or not rule.awaits_clear:
            return False
        lost_at = rule.clear_lost_at(self.moment.latest)
        return lost_at is None or self.until < lost_at

    def resumed(self) -> Moment:
        """Its moment as an alarm that begins when the silence ends."""
        at = self.until or self.moment.at
        return Moment(at=at, earliest=at, latest=at, source=TimeSource.SILENCE)

    def by_hand(self) -> Moment:
        """Its own moment, as one that a person asks for."""
        return replace(self.moment, source=TimeSource.OPERATOR)

    def reading(self, rule: Rule, moment: Moment) -> Reading:
        """What its rule reads of it now, by what was read of it then."""
        return Reading(
            rule=rule.name,
            signal=Signal.ACTIVE,
            moment=moment,
            fields=self.fields,
            key=group_key(rule.group_by, self.fields),
        )

    def found(self, roster: Roster) -> tuple[tuple[Camera, ...], tuple[str, ...]]:
        """Its cameras as they are configured now, and names that are not."""
        return roster.find(CameraRef(name) for name in self.cameras)
