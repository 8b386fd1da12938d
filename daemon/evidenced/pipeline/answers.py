"""What became of requests that were sent, committed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.answers import newly
from evidenced.core.exports.isolation import RecordedSpans
from evidenced.core.exports.retry import Patience, RetryPolicy
from evidenced.core.incidents.allowance import Limits
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import CLIP_LOST, ClipState, ExportState
from evidenced.core.recorder import Answer, SessionInfo
from evidenced.core.trust import Now
from evidenced.pipeline.planner import Planned
from evidenced.pipeline.rationing import give_back_exports
from evidenced.ports import Tx

FOLDER_TAKEN = "footage lies in {path} already, so it goes to another folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """How one request went: an answer in a session, or an error.

    `recorded` is what the recorder said it has of each clip, where it was asked. It was
    not sent where `is_taken`: footage lies in its folder already.
    """

    planned: Planned
    at: Now
    jitter: float
    session: SessionInfo | None = None
    answer: Answer | None = None
    recorded: RecordedSpans = field(default_factory=dict)
    error: RecorderError | None = None
    is_taken: bool = False


def record(
    tx: Tx,
    outcomes: Sequence[RequestOutcome],
    policy: RetryPolicy,
    limits: Limits,
    now: datetime,
) -> list[Change]:
    """Commit what became of requests that were sent.

    One that is no longer `requested` was adopted from the status list meanwhile: that
    counts, its answer only comes late. One that never left is told once and counted.
    """
    ids = {outcome.planned.export.incident for outcome in outcomes}
    current = {incident.id: incident for incident in tx.incidents.get(ids)}
    exports = {export.id: export for export in tx.exports.of(ids)}
    changes: list[Change] = []
    counted: list[ExportRequest] = []
    never_left: list[Planned] = []
    for outcome in outcomes:
        export = exports[outcome.planned.export.id]
        if export.state is not ExportState.REQUESTED:
            continue
        incident = current[export.incident]
        patience = Patience(policy=policy, now=outcome.at, jitter=outcome.jitter)
        change = _change(incident, export, outcome, patience)
        if outcome.is_taken:
            never_left.append(outcome.planned)
        if any(each.is_unsent for each in change.exports):
            never_left.append(outcome.planned)
            if export.unsent:
                counted += change.exports
                continue
        current[export.incident] = change.after
        changes.append(change)
    tx.ledger.save(changes, now)
    tx.exports.save(counted)
    recorder = outcomes[0].planned.export.recorder
    new = sum(each.is_new for each in never_left)
    give_back_exports(tx, limits, recorder, now, new)
    return changes


def _change(
    incident: Incident,
    export: ExportRequest,
    outcome: RequestOutcome,
    patience: Patience,
) -> Change:
    if outcome.is_taken:
        text = FOLDER_TAKEN.format(path=export.path)
        return answers.leave(incident, export, text, patience.now.at)
    if outcome.error is not None:
        return _after_error(incident, export, outcome.error, patience.now.at)
    answer = outcome.answer
    if answer is None:
        raise ValueError("an outcome has an error or an answer")
    if answer.reason is None:
        return exporting.accept(incident, export, answer, patience.now.at)
    return answers.refuse(incident, export, answer, patience, outcome.recorded)


def _after_error(
    incident: Incident, export: ExportRequest, error: RecorderError, now: datetime
) -> Change:
    """Sent: look it up first. Not sent: sent again as it is, or never sendable."""
    if error.is_sent:
        return answers.unanswered(incident, export, error.reason, str(error))
    if error.reason is Reason.BAD_REQUEST:
        return answers.unsendable(incident, export, str(error), now)
    return answers.not_sent(incident, export, error.reason, str(error))


_WORDS = {
    ClipState.MISSING: "footage is given up: it could not be had until give_up",
    ClipState.REJECTED: "footage is refused for good",
}


def tell_lost(log: FilteringBoundLogger, change: Change) -> None:
    """A warning for each state in which this step lost footage, if it did."""
    for state in sorted(CLIP_LOST):
        if lost := newly(change, state):
            log.warning(
                _WORDS.get(state, "footage is lost"),
                incident=change.after.id,
                cameras=[clip.camera for clip in lost],
                reason=lost[0].reason,
                why=lost[0].message,
            )
