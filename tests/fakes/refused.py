"""Alarms that opened nothing, as the store keeps them."""

from datetime import timedelta

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.alarms.payload import Whole
from evidenced.core.ids import GroupKey, RuleName
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.keeping.kept import RefusedAlarm
from fakes.clock import START
from fakes.incident import moment

WHY = "lobby: silenced by ann until 2026-11-23T07:00:00.000Z: works"
SILENCED = RefusedAlarm(
    received_at=START,
    outcome=Outcome.SILENCED,
    rule=RuleName("door-forced"),
    detail=WHY,
    topic="door/north",
    payload='{"state": "on"}',
    withheld=Withheld(
        moment=moment(START),
        fields={"door": ("north", "south")},
        key=GroupKey("north"),
        cameras=("lobby",),
        why=WHY,
        until=START + timedelta(hours=1),
    ),
)
UNMATCHED = RefusedAlarm(
    received_at=START,
    outcome=Outcome.UNMATCHED,
    rule=None,
    detail="no rule has a topic that fits",
    topic="x",
    payload="abc",
    whole=Whole(size=9, sha256="ff"),
)
