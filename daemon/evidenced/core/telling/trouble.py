"""Trouble of what surrounds us: told once it lasts, over once it is over for as long.

So a blip says nothing, and what flaps is one trouble. What was open at a restart stays
open until it has not been seen for GRACE: a hold is found only by sending something.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evidenced.core.incidents.history import Entry, Event
from evidenced.core.instants import render_utc
from evidenced.core.phrase import joined, phrase, plural
from evidenced.core.spoken import spoken
from evidenced.core.telling.notice import NoticeKind

GRACE = timedelta(minutes=5)
AHEAD_TEXT = (
    "incident {} is of a time that is still to come: this host's clock was ahead when "
    "the alarm came. Trigger the rule by hand for the right time, then cancel the "
    "incident"
)
OF_REMEDIES = frozenset({NoticeKind.SHARE, NoticeKind.RECORDS})
"""Whose sentence says what people have to do."""
_NUMBER = re.compile(r"[0-9]+")

TroubleKey = tuple[NoticeKind, str]
"""What is in trouble: its kind and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One that was told; `ended_at` None while it goes on."""

    kind: NoticeKind
    name: str
    text: str
    since: datetime
    ended_at: datetime | None = None

    @property
    def key(self) -> TroubleKey:
        return self.kind, self.name

    def entry(self, now: datetime, waited: int = 0) -> Entry:
        """What the history says of its beginning or end.

        `waited` are the incidents that it held up, which go on now.
        """
        detail: dict[str, object] = {
            "kind": self.kind,
            "name": self.name,
            "text": self.text,
            "since": render_utc(self.since),
        }
        is_over = self.ended_at is not None
        if self.ended_at is not None:
            lasted = phrase(
                "over after {length}", length=spoken(self.ended_at - self.since)
            )
            detail["text"] = joined(
                "; ", filter(None, [lasted, _goes_on(self.kind, waited)])
            )
        event = Event.TROUBLE_ENDED if is_over else Event.TROUBLE_BEGUN
        return Entry(incident=None, at=now, event=event, detail=detail)


def _goes_on(kind: NoticeKind, waited: int) -> str:
    """What its end means for footage: never the fault that is over."""
    if not waited:
        return _ENDS.get(kind, "")
    return plural(
        "{n} incident that waited goes on", "{n} incidents that waited go on", waited
    )


_ENDS = {
    NoticeKind.BROKER: phrase("alarms come in again"),
    NoticeKind.CAMERA: phrase("what it would have filmed meanwhile is not recorded"),
}


@dataclass(slots=True)
class _Seen:
    """When it was first and last seen, by the clock that never jumps."""

    first: float
    since: datetime
    last: float
    text: str


def _is_another(trouble: Trouble, text: str | None) -> bool:
    """Whether it gave way to one with another remedy.

    A share was full, and is not the right one now. Details after a colon, and numbers,
    make no other.
    """
    if text is None or trouble.kind not in OF_REMEDIES:
        return False
    was, now = (
        _NUMBER.sub("", each.partition(": ")[0]) for each in (trouble.text, text)
    )
    return was != now


class Watched:
    """What was seen of late, and which of it is told. Pure but for its memory."""

    def __init__(self, open_: Iterable[Trouble], started: float) -> None:
        self.open = {each.key: each for each in open_}
        self._seen: dict[TroubleKey, _Seen] = {}
        self._started = started

    def look(
        self,
        conditions: Mapping[TroubleKey, str],
        now: datetime,
        monotonic: float,
        patience: timedelta,
    ) -> list[Trouble]:
        """What begins or ends by this look; `conditions` is all that is wrong now."""
        for key, text in conditions.items():
            seen = self._seen.setdefault(key, _Seen(monotonic, now, monotonic, text))
            seen.last, seen.text = monotonic, text
        lasting = patience.total_seconds()
        changed = []
        for key, seen in list(self._seen.items()):
            if key in self.open:
                continue
            if key not in conditions:
                del self._seen[key]
            elif monotonic - seen.first >= lasting:
                changed.append(self._begin(key, seen))
        for key, trouble in list(self.open.items()):
            if _is_another(trouble, conditions.get(key)):
                changed.append(self._end(trouble, now))
            if key not in conditions and self._is_gone(key, monotonic, lasting):
                changed.append(self._end(trouble, now))
        return changed

    def _begin(self, key: TroubleKey, seen: _Seen) -> Trouble:
        kind, name = key
        trouble = Trouble(kind=kind, name=name, text=seen.text, since=seen.since)
        self.open[key] = trouble
        return trouble

    def _is_gone(self, key: TroubleKey, monotonic: float, lasting: float) -> bool:
        seen = self._seen.get(key)
        if seen is not None:
            return monotonic - seen.last >= lasting
        return monotonic - self._started >= max(lasting, GRACE.total_seconds())

    def _end(self, trouble: Trouble, now: datetime) -> Trouble:
        del self.open[trouble.key]
        self._seen.pop(trouble.key, None)
        return replace(trouble, ended_at=max(now, trouble.since))
