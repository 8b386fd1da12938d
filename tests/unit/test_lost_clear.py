"""An alarm whose clear was lost does not record for ever."""

from dataclasses import replace
from datetime import timedelta

from evidenced.core.alarms.alarm import Signal
from evidenced.core.incidents.happening import Happening, find_touching
from evidenced.core.incidents.history import Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import clear, extend, open_incident
from fakes.incident import AWAITS, LOBBY, SETTLES, Ids, happening, t, turn, windows

HOUR = timedelta(hours=1)
WITHIN = replace(AWAITS, clear_within=HOUR)


def alarm(at: str, signal: Signal = Signal.ACTIVE) -> Happening:
    return happening(at, LOBBY, rule=WITHIN, signal=signal)


def opened(at: str) -> Incident:
    return open_incident(alarm(at), Ids()).after


def test_it_goes_on_from_cut_to_cut_until_the_clear_is_lost() -> None:
    changes = turn(opened("12:00"), t("12:30"), SETTLES, Ids(), clear_within=HOUR)
    assert [change.event for change in changes] == [Event.ENDED, Event.CONTINUED]
    second = changes[-1].after
    assert turn(second, t("12:59:59"), SETTLES, Ids(), clear_within=HOUR) == []
    changes = turn(second, t("13:00"), SETTLES, Ids(), clear_within=HOUR)
    assert [change.event for change in changes] == [Event.ENDED]
    assert not changes[-1].after.is_active
    assert windows(changes[-1].after) == {"lobby": [("12:30", "13:00")]}


def test_an_absence_does_not_shorten_it() -> None:
    """The clear may wait at the broker: what it would end is kept until then."""
    changes = turn(opened("12:00"), t("20:00"), SETTLES, Ids(), clear_within=HOUR)
    pieces = [each.after for each in changes if each.event is Event.ENDED]
    assert [windows(piece)["lobby"] for piece in pieces] == [
        [("11:59:30", "12:30")],
        [("12:30", "13:00")],
    ]


def test_each_alarm_waits_anew() -> None:
    more = extend(opened("12:00"), alarm("12:20"), Ids())[-1].after
    changes = turn(more, t("13:00"), SETTLES, Ids(), clear_within=HOUR)
    assert changes[-1].after.is_active
    changes = turn(more, t("13:30"), SETTLES, Ids(), clear_within=HOUR)
    assert not changes[-1].after.is_active


def test_an_alarm_after_it_is_another_incident() -> None:
    incident = opened("12:00")
    assert find_touching([incident], alarm("12:59")) is incident
    assert find_touching([incident], alarm("13:01")) is None


def test_a_clear_after_it_ends_it_where_it_was_lost() -> None:
    changes = clear(opened("12:00"), alarm("19:00", Signal.CLEAR), Ids())
    assert windows(changes[-1].after) == {"lobby": [("13:00", "13:02")]}


def test_without_it_every_clear_is_waited_for() -> None:
    changes = turn(opened("12:00"), t("20:00"), SETTLES, Ids())
    assert changes[-1].after.is_active
