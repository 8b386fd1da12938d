"""An explanation as lines for people and as JSON for programs."""

from collections.abc import Callable, Iterator, Sequence

from evidenced.cli.explanation import Explanation, RecorderPlan
from evidenced.config.units import render_duration, render_rate
from evidenced.core.address import shown
from evidenced.core.alarms.alarm import Reading, Signal
from evidenced.core.alarms.rules import Rule
from evidenced.core.ids import FieldValue, RecorderName
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.instants import render_utc
from evidenced.core.recorder import ExportOrder, RequestText
from evidenced.core.site import Site
from evidenced.core.spoken import utc_and_local
from evidenced.core.telling.objects import clip_object

Block = tuple[str, Sequence[str]]
"""A label and the lines beside it."""

Describe = Callable[[RecorderName, ExportOrder], RequestText]
"""What would be sent to that recorder."""


def lines_of(
    explanation: Explanation, site: Site, describe: Describe
) -> Iterator[Block]:
    """What a person reads, block by block."""
    passed = [f"{each.rule}: {each.why}" for each in explanation.passed]
    rule, reading, incident = (
        explanation.rule,
        explanation.reading,
        explanation.incident,
    )
    if explanation.refusal is not None:
        yield "outcome", [str(explanation.refusal.outcome)]
        yield "why", [explanation.refusal.detail]
        yield "tried", passed
        if not passed:
            topics = [t.text for each in site.rules for t in each.topics]
            yield "topics", topics
        yield "faults", explanation.refusal.faults
    elif rule is not None and reading is not None and incident is not None:
        yield "rule", [f"{rule.name} ({rule.place})"]
        yield "passed by", passed
        yield from _reading(reading, site)
        if reading.signal is Signal.CLEAR:
            yield "effect", [_clear(rule, reading, site)]
        else:
            yield from _incident(explanation, incident, rule, site)
            for planned in explanation.planned:
                yield from _planned(planned, site, describe)


def _reading(reading: Reading, site: Site) -> Iterator[Block]:
    moment = reading.moment
    yield "signal", [reading.signal]
    yield "time", [utc_and_local(moment.at, site.zone), f"from: {moment.source}"]
    if moment.earliest != moment.latest:
        yield "between", [render_utc(moment.earliest), render_utc(moment.latest)]
    yield "fields", [f"{name} = {_shown(v)}" for name, v in reading.fields.items()]
    yield "key", [reading.key or "(one group: the rule has no group_by)"]
    yield "faults", reading.faults


def _clear(rule: Rule, reading: Reading, site: Site) -> str:
    end = utc_and_local(reading.moment.latest, site.zone)
    return (
        f"ends the incident of this key that awaits its clear: windows end at {end} "
        f"+ post_roll ({render_duration(rule.post_roll)}); without one: only counted"
    )


def _incident(
    explanation: Explanation, incident: Incident, rule: Rule, site: Site
) -> Iterator[Block]:
    yield "incident", [f"{incident.id} (or extends an open one of this key)"]
    yield "clips", [line for clip in incident.clips for line in _clip(clip, site)]
    if rule.clear is not None:
        longest = render_duration(rule.terms.max_length)
        until = f"open until the clear; cut after {longest} if none comes"
        yield "windows", [until]
    yield "unknown", [f"{name}: nobody configured it" for name in explanation.unknown]
    if not incident.clips:
        effect = (
            "no camera is known: kept, told, and ends failed (no-camera), or joins "
        )
        yield "effect", [effect + "an open incident of this key"]


def _clip(clip: Clip, site: Site) -> list[str]:
    return [
        f"{clip.camera}: recorder {clip.recorder}, {shown(clip.address)}",
        f"  from {utc_and_local(clip.window.start, site.zone)}",
        f"  to   {utc_and_local(clip.window.end, site.zone)}",
    ]


def _planned(planned: RecorderPlan, site: Site, describe: Describe) -> Iterator[Block]:
    settings = planned.recorder
    due = f"{utc_and_local(planned.due_at, site.zone)}, by the recorder's clock"
    paused = ["exports are paused then: waits for the pause to end"]
    yield "recorder", [settings.name]
    yield "due", [due, *(paused if planned.is_paused else [])]
    if planned.problem is not None:
        yield "effect", [f"no request can be made: {planned.problem}"]
    for request in planned.requests:
        yield "path", [request.path]
        rate = "unlimited" if not request.bandwidth else render_rate(request.bandwidth)
        yield "bandwidth", [rate]
        text = describe(settings.name, request.order)
        yield "request", [f"{text.head}, with times as if its clock had no offset"]
        yield "", text.body.splitlines()


def as_json(explanation: Explanation, describe: Describe) -> dict[str, object]:
    """The same for programs; keys may be added."""
    refusal, reading = explanation.refusal, explanation.reading
    passed = [{"rule": each.rule, "why": each.why} for each in explanation.passed]
    if refusal is not None or reading is None:
        return {
            "matched": False,
            "outcome": refusal.outcome if refusal else None,
            "rule": refusal.rule if refusal else None,
            "why": refusal.detail if refusal else "",
            "passed": passed,
            "faults": list(refusal.faults) if refusal else [],
        }
    moment = reading.moment
    is_clear = reading.signal is Signal.CLEAR
    incident = None if is_clear else explanation.incident
    return {
        "matched": True,
        "rule": reading.rule,
        "passed": passed,
        "signal": reading.signal,
        "time": render_utc(moment.at),
        "time_source": moment.source,
        "earliest": render_utc(moment.earliest),
        "latest": render_utc(moment.latest),
        "fields": dict(reading.fields),
        "key": reading.key,
        "faults": list(reading.faults),
        "incident": incident.id if incident else None,
        "unknown_cameras": [] if is_clear else list(explanation.unknown),
        "clips": [clip_object(clip) for clip in incident.clips] if incident else [],
        "recorders": []
        if is_clear
        else [_planned_json(planned, describe) for planned in explanation.planned],
    }


def _planned_json(planned: RecorderPlan, describe: Describe) -> dict[str, object]:
    return {
        "recorder": planned.recorder.name,
        "due": render_utc(planned.due_at),
        "paused": planned.is_paused,
        "problem": planned.problem,
        "requests": [
            {
                "path": request.path,
                "bandwidth": request.bandwidth,
                "xml": describe(planned.recorder.name, request.order).body,
            }
            for request in planned.requests
        ],
    }


def _shown(value: FieldValue) -> str:
    return value if isinstance(value, str) else ", ".join(value)
