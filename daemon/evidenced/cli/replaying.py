"""Kept messages against the rules in force: the incidents that they would make.

The daemon's own steps run on a store of their own, which is thrown away: rules,
merging, clears, cuts and duplicates are what they are, and nothing is exported.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from evidenced.core.ids import CameraName, IncidentId, RuleName, incident_id
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.site import Site
from evidenced.core.trust import exactly
from evidenced.core.window import Window
from evidenced.pipeline.taking import Taken, take
from evidenced.pipeline.turn import turn_step
from evidenced.pipeline.understanding import understand
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.recorded import Recorded

BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What each message would become now, and the incidents after the last one.

    A message is there once, with all that is kept of it: each rule that took it keeps
    it with its own incident.
    """

    taken: tuple[tuple[Sequence[Recorded], Sequence[Taken]], ...]
    incidents: tuple[Incident, ...]


def replay(
    site: Site, recorded: Sequence[Recorded], progress: Callable[[int], None]
) -> Replayed:
    """Run the messages, in order, each at the time of its receipt. Blocks.

    `progress` is told how many more were done.
    """
    with TemporaryDirectory(prefix="evidenced-replay-") as folder:
        store = open_store(StoreSettings(directory=Path(folder)))
        try:
            return asyncio.run(_replay(store, site, recorded, progress))
        finally:
            store.close()


async def _replay(
    store: SqlStore,
    site: Site,
    recorded: Sequence[Recorded],
    progress: Callable[[int], None],
) -> Replayed:
    tokens = iter(range(1, len(recorded) * 1000 + 1000))
    steps = Steps(site, lambda at: incident_id(at, f"{next(tokens):08}"))
    messages = _messages(recorded)
    taken: list[tuple[Sequence[Recorded], Sequence[Taken]]] = []
    for at in range(0, len(messages), BATCH):
        some = messages[at : at + BATCH]
        taken += await store.write(partial(steps.run, messages=some))
        progress(sum(map(len, some)))
    ids = {each.incident for _, all_of in taken for each in all_of if each.incident}
    found = await store.read(lambda view: view.incidents.get(ids))
    return Replayed(taken=tuple(taken), incidents=tuple(found))


def _messages(recorded: Sequence[Recorded]) -> list[list[Recorded]]:
    """What is kept, message by message, in order."""
    found: dict[tuple[str, bytes, datetime], list[Recorded]] = {}
    for each in recorded:
        alarm = each.alarm
        key = alarm.topic, alarm.payload, alarm.received_at
        found.setdefault(key, []).append(each)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Steps:
    """The daemon's steps over messages, with time taken from them."""

    site: Site
    new_id: NewId

    def run(
        self, tx: Tx, messages: Sequence[Sequence[Recorded]]
    ) -> list[tuple[Sequence[Recorded], Sequence[Taken]]]:
        """Each message in its turn, after whatever time alone has changed before."""
        settles = {name: each.settle for name, each in self.site.recorders.items()}
        clearing = self.site.clearing
        taken: list[tuple[Sequence[Recorded], Sequence[Taken]]] = []
        for message in messages:
            alarm = message[0].alarm
            now = exactly(alarm.received_at)
            while turn_step(tx, now, settles, self.new_id, clearing):
                pass
            understood = understand(self.site, alarm, now)
            taken.append((message, take(tx, understood, now.at, self.new_id)))
        return taken


class DifferenceKind(StrEnum):
    """How an incident would come out."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One incident, as it is (or as it would be, where it is new), and what differs."""

    kind: DifferenceKind
    incident: Incident
    what: tuple[str, ...] = ()


def compare(before: Sequence[Incident], replayed: Replayed) -> list[Difference]:
    """Every incident of these messages, those that would be new last."""
    became = {each.id: each for each in replayed.incidents}
    fates: dict[IncidentId | None, list[Taken]] = defaultdict(list)
    sources: dict[IncidentId, set[IncidentId | None]] = defaultdict(set)
    rules = {each.id: each.rule for each in before}
    for message, taken in replayed.taken:
        for own, each in _paired(message, taken, rules):
            fates[own].append(each)
            if each.incident is not None:
                sources[each.incident].add(own)
    found = [_one(each, fates[each.id], became, sources) for each in before]
    new = [
        Difference(
            kind=DifferenceKind.NEW, incident=became[name], what=_as_new(became[name])
        )
        for name, own in sources.items()
        if own == {None}
    ]
    return found + new


def _paired(
    message: Iterable[Recorded],
    taken: Sequence[Taken],
    rules: Mapping[IncidentId, RuleName],
) -> Iterator[tuple[IncidentId | None, Taken]]:
    """Each fate of a message with the incident that it is compared with, if any.

    That of the same rule. Where the rule has another name now, the only one there was.
    """
    own = {rules[each.incident]: each.incident for each in message if each.incident}
    others = [each for each in taken if each.rule not in own]
    yield from ((own[each.rule], each) for each in taken if each.rule in own)
    left = [own[rule] for rule in own.keys() - {each.rule for each in taken}]
    if len(left) == 1:
        yield from ((left[0], each) for each in others)
        return
    yield from ((None, each) for each in others if each.incident)
    yield from ((name, each) for name in left for each in others if not each.incident)


def _one(
    before: Incident,
    fates: Sequence[Taken],
    became: Mapping[IncidentId, Incident],
    sources: Mapping[IncidentId, set[IncidentId | None]],
) -> Difference:
    names = dict.fromkeys(each.incident for each in fates if each.incident is not None)
    lost = [each for each in fates if each.incident is None and each.detail]
    if not names:
        why = tuple(dict.fromkeys(_refused(each) for each in lost))
        return Difference(kind=DifferenceKind.GONE, incident=before, what=why)
    what = [line for name in names for line in _changes(before, became[name])]
    if len(names) > 1:
        what.insert(0, f"would be {len(names)} incidents")
    for outcome, count in Counter(_refused(each) for each in lost).items():
        what.append(f"{count} of its alarms: {outcome}")
    joined = {own for name in names for own in sources[name]} - {before.id}
    what += [
        f"with the alarms of {own}" if own else "with alarms that opened nothing before"
        for own in sorted(joined, key=str)
    ]
    kind = DifferenceKind.CHANGED if what else DifferenceKind.SAME
    return Difference(kind=kind, incident=before, what=tuple(dict.fromkeys(what)))


def _refused(taken: Taken) -> str:
    return f"{taken.outcome}: {taken.detail}"


def _changes(before: Incident, after: Incident) -> list[str]:
    found = [
        f"{name} {old or '-'} -> {new or '-'}"
        for name, old, new in (
            ("rule", before.rule, after.rule),
            ("key", before.key, after.key),
            ("destination", before.terms.destination, after.terms.destination),
        )
        if old != new
    ]
    old, new = _windows(before), _windows(after)
    found += [f"camera {name} no longer" for name in old if name not in new]
    found += [f"camera {name} too" for name in new if name not in old]
    found += [
        f"camera {name}: {_told(old[name])} -> {_told(new[name])}"
        for name in old
        if name in new and old[name] != new[name]
    ]
    return found


def _windows(incident: Incident) -> dict[CameraName, list[Window]]:
    found: dict[CameraName, list[Window]] = defaultdict(list)
    for clip in sorted(incident.clips, key=lambda each: each.window.start):
        found[clip.camera].append(clip.window)
    return found


def _told(windows: Iterable[Window]) -> str:
    return ", ".join(
        f"{render_utc(each.start)} to {render_utc(each.end)}" for each in windows
    )


def _as_new(incident: Incident) -> tuple[str, ...]:
    windows = _windows(incident)
    return tuple(f"camera {name}: {_told(windows[name])}" for name in windows) or (
        "no camera is known",
    )
