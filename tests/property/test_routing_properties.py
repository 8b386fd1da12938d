"""Grouping, with time as an argument: nothing is lost, nothing is told twice."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.ids import IncidentId
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import UNASKED, Notice, NoticeKind
from evidenced.core.telling.routing import Pile, Route, add_to_pile, due, next_due
from evidenced.core.trust import exactly
from fakes.incident import m, s, t

BASE = t("12:00")
ROUTE = Route(
    name="duty", events=frozenset(UNASKED), group_wait=s(10), group_interval=m(1)
)

steps = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(("a", "b", "c")), st.booleans()),
    min_size=1,
    max_size=40,
)
"""Seconds that pass, the rule of a notice, and whether the receiver takes messages."""

Piles = dict[tuple[str, str, str], Pile]


def notice(n: int, rule: str, now: object) -> Notice:
    return Notice(
        kind=NoticeKind.FAILED,
        subject=rule,
        severity=Severity.WARNING,
        at=now,  # type: ignore[arg-type]
        incident=IncidentId(f"i{n}"),
        text="no-video",
    )


@given(steps)
def test_every_notice_is_told_once_and_in_time(
    story: list[tuple[int, str, bool]],
) -> None:
    piles: Piles = {}
    now, told, messages = BASE, Counter[str](), 0
    last_sent: dict[str, object] = {}
    for n, (seconds, rule, takes) in enumerate(story):
        now += s(seconds)
        piles |= add_to_pile([notice(n, rule, now)], piles, [ROUTE], now)
        sent = due(piles.values(), ROUTE, exactly(now)) if takes else []
        messages += bool(sent)
        for pile in sent:
            earlier = last_sent.get(pile.subject)
            if earlier is not None:
                assert now - earlier >= ROUTE.group_interval  # type: ignore[operator]
            last_sent[pile.subject] = now
            told[pile.subject] += pile.count
            piles[pile.key] = piles[pile.key].told(pile, now)
    while (at := next_due(piles.values(), ROUTE)) is not None:
        now = max(now, at)
        for pile in due(piles.values(), ROUTE, exactly(now)):
            told[pile.subject] += pile.count
            piles[pile.key] = piles[pile.key].told(pile, now)
    assert told == Counter(rule for _, rule, _ in story)
    span = sum((s(seconds) for seconds, _, _ in story), timedelta(0))
    assert messages <= 3 * (span / ROUTE.group_interval + 1)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 30))
def test_one_batch_or_many_give_the_same_piles(rules: list[str], at: int) -> None:
    notices = [notice(n, rule, BASE) for n, rule in enumerate(rules)]
    whole = add_to_pile(notices, {}, [ROUTE], BASE)
    first = add_to_pile(notices[:at], {}, [ROUTE], BASE)
    parts = first | add_to_pile(notices[at:], first, [ROUTE], BASE)
    assert parts == whole
