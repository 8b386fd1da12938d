"""Alarms and clears of one group where clears may be lost, looked at late or early."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.alarms.alarm import Signal
from evidenced.core.alarms.rules import Rule
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.happening import find_agreeing, find_touching
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend, open_incident
from fakes.incident import (
    LOBBY,
    SETTLES,
    Ids,
    check_change,
    happening,
    rule,
    s,
    t,
    turn,
)

FAR = t("12:00") + timedelta(days=30)
EVENTS = st.lists(
    st.tuples(st.integers(1, 1500), st.booleans(), st.booleans()), max_size=12
)
"""Seconds since the one before, whether it is a clear, whether time is looked at."""


class Group:
    """One group's incidents, as the pipeline would keep them."""

    def __init__(self, within: int) -> None:
        made = rule(clear=True, max_length=s(300), pre_roll=s(20), post_roll=s(30))
        self.rule: Rule = replace(made, clear_within=s(within))
        self.incidents: dict[IncidentId, Incident] = {}
        self.ids = Ids()

    def save(self, changes: list[Change]) -> None:
        for change in changes:
            check_change(change)
            self.incidents[change.after.id] = change.after

    def look(self, now: datetime) -> None:
        for each in list(self.incidents.values()):
            self.save(
                turn(each, now, SETTLES, self.ids, clear_within=self.rule.clear_within)
            )

    def alarm(self, at: datetime) -> None:
        alarm = happening(at, LOBBY, rule=self.rule, now=at)
        touched = find_touching(self.incidents.values(), alarm)
        if touched is None:
            self.save([open_incident(alarm, self.ids)])
        else:
            self.save(extend(touched, alarm, self.ids))

    def clear(self, at: datetime) -> None:
        over = happening(at, LOBBY, rule=self.rule, now=at, signal=Signal.CLEAR)
        for active in find_agreeing(self.incidents.values(), over):
            self.save(clear(active, over, self.ids))

    def covers(self, at: datetime) -> bool:
        return any(
            clip.window.start <= at < clip.window.end
            for each in self.incidents.values()
            for clip in each.clips
        )


@given(EVENTS, st.integers(1, 1200))
def test_footage_reaches_to_the_clear_or_until_it_is_lost(
    events: list[tuple[int, bool, bool]], within: int
) -> None:
    group, now = Group(within), t("12:00")
    alarms: list[datetime] = []
    clears: list[datetime] = []
    for gap, is_clear, is_looked_at in events:
        now += s(gap)
        if is_looked_at:
            group.look(now)
        (clears if is_clear else alarms).append(now)
        (group.clear if is_clear else group.alarm)(now)
    group.look(FAR)
    assert not [each for each in group.incidents.values() if each.is_active]
    for at in alarms:
        over = min([each for each in clears if each >= at], default=FAR)
        end = min(over, at + s(within))
        for n in range(11):
            assert group.covers(at - s(20) + (end - at + s(20)) * n / 11)
    last = max(alarms, default=t("12:00"))
    for each in group.incidents.values():
        assert each.span.end <= last + s(within) + s(300) + s(30)
