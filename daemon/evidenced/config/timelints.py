"""Durations that do not fit together: footage that is gone before it is asked for.

Where a rule may use several recorders, the one that keeps footage longest counts, so
that what is told is true of each of them.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from evidenced.config.camerachecks import could_be, flatten
from evidenced.config.draft import Draft
from evidenced.config.faults import Fault
from evidenced.config.recorders import RecorderConfig
from evidenced.config.rules import RuleConfig
from evidenced.config.units import render_duration
from evidenced.core.instants import ZERO


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


def _recorders_of(draft: Draft, rule: RuleConfig) -> list[RecorderConfig]:
    """Those that the rule may ask."""
    cameras = {
        name
        for template in rule.cameras
        for name in draft.config.cameras
        if could_be(template, name)
    }
    for template in rule.cameras:
        for group in draft.config.groups:
            if could_be(template, f"@{group}"):
                cameras.update(flatten(draft.config.groups, group))
    only = next(iter(draft.config.recorders), "")
    names = {draft.config.cameras[name].recorder or only for name in cameras}
    return [draft.config.recorders[name] for name in sorted(names)]


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
    longest = rule.max_length if rule.clear is not None else ZERO
    if rule.pre_roll + longest + rule.post_roll > kept:
        key = "max_length" if longest > rule.pre_roll else "pre_roll"
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


TIME_LINTS: tuple[Callable[[Draft], Iterator[Fault]], ...] = (_give_up, _windows)
