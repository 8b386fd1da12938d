"""Who hears of what, when, and in how many messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.severity import Severity
from evidenced.core.spoken import clock, to_the_minute
from evidenced.core.telling.mail import MAX_BODY, Letterhead, compose
from evidenced.core.telling.notice import UNASKED, Notice, NoticeKind, Phase
from evidenced.core.telling.routing import Pile, Route, add_to_pile, due, next_due
from evidenced.core.trust import exactly
from fakes.incident import m, s, t

NOW = t("12:00")
ROUTE = Route(
    name="duty", events=frozenset(UNASKED), group_wait=s(30), group_interval=m(5)
)
HEAD = Letterhead(
    instance="evidenced site-1", zone=UTC, page="https://evidence.example"
)


NO_VIDEO = "the recorder has no video of it"


def failed(
    n: int = 1, rule: str = "door-forced", at: datetime = NOW, text: str = "no-video"
) -> Notice:
    return Notice(
        kind=NoticeKind.FAILED,
        subject=rule,
        severity=Severity.WARNING,
        at=at,
        incident=IncidentId(f"20261123-{n:06}-aaaaaaaa"),
        text=text,
    )


def trouble(phase: Phase = Phase.BEGUN, text: str = "connection refused") -> Notice:
    return Notice(
        kind=NoticeKind.RECORDER,
        subject="main",
        severity=Severity.WARNING,
        at=NOW,
        text=text,
        phase=phase,
    )


def piled(*notices: Notice, route: Route = ROUTE) -> list[Pile]:
    return list(add_to_pile(notices, {}, [route], NOW).values())


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (ROUTE, None),
        (
            replace(ROUTE, events=frozenset({NoticeKind.LATE})),
            "failed is not among its",
        ),
        (replace(ROUTE, rules=frozenset({"panic"})), "rule door-forced is not among"),
        (replace(ROUTE, rules=frozenset({"door-forced"})), None),
        (replace(ROUTE, severity=Severity.WARNING), None),
        (replace(ROUTE, severity=Severity.CRITICAL), "warning is less than critical"),
    ],
)
def test_who_hears_of_it(route: Route, why: str | None) -> None:
    refusal = route.refusal(failed())
    assert refusal is None if why is None else (refusal or "").startswith(why)


def test_trouble_is_told_whatever_the_rules() -> None:
    assert replace(ROUTE, rules=frozenset({"panic"})).refusal(trouble()) is None


def test_it_waits_for_what_comes_with_it() -> None:
    piles = piled(failed())
    assert next_due(piles, ROUTE) == NOW + s(30)
    assert due(piles, ROUTE, exactly(NOW + s(29.9))) == []
    assert due(piles, ROUTE, exactly(NOW + s(30))) == piles


def test_a_storm_is_one_message() -> None:
    storm = [
        failed(n, at=NOW + s(n), text="no-video" if n % 3 else "recorder-fault")
        for n in range(37)
    ]
    sent = due(piled(*storm, trouble()), ROUTE, exactly(NOW + s(30)))
    message = compose(sent, HEAD)
    assert message.title == (
        "evidenced site-1: 37 incidents of door-forced failed; "
        "recorder main is in trouble"
    )
    assert message.body.splitlines() == [
        "37 incidents of door-forced failed",
        (
            "  reasons: the recorder has no video of it (24), "
            "the recorder has a fault (13)"
        ),
        "  first 2026-11-23 12:00:00, last 2026-11-23 12:00:36",
        "  2026-11-23 12:00:00 20261123-000000-aaaaaaaa the recorder has a fault",
        "  2026-11-23 12:00:01 20261123-000001-aaaaaaaa " + NO_VIDEO,
        "  2026-11-23 12:00:02 20261123-000002-aaaaaaaa " + NO_VIDEO,
        "  2026-11-23 12:00:03 20261123-000003-aaaaaaaa the recorder has a fault",
        "  2026-11-23 12:00:36 20261123-000036-aaaaaaaa the recorder has a fault",
        "  and 32 more",
        "  https://evidence.example/?rule=door-forced&state=failed",
        "",
        "recorder main is in trouble",
        "  2026-11-23 12:00:00 connection refused",
        "",
        "https://evidence.example",
    ]


def test_more_of_the_same_waits_for_the_interval_and_others_do_not() -> None:
    [pile] = piled(failed())
    told = pile.told(pile, NOW + s(30))
    assert (told.count, told.due_at(ROUTE)) == (0, None)
    again = add_to_pile([failed(2), trouble()], {told.key: told}, [ROUTE], NOW + s(40))
    sent = due(again.values(), ROUTE, exactly(NOW + s(70)))
    assert [each.kind for each in sent] == [NoticeKind.RECORDER]
    assert next_due(again.values(), ROUTE) == NOW + s(70)
    assert due(again.values(), ROUTE, exactly(NOW + s(330)))[0].count == 1


def test_what_comes_while_a_message_is_sent_is_told_in_the_next() -> None:
    [sent] = piled(failed(1), failed(2))
    grown = sent.with_notice(failed(3, text="disk-full"), NOW + s(31))
    rest = grown.told(sent, NOW + s(32))
    assert (rest.count, rest.reasons) == (1, {"disk-full": 1})
    assert [each.incident for each in rest.samples] == [failed(3).incident]
    assert rest.due_at(ROUTE) == NOW + s(32) + m(5)


def test_a_clock_that_went_back_holds_nothing_up() -> None:
    piles = piled(failed())
    assert due(piles, ROUTE, exactly(NOW - m(60))) == piles


@pytest.mark.parametrize(
    ("notice", "title", "is_good"),
    [
        (failed(), "1 incident of door-forced failed", False),
        (trouble(), "recorder main is in trouble", False),
        (trouble(Phase.GOES_ON), "recorder main is still in trouble", False),
        (trouble(Phase.ENDED), "recorder main is in order again", True),
        (
            replace(trouble(), kind=NoticeKind.CLOCK),
            "clock of recorder main is in trouble",
            False,
        ),
        (
            replace(trouble(), kind=NoticeKind.QUEUE),
            "queue of recorder main waits for the next hour",
            False,
        ),
        (
            replace(trouble(), kind=NoticeKind.QUEUE, phase=Phase.ENDED),
            "queue of recorder main goes on",
            True,
        ),
        (
            replace(trouble(), kind=NoticeKind.BROKER, subject=""),
            "broker is in trouble",
            False,
        ),
        (
            replace(failed(), kind=NoticeKind.LATE),
            "1 incident of door-forced has no footage yet",
            False,
        ),
        (
            replace(trouble(), kind=NoticeKind.SILENCE, subject="rule a"),
            "rule a is silent",
            False,
        ),
    ],
)
def test_titles(notice: Notice, title: str, *, is_good: bool) -> None:
    route = replace(ROUTE, events=frozenset(NoticeKind))
    message = compose(piled(notice, route=route), HEAD)
    assert message.title == f"evidenced site-1: {title}"
    assert message.is_good is is_good


def test_one_incident_is_linked_itself() -> None:
    body = compose(piled(failed(7)), HEAD).body
    link = "https://evidence.example/incidents/20261123-000007-aaaaaaaa"
    assert link in body
    without = compose(piled(failed(7)), replace(HEAD, page="")).body
    assert "http" not in without


def test_a_message_has_its_bounds() -> None:
    many = [
        failed(n, rule=f"rule-{n % 60}" + "x" * 60, text=f"{n}\n" + "y" * 5000)
        for n in range(2000)
    ]
    message = compose(due(piled(*many), ROUTE, exactly(NOW + m(1))), HEAD)
    assert len(message.body) <= MAX_BODY
    assert len(message.title) <= 150
    assert "\n" not in message.title


def test_reasons_are_counted_within_bounds() -> None:
    [pile] = piled(*(failed(n, text=f"reason {n}") for n in range(50)))
    assert len(pile.reasons) == 11
    assert sum(pile.reasons.values()) == pile.count == 50


LOST = Notice(
    kind=NoticeKind.PARTIAL,
    subject="zone-alarm",
    severity=Severity.WARNING,
    at=NOW,
    incident=IncidentId("i1"),
    text="no-video",
    what="Inbraak: Kelder PIR",
    cameras=("Kelder",),
    begin=NOW - m(9),
    end=NOW - m(3),
    why="Kelder missing: the recorder has no video of it (asked 16 times)",
    advice="Does the camera record? If the recorder has the video by now, retry.",
)


def test_a_message_names_camera_window_reason_and_what_to_do() -> None:
    message = compose(piled(LOST), HEAD)
    assert message.title.endswith(": Kelder: no footage (Inbraak: Kelder PIR)")
    begin, end = (clock(at, HEAD.zone) for at in (NOW - m(9), NOW - m(3)))
    said = f"Kelder: no footage of {begin} to {end} (Inbraak: Kelder PIR)"
    assert said in message.body
    assert LOST.why in message.body
    assert f"What to do: {LOST.advice}" in message.body
    assert message.body.startswith("1 incident of zone-alarm ended with some clips")


def test_a_message_says_until_when_the_recorder_has_it() -> None:
    lost = replace(LOST, recorders=("annex", "main"))
    kept = {"main": timedelta(days=30), "annex": timedelta(days=7)}
    body = compose(piled(lost), replace(HEAD, retentions=kept)).body
    end = to_the_minute(NOW - m(9) + timedelta(days=7), HEAD.zone)
    assert f"Until {end}: then the recorder overwrites it" in body
    assert "overwrites" not in compose(piled(lost), HEAD).body


def test_what_is_late_has_none_yet() -> None:
    body = compose(piled(replace(LOST, kind=NoticeKind.LATE)), HEAD).body
    assert "Kelder: no footage yet of " in body
