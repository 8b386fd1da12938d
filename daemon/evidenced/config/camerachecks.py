"""Checks of cameras and groups, and what a name or template may stand for."""

import re
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from evidenced.config.draft import Draft, Fault
from evidenced.config.rules import RuleConfig
from evidenced.core.address import Address
from evidenced.core.alarms.braces import could_be
from evidenced.core.wording import quote, render_key, suggest

_BRACES = re.compile(r"\{([^{}]*)\}")


def names_in(template: str) -> tuple[str, ...]:
    """The names in braces of a camera template."""
    return tuple(_BRACES.findall(template))


def unknown_member(member: str, draft: Draft) -> str | None:
    """What is wrong with a camera or "@group" that is written out; None if nothing."""
    if not member.startswith("@"):
        known = draft.config.cameras
        if member in known:
            return None
        hint = suggest(member, known, what="cameras")
        if member in draft.config.groups:
            hint = f"a group is written {quote('@' + member)}"
        return f"there is no camera {quote(member)}; {hint}"
    if member[1:] in draft.config.groups:
        return None
    groups = tuple(f"@{name}" for name in draft.config.groups)
    hint = suggest(member, groups, what="groups")
    if not groups:
        hint += f"; write [groups] with {render_key(member[1:])} = [...], its cameras"
    return f"there is no group {quote(member)}; {hint}"


def flatten(groups: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The cameras of a group and of the groups in it, each once, in order.

    A group within itself adds nothing; checked configurations have none.
    """
    cameras: dict[str, None] = {}
    seen = {name}
    pending = [iter(groups.get(name, ()))]
    while pending:  # a loop, because a chain of groups may be longer than the stack
        member = next(pending[-1], None)
        if member is None:
            pending.pop()
        elif not member.startswith("@"):
            cameras[member] = None
        elif member[1:] not in seen:
            seen.add(member[1:])
            pending.append(iter(groups.get(member[1:], ())))
    return tuple(cameras)


def cameras_of(draft: Draft, rule: RuleConfig) -> Iterator[str]:
    """Cameras that the rule names, or may name once values are captured."""
    groups = draft.config.groups
    for template in rule.cameras:
        if not names_in(template):
            is_group = template.startswith("@")
            yield from flatten(groups, template[1:]) if is_group else (template,)
            continue
        yield from (name for name in draft.config.cameras if could_be(template, name))
        for group in groups:
            if could_be(template, f"@{group}"):
                yield from flatten(groups, group)


def _cameras(draft: Draft) -> Iterator[Fault]:
    recorders = draft.config.recorders
    for name, camera in draft.config.cameras.items():
        place = ("cameras", name, "recorder")
        if not draft.is_sound(*place):
            continue
        if camera.recorder is not None and camera.recorder not in recorders:
            hint = suggest(camera.recorder, recorders, what="recorders")
            yield Fault(place, f"there is no recorder {quote(camera.recorder)}; {hint}")
        if camera.recorder is None and len(recorders) != 1:
            hint = suggest("", recorders, what="recorders")
            yield Fault(
                place, f"is missing, and there is not exactly one recorder; {hint}"
            )


def _groups(draft: Draft) -> Iterator[Fault]:
    for name, members in draft.config.groups.items():
        if not members and draft.is_sound("groups", name):
            yield Fault(("groups", name), "must not be empty; name a camera")
        for n, member in enumerate(members):
            wrong = unknown_member(member, draft)
            if wrong is not None and draft.is_sound("groups", name):
                yield Fault(("groups", name, n), wrong)


def _cycles(draft: Draft) -> Iterator[Fault]:
    """One fault for each circle, at the member that closes it."""
    groups = draft.config.groups
    inner = {name: {m[1:] for m in groups[name] if m[:1] == "@"} for name in groups}
    while True:
        try:
            TopologicalSorter(inner).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][:0:-1]
        else:
            return
        at = min(range(len(circle)), key=lambda n: [*groups].index(circle[n]))
        first, *others = circle[at:] + circle[:at]
        last = others[-1] if others else first
        inner[last].discard(first)
        shown = " > ".join(f"@{name}" for name in (first, *others[:7], first))
        yield Fault(
            ("groups", last, groups[last].index(f"@{first}")),
            f"a group cannot contain itself: {shown}",
        )


def _twice(draft: Draft) -> Iterator[Fault]:
    first: dict[tuple[str | None, Address], str] = {}
    only = next(iter(draft.config.recorders), None)
    for name, camera in draft.config.cameras.items():
        device = (camera.recorder or only, camera.address)
        other = first.setdefault(device, name)
        if other != name:
            yield Fault(
                ("cameras", name),
                f"is the same device as the camera {quote(other)}; "
                "footage would be exported twice",
            )


def _unused(draft: Draft) -> Iterator[Fault]:
    """Cameras in no rule and no group, and groups in no rule and no used group."""
    templates = {t for _, rule in draft.rules for t in rule.cameras}
    used = {t for t in templates if not names_in(t)}
    open_ones = [t for t in templates if names_in(t)]
    groups = {
        name
        for name in draft.config.groups
        if f"@{name}" in used or any(could_be(t, f"@{name}") for t in open_ones)
    }
    pending = list(groups)
    while pending:
        members = draft.config.groups.get(pending.pop(), ())
        inner = {each[1:] for each in members if each.startswith("@")} - groups
        groups |= inner
        pending += inner
    grouped = {each for group in draft.config.groups.values() for each in group}
    for name in draft.config.cameras:
        is_meant = name in used or name in grouped
        if not is_meant and not any(could_be(t, name) for t in open_ones):
            yield Fault(
                ("cameras", name),
                "is used by no rule; name it in a rule or in a group of one",
            )
    for name in draft.config.groups:
        if name not in groups:
            text = f"is used by no rule; name it in one ({quote('@' + name)})"
            yield Fault(("groups", name), text)


CAMERA_CHECKS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    _cameras,
    _groups,
    _cycles,
)
CAMERA_WARNINGS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (_twice, _unused)
