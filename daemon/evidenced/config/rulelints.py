"""Rules that are valid and cannot do what they are for: warnings, only sure ones.

Of durations that do not fit together: where a rule may use several recorders, the one
that keeps footage longest counts, so that what is told is true of each of them.

A rule that is off is left alone.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from evidenced.config.camerachecks import cameras_of, names_in
from evidenced.config.draft import Draft, Fault
from evidenced.config.recorders import RecorderConfig
from evidenced.config.rules import DEFAULT_END, RuleConfig
from evidenced.config.truthlints import TRUTH_LINTS, pattern_names
from evidenced.config.units import render_duration
from evidenced.core.alarms.comparing import MessageTraits, impossible
from evidenced.core.alarms.constancy import constant, doubts, keys_of
from evidenced.core.alarms.textpattern import PAYLOAD
from evidenced.core.exports.bandwidth import BandwidthWindow, longest_pause
from evidenced.core.instants import ZERO
from evidenced.core.window import LEAST
from evidenced.core.wording import quote

WEEK = timedelta(days=7)
_CAPTURED = re.compile(r"\{(\w+)(:[^{}]*)?\}")


def _doubts(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        known = _traits_of(rule)
        for place, expression in rule.expressions():
            for doubt in (*doubts(expression), *impossible(expression, known)):
                yield Fault(("rules", n, *place), doubt)
    for name, condition in draft.config.conditions.items():
        texts = frozenset({PAYLOAD} if condition.format == "text" else ())
        known = MessageTraits(
            texts=texts, stripped=texts, captured={}, takes_topic=lambda _topic: True
        )
        for key, expression in condition.expressions():
            for doubt in (*doubts(expression), *impossible(expression, known)):
                yield Fault(("conditions", name, key), doubt)


def _traits_of(rule: RuleConfig) -> MessageTraits:
    """What is known of the messages that a rule's expressions look at."""
    is_text = rule.format == "text" and rule.each is None
    stripped = frozenset({PAYLOAD} if is_text else ())
    return MessageTraits(
        texts=stripped.union(pattern_names(rule)),
        stripped=stripped,
        captured=_values_of(rule),
        takes_topic=lambda text: any(
            each.match(text) is not None for each in rule.topics
        ),
    )


def _values_of(rule: RuleConfig) -> dict[str, frozenset[str]]:
    """The values that captured levels can have, where each topic names them."""
    found: dict[str, frozenset[str]] = {}
    open_to_all = set[str]()
    for topic in rule.topics:
        for name, values in _CAPTURED.findall(topic.text):
            if values:
                found[name] = found.get(name, frozenset()).union(values[1:].split("|"))
            else:
                open_to_all.add(name)
    return {name: found[name] for name in found.keys() - open_to_all}


def _keys_of(rule: RuleConfig) -> frozenset[str] | None:
    """What expressions can find at the top of a payload; None: anything."""
    if rule.format == "any":
        return frozenset()
    if rule.format != "text" or rule.each is not None:
        return None
    return frozenset({PAYLOAD, *pattern_names(rule)})


def _never(draft: Draft) -> Iterator[Fault]:
    effects = {
        "when": "so the rule takes no message as an alarm",
        "clear": "so nothing ends its incidents",
        "each": "so there is no message in it",
    }
    for n, rule in draft.enabled:
        keys = _keys_of(rule)
        for place, expression in rule.expressions():
            known = constant(expression, keys)
            if place[0] in effects and known is not None and not known.is_true:
                text = f"never holds, {effects[place[0]]}; {_advice(keys)}"
            elif place[0] not in effects and known is not None and known.value is None:
                text = f"never gives anything; {_advice(keys)}"
            else:
                continue
            yield Fault(("rules", n, *place), text)


def _advice(keys: frozenset[str] | None) -> str:
    if keys is None:
        return "try it with evidenced explain"
    if not keys:
        return 'with format = "any" expressions see nothing of the payload'
    names = ", ".join(sorted(keys))
    return (
        f'with format = "text" expressions see only {names}; what the topic says is '
        "topic() and captured('name')"
    )


def _takes_all(rule: RuleConfig) -> bool:
    if rule.when is None:
        return True
    known = constant(rule.when, _keys_of(rule))
    return known is not None and known.is_true


def _no_clear(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        if rule.clear is None and rule.clear_within != DEFAULT_END:
            yield Fault(
                ("rules", n, "clear_within"),
                "has no effect without clear; add that or leave it out",
            )
        if rule.clear is not None and not rule.clear_within and not rule.once:
            yield Fault(
                ("rules", n, "clear_within"),
                "waits for ever: an alarm whose clear is lost is exported for ever, "
                'one cut after the other; write how long, such as "1h"',
            )
        if rule.clear is not None and rule.when is not None and _takes_all(rule):
            yield Fault(
                ("rules", n, "clear"),
                "is never reached, because when holds for every message; narrow that",
            )
        if rule.clear is not None and rule.max_length < rule.pre_roll:
            yield Fault(
                ("rules", n, "max_length"),
                "is shorter than pre_roll: an alarm that goes on becomes very many "
                "incidents; make it longer",
            )


def _captured_keys(draft: Draft) -> Iterator[Fault]:
    """A captured name is asked for as a key of the payload."""
    for n, rule in draft.enabled:
        names = {name for topic in rule.topics for name in topic.names}
        for place, expression in rule.expressions():
            for name in sorted(names & keys_of(expression)):
                yield Fault(
                    ("rules", n, *place),
                    f"{name} is a key of the payload here; for the captured level "
                    f"write captured('{name}')",
                )


def _zones(draft: Draft) -> Iterator[Fault]:
    """A local time is an hour or five off where nobody has said whose it is."""
    if draft.config.daemon.timezone:
        return
    may_lack: list[Fault] = []
    for n, rule in draft.enabled:
        keys = [key for key in ("time", "until") if getattr(rule, key) is not None]
        has_zone = "%z" in rule.time_format or "%Z" in rule.time_format
        if not keys or rule.timezone or has_zone:
            continue
        if rule.time_format:
            yield Fault(
                ("rules", n, "time_format"),
                "has no zone, so times are read in the local time of this host, "
                "whatever that is; write timezone",
            )
        else:
            text = (
                "a time that says no zone is read in the local time of this host, "
                "whatever that is; write timezone, here or for all below [daemon]"
            )
            may_lack.append(Fault(("rules", n, keys[0]), text))
    yield from may_lack[:1]  # one line below [daemon] is the cure for all


def _shorter_rolls(draft: Draft) -> Iterator[Fault]:
    """A camera's own roll counts, also where it is less than its rule asks for.

    Told once a camera, of the first such rule; not of cameras that a value may name.
    """
    told: set[tuple[str, str]] = set()
    for _, rule in draft.enabled:
        always = tuple(each for each in rule.cameras if not names_in(each))
        for name in cameras_of(draft, rule.model_copy(update={"cameras": always})):
            camera = draft.config.cameras.get(name)
            for key in ("pre_roll", "post_roll") if camera else ():
                own, asked = getattr(camera, key), getattr(rule, key)
                if own is not None and own < asked and (name, key) not in told:
                    told.add((name, key))
                    yield Fault(
                        ("cameras", name, key),
                        f"{render_duration(own)} cuts the {render_duration(asked)} of "
                        f"rule {quote(rule.name)} shorter; leave it out if that is not "
                        "meant",
                    )


def _no_length(draft: Draft) -> Iterator[Fault]:
    """What `rulechecks` refuses of a rule, brought about by a camera's own rolls."""
    for _, rule in draft.enabled:
        for name in cameras_of(draft, rule):
            camera = draft.config.cameras.get(name)
            own = [] if camera is None else [camera.pre_roll, camera.post_roll]
            asked = (rule.pre_roll, rule.post_roll)
            rolls = [b if a is None else a for a, b in zip(own, asked, strict=False)]
            if rolls and not any(rolls):
                key = "pre_roll" if own[1] is None else "post_roll"
                yield Fault(
                    ("cameras", name, key),
                    f"leaves its windows for rule {quote(rule.name)} no length, and "
                    f"{render_duration(LEAST)} is exported; make a roll longer",
                )


def _give_up(draft: Draft) -> Iterator[Fault]:
    for name, recorder in draft.config.recorders.items():
        kept = recorder.retention
        if kept is not None and recorder.retry.give_up > kept:
            yield Fault(
                ("recorders", name, "retry", "give_up"),
                f"{render_duration(recorder.retry.give_up)} is longer than the "
                f"recorder keeps footage (retention {render_duration(kept)}); "
                "nothing is there any more by then",
            )


def _paused(draft: Draft) -> Iterator[Fault]:
    """Footage that is overwritten before any export may start."""
    for name, recorder in draft.config.recorders.items():
        windows = [
            BandwidthWindow(
                start=each.starts,
                end=each.to,
                days=each.days,
                bandwidth=each.bandwidth,
                pause=each.pause,
            )
            for each in recorder.bandwidth_windows
        ]
        pause = longest_pause(windows)
        place = ("recorders", name, "bandwidth_windows")
        if pause >= WEEK:
            yield Fault(place, "no export may ever start; make the pauses shorter")
        elif recorder.retention is not None and pause >= recorder.retention:
            yield Fault(
                place,
                f"no export starts for {render_duration(pause)}, and the recorder "
                f"keeps footage for {render_duration(recorder.retention)} (retention): "
                "it is gone by then; make the pause shorter",
            )


def _one_folder(draft: Draft) -> Iterator[Fault]:
    """Two recorders write what belongs to one incident into folders of one name."""
    told: set[str] = set()
    for _, rule in draft.enabled:
        name = draft.config.destination_of(rule)
        destination = draft.config.destinations.get(name)
        always = tuple(each for each in rule.cameras if not names_in(each))
        named = rule.model_copy(update={"cameras": always})
        names = {
            draft.config.recorder_of(draft.config.cameras[each])
            for each in cameras_of(draft, named)
            if each in draft.config.cameras
        }
        if destination is None or name in told or len(names) < 2:  # noqa: PLR2004
            continue
        if "recorder" not in destination.path.names:
            told.add(name)
            yield Fault(
                ("destinations", name, "path"),
                f"rule {quote(rule.name)} exports from several recorders "
                f"({', '.join(sorted(names))}), and their folders differ by a number "
                "only; add {recorder}",
            )


def _recorders_of(draft: Draft, rule: RuleConfig) -> list[RecorderConfig]:
    """Those that the rule may ask."""
    config, cameras = draft.config, draft.config.cameras
    found = [cameras[name] for name in cameras_of(draft, rule) if name in cameras]
    names = {config.recorder_of(camera) for camera in found}
    return [config.recorders[name] for name in sorted(names)]


def _windows(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        recorders = _recorders_of(draft, rule)
        if not recorders:
            continue
        yield from _late(n, rule, max(each.retry.give_up for each in recorders))
        kept = [each.retention for each in recorders if each.retention is not None]
        if len(kept) == len(recorders):
            yield from _gone(n, rule, max(kept))


def _late(n: int, rule: RuleConfig, give_up: timedelta) -> Iterator[Fault]:
    if "alert_after" in rule.model_fields_set and rule.alert_after > give_up:
        yield Fault(
            ("rules", n, "alert_after"),
            f"{render_duration(rule.alert_after)} is later than retry.give_up "
            f"({render_duration(give_up)}): nothing is late any more by then; make "
            "it shorter",
        )


def _gone(n: int, rule: RuleConfig, kept: timedelta) -> Iterator[Fault]:
    told = f"the recorder keeps footage (retention {render_duration(kept)})"
    parts = {
        "pre_roll": rule.pre_roll,
        "max_length": rule.max_length if rule.clear is not None else ZERO,
        "post_roll": rule.post_roll,
    }
    if sum(parts.values(), ZERO) > kept:
        key = max(parts, key=parts.__getitem__)
        yield Fault(
            ("rules", n, key),
            f"makes windows longer than {told}: their start is gone before their "
            "end; make it shorter",
        )
    if "max_age" in rule.model_fields_set and rule.max_age > kept:
        yield Fault(
            ("rules", n, "max_age"),
            f"{render_duration(rule.max_age)} is longer than {told}; write at most "
            "that",
        )


RULE_LINTS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _doubts,
    _never,
    _no_clear,
    *TRUTH_LINTS,
    _captured_keys,
    _zones,
    _shorter_rolls,
    _no_length,
    _give_up,
    _paused,
    _one_folder,
    _windows,
)
