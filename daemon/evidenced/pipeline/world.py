"""What the loops share: the configuration in force, the store, clock and dice."""

from datetime import datetime, timedelta

from evidenced.config.site import Site
from evidenced.core.cameras import Roster
from evidenced.core.identity import incident_id
from evidenced.core.ids import IncidentId, RecorderName, RuleName
from evidenced.core.rules import Rule
from evidenced.ports import Clock, Dice, Store


class World:
    """One for the whole daemon. A reload replaces the site whole, between two steps."""

    def __init__(self, site: Site, store: Store, clock: Clock, dice: Dice) -> None:
        self.store = store
        self.clock = clock
        self.dice = dice
        self.is_stopping = False
        self.adopt(site)

    def adopt(self, site: Site) -> None:
        """Put another configuration in force."""
        self.site = site
        self.roster: Roster = site.roster
        self.rules: dict[RuleName, Rule] = {rule.name: rule for rule in site.rules}
        self.settles: dict[RecorderName, timedelta] = {
            name: each.settle for name, each in site.recorders.items()
        }

    def new_id(self, at: datetime) -> IncidentId:
        return incident_id(at, self.dice.token())
