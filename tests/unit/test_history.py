from dataclasses import replace

import pytest

from evidenced.core.incidents.history import TOLD_ALARMS, Change, Event, entry_of
from evidenced.core.incidents.lifecycle import clear, extend, open_incident
from evidenced.core.incidents.states import ClipState
from fakes.incident import (
    AWAITS,
    DOOR,
    LOBBY,
    SETTLES,
    Ids,
    ended,
    happening,
    opened,
    s,
    t,
    turn,
)


def test_the_first_entry_tells_all_states() -> None:
    entry = entry_of(open_incident(happening("12:00", LOBBY, DOOR), Ids()), t("12:00"))
    assert entry is not None
    assert (entry.incident, entry.event, entry.at) == ("i1", "opened", t("12:00"))
    assert entry.detail == {
        "topic": "t",
        "time": "2026-11-23T12:00:00.000Z",
        "rule": "rule-0",
        "key": "site/door",
        "fields": {},
        "state": {"from": None, "to": "recording"},
        "clips": {
            "1": {"camera": "lobby", "from": None, "to": "recording"},
            "2": {"camera": "door", "from": None, "to": "recording"},
        },
    }


def test_an_entry_tells_what_changed_and_nothing_else() -> None:
    incident = opened(happening("12:00", LOBBY))
    change = turn(incident, t("12:02"), SETTLES, Ids())[-1]
    entry = entry_of(change, t("12:02"))
    assert entry is not None
    assert entry.detail["state"] == {"from": "recording", "to": "waiting"}
    assert entry.detail["clips"] == {
        "1": {"camera": "lobby", "from": "recording", "to": "due"}
    }


def test_a_change_of_one_clip_that_leaves_the_incident_s_state_is_told() -> None:
    incident = ended(LOBBY, DOOR)
    after = incident.with_clips(incident.clips[0].moved(ClipState.REJECTED))
    entry = entry_of(
        Change(before=incident, after=after, event=Event.REFUSED), t("12:03")
    )
    assert entry is not None
    assert entry.detail == {
        "clips": {"1": {"camera": "lobby", "from": "due", "to": "rejected"}}
    }


@pytest.mark.parametrize("event", [Event.EXTENDED, Event.CLEARED])
@pytest.mark.parametrize(
    ("alarms", "is_told"), [(TOLD_ALARMS, True), (TOLD_ALARMS + 1, False)]
)
def test_a_storm_is_told_as_a_count(
    event: Event, *, alarms: int, is_told: bool
) -> None:
    incident = opened(happening("12:00", LOBBY))
    after = replace(incident, alarms=alarms)
    change = Change(before=incident, after=after, event=event)
    assert (entry_of(change, t("12:00")) is not None) == is_told


@pytest.mark.parametrize("event", [Event.EXTENDED, Event.CLEARED])
def test_a_change_of_state_is_told_in_a_storm_too(event: Event) -> None:
    incident = ended()
    again = incident.with_clips(incident.clips[0].moved(ClipState.RECORDING))
    change = Change(before=incident, after=replace(again, alarms=999), event=event)
    entry = entry_of(change, t("12:00"))
    assert entry is not None
    assert entry.detail["state"] == {"from": "waiting", "to": "recording"}


def test_a_change_of_one_clip_is_told_in_a_storm_too() -> None:
    """Seen: a camera that joined a storm late was in no entry."""
    incident = opened(happening("12:00", LOBBY))
    incident = replace(incident, alarms=999)
    change = extend(incident, happening("12:00:01", DOOR), Ids())[-1]
    entry = entry_of(change, t("12:00:01"))
    assert entry is not None
    assert entry.detail["clips"] == {
        "2": {"camera": "door", "from": None, "to": "recording"}
    }


def test_the_history_of_a_contact_that_flaps_is_bounded() -> None:
    """Seen: every clear of a storm wrote a row, a flapping contact one a second."""
    incident = opened(happening("12:00", LOBBY, rule=AWAITS))
    entries = []
    for n in range(200):
        at = t("12:00") + s(n)
        alarm = happening(at, LOBBY, rule=AWAITS)
        step = clear if n % 2 == 0 else extend
        for change in step(incident, alarm, Ids()):
            entries.append(entry_of(change, at))
            incident = change.after
    assert incident.alarms == 201
    assert len([entry for entry in entries if entry]) == TOLD_ALARMS - 1
