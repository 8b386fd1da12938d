"""Trouble: told once it lasts, over once it is over for as long."""

from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import GRACE, Trouble, Watched
from fakes.incident import m, s, t

NOW = t("12:00")
MAIN = (NoticeKind.RECORDER, "main")
PATIENCE = m(1)


class Play:
    """Looks at given seconds after the start."""

    def __init__(self, *open_: Trouble) -> None:
        self.watched = Watched(open_, 0.0)

    def at(self, seconds: float, *wrong: str) -> list[Trouble]:
        conditions = dict.fromkeys([MAIN] if wrong else [], "".join(wrong))
        return self.watched.look(conditions, NOW + s(seconds), seconds, PATIENCE)


def test_a_blip_says_nothing() -> None:
    play = Play()
    assert play.at(0, "refused") == []
    assert play.at(30, "refused") == []
    assert play.at(45) == []
    assert play.at(60, "refused") == []
    assert play.at(110, "refused") == []


def test_what_lasts_is_told_once_with_its_beginning() -> None:
    play = Play()
    play.at(5, "refused")
    assert play.at(64, "timeout") == []
    [begun] = play.at(65, "timeout")
    assert (begun.text, begun.since, begun.ended_at) == ("timeout", NOW + s(5), None)
    assert play.at(600, "timeout") == []


def test_it_is_over_when_it_was_not_seen_for_as_long() -> None:
    play = Play()
    play.at(0, "refused")
    play.at(60, "refused")
    assert play.at(90) == []
    assert play.at(100, "refused") == []
    assert play.at(150) == []
    [over] = play.at(160)
    assert over.ended_at == NOW + s(160)
    assert play.at(170) == []
    assert play.at(180, "refused") == []


def test_a_share_with_another_fault_is_told_anew_and_details_are_not() -> None:
    share = (NoticeKind.SHARE, "nas")
    watched = Watched((), 0.0)

    def at(seconds: float, text: str) -> list[str]:
        found = watched.look({share: text}, NOW + s(seconds), seconds, PATIENCE)
        return [f"{'over' if each.ended_at else 'begun'} {each.text}" for each in found]

    at(0, "/mnt has 10 bytes left")
    assert at(60, "/mnt has 9 bytes left") == ["begun /mnt has 9 bytes left"]
    assert at(70, "/mnt has 8 bytes left") == []
    assert at(80, "/mnt cannot be listed: stale") == ["over /mnt has 9 bytes left"]
    assert at(90, "/mnt cannot be listed: it hangs") == []
    assert at(150, "/mnt cannot be listed: stale") == [
        "begun /mnt cannot be listed: stale"
    ]
    assert at(160, "/mnt cannot be listed: it hangs") == []


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    earlier = Trouble(kind=NoticeKind.RECORDER, name="main", text="refused", since=NOW)
    play = Play(earlier)
    assert play.at(0, "refused") == []
    assert play.at(300, "refused") == []
    assert len(play.at(360)) == 1


def test_a_hold_that_nobody_has_met_again_is_not_over_at_once() -> None:
    earlier = Trouble(kind=NoticeKind.RECORDER, name="main", text="refused", since=NOW)
    play = Play(earlier)
    assert play.at(120) == []
    assert play.at(GRACE.total_seconds() - 1) == []
    [over] = play.at(GRACE.total_seconds())
    assert over.entry(NOW).detail["text"] == "over after 5 min"
    went_on = "over after 5 min; 4 incidents that waited go on"
    assert over.entry(NOW, waited=4).detail["text"] == went_on
