"""What alarms are read by: the rules of the configuration under which they came.

A message is acknowledged before it is read, so a reload may come in between. It came
under the old rules and is read by them: a rule that the reload took away still gets
what was on its way, and one that it brought takes no alarm from before.

Only in memory: after a stop or a crash what still waits is read by the configuration
on disk, for there is no other any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from evidenced.config.site import Site
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Roster
from evidenced.core.ids import RuleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The rules and cameras of one configuration."""

    rules: tuple[Rule, ...]
    by_name: Mapping[RuleName, Rule]
    roster: Roster


def rulebook_of(site: Site) -> Rulebook:
    return Rulebook(
        rules=site.rules,
        by_name={rule.name: rule for rule in site.rules},
        roster=site.roster,
    )


class Rulebooks:
    """The one in force, and those before it until no message of theirs waits."""

    def __init__(self, current: Rulebook) -> None:
        self.current = current
        self._former: list[tuple[datetime, Rulebook]] = []

    def replace(self, book: Rulebook, now: datetime) -> None:
        """From now on messages come under another one."""
        self._former.append((now, self.current))
        self.current = book

    def of(self, received_at: datetime) -> Rulebook:
        """The one under which a message came that waits in the inbox."""
        return next(
            (book for until, book in self._former if received_at < until), self.current
        )

    def read_up_to(self, oldest: datetime | None) -> None:
        """Nothing waits that is older than this; None: nothing waits at all.

        So that a clock that is set back brings no old rules back.
        """
        self._former = [
            (until, book)
            for until, book in self._former
            if oldest is not None and oldest < until
        ]
