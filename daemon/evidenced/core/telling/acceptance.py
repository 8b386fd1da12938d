"""The acceptance of a site: what was tried of each rule and camera, and how it went.

Pure. A rule is ticked off when an alarm of it was triggered, its footage exported, and
the footage verified: its evidence record lies beside it. A camera is ticked off by a
clip of its own in such an incident.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from evidenced.core.ids import CameraName, IncidentId, RuleName
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.instants import render_utc
from evidenced.core.telling.objects import JsonObject, utc

STEPS = ("triggered", "exported", "verified")


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
        parts = [
            f"{sum(each.is_ticked for each in trials.values())} of {len(trials)} {what}"
            for what, trials in (("rules", self.rules), ("cameras", self.cameras))
        ]
        end = "the site is accepted." if self.is_complete else "not yet accepted."
        return f"{' and '.join(parts)} triggered, exported and verified: {end}"


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
        f"{c.label or c.camera}: {c.reason or c.state}"
        for c in clips
        if not c.is_ended or c.is_lacking
    ]
    note = "; ".join(lacking) if exported is None else ""
    return Trial(
        incident=incident.id,
        triggered=incident.opened_at,
        exported=exported,
        verified=record,
        note=note or ("" if record else "no evidence record" if exported else ""),
    )


def _furthest(trials: Sequence[Trial]) -> Trial:
    """Of incidents that came newest first."""
    return max(trials, key=lambda each: each.reach, default=Trial(note="never"))


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


def acceptance_html(report: Acceptance) -> str:
    """To hand over: one page that prints, with a line to sign."""
    title = f"Acceptance of {report.instance}"
    tables = "".join(
        _table(heading, trials, report.zone)
        for heading, trials in (("Rules", report.rules), ("Cameras", report.cameras))
    )
    since = f", tried since {_local(report.since, report.zone)}" if report.since else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p><strong>{escape(report.sentence)}</strong></p>"
        f"<p>As of {_local(report.at, report.zone)}{since}.</p>{tables}"
        '<p class="sign">Date, name and signature: ____________________</p>'
        "</body></html>\n"
    )


def _table(heading: str, trials: Mapping[str, Trial], zone: tzinfo) -> str:
    columns = ("", "Done", *(step.capitalize() for step in STEPS), "Incident", "Note")
    head = "".join(f'<th scope="col">{each}</th>' for each in columns)
    rows = "".join(_row(name, trial, zone) for name, trial in trials.items())
    body = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return f"<h2>{heading}</h2><table>{body}</table>"


def _row(name: str, trial: Trial, zone: tzinfo) -> str:
    cells = (
        "yes" if trial.is_ticked else "open",
        *(_local(at, zone) if at else "no" for at in trial.steps),
        trial.incident or "",
        trial.note,
    )
    rest = "".join(f"<td>{escape(str(each))}</td>" for each in cells)
    mark = "" if trial.is_ticked else ' class="open"'
    return f'<tr{mark}><th scope="row">{escape(name)}</th>{rest}</tr>'


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
