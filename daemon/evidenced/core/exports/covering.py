"""Finding out by few questions what a recorder has recorded of a window.

A question is about a span, and its answer the instants of the first images in it. How
many a recorder gives, and how far apart they are, is its own affair: of one that tells
few, spans between the answers are left out, so that the questions last for the whole
window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_high

from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import MILLISECOND, MINUTE, SECOND, ZERO, render_utc
from evidenced.core.window import Window

MOST_QUESTIONS = 24
"""Of one clip."""
SPAN = 10 * MINUTE
"""Of one question: shorter than a quarter of an hour, by which time zones differ."""
SHORTEST_GAP = 5 * SECOND
SPARSE = 3
"""A recorder may list key images only: a gap is so many times their usual distance."""
FULL = 20
"""Two answers of so many images, and as many each, are as many as it gives."""


@dataclass(slots=True)
class Questions:
    """Of one window, by the recorder's clock: which span comes next, and what it gave.

    `images` are instants with footage; `skipped` spans that nobody asked about.
    """

    window: Window
    asked: int = 0
    images: list[datetime] = field(default_factory=list)
    skipped: list[Window] = field(default_factory=list)
    _at: datetime | None = None
    _given: int = 0

    def next(self) -> Window | None:
        """The span to ask about; None once all is known that can be."""
        start = self._at or self.window.start
        rest = self.window.end - start
        if self.asked >= MOST_QUESTIONS or rest <= MILLISECOND:
            return None
        return Window(start=start, end=start + min(rest, SPAN))

    def answer(self, span: Window, images: Sequence[datetime]) -> None:
        """The first images of the span, in order."""
        self.asked += 1
        inside = [at for at in images if span.start <= at <= span.end]
        self.images += inside
        is_capped = len(inside) >= FULL and len(inside) == self._given
        self._given = len(inside)
        if not inside:
            self._at = span.end
            return
        last = inside[-1]
        if span.end - last < SHORTEST_GAP:
            self._at = span.end
            return
        self._at = last + MILLISECOND
        left = MOST_QUESTIONS - self.asked
        if is_capped and left:
            stride = (self.window.end - last) / left
            jump = stride - (last - span.start)
            if jump > ZERO:
                to = min(last + jump, self.window.end - MILLISECOND)
                self.skipped.append(Window(start=last, end=max(to, last)))
                self._at = max(to, last + MILLISECOND)

    def found(self) -> tuple[tuple[Window, ...], timedelta]:
        """The gaps, and the longest span that was not asked about."""
        reached = (
            self.window.end
            if self.next() is None and self._is_through()
            else (self._at or self.window.start)
        )
        skipped = list(self.skipped)
        if reached < self.window.end:
            skipped.append(Window(start=reached, end=self.window.end))
        least = max(SHORTEST_GAP, SPARSE * _distance(self.images))
        edges = [self.window.start, *self.images, reached]
        gaps = [
            Window(start=start, end=end)
            for a, b in pairwise(edges)
            for start, end in _without(a, b, skipped)
            if end - start >= least
        ]
        return tuple(gaps), max((each.length for each in skipped), default=ZERO)

    def _is_through(self) -> bool:
        return self._at is not None and self.window.end - self._at <= MILLISECOND


def _distance(images: Sequence[datetime]) -> timedelta:
    """How far apart images usually are."""
    apart = [b - a for a, b in pairwise(images)]
    return median_high(apart) if apart else ZERO


def _without(
    start: datetime, end: datetime, skipped: Iterable[Window]
) -> list[tuple[datetime, datetime]]:
    """The pieces between two images that were asked about."""
    pieces = []
    for each in skipped:
        if each.end <= start or each.start >= end:
            continue
        pieces.append((start, each.start))
        start = each.end
    return [*pieces, (start, end)]


def covered(questions: Questions, offset: timedelta) -> Coverage:
    """What the answers come to, in true UTC."""
    gaps, unseen = questions.found()
    return Coverage(
        state=CoverageState.GAPS if gaps else CoverageState.WHOLE,
        gaps=tuple(gap.shifted(-offset) for gap in gaps),
        unseen=unseen,
    )


def unknown(text: str) -> Coverage:
    """The recorder cannot be asked."""
    return Coverage(state=CoverageState.UNKNOWN, text=text)


def conclude(
    incident: Incident, clip: Clip, coverage: Coverage, alarms: Iterable[datetime]
) -> Change:
    """The clip carries it; a gap over an alarm's instant is a loss."""
    moments = {incident.opened_at, incident.last_at, *alarms}
    is_loss = any(gap.start <= at < gap.end for gap in coverage.gaps for at in moments)
    found = replace(coverage, is_loss=is_loss)
    detail: dict[str, object] = {"camera": clip.camera, "coverage": found.state}
    if found.gaps:
        detail["gaps"] = [
            {"start": render_utc(gap.start), "end": render_utc(gap.end)}
            for gap in found.gaps
        ]
    if found.is_loss:
        detail["is_loss"] = True
    if found.text:
        detail["text"] = found.text
    return Change(
        before=incident,
        after=incident.with_clips(replace(clip, coverage=found)),
        event=Event.COVERED,
        detail=detail,
    )
