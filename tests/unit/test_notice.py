"""What of the history people may hear of."""

from dataclasses import replace

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.answers import reject
from evidenced.core.ids import IncidentId, RuleName
from evidenced.core.incidents.history import Change, Entry, entry_of
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.states import ClipState
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import (
    CHOSEN,
    UNASKED,
    Notice,
    NoticeKind,
    Phase,
    incident_of,
    notice_of,
)
from evidenced.core.telling.trouble import Trouble
from fakes.incident import DOOR, LOBBY, PLAIN, ended, happening, opened, t

NOW = t("12:00")
SEVERITIES = {PLAIN.name: Severity.CRITICAL}


def told(change: Change) -> Notice | None:
    entry = entry_of(change, NOW)
    assert entry is not None
    found = notice_of(entry, change.after, SEVERITIES)
    assert (incident_of(entry) is None) == (found is None)
    return found


def test_a_failure_is_told_with_its_reason_and_its_rules_severity() -> None:
    incident = ended(LOBBY)
    change = reject(incident, incident.clips, Reason.BAD_PATH, "no such folder", NOW)
    [clip] = change.after.clips
    assert told(change) == Notice(
        kind=NoticeKind.FAILED,
        subject=str(PLAIN.name),
        severity=Severity.CRITICAL,
        at=NOW,
        incident=incident.id,
        text="bad-path",
        what=incident.label,
        cameras=("Lobby",),
        begin=clip.window.start,
        end=clip.window.end,
        why="Lobby rejected: the destination's folder cannot be written",
        advice="Does the folder exist on the recorder, may its service write?",
        recorders=("main",),
    )


def test_a_rule_that_is_gone_leaves_its_severity_to_its_incidents() -> None:
    incident = ended(LOBBY)
    incident = replace(
        incident, terms=replace(incident.terms, severity=Severity.CRITICAL)
    )
    change = reject(incident, incident.clips, Reason.BAD_PATH, "no such folder", NOW)
    entry = entry_of(change, NOW)
    assert entry is not None
    notice = notice_of(entry, change.after, {})
    assert notice is not None
    assert notice.severity is Severity.CRITICAL
    notice = notice_of(entry, change.after, {PLAIN.name: Severity.INFO})
    assert notice is not None
    assert notice.severity is Severity.INFO


def test_a_clip_that_is_refused_for_good_is_told_while_others_go_on() -> None:
    incident = ended(LOBBY, DOOR)
    change = reject(incident, incident.clips[:1], Reason.BAD_PATH, "no folder", NOW)
    notice = told(change)
    assert notice is not None
    assert (notice.kind, notice.text) == (NoticeKind.REJECTED, "bad-path")


def test_an_incident_without_any_camera_has_failed() -> None:
    incident = opened(happening("12:00", unknown=("x",)))
    notice = told(Change(before=None, after=incident, event="opened"))  # type: ignore[arg-type]
    assert notice is not None
    assert (notice.kind, notice.text) == (NoticeKind.FAILED, "no-camera")


def test_what_an_operator_does_is_told_nobody() -> None:
    assert told(cancel(ended(LOBBY), "ann", NOW)) is None
    incident = ended(LOBBY, DOOR)
    done = incident.clips[0].moved(ClipState.REQUESTED).moved(ClipState.EXPORTING)
    some = incident.with_clips(done.moved(ClipState.EXPORTED))
    change = cancel(some, "ann", NOW)
    entry = entry_of(change, NOW)
    assert entry is not None
    assert notice_of(entry, change.after, SEVERITIES) is None


@pytest.mark.parametrize(
    ("event", "detail", "kind"),
    [
        ("exported", {"state": {"to": "exported"}}, NoticeKind.EXPORTED),
        ("exported", {"state": {"to": "partial"}}, NoticeKind.PARTIAL),
        ("refused", {"clips": {"1": {"to": "rejected"}}}, NoticeKind.REJECTED),
        ("late", {}, NoticeKind.LATE),
        ("opened", {"limit": "incidents_per_rule"}, NoticeKind.LIMIT),
        ("extended", {"end": "x"}, None),
        ("requested", {"state": {"to": "exporting"}, "clips": {"1": "x"}}, None),
        ("requested", {"state": "of another version", "clips": "x"}, None),
    ],
)
def test_by_the_words_of_the_history(
    event: str, detail: dict[str, object], kind: NoticeKind | None
) -> None:
    incident = ended(LOBBY)
    entry = Entry(incident=incident.id, at=NOW, event=event, detail=detail)
    found = notice_of(entry, incident, {})
    assert (found.kind if found else None) == kind
    assert (incident_of(entry) is None) == (kind is None)


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ({"path": r"V:\e\i1"}, r"Door 3: Lobby, Door in V:\e\i1"),
        ({}, "Door 3: Lobby, Door"),
    ],
)
def test_exported_footage_is_named(detail: dict[str, object], text: str) -> None:
    """Seen: 335 of them at once were told, and none by more than its number."""
    incident = ended(LOBBY, DOOR)
    terms = replace(incident.terms, summary="Door {nr}")
    incident = replace(incident, terms=terms, fields={"nr": "3"})
    detail = {**detail, "state": {"to": "exported"}}
    entry = Entry(incident=incident.id, at=NOW, event="exported", detail=detail)
    notice = notice_of(entry, incident, {})
    assert notice is not None
    assert notice.text == text


def test_what_was_pruned_meanwhile_is_told_nobody() -> None:
    entry = Entry(incident=IncidentId("x"), at=NOW, event="late", detail={})
    assert notice_of(entry, None, {}) is None


def test_trouble_is_told_at_both_ends() -> None:
    trouble = Trouble(
        kind=NoticeKind.RECORDER, name="main", text="refused", since=t("11:50")
    )
    begun = notice_of(trouble.entry(NOW), None, {})
    over = notice_of(replace(trouble, ended_at=NOW).entry(NOW), None, {})
    assert begun is not None
    assert over is not None
    assert (begun.phase, begun.text) == (Phase.BEGUN, "refused")
    assert (over.phase, over.text) == (Phase.ENDED, "over after 10 min")
    assert (over.subject, over.severity) == ("main", Severity.WARNING)


def test_a_store_was_told_when_it_happened() -> None:
    trouble = Trouble(kind=NoticeKind.STORE, name="", text="full", since=NOW)
    assert notice_of(trouble.entry(NOW), None, {}) is None


def test_a_silence_says_about_what_by_whom_and_why() -> None:
    detail = {"camera": "lobby", "until": "T", "by": "ann", "comment": "a drill"}
    entry = Entry(incident=None, at=NOW, event="silence-begun", detail=detail)
    notice = notice_of(entry, None, {})
    assert notice is not None
    assert (notice.subject, notice.text) == ("camera lobby", "until T, ann: a drill")
    notice = notice_of(replace(entry, detail=detail | {"from": "S"}), None, {})
    assert notice is not None
    assert notice.text == "from S until T, ann: a drill"
    over = replace(entry, event="silence-ended", detail=detail | {"held_back": 2})
    notice = notice_of(over, None, {})
    assert notice is not None
    assert notice.text == "ann: a drill; 2 alarms held back"


def test_a_rule_that_is_gone_is_a_warning() -> None:
    incident = ended(LOBBY)
    entry = Entry(incident=incident.id, at=NOW, event="late", detail={})
    notice = notice_of(entry, incident, {RuleName("other"): Severity.CRITICAL})
    assert notice is not None
    assert notice.severity is Severity.WARNING


def test_what_goes_well_is_told_only_on_wish() -> None:
    assert set(CHOSEN) - set(UNASKED) == {NoticeKind.EXPORTED, NoticeKind.SILENCE}
    assert NoticeKind.REPORT not in CHOSEN
