"""Who hears of what, and when: notices gathered into piles, piles into messages.

A pile is what one receiver has not been told of one kind and subject yet: "37 incidents
of door-forced failed". It is told `group_wait` after its first notice, so that a storm
is one message, and again `group_interval` later at the earliest. All piles that are due
for a receiver go into one message.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from evidenced.core.instants import ZERO
from evidenced.core.phrase import LANGUAGES, mark
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import OF_RULES, Notice, NoticeKind
from evidenced.core.trust import Now

SAMPLES = 5
"""Notices of a pile that are told one by one."""
REASONS = 10
"""Different reasons of a pile that are counted."""
OTHER = mark("other")
NO_ANSWER = mark("no answer yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One receiver, without its address: that is a secret of the messenger's.

    `rules` empty: of all rules. `repeat` zero: never again.
    """

    name: str
    events: frozenset[NoticeKind]
    rules: frozenset[str] = frozenset()
    severity: Severity = Severity.INFO
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat: timedelta = ZERO
    language: str = LANGUAGES[0]

    def refusal(self, notice: Notice) -> str | None:
        """Why the receiver does not hear of it; None if it does."""
        if notice.kind not in self.events:
            return f"{notice.kind} is not among its events"
        if self.rules and notice.kind in OF_RULES and notice.subject not in self.rules:
            return f"rule {notice.subject} is not among its rules"
        if notice.severity.rank < self.severity.rank:
            return f"{notice.severity} is less than {self.severity}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """What one receiver has not heard of one kind and subject; empty once told.

    `samples` are the first ones and the last; `told_at` the last message about it.
    """

    route: str
    kind: NoticeKind
    subject: str
    severity: Severity
    count: int = 0
    since: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    samples: tuple[Notice, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    told_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.route, self.kind, self.subject

    def with_notice(self, notice: Notice, now: datetime) -> "Pile":
        """One more to tell."""
        reasons = dict(self.reasons)
        word = notice.text or NO_ANSWER
        if word not in reasons and len(reasons) >= REASONS:
            word = OTHER
        reasons[word] = reasons.get(word, 0) + 1
        return replace(
            self,
            severity=max(self.severity, notice.severity, key=lambda each: each.rank),
            count=self.count + 1,
            since=self.since or now,
            first_at=min(self.first_at or notice.at, notice.at),
            last_at=max(self.last_at or notice.at, notice.at),
            samples=(*self.samples[: SAMPLES - 1], notice),
            reasons=reasons,
        )

    def told(self, sent: "Pile", now: datetime) -> "Pile":
        """After a message about `sent`: what came meanwhile is still to be told."""
        rest = max(0, self.count - sent.count)
        return replace(
            self,
            count=rest,
            since=now if rest else None,
            first_at=sent.last_at if rest else None,
            last_at=self.last_at if rest else None,
            samples=self.samples[-1:] if rest else (),
            reasons=dict(Counter(self.reasons) - Counter(sent.reasons)) if rest else {},
            told_at=now,
        )

    def due_at(self, route: Route) -> datetime | None:
        """When it is to be told, a report at once; None while there is nothing."""
        if self.since is None:
            return None
        if self.kind is NoticeKind.REPORT:
            return self.since
        due = self.since + route.group_wait
        if self.told_at is not None:
            due = max(due, self.told_at + route.group_interval)
        return due


def due(piles: Iterable[Pile], route: Route, now: Now) -> list[Pile]:
    """Those to be told now, the worst first."""
    longest = route.group_wait + route.group_interval
    found = []
    for pile in piles:
        at = pile.due_at(route)
        if at is not None and now.has_come(at, longest):
            found.append(pile)
    found.sort(
        key=lambda each: (-each.severity.rank, each.first_at or now.at, each.key)
    )
    return found


def next_due(piles: Iterable[Pile], route: Route) -> datetime | None:
    """The next instant at which there is something to tell."""
    instants = [pile.due_at(route) for pile in piles]
    return min((at for at in instants if at is not None), default=None)


def add_to_pile(
    notices: Iterable[Notice],
    piles: Mapping[tuple[str, str, str], Pile],
    routes: Iterable[Route],
    now: datetime,
) -> dict[tuple[str, str, str], Pile]:
    """The piles that these notices change."""
    routes = tuple(routes)
    changed: dict[tuple[str, str, str], Pile] = {}
    for notice in notices:
        for route in routes:
            if route.refusal(notice) is not None:
                continue
            key = (route.name, notice.kind, notice.subject)
            pile = changed.get(key) or piles.get(key) or empty_pile(route, notice)
            changed[key] = pile.with_notice(notice, now)
    return changed


def empty_pile(route: Route, notice: Notice) -> Pile:
    return Pile(
        route=route.name,
        kind=notice.kind,
        subject=notice.subject,
        severity=notice.severity,
    )
