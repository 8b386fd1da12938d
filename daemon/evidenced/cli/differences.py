"""What the rules in force would make of kept messages, beside what was made of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evidenced.cli.replaying import Replayed
from evidenced.core.ids import CameraName, IncidentId
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.window import Window
from evidenced.pipeline.taking import Taken
from evidenced.store.recorded import Recorded


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


def compare(
    recorded: Sequence[Recorded], before: Iterable[Incident], replayed: Replayed
) -> list[Difference]:
    """Every incident of these messages, those that would be new last."""
    became = {each.id: each for each in replayed.incidents}
    fates: dict[IncidentId | None, list[Taken]] = defaultdict(list)
    sources: dict[IncidentId, set[IncidentId | None]] = defaultdict(set)
    for was, taken in zip(recorded, replayed.taken, strict=True):
        fates[was.incident].append(taken)
        if taken.incident is not None:
            sources[taken.incident].add(was.incident)
    found = [_one(each, fates[each.id], became, sources) for each in before]
    new = [
        Difference(
            kind=DifferenceKind.NEW, incident=became[name], what=_as_new(became[name])
        )
        for name, own in sources.items()
        if own == {None}
    ]
    return found + new


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
