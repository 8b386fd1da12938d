"""The acceptance of a site: what was tried of each rule and camera, and how it went.

Pure. A rule is ticked off when an alarm of it was triggered, its footage exported, and
the footage verified: its evidence record lies beside it. A camera is ticked off by a
clip of its own in such an incident.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from evidenced.core.ids import CameraName, IncidentId, RuleName
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.instants import render_utc
from evidenced.core.phrase import ENGLISH, Tongue, glued, joined, phrase, said, word
from evidenced.core.telling.objects import JsonObject, utc
from evidenced.core.telling.reasons import REASONS

STEPS = ("triggered", "exported", "verified")
NO_RECORD = phrase("no evidence record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How far one incident got; None where it did not.

    `verified` is when its evidence record was written. `note` says what is lacking.
    """

    incident: IncidentId | None = None
    triggered: datetime | None = None
    exported: datetime | None = None
    verified: datetime | None = None
    note: str = ""

    @property
    def steps(self) -> tuple[datetime | None, datetime | None, datetime | None]:
        return self.triggered, self.exported, self.verified

    @property
    def is_ticked(self) -> bool:
        return None not in self.steps

    @property
    def reach(self) -> int:
        """How many steps it took."""
        return sum(step is not None for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The report: rules and cameras in the order of the file, with their labels."""

    instance: str
    at: datetime
    since: datetime | None
    zone: tzinfo
    rules: Mapping[str, Trial]
    cameras: Mapping[str, Trial]

    @property
    def is_complete(self) -> bool:
        return all(
            each.is_ticked for each in (*self.rules.values(), *self.cameras.values())
        )

    @property
    def sentence(self) -> str:
        done = {
            "rules": sum(each.is_ticked for each in self.rules.values()),
            "all_rules": len(self.rules),
            "cameras": sum(each.is_ticked for each in self.cameras.values()),
            "all_cameras": len(self.cameras),
        }
        if self.is_complete:
            return phrase(
                "{rules} of {all_rules} rules and {cameras} of {all_cameras} cameras "
                "triggered, exported and verified: the site is accepted.",
                **done,
            )
        return phrase(
            "{rules} of {all_rules} rules and {cameras} of {all_cameras} cameras "
            "triggered, exported and verified: not yet accepted.",
            **done,
        )


def trial_of_rule(
    rule: RuleName,
    incidents: Iterable[Incident],
    verified: Mapping[IncidentId, datetime],
) -> Trial:
    """The one that got furthest, the newest of those."""
    mine = [each for each in incidents if each.rule == rule]
    return _furthest([_trial(each, None, verified) for each in mine])


def trial_of_camera(
    camera: CameraName,
    incidents: Iterable[Incident],
    verified: Mapping[IncidentId, datetime],
) -> Trial:
    """By its clips in whatever incident."""
    mine = [e for e in incidents if any(clip.camera == camera for clip in e.clips)]
    return _furthest([_trial(each, camera, verified) for each in mine])


def _trial(
    incident: Incident,
    camera: CameraName | None,
    verified: Mapping[IncidentId, datetime],
) -> Trial:
    clips = [c for c in incident.wanted if camera is None or c.camera == camera]
    is_exported = (
        incident.state is IncidentState.EXPORTED
        if camera is None
        else any(clip.state is ClipState.EXPORTED for clip in clips)
    )
    exported = (incident.finished_at or incident.span.end) if is_exported else None
    record = verified.get(incident.id) if is_exported else None
    lacking = [
        glued(
            c.label or c.camera, ": ", REASONS[c.reason] if c.reason else word(c.state)
        )
        for c in clips
        if not c.is_ended or c.is_lacking
    ]
    note: str = joined("; ", lacking) if exported is None else ""
    return Trial(
        incident=incident.id,
        triggered=incident.opened_at,
        exported=exported,
        verified=record,
        note=note or (NO_RECORD if exported and not record else ""),
    )


def _furthest(trials: Sequence[Trial]) -> Trial:
    """Of incidents that came newest first."""
    return max(trials, key=lambda each: each.reach, default=Trial(note=phrase("never")))


def acceptance_lines(report: Acceptance) -> list[str]:
    """For a terminal: a line for each rule and camera."""
    lines = []
    for what, trials in (("rule", report.rules), ("camera", report.cameras)):
        for name, trial in trials.items():
            mark = "ok  " if trial.is_ticked else "open"
            done = ", ".join(
                f"{step} {_local(at, report.zone)}" if at else f"not {step}"
                for step, at in zip(STEPS, trial.steps, strict=True)
            )
            note = f" ({trial.note})" if trial.note else ""
            lines.append(f"{mark}  {what} {name}: {done}{note}")
    return [*lines, report.sentence]


def acceptance_object(report: Acceptance) -> JsonObject:
    """For programs."""
    return {
        "instance": report.instance,
        "at": render_utc(report.at),
        "since": utc(report.since),
        "complete": report.is_complete,
        "rules": [_object(name, each) for name, each in report.rules.items()],
        "cameras": [_object(name, each) for name, each in report.cameras.items()],
    }


def _object(name: str, trial: Trial) -> JsonObject:
    steps = zip(STEPS, map(utc, trial.steps), strict=True)
    return {
        "name": name,
        "ticked": trial.is_ticked,
        **dict(steps),
        "incident": trial.incident,
        "note": trial.note,
    }


_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin-bottom:2em}"
    "th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #bbb}"
    ".open{background:#fde8e8}.sign{margin-top:4em}"
)


def acceptance_html(report: Acceptance, tongue: Tongue = ENGLISH) -> str:
    """To hand over, in this language: one page that prints, with a line to sign."""

    def say(text: str) -> str:
        return escape(said(text, tongue))

    title = phrase("Acceptance of {instance}", instance=report.instance)
    at = _local(report.at, report.zone)
    told = (
        phrase(
            "As of {at}, tried since {since}.",
            at=at,
            since=_local(report.since, report.zone),
        )
        if report.since
        else phrase("As of {at}.", at=at)
    )
    sign = phrase("Date, name and signature:")
    tables = "".join(
        _table(say(heading), trials, report.zone, say)
        for heading, trials in (
            (phrase("Rules"), report.rules),
            (phrase("Cameras"), report.cameras),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{tongue.code}"><head><meta charset="utf-8">'
        f"<title>{say(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{say(title)}</h1><p><strong>{say(report.sentence)}</strong></p>"
        f"<p>{say(told)}</p>{tables}"
        f'<p class="sign">{say(sign)} ____________________</p>'
        "</body></html>\n"
    )


_COLUMNS = (
    phrase("Done"),
    phrase("Triggered"),
    phrase("Exported"),
    phrase("Verified"),
    phrase("Incident"),
    phrase("Note"),
)
Say = Callable[[str], str]
"""A text in the report's language, escaped."""


def _table(heading: str, trials: Mapping[str, Trial], zone: tzinfo, say: Say) -> str:
    head = "".join(f'<th scope="col">{say(each)}</th>' for each in ("", *_COLUMNS))
    rows = "".join(_row(name, trial, zone, say) for name, trial in trials.items())
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f"<h2>{heading}</h2><table>{body}</table>"


def _row(name: str, trial: Trial, zone: tzinfo, say: Say) -> str:
    cells = (
        phrase("yes") if trial.is_ticked else phrase("open"),
        *(_local(at, zone) if at else phrase("no") for at in trial.steps),
        trial.incident or "",
        trial.note,
    )
    rest = "".join(f"<td>{say(each)}</td>" for each in cells)
    mark = "" if trial.is_ticked else ' class="open"'
    return f'<tr{mark}><th scope="row">{escape(name)}</th>{rest}</tr>'


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
