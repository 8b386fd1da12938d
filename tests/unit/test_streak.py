from evidenced.core.streak import REMIND_S, Reasons, Streak


def test_it_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    streak = Streak()
    seen = [streak.look(is_so=so) for so in (False, True, True, False, False, True)]
    assert seen == [None, True, None, False, None, True]


def test_its_end_says_how_often_it_was_met() -> None:
    streak = Streak()
    assert [streak.met() for _ in range(3)] == [True, False, False]
    assert streak.count == 3
    assert [streak.over(), streak.over(), streak.count] == [3, 0, 0]


def test_what_is_met_again_soon_is_the_same_streak() -> None:
    streak = Streak(quiet_s=60)
    assert streak.met(100)
    assert streak.over(110)
    assert not streak.met(169)
    assert not streak.over(170)
    assert streak.met(230)
    assert streak.over(231)


def test_what_lasts_is_told_again_each_hour() -> None:
    streak = Streak()
    assert streak.lasts(0) is None
    streak.met(10)
    assert streak.lasts(10 + REMIND_S - 1) is None
    assert streak.lasts(10 + REMIND_S) == REMIND_S
    assert streak.lasts(11 + REMIND_S) is None
    streak.over()
    assert streak.lasts(10 + 9 * REMIND_S) is None


def test_reasons_tell_what_begins_and_what_is_over() -> None:
    reasons = Reasons[str]()
    assert reasons.look({"a": "1", "b": "1"}) == (["a", "b"], [])
    assert reasons.look({"b": "2", "c": "1"}) == (["c"], ["a"])
    assert reasons.of == {"b": "2", "c": "1"}
