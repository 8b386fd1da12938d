"""What must hold of messages to people after a run, as their receivers read them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation.receivers import Receivers
from simulation.run import Run
from simulation.site import NOTIFIED

KINDS = {
    "failed": "failed",
    "ended with some clips only": "partial",
    "has clips that the recorder refuses for good": "rejected",
    "have clips that the recorder refuses for good": "rejected",
    "has no footage yet": "late",
    "have no footage yet": "late",
    "exported": "exported",
}
_PHRASE = re.compile(r"(\d+) incidents? of (\w+) (.+)")
_INCIDENT = re.compile(r"  \S+ \S+ (\d{8}-\d{6}-[0-9a-f]{8})\b.*")
Told = tuple[str, str]
"""A kind and a rule."""


@dataclass(slots=True)
class _Account:
    """How often each kind and rule, and each kind of each incident."""

    counts: Counter[Told] = field(default_factory=Counter)
    named: Counter[Told] = field(default_factory=Counter)
    cut: set[Told] = field(default_factory=set)
    """Kinds and rules of which some incidents were counted only."""


def message_problems(run: Run) -> Iterator[str]:
    """One sentence for each; none where nobody is told."""
    receivers = run.receivers
    if receivers is None:
        return
    for to in NOTIFIED:
        most = run.restarts + receivers.failed[to]  # the end of the run is a restart
        must, may = _asked_for(run, to)
        told = _heard(receivers, to)
        for what in sorted(may.counts.keys() | told.counts.keys()):
            count, fewest = told.counts[what], must.counts[what]
            if not fewest <= count <= most * may.counts[what]:
                yield (
                    f"messages: {to} was told {count} times of {what}, "
                    f"which happened {fewest} to {may.counts[what]} times"
                )
        rules = dict(run.disk.rows("SELECT id, rule FROM incidents"))
        for one in sorted(may.named.keys() | told.named.keys()):
            kind, name = one
            is_counted = (kind, rules.get(name)) in told.cut
            fewest = 0 if is_counted else int(one in must.named)
            if not fewest <= told.named[one] <= most * may.named[one]:
                yield (
                    f"messages: {to} read {told.named[one]} times that {name} is "
                    f"{kind}, which it was {may.named[one]} times"
                )


def _asked_for(run: Run, to: str) -> tuple[_Account, _Account]:
    """What this receiver must hear of, and what it may.

    What ended as an operator wanted need not be told. The reason is that of the end of
    the run: what was cancelled and asked for again has another by then.
    """
    must, may = _Account(), _Account()
    query = """SELECT i.id, i.rule, i.reason, h.event, h.detail
        FROM history h JOIN incidents i ON i.id = h.incident ORDER BY h.seq"""
    kinds, rules = NOTIFIED[to]
    for name, rule, reason, event, detail in run.disk.rows(query):
        kind = _kind_of(event, json.loads(detail))
        if kind not in kinds or (rules and rule not in rules):
            continue
        is_withdrawn = reason == "operator" or event == "cancelled"
        is_wished = kind == "partial" and is_withdrawn
        for account in (may,) if is_wished else (may, must):
            account.counts[kind, rule] += 1
            account.named[kind, name] += 1
    return must, may


def _kind_of(event: str, detail: dict[str, Any]) -> str:
    """The worst that an entry of the history says."""
    state = detail.get("state", {}).get("to", "")
    if state in {"failed", "partial", "exported"}:
        return state
    if any(step["to"] == "rejected" for step in detail.get("clips", {}).values()):
        return "rejected"
    return "late" if event == "late" else ""


def _heard(receivers: Receivers, to: str) -> _Account:
    found = _Account()
    for delivery in receivers.delivered:
        if delivery.to != to:
            continue
        for part in delivery.message.body.split("\n\n"):
            first, *lines = part.split("\n")
            phrase = _PHRASE.fullmatch(first)
            if phrase is None or phrase[3] not in KINDS:
                continue  # of trouble
            number, what = int(phrase[1]), (KINDS[phrase[3]], phrase[2])
            names = [match[1] for each in lines if (match := _INCIDENT.fullmatch(each))]
            found.counts[what] += number
            found.named.update((what[0], name) for name in names)
            if len(names) < number:
                found.cut.add(what)
    return found
