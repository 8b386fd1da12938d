"""What happened earlier and arrives now: alarms and their clears, over reloads too."""

from collections import Counter

from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.trust import exactly
from evidenced.pipeline.turn import late_step
from fakes.listening import Listener, listener, loaded

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
HOURS = 3600


def door(by: str = '"door"', more: str = "", topics: str = "{site}/{door}") -> str:
    return f"""
[[rules]]
name = "door"
topics = ["{topics}"]
cameras = ["lobby"]
group_by = [{by}]
when = "s == 'on'"
clear = "s == 'off'"
clear_within = "0s"
time = "at"
{more}
"""


def on(heard: Listener, at: str | None = None, after: float = 1) -> Outcome:
    [(_, found)] = heard.outcomes("hq/north", {"s": "on", "at": at}, after=after)
    return found


def off(heard: Listener, at: str | None = None, after: float = 1) -> Outcome:
    [(_, found)] = heard.outcomes("hq/north", {"s": "off", "at": at}, after=after)
    return found


def reload(heard: Listener, rules: str) -> None:
    heard.site = build_site(loaded(rules).config)


def states(heard: Listener) -> list[tuple[bool, str]]:
    return [(each.is_active, str(each.state)) for each in heard.incidents()]


# Received together, long after it happened


def test_a_clear_that_comes_with_its_alarm_ends_it() -> None:
    """Of two hours ago: a minute's door, not two hours of footage."""
    heard = listener(door())
    assert on(heard, "2026-11-30T10:00:00Z") is OPENED
    assert off(heard, "2026-11-30T10:01:00Z", after=0.004) is CLEARED
    heard.wait(HOURS)
    assert heard.windows() == [("door", "09:59:30", "10:03:00")]


def test_several_alarms_and_clears_of_earlier_come_one_after_the_other() -> None:
    heard = listener(door())
    for minute in (0, 10, 20):
        assert on(heard, f"2026-11-30T10:{minute:02}:00Z", after=2) in {
            OPENED,
            EXTENDED,
        }
        assert off(heard, f"2026-11-30T10:{minute + 1:02}:00Z", after=2) is CLEARED
    heard.wait(HOURS)
    total = [(begin, end) for _, begin, end in heard.windows()]
    assert total == [
        ("09:59:30", "10:03:00"),
        ("10:09:30", "10:13:00"),
        ("10:19:30", "10:23:00"),
    ]


def test_an_alarm_of_earlier_that_is_still_on_is_cut_as_any() -> None:
    heard = listener(door())
    assert on(heard, "2026-11-30T11:00:00Z") is OPENED
    heard.wait(60)
    assert len(heard.incidents()) == 3
    assert [each.is_active for each in heard.incidents()] == [False, False, True]


def test_a_time_that_stands_still_is_no_reason_to_wait_for_ever() -> None:
    """A door tells its state each second, always with the time of its opening."""
    heard = listener(door())
    for _ in range(40):
        on(heard, "2026-11-30T11:00:00Z")
    assert len(heard.incidents()) == 3


def told(heard: Listener) -> list[str]:
    """For how long alarms are said to have been on, and why incidents ended."""
    found = [entry.detail for _, entry in heard.tx.history.after(0, 9999)]
    keys = ("on_for", "why")
    return [str(each[key]) for each in found for key in keys if key in each]


def test_an_alarm_that_nobody_clears_is_told_after_hours_and_each_day() -> None:
    heard = listener(door())
    assert on(heard) is OPENED
    for _ in range(49):
        heard.wait(HOURS)
    assert told(heard) == ["4 h", "1 d", "2 d"]


def test_that_a_clear_was_lost_is_told() -> None:
    heard = listener(door().replace('"0s"', '"1h"'))
    assert on(heard) is OPENED
    heard.wait(3 * HOURS)
    assert told(heard) == ["no clear has come within 1 h"]


# A clear whose clock says something else


def test_a_clear_counts_for_what_was_received_before_it() -> None:
    for alarm_at, clear_at in (
        ("2026-11-30T12:00:30Z", None),  # a clock that is ahead
        (
            "2026-11-30T12:00:59Z",
            "2026-11-30T12:02:30Z",
        ),  # just beyond what is believed
        ("2026-11-30T12:00:05Z", "2026-11-30T12:00:03Z"),  # two gateways
    ):
        heard = listener(door())
        assert on(heard, alarm_at) is OPENED
        assert off(heard, clear_at, after=2) is CLEARED
        assert states(heard) == [(False, "recording")]


# A reload changes how alarms are grouped


def test_a_clear_under_other_group_names_ends_what_agrees() -> None:
    heard = listener(door())
    assert on(heard) is OPENED
    reload(heard, door('"site", "door"'))
    assert off(heard, after=60) is CLEARED
    heard.wait(48 * HOURS)
    assert heard.windows() == [("door", "11:59:31", "12:03:01")]


def test_a_clear_of_another_group_ends_nothing_of_before_the_reload() -> None:
    heard = listener(door())
    assert on(heard) is OPENED
    reload(heard, door('"site", "door"'))
    [(_, found)] = heard.outcomes("hq/south", {"s": "off"})
    assert found is CLEARED  # kept as a clear that ended nothing
    assert states(heard) == [(True, "recording")]


def test_an_alarm_that_no_clear_finds_any_more_ends_at_its_cut() -> None:
    """Its group is named otherwise: what grows has an end."""
    heard = listener(door())
    assert on(heard) is OPENED
    reload(heard, door('"area", "gate"', topics="{area}/{gate}"))
    assert off(heard, after=60) is CLEARED
    heard.wait(48 * HOURS)
    assert heard.windows() == [("door", "11:59:31", "12:30:01")]


def test_a_reload_that_changes_other_things_lets_it_go_on() -> None:
    heard = listener(door())
    assert on(heard) is OPENED
    reload(heard, door(more="priority = 9"))
    heard.wait(2 * HOURS)
    assert off(heard) is CLEARED
    assert len(heard.incidents()) == 5
    assert not any(each.is_active for each in heard.incidents())


def test_what_waited_for_hours_is_not_late_as_it_comes() -> None:
    """Thirty doors of this morning, after the broker was away: nobody could ask."""
    heard = listener(door(more='alert_after = "5m"'))
    for minute in range(30):
        doors = f"hq/d{minute}"
        [(_, begun)] = heard.outcomes(
            doors, {"s": "on", "at": f"2026-11-30T08:{minute:02}:00Z"}, after=0.01
        )
        [(_, over)] = heard.outcomes(
            doors, {"s": "off", "at": f"2026-11-30T08:{minute:02}:20Z"}, after=0.01
        )
        assert (begun, over) == (OPENED, CLEARED)
    heard.wait(290)
    assert late_step(heard.tx, exactly(heard.now)) == []
    assert counted(heard) == {"opened": 30, "cleared": 30, "ended": 30}
    heard.wait(11)
    assert len(late_step(heard.tx, exactly(heard.now))) == 30


def counted(heard: Listener) -> dict[str, int]:
    """The events; that a limit was met or an alarm was long would be a detail."""
    entries = [entry for _, entry in heard.tx.history.after(0, 999)]
    for entry in entries:
        assert not {"limit", "on_for", "why"} & entry.detail.keys()
    return dict(Counter(str(entry.event) for entry in entries))
