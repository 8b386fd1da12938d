"""What one message would cause, worked out with the daemon's own rules. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.alarms.alarm import Alarm, NotTaken, Reading
from evidenced.core.alarms.rules import Rule, read_alarm
from evidenced.core.errors import BadInput
from evidenced.core.exports import exporting
from evidenced.core.exports.bandwidth import budget_at, request_bandwidth
from evidenced.core.folders.destination import Naming, folder_for
from evidenced.core.folders.paths import with_suffix
from evidenced.core.ids import IncidentId, RecorderName, incident_id
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.lifecycle import open_incident, turn
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import ZERO
from evidenced.core.site import RecorderSettings, Site
from evidenced.core.trust import exactly

TOKEN = "xxxxxxxx"  # noqa: S105 - the place of a real one
"""Stands where an incident's id has its eight chance characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A rule that did not take the message, and why."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderPlan:
    """One recorder's requests. `problem` says why none can be made."""

    recorder: RecorderSettings
    due_at: datetime
    is_paused: bool
    requests: tuple[ExportRequest, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Either `refusal`, or `rule`, `reading` and, for an alarm, `incident`."""

    passed: tuple[Passed, ...]
    refusal: NotTaken | None = None
    rule: Rule | None = None
    reading: Reading | None = None
    incident: Incident | None = None
    unknown: tuple[str, ...] = ()
    planned: tuple[RecorderPlan, ...] = ()


def explain_alarm(site: Site, alarm: Alarm) -> Explanation:
    """What the daemon would make of this message if no incident were open."""
    verdict = read_alarm(site.rules, alarm)
    if isinstance(verdict, NotTaken):
        return Explanation(passed=_passed(site.rules, alarm), refusal=verdict)
    n, rule = next(
        (n, rule) for n, rule in enumerate(site.rules) if rule.name == verdict.rule
    )
    happening = happening_of(site, alarm, verdict)
    incident = open_incident(happening, _example_id).after
    return Explanation(
        passed=_passed(site.rules[:n], alarm),
        rule=rule,
        reading=verdict,
        incident=incident,
        unknown=happening.unknown,
        planned=_plan(site, _when_ended(incident, happening)),
    )


def happening_of(site: Site, alarm: Alarm, reading: Reading) -> Happening:
    """The alarm with what the site knows, as if it were understood when it came."""
    cameras, unknown = site.roster.find(reading.cameras)
    return Happening(
        rule=next(rule for rule in site.rules if rule.name == reading.rule),
        reading=reading,
        cameras=cameras,
        unknown=unknown,
        settles={name: each.settle for name, each in site.recorders.items()},
        now=exactly(alarm.received_at),
        trigger={},
    )


def _example_id(at: datetime) -> IncidentId:
    return incident_id(at, TOKEN)


def _passed(rules: Sequence[Rule], alarm: Alarm) -> tuple[Passed, ...]:
    """Rules whose topic fits and that did not take the message."""
    passed = []
    for rule in rules:
        if not any(topic.match(alarm.topic) is not None for topic in rule.topics):
            continue
        refusal = read_alarm([rule], alarm)
        if isinstance(refusal, NotTaken):
            why = refusal.detail if refusal.rule else _unmet(rule)
            passed.append(Passed(rule=rule.name, why=why))
    return tuple(passed)


def _unmet(rule: Rule) -> str:
    """The conditions that were tried, as they stand in the configuration."""
    conditions = {"when": rule.when, "clear": rule.clear}
    tried = [f"{key} = {each.text}" for key, each in conditions.items() if each]
    return f"its topic fits, but nothing holds of: {'; '.join(tried)}"


def _when_ended(incident: Incident, happening: Happening) -> Incident:
    """The incident once its windows have ended and no other alarm came.

    One that awaits its clear is taken as it would be at the cut.
    """
    waiting = replace(incident, is_active=False)
    changes = turn(waiting, exactly(waiting.span.end), happening.settles, _example_id)
    return changes[-1].after if changes else waiting


def _plan(site: Site, incident: Incident) -> tuple[RecorderPlan, ...]:
    by_recorder: dict[RecorderName, list[Clip]] = {}
    for clip in incident.clips:
        if clip.state is ClipState.DUE:
            by_recorder.setdefault(clip.recorder, []).append(clip)
    return tuple(
        _plan_recorder(site, incident, name, clips)
        for name, clips in by_recorder.items()
    )


def _plan_recorder(
    site: Site, incident: Incident, name: RecorderName, clips: Sequence[Clip]
) -> RecorderPlan:
    settings = site.recorders[name]
    due_at = min(clip.due_at for clip in clips)
    local = due_at.astimezone(site.zone)
    budget = budget_at(settings.bandwidth, settings.bandwidth_windows, local)
    bandwidth = request_bandwidth(
        budget.limit, settings.max_exports, incident.terms.bandwidth
    )
    destination = site.destinations[incident.terms.destination]
    naming = Naming(
        template=destination.path,
        root=destination.root,
        instance=site.instance,
        zone=site.zone,
    )
    requests: list[ExportRequest] = []
    problem = None
    try:
        base = folder_for(incident, name, naming)
        for n, part in enumerate(exporting.split(clips, settings.max_devices), start=1):
            used = [each.path for each in requests]
            intent = exporting.Intent(
                id=n,
                n=n,
                path=exporting.free_path(base, used, with_suffix),
                bandwidth=bandwidth,
                offset=ZERO,
                now=due_at,
            )
            requests.append(exporting.request(incident, part, intent)[1])
    except BadInput as error:
        problem = str(error)
    return RecorderPlan(
        recorder=settings,
        due_at=due_at,
        is_paused=budget.is_paused,
        requests=tuple(requests),
        problem=problem,
    )
