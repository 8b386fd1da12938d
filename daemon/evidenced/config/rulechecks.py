"""Checks of rules: every name that they use is there, and they feed no loop."""

from collections.abc import Callable, Iterator, Mapping

from evidenced.config.camerachecks import cameras_of, names_in, unknown_member
from evidenced.config.draft import Draft, Fault
from evidenced.config.recorders import CameraConfig
from evidenced.config.rules import RuleConfig
from evidenced.core.alarms.constancy import names_asked
from evidenced.core.incidents.byhand import BY_HAND_RULE
from evidenced.core.wording import KeyPath, nearest, quote, suggest
from evidenced.kinds import KINDS

BUILT_IN = frozenset({"id", "rule", "key", "recorder", "instance", "opened", "ended"})
"""Names that paths know without any rule. Source: the key destinations.NAME.path."""


def _names(draft: Draft) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for n, rule in draft.rules:
        if not draft.is_sound("rules", n, "name"):
            continue
        if rule.name.casefold() == BY_HAND_RULE:
            yield Fault(
                ("rules", n, "name"),
                f"{quote(rule.name)} is the name of footage that people ask for; "
                "choose another",
            )
        other = first.setdefault(rule.name.casefold(), n)
        if other != n:
            yield Fault(
                ("rules", n, "name"),
                f"{quote(rule.name)} is the name of "
                f"{draft.locate(('rules', other))} already; choose another",
            )


def _fields(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        captured = _captured(rule)
        for name in rule.fields:
            place = ("rules", n, "fields", name)
            if name in BUILT_IN and draft.is_sound(*place):
                yield Fault(place, _built_in(name))
            elif name in captured and draft.is_sound("rules", n, "topics"):
                yield Fault(
                    place,
                    f"{quote(name)} is captured by topics[{captured[name]}] too; "
                    "choose another name",
                )
        yield from _pattern(draft, n, rule, captured)
        for name in sorted(captured.keys() & BUILT_IN):
            yield Fault(("rules", n, "topics", captured[name]), _built_in(name))


def _pattern(
    draft: Draft, n: int, rule: RuleConfig, captured: Mapping[str, int]
) -> Iterator[Fault]:
    place = ("rules", n, "pattern")
    if rule.pattern is None:
        return
    if rule.format not in {"text", "lines"} and draft.is_sound("rules", n, "format"):
        yield Fault(place, 'is for plain text; write format = "text" too')
    for name in _parts(rule):
        if name in BUILT_IN:
            yield Fault(place, _built_in(name))
        elif name in captured or name in rule.fields:
            other = "a topic" if name in captured else "fields"
            text = f"{quote(name)} is a name of {other} too; choose another"
            yield Fault(place, text)


def _parts(rule: RuleConfig) -> tuple[str, ...]:
    return rule.pattern.names if rule.pattern is not None else ()


def _built_in(name: str) -> str:
    return f"{quote(name)} is a built-in name of paths; choose another"


def _group_by(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        for i, name in enumerate(rule.group_by):
            place: KeyPath = ("rules", n, "group_by", i)
            if _can_tell_names(draft, n) and draft.is_sound("rules", n, "group_by"):
                yield from _unknown_name(rule, name, place, "")


def _cameras(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        if not draft.is_sound("rules", n, "cameras"):
            continue
        for i, template in enumerate(rule.cameras):
            yield from _camera(draft, rule, template, ("rules", n, "cameras", i))


def _camera(
    draft: Draft, rule: RuleConfig, template: str, place: KeyPath
) -> Iterator[Fault]:
    names = names_in(template)
    if template.count("{") != len(names) or template.count("}") != len(names):
        yield Fault(
            place,
            f'has braces in {quote(template)} that are not one name, as in "{{door}}"',
        )
    elif not names:
        wrong = unknown_member(template, draft)
        if wrong is not None:
            yield Fault(place, wrong)
    elif _can_tell_names(draft, place[1]):
        for name in names:
            yield from _unknown_name(rule, name, place, "")


def _no_length(draft: Draft) -> Iterator[Fault]:
    """A window of no length holds no footage, not even the alarm's instant."""
    for n, rule in draft.enabled:
        keys = (("rules", n, "pre_roll"), ("rules", n, "post_roll"))
        if not all(draft.is_sound(*each) for each in keys):
            continue
        if not rule.pre_roll and not rule.post_roll:
            text = "is 0s, and so is pre_roll: windows have no length; make one longer"
            yield Fault(("rules", n, "post_roll"), text)


def _protected(draft: Draft) -> Iterator[Fault]:
    """What is protected must be so at its recorder, and only for its own camera."""
    told: set[str] = set()
    for n, rule in draft.enabled:
        if not rule.protect or not draft.is_sound("rules", n, "cameras"):
            continue
        for name in cameras_of(draft, rule):
            camera = draft.config.cameras.get(name)
            if camera is None or name in told or not draft.is_sound("cameras", name):
                continue
            why = _no_tag(draft, camera)
            if why is not None:
                told.add(name)
                by = draft.locate(("rules", n))
                text = f"has its footage protected by {by}, so {why}"
                yield Fault(("cameras", name), text)


def _no_tag(draft: Draft, camera: CameraConfig) -> str | None:
    """Why this camera's footage cannot be protected at its recorder."""
    recorder = draft.config.recorders.get(draft.config.recorder_of(camera))
    if recorder is None:
        return None  # told by another check
    kind = KINDS[recorder.kind]
    if kind.can.furthest_tag is None:
        return "it needs a recorder that can; take protect out of the rule"
    return kind.no_tag(camera.address)


def _destination(draft: Draft) -> Iterator[Fault]:
    known = draft.config.destinations
    for n, rule in draft.enabled:
        place = ("rules", n, "destination")
        if not draft.is_sound(*place):
            continue
        if rule.destination is None and not _has_default(draft):
            hint = suggest("", known, what="destinations")
            yield Fault(
                place,
                "is missing, and there is not exactly one destination, nor one that "
                f"has default = true; {hint}",
            )
        elif rule.destination is not None and rule.destination not in known:
            hint = suggest(rule.destination, known, what="destinations")
            yield Fault(
                place, f"there is no destination {quote(rule.destination)}; {hint}"
            )
        elif _can_tell_names(draft, n):
            yield from _path(draft, rule, draft.config.destination_of(rule), place)


def _has_default(draft: Draft) -> bool:
    known = draft.config.destinations
    return len(known) == 1 or any(each.default for each in known.values())


def _path(draft: Draft, rule: RuleConfig, name: str, place: KeyPath) -> Iterator[Fault]:
    destination = draft.config.destinations.get(name)
    if destination is None or not draft.is_sound("destinations", name, "path"):
        return
    context = f"the path of destination {quote(name)} uses "
    for field in sorted(destination.path.names - BUILT_IN):
        yield from _unknown_name(rule, field, place, context)


def _summary(draft: Draft) -> Iterator[Fault]:
    for n, rule in draft.enabled:
        place: KeyPath = ("rules", n, "summary")
        names = names_in(rule.summary)
        if rule.summary.count("{") != len(names):
            text = 'has braces that are not one name, as in "{door} forced"'
            yield Fault(place, text)
        elif _can_tell_names(draft, n):
            for name in names:
                if name not in BUILT_IN:
                    yield from _unknown_name(rule, name, place, "")


def _remembering(draft: Draft) -> Iterator[Fault]:
    """What waits for a clear needs one; conditions have to be there."""
    known = draft.config.conditions
    for n, rule in draft.enabled:
        for i, name in enumerate(rule.only_while):
            if name not in known and draft.is_sound("rules", n, "only_while"):
                hint = suggest(name, known, what="[conditions] tables")
                text = f"there is no condition {quote(name)}; {hint}"
                yield Fault(("rules", n, "only_while", i), text)
        for key in ("once", "only_changes", "after"):
            is_set = getattr(rule, key) and draft.is_sound("rules", n, key)
            if is_set and rule.clear is None and draft.is_sound("rules", n, "clear"):
                text = "needs clear, which ends it; add that"
                yield Fault(("rules", n, key), text)
        if rule.once and rule.only_changes:
            text = "is more than only_changes; write one of them"
            yield Fault(("rules", n, "once"), text)


def _asked_names(draft: Draft) -> Iterator[Fault]:
    """captured('door') names a level of a topic or a part of the pattern."""
    for n, rule in draft.enabled:
        known = (*_captured(rule), *_parts(rule))
        if not _can_tell_names(draft, n):
            continue
        for key, expression in rule.expressions():
            for name in names_asked(expression):
                if name not in known and draft.is_sound("rules", n, *key):
                    hint = suggest(name, known, what="captured names")
                    text = f"asks for captured({quote(name)}), which nothing captures"
                    yield Fault(("rules", n, *key), f"{text}; {hint}")


def _loops(draft: Draft) -> Iterator[Fault]:
    prefix = draft.config.mqtt.publish_prefix
    if not prefix or not draft.is_sound("mqtt", "publish_prefix"):
        return
    prefix += f"/{draft.config.daemon.instance}"
    ours = [f"{prefix}/{topic}" for topic in ("status", "audit", "incidents/0")]
    for n, rule in draft.enabled:
        if not draft.is_sound("rules", n, "topics"):
            continue
        for i, pattern in enumerate(rule.topics):
            looped = next((t for t in ours if pattern.match(t) is not None), None)
            if looped is not None:
                yield Fault(
                    ("rules", n, "topics", i),
                    f"{quote(pattern.text)} takes the daemon's own messages, such as "
                    f"{quote(looped)}; write a narrower topic or another "
                    "mqtt.publish_prefix",
                )


def _can_tell_names(draft: Draft, n: str | int) -> bool:
    keys = ("topics", "fields", "pattern")
    return all(draft.is_sound("rules", n, key) for key in keys)


def _captured(rule: RuleConfig) -> Mapping[str, int]:
    """Each captured name and the first topic that captures it."""
    captured: dict[str, int] = {}
    for n, pattern in enumerate(rule.topics):
        for name in pattern.names:
            captured.setdefault(name, n)
    return captured


def _unknown_name(
    rule: RuleConfig, name: str, place: KeyPath, context: str
) -> Iterator[Fault]:
    """A fault unless every message of the rule gives this name a value.

    Of a rule with a clear some topic has to: others may be those of clears.
    """
    if name in rule.fields or name in _parts(rule):
        return
    by_topic = [frozenset(pattern.names) for pattern in rule.topics]
    without = [n for n, names in enumerate(by_topic) if name not in names]
    if not without or (rule.clear is not None and len(without) < len(by_topic)):
        return
    braced = quote(f"{{{name}}}")
    if len(without) < len(by_topic):
        why = f"which topics[{without[0]}] does not capture; capture it in each topic"
    else:
        known = sorted(frozenset(rule.fields).union(_parts(rule), *by_topic))
        near = nearest(name, known)
        hint = f"did you mean {quote(f'{{{near}}}')}?" if near else "capture or add it"
        why = f"which no topic captures and fields does not name; {hint}"
    yield Fault(place, f"{context or 'uses '}{braced}, {why}")


def _nothing_to_do(draft: Draft) -> Iterator[Fault]:
    if not draft.rules:
        yield Fault(("rules",), "there are none, so no alarm will ever do anything")


def _unused(draft: Draft) -> Iterator[Fault]:
    used = {rule.destination for _, rule in draft.rules}
    if len(draft.config.destinations) > 1 or not draft.rules:
        for name, destination in draft.config.destinations.items():
            if name not in used and not destination.default:
                yield Fault(
                    ("destinations", name), "is used by no rule; name it in one"
                )


RULE_CHECKS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _names,
    _fields,
    _group_by,
    _cameras,
    _no_length,
    _protected,
    _destination,
    _summary,
    _remembering,
    _asked_names,
    _loops,
)
RULE_WARNINGS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _nothing_to_do,
    _unused,
)
