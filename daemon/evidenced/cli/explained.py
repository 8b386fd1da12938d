"""An explanation as lines for people and as JSON for programs."""

from collections.abc import Callable, Iterator, Sequence

from evidenced.cli.explanation import Effect, Explanation, RecorderPlan
from evidenced.config.units import render_duration, render_rate
from evidenced.core.address import shown
from evidenced.core.alarms.alarm import Reading, Signal
from evidenced.core.alarms.rules import Rule
from evidenced.core.exports.bandwidth import budget_at, request_bandwidth
from evidenced.core.ids import FieldValue, RecorderName
from evidenced.core.incidents.incident import Clip
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
    for noted in explanation.noted:
        holds = "holds" if noted.holds else "does not hold"
        yield "condition", [f"{noted.condition} {holds} from now on"]
    if explanation.refusal is not None:
        yield "outcome", [str(explanation.refusal.outcome)]
        yield "why", [explanation.refusal.detail]
    if not explanation.effects:
        yield "tried", _passed(explanation)
        if not explanation.passed and not explanation.noted:
            yield "topics", [t.text for each in site.rules for t in each.topics]
        yield "faults", explanation.refusal.faults if explanation.refusal else ()
    for effect in explanation.effects:
        yield from _effect(effect, site, describe)
    if explanation.effects:
        yield "passed by", _passed(explanation)


def _passed(explanation: Explanation) -> list[str]:
    """The rules that did not take it, each with what its conditions saw below."""
    lines = []
    for passed in explanation.passed:
        lines.append(f"{passed.rule}: {passed.why}")
        lines += [f"  {seen}" for seen in passed.seen]
    return lines


def _effect(effect: Effect, site: Site, describe: Describe) -> Iterator[Block]:
    rule, reading = effect.rule, effect.reading
    yield "rule", [f"{rule.name} ({rule.place})"]
    yield "because", effect.seen
    yield from _reading(effect, site)
    yield "only if", list(_only_if(rule, reading))
    if reading.signal is Signal.CLEAR:
        yield "effect", [_clear(rule, reading, site)]
        return
    yield from _incident(effect, site)
    for planned in effect.planned:
        yield from _planned(planned, site, describe)


def _only_if(rule: Rule, reading: Reading) -> Iterator[str]:
    """What depends on other messages, which are not known here."""
    if reading.signal is Signal.CLEAR:
        return
    for name in rule.only_while:
        yield f"the condition {name} holds then (only_while)"
    if rule.once or rule.only_changes:
        key = "once" if rule.once else "only_changes"
        yield f"the last message of this key was no alarm ({key})"
    if rule.after:
        yield f"no clear comes within {render_duration(rule.after)} (after)"


def _reading(effect: Effect, site: Site) -> Iterator[Block]:
    reading = effect.reading
    moment = reading.moment
    yield "signal", [reading.signal]
    yield "time", [utc_and_local(moment.at, site.zone), f"from: {moment.source}"]
    if moment.earliest != moment.latest:
        yield "between", [render_utc(moment.earliest), render_utc(moment.latest)]
    if reading.until is not None:
        yield "until", [utc_and_local(reading.until.at, site.zone)]
    yield (
        "fields",
        [
            f"{name} = {_shown(value)} ({effect.origins[name]})"
            for name, value in reading.fields.items()
        ],
    )
    yield "key", [reading.key or "(one group: the rule has no group_by)"]
    yield "faults", reading.faults


def _clear(rule: Rule, reading: Reading, site: Site) -> str:
    end = utc_and_local(reading.moment.latest, site.zone)
    return (
        f"ends the incident of this key that awaits its clear: windows end at {end} "
        f"+ post_roll ({render_duration(rule.post_roll)}); without one: only counted"
    )


def _incident(effect: Effect, site: Site) -> Iterator[Block]:
    incident, rule = effect.incident, effect.rule
    yield "incident", [f"{incident.id} (or extends an open one of this key)"]
    yield "clips", [line for clip in incident.clips for line in _clip(clip, site)]
    if rule.awaits_clear and effect.reading.until is None:
        longest = render_duration(rule.terms.max_length)
        until = f"open until the clear; cut after {longest} if none comes"
        yield "windows", [until]
    yield "unknown", [f"{name}: nobody configured it" for name in effect.unknown]
    if not incident.clips:
        told = "no camera is known: kept, told, and ends failed (no-camera), or joins "
        yield "effect", [told + "an open incident of this key"]


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
        yield "bandwidth", [_bandwidth(request.bandwidth, planned, site)]
        text = describe(settings.name, request.order)
        yield "request", [f"{text.head}, with times as if its clock had no offset"]
        yield "", text.body.splitlines()


def _bandwidth(rate: int, planned: RecorderPlan, site: Site) -> str:
    """What one request carries, and what of it is whose."""
    if not rate:
        return "unlimited"
    settings, local = planned.recorder, planned.due_at.astimezone(site.zone)
    budget = budget_at(settings.bandwidth, settings.bandwidth_windows, local).limit
    told, number = render_rate(rate), settings.max_exports
    if not budget or rate < request_bandwidth(budget, number, 0):
        return f"{told}, the rule's own limit"
    written = render_rate(budget)
    if budget != settings.bandwidth:
        written += f" (its budget at {local:%H:%M})"
    if number == 1:
        return f"{told}, all of {written}" if written != told else told
    return f"{told}: {written} shared by {number} exports at once"


def as_json(explanation: Explanation, describe: Describe) -> dict[str, object]:
    """The same for programs; keys may be added.

    The first rule that takes it is told at the top, those that take it too in `others`.
    """
    passed = [
        {"rule": each.rule, "why": each.why, "seen": list(each.seen)}
        for each in explanation.passed
    ]
    conditions = {each.condition: each.holds for each in explanation.noted}
    around: dict[str, object] = {"passed": passed, "conditions": conditions}
    if not explanation.effects:
        refusal = explanation.refusal
        return {
            "matched": False,
            "outcome": refusal.outcome if refusal else "noted",
            "rule": refusal.rule if refusal else None,
            "why": refusal.detail if refusal else "",
            **around,
            "faults": list(refusal.faults) if refusal else [],
        }
    first, *others = (_effect_json(each, describe) for each in explanation.effects)
    return {"matched": True, **first, **around, "others": others}


def _effect_json(effect: Effect, describe: Describe) -> dict[str, object]:
    reading = effect.reading
    moment, until = reading.moment, reading.until
    is_clear = reading.signal is Signal.CLEAR
    incident = None if is_clear else effect.incident
    return {
        "rule": reading.rule,
        "seen": list(effect.seen),
        "signal": reading.signal,
        "time": render_utc(moment.at),
        "time_source": moment.source,
        "earliest": render_utc(moment.earliest),
        "latest": render_utc(moment.latest),
        "until": until and render_utc(until.at),
        "fields": dict(reading.fields),
        "origins": dict(effect.origins),
        "key": reading.key,
        "only_if": list(_only_if(effect.rule, reading)),
        "faults": list(reading.faults),
        "incident": incident.id if incident else None,
        "unknown_cameras": [] if is_clear else list(effect.unknown),
        "clips": [clip_object(clip) for clip in incident.clips] if incident else [],
        "recorders": []
        if is_clear
        else [_planned_json(planned, describe) for planned in effect.planned],
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
