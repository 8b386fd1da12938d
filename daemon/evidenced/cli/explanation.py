"""What one message would cause, worked out with the daemon's own rules. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.alarms.alarm import Alarm, Noted, NotTaken, Outcome, Reading, Signal
from evidenced.core.alarms.reading import read_alarm, taken_parts
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.switchboard import Switchboard
from evidenced.core.alarms.teaching import observations, unread_time
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput
from evidenced.core.exports import exporting
from evidenced.core.exports.bandwidth import budget_at, request_bandwidth
from evidenced.core.folders.destination import Naming, folder_for
from evidenced.core.folders.paths import with_suffix
from evidenced.core.ids import IncidentId, RecorderName, RuleName, incident_id
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.happening import Happening
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.lifecycle import clear, open_incident, turn
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import ZERO
from evidenced.core.site import RecorderSettings, Site
from evidenced.core.trust import exactly
from evidenced.pipeline.understanding import understand

TOKEN = "xxxxxxxx"  # noqa: S105 - the place of a real one
"""Stands where an incident's id has its eight chance characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A rule that did not take the message, why, and what its conditions saw."""

    rule: str
    why: str
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderPlan:
    """One recorder's requests. `problem` says why none can be made."""

    recorder: RecorderSettings
    due_at: datetime
    is_paused: bool
    requests: tuple[ExportRequest, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one rule would do; `incident` is what an alarm would open.

    `origins` say where each named value comes from, `seen` what its conditions saw.
    """

    rule: Rule
    reading: Reading
    incident: Incident
    origins: Mapping[str, str]
    seen: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    planned: tuple[RecorderPlan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What each rule makes of a message: `refusal` where none takes it."""

    passed: tuple[Passed, ...]
    noted: tuple[Noted, ...] = ()
    refusal: NotTaken | None = None
    effects: tuple[Effect, ...] = ()


def explain_alarm(site: Site, alarm: Alarm) -> Explanation:
    """What the daemon would make of this message if no incident were open.

    What rules remember and the states of conditions are not known here.
    """
    effects: list[Effect] = []
    noted: list[Noted] = []
    refusal: NotTaken | None = None
    is_final = False
    read = Counter[RuleName]()
    for each in understand(site, alarm, exactly(alarm.received_at)):
        found = each.result
        if each.rule is not None and _is_of_reading(found):
            read[each.rule] += 1
        if isinstance(found, Noted):
            noted.append(found)
        elif isinstance(found, NotTaken):
            refusal = found
        elif not is_final:
            effects.append(_effect(site, alarm, found, read[found.rule.name] - 1))
            is_final = found.rule.final
    taken = frozenset(each.rule.name for each in effects)
    return Explanation(
        passed=_passed(site, alarm, taken),
        noted=tuple(noted),
        refusal=None if effects else refusal,
        effects=tuple(effects),
    )


def _is_of_reading(found: Happening | NotTaken | Noted) -> bool:
    """Whether the rule took a message for it, be it for a camera that is not ours."""
    if isinstance(found, NotTaken):
        return found.outcome is Outcome.UNMATCHED
    return isinstance(found, Happening)


def _effect(site: Site, alarm: Alarm, happening: Happening, n: int) -> Effect:
    """Of the so many-th message in this one that the rule takes."""
    rule, reading = happening.rule, happening.reading
    incident = open_incident(happening, _example_id).after
    if reading.until is not None:
        ending = replace(reading, signal=Signal.CLEAR, moment=reading.until)
        over = replace(happening, reading=ending)
        incident = clear(incident, over, _example_id)[-1].after
    listed = site.switchboard.rules_of(alarm.topic)
    levels = next(levels for each, levels in listed if each is rule)
    item = taken_parts(rule, alarm, levels)[n]
    return Effect(
        rule=rule,
        reading=reading,
        incident=incident,
        origins=_origins(rule, alarm.topic, reading),
        seen=(
            *observations(rule, alarm, levels, item),
            *unread_time(rule, alarm, levels, reading.moment, item),
        ),
        unknown=happening.unknown,
        planned=_plan(site, _when_ended(incident, happening)),
    )


def _origins(rule: Rule, topic: str, reading: Reading) -> dict[str, str]:
    """Which key of the configuration gives each named value."""
    n = next(n for n, each in enumerate(rule.topics) if each.match(topic) is not None)
    found = dict.fromkeys(rule.topics[n].names, f"topics[{n}]")
    found |= dict.fromkeys(rule.pattern.names if rule.pattern else (), "pattern")
    found |= {name: f"fields: {each.text}" for name, each in rule.fields.items()}
    return {name: found.get(name, "") for name in reading.fields}


def _example_id(at: datetime) -> IncidentId:
    return incident_id(at, TOKEN)


def _passed(
    site: Site, alarm: Alarm, taken: Collection[RuleName]
) -> tuple[Passed, ...]:
    """Rules whose topic fits and that did not take the message."""
    passed = []
    is_final = False
    for rule, levels in site.switchboard.rules_of(alarm.topic):
        if rule.name in taken:
            is_final = is_final or rule.final
            continue
        verdict = read_alarm(Switchboard([rule]), alarm)[-1]
        if isinstance(verdict, Reading):
            why = "an earlier rule is final and takes it"
            if not is_final:
                why = 'names no camera of ours (unknown = "ignore")'
            passed.append(Passed(rule=rule.name, why=why))
        elif isinstance(verdict, NotTaken):
            why = verdict.detail if verdict.rule else _unmet(rule)
            is_shown = not verdict.rule or verdict.detail in verdict.faults
            seen = tuple(observations(rule, alarm, levels)) if is_shown else ()
            passed.append(Passed(rule=rule.name, why=why, seen=seen))
    left_out = (
        Passed(rule=rule.name, why="its except leaves the topic out")
        for rule in site.rules
        if any(each.match(alarm.topic) is not None for each in rule.excepted)
    )
    return (*passed, *left_out, *_near(site, alarm.topic))


def _near(site: Site, topic: str) -> Iterator[Passed]:
    """Rules whose topic would fit, were it not for capitals, a slash or a level."""
    for rule in site.rules:
        if any(each.match(topic) is not None for each in rule.topics):
            continue
        whys = (_nearly(each.text, topic) for each in rule.topics)
        why = next(filter(None, whys), "")
        if why:
            yield Passed(rule=rule.name, why=f"its topic {why}")


def _nearly(pattern: str, topic: str) -> str:
    """In what a topic differs from what a pattern wants; empty: in more than one."""

    def fits(text: str, said: str = topic) -> bool:
        return TopicPattern.parse(text).match(said) is not None

    if fits(pattern.lower(), topic.lower()):
        return f"'{pattern}' differs in capitals, which count"
    bare = pattern.strip("/")
    if bare and bare != pattern and fits(bare):
        return f"'{pattern}' begins or ends with a / that the message's has not"
    if bare and any(fits(each) for each in (f"/{bare}", f"{bare}/", f"/{bare}/")):
        return f"'{pattern}' lacks the / that the message's begins or ends with"
    if topic.startswith("$") and fits(pattern, f"x{topic[1:]}"):
        return f"'{pattern}' begins with a wildcard, which takes no level with a $"
    has_text = any(set("{+#").isdisjoint(level) for level in pattern.split("/"))
    if has_text and not pattern.endswith("#") and fits(f"{pattern}/#"):
        return f"'{pattern}' has fewer levels: write '{pattern}/+' or '{pattern}/#'"
    return ""


def _unmet(rule: Rule) -> str:
    """The conditions that were tried, as they stand in the configuration."""
    conditions = {"when": rule.when, "clear": rule.clear}
    tried = [f"{key} = {each.text}" for key, each in conditions.items() if each]
    if not tried:
        return "its topic fits, but there is no message in it"
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
