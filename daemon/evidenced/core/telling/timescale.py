"""From instants to places on a line: minutes of footage and a day of waiting fit in.

What was filmed is drawn to scale. What happens outside (waiting, retries, exports)
keeps its order but is squeezed where it is long; each squeezed stretch is a `Break`
that says how long it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from evidenced.core.instants import ZERO
from evidenced.core.window import Window, merge

LONGEST = 0.12
"""Of the footage's length: what a stretch outside is drawn as at most."""
LEAST = 0.008
"""Of the footage's length: what is drawn at least, so that two instants stay two."""
TOLD = timedelta(seconds=5)
"""A shorter stretch is not worth a word, however it is drawn."""
OUTSIDE = 0.42
"""Of the whole width: what lies outside the footage takes at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A stretch that is drawn shorter than it was."""

    x: float
    width: float
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A monotone map of instants to places; linear between its points."""

    instants: tuple[datetime, ...]
    places: tuple[float, ...]
    breaks: tuple[Break, ...] = ()

    def x(self, at: datetime) -> float:
        """The place of an instant; those beyond the ends stick to them."""
        n = bisect_right(self.instants, at)
        if n == 0:
            return self.places[0]
        if n == len(self.instants):
            return self.places[-1]
        before, after = self.instants[n - 1], self.instants[n]
        part = (at - before) / (after - before)
        left, right = self.places[n - 1], self.places[n]
        return left + part * (right - left)


def make_scale(
    footage: Iterable[Window], moments: Iterable[datetime], left: float, right: float
) -> Scale:
    """The scale from `left` to `right` on which all of these have a place."""
    filmed = [window for window in merge(footage) if window.length]
    edges = {at for window in filmed for at in (window.start, window.end)}
    instants = sorted(edges | set(moments))
    if len(instants) < 2:  # noqa: PLR2004 - one instant has no length
        only = instants[0]
        instants = [only - timedelta(seconds=30), only, only + timedelta(seconds=30)]
    spans = [Window(start=start, end=end) for start, end in pairwise(instants)]
    base = sum((window.length for window in filmed), ZERO)
    if not base:
        base = spans[-1].end - spans[0].start
    inside = [any(_holds(window, span) for window in filmed) for span in spans]
    weights = _weights(spans, inside, base)
    return _placed(instants, weights, inside, (left, right))


def _holds(window: Window, span: Window) -> bool:
    return window.start <= span.start and span.end <= window.end


def _weights(
    spans: Sequence[Window], inside: Sequence[bool], base: timedelta
) -> list[float]:
    """How wide each stretch is drawn, before all of it is fitted to the width."""
    whole = base.total_seconds()
    drawn = [
        span.length.total_seconds()
        if is_inside
        else min(max(span.length.total_seconds(), LEAST * whole), LONGEST * whole)
        for span, is_inside in zip(spans, inside, strict=True)
    ]
    filmed = sum(w for w, is_in in zip(drawn, inside, strict=True) if is_in)
    outside = sum(drawn) - filmed
    most = filmed * OUTSIDE / (1 - OUTSIDE)
    squeeze = most / outside if filmed and outside > most else 1.0
    return [
        weight if is_inside else weight * squeeze
        for weight, is_inside in zip(drawn, inside, strict=True)
    ]


def _placed(
    instants: Sequence[datetime],
    weights: Sequence[float],
    inside: Sequence[bool],
    ends: tuple[float, float],
) -> Scale:
    left, right = ends
    total = sum(weights)
    places, x = [left], left
    breaks: list[Break] = []
    is_filmed = any(inside)
    # What one drawn second is worth: a stretch at less than a third of it is broken.
    for n, (weight, is_inside) in enumerate(zip(weights, inside, strict=True)):
        width = (right - left) * weight / total
        length = instants[n + 1] - instants[n]
        if is_filmed and not is_inside and length.total_seconds() > 3 * weight:
            breaks = _with_break(breaks, Break(x=x, width=width, length=length))
        x += width
        places.append(x)
    told = tuple(each for each in breaks if each.length >= TOLD)
    return Scale(instants=tuple(instants), places=tuple(places), breaks=told)


def _with_break(breaks: Sequence[Break], new: Break) -> list[Break]:
    """One more; it is part of the last where it follows at once."""
    if not breaks or breaks[-1].x + breaks[-1].width < new.x - 0.01:
        return [*breaks, new]
    last = breaks[-1]
    joined = Break(
        x=last.x, width=last.width + new.width, length=last.length + new.length
    )
    return [*breaks[:-1], joined]
