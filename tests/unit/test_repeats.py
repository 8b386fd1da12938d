"""When a message changes nothing: repeats, and what looks like one and is an alarm."""

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.listening import Listener, listener

OPENED, EXTENDED, CLEARED = Outcome.OPENED, Outcome.EXTENDED, Outcome.CLEARED
DUPLICATE, INVALID, PASSED = Outcome.DUPLICATE, Outcome.INVALID, Outcome.PASSED
SWITCH = "when = \"s == 'on'\"\nclear = \"s == 'off'\"\n"
TIMED, COUNTED = 'time = "at"\n', 'id = "n"\n'


def one(keys: str, name: str = "r", topics: str = "t/{door}") -> str:
    head = f'[[rules]]\nname = "{name}"\ntopics = ["{topics}"]\ncameras = ["lobby"]\n'
    return f'{head}group_by = ["door"]\nclear_within = "1h"\n{keys}\n'


def on(heard: Listener, topic: str = "t/a", **said: object) -> Outcome:
    [(_, found)] = heard.outcomes(topic, {"s": "on", **said})
    return found


def off(heard: Listener, topic: str = "t/a", **said: object) -> Outcome:
    [(_, found)] = heard.outcomes(topic, {"s": "off", **said})
    return found


AT = "2026-11-30T12:00:00Z"


@pytest.mark.parametrize("keys", [TIMED, TIMED + COUNTED, COUNTED])
def test_the_same_event_told_twice_is_listed_as_a_repeat(keys: str) -> None:
    heard = listener(one(keys))
    said = {"n": 7, "at": AT}
    assert [on(heard, **said), on(heard, **said)] == [OPENED, DUPLICATE]
    [kept] = heard.refused()
    assert (kept.outcome, kept.rule, kept.topic) == (DUPLICATE, "r", "t/a")
    assert kept.detail == "repeats an alarm whose footage is ordered"


def test_another_topic_or_time_is_another_alarm() -> None:
    heard = listener(one(TIMED + COUNTED))
    assert on(heard, n=7, at=AT) is OPENED
    assert on(heard, "t/b", n=7, at=AT) is OPENED
    assert on(heard, n=7, at="2026-11-30T12:00:01Z") is EXTENDED


@pytest.mark.parametrize("keys", [TIMED, COUNTED, TIMED + COUNTED])
def test_after_a_clear_the_same_message_is_an_alarm(keys: str) -> None:
    """A clock of whole seconds or minutes, and a door that bounces."""
    heard = listener(one(SWITCH + keys))
    said = {"n": 7, "at": AT}
    assert [on(heard, **said), off(heard, **said)] == [OPENED, CLEARED]
    assert [on(heard, **said), on(heard, **said)] == [EXTENDED, DUPLICATE]
    heard.wait(8)
    assert off(heard, at="2026-11-30T12:00:10Z") is CLEARED
    assert [end for _, _, end in heard.windows()] == [
        "12:02:10" if TIMED in keys else "12:02:13"
    ]


def test_a_door_that_closes_last_is_closed() -> None:
    heard = listener(one(SWITCH + TIMED))
    assert on(heard, at=AT) is OPENED
    for _ in range(2):
        assert off(heard, at="2026-11-30T12:00:03Z") is CLEARED
        assert on(heard, at="2026-11-30T12:00:03Z") is EXTENDED
    assert off(heard, at="2026-11-30T12:00:03Z") is CLEARED
    assert [end for _, _, end in heard.windows()] == ["12:02:03"]


def test_a_clear_of_another_group_lets_a_repeat_be_one() -> None:
    heard = listener(one(SWITCH + TIMED))
    assert on(heard, at=AT) is OPENED
    off(heard, "t/b")
    assert on(heard, at=AT) is DUPLICATE


def test_a_clear_that_names_no_group_is_about_all() -> None:
    heard = listener(
        '[[rules]]\nname = "r"\ntopics = ["t"]\ncameras = ["lobby"]\n'
        'group_by = ["door"]\nfields = { door = "door" }\nclear_within = "1h"\n'
        + SWITCH
        + TIMED
    )
    said = [{"door": name, "at": AT} for name in ("a", "b")]
    assert [on(heard, "t", **each) for each in said] == [OPENED, OPENED]
    off(heard, "t")
    assert [on(heard, "t", **each) for each in said] == [EXTENDED, EXTENDED]


def test_a_lost_clear_is_none() -> None:
    """`clear_within` ends an incident; what was told is told all the same."""
    heard = listener(one(SWITCH + TIMED))
    assert on(heard, at=AT) is OPENED
    heard.wait(3 * 3600)
    assert on(heard, at=AT) is DUPLICATE


def test_what_ordered_nothing_is_repeated_by_nothing() -> None:
    heard = listener(one(TIMED + 'max_age = "1h"\n'))
    old = "2026-11-30T10:00:00Z"
    assert [on(heard, at=old), on(heard, at=old)] == [Outcome.STALE] * 2


def test_an_id_without_time_is_the_same_event_while_it_goes_on() -> None:
    heard = listener(one(COUNTED))
    assert on(heard, n=7) is OPENED
    for _ in range(100):  # the last event, told each half minute for ever
        heard.wait(29)
        assert on(heard, n=7) is DUPLICATE
    heard.wait(3600)  # and a counter that has started anew
    assert on(heard, n=7) is OPENED


@pytest.mark.parametrize(
    ("post_roll", "within", "after"), [("10s", 599, 601), ("30m", 1799, 1801)]
)
def test_an_id_without_time_names_its_event_for_ten_minutes_or_its_window(
    post_roll: str, within: float, after: float
) -> None:
    heard = listener(one(f'{COUNTED}post_roll = "{post_roll}"\n'))
    assert heard.outcomes("t/a", {"s": "on", "n": 7}) == [("r", OPENED)]
    assert heard.outcomes("t/a", {"s": "on", "n": 7}, after=within) == [
        ("r", DUPLICATE)
    ]
    [(_, found)] = heard.outcomes("t/a", {"s": "on", "n": 7}, after=after)
    assert found in {OPENED, EXTENDED}


def test_a_time_that_makes_no_sense_is_none() -> None:
    """There the id alone counts, as in a rule that reads no time."""
    heard = listener(one(TIMED + COUNTED))
    assert [on(heard, n=7, at="1970-01-01T00:00:01Z") for _ in range(2)] == [
        OPENED,
        DUPLICATE,
    ]
    assert on(heard, n=8, at="1970-01-01T00:00:01Z") is EXTENDED


def test_what_a_rule_remembers_of_repeats_survives_a_restart() -> None:
    heard = listener(one(SWITCH + TIMED))
    assert on(heard, at=AT) is OPENED
    heard.restart()
    assert on(heard, at=AT) is DUPLICATE
    off(heard)
    heard.restart()
    assert on(heard, at=AT) is EXTENDED


def test_a_clear_whose_clock_is_far_behind_is_a_clear() -> None:
    heard = listener(one(SWITCH + TIMED))
    assert on(heard, at=AT) is OPENED
    assert off(heard, at="2026-11-01T12:00:00Z") is CLEARED
    assert [each.is_active for each in heard.incidents()] == [False]


# Every rule reads every message


def test_what_one_rule_takes_another_may_be_unable_to_read() -> None:
    heard = listener(
        one('format = "text"\nwhen = "payload == \'on\'"', "text") + one(TIMED, "json")
    )
    assert heard.outcomes("t/a", "on") == [("text", OPENED), ("json", INVALID)]
    [kept] = heard.refused()
    assert kept.rule == "json"
    [loss] = heard.tx.losses.open(9)
    assert loss.name == "json"


def test_a_final_rule_keeps_it_from_those_that_cannot_read_it() -> None:
    heard = listener(one('format = "text"\nfinal = true', "text") + one(TIMED, "json"))
    assert heard.outcomes("t/a", "on") == [("text", OPENED), ("json", PASSED)]
    assert heard.refused() == []


def test_that_it_cannot_be_read_is_told_before_that_it_is_an_old_state() -> None:
    heard = listener(one(TIMED, "live") + one(TIMED + 'retained = "accept"', "all"))
    [found] = heard.hear("t/a", b"{", retained=True)
    assert (found.rule, found.outcome) == ("all", INVALID)


def test_many_rules_that_cannot_read_it_are_told_once() -> None:
    heard = listener("".join(one(TIMED, f"r{n}") for n in range(20)))
    assert heard.outcomes("t/a", b"{") == [("r0", INVALID)]


def test_what_except_leaves_out_is_not_listed() -> None:
    heard = listener(one('except = ["t/bridge"]'))
    assert heard.outcomes("t/bridge", {}) == [(None, Outcome.EXCEPTED)]
    assert heard.outcomes("u/bridge", {}) == [(None, Outcome.UNMATCHED)]
    assert [each.topic for each in heard.refused()] == ["u/bridge"]
