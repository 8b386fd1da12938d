"""Sentences of the page that an operator reads first."""

from dataclasses import replace

from evidenced.core.errors import Reason
from evidenced.core.exports import answers
from evidenced.core.incidents import operating
from evidenced.core.incidents.states import ClipState
from evidenced.core.telling.story import (
    REASONS,
    Story,
    clip_words,
    export_words,
    lacking_words,
    progress,
    why,
)
from evidenced.web.wording import foremost
from fakes import incident as fake
from fakes.dossiers import begun, partial
from fakes.incident import DOOR, LOBBY, ended, t


def test_what_a_person_cancelled_is_told_apart_from_what_is_missing() -> None:
    case = begun(LOBBY, DOOR)
    case.turn(t("12:02"))
    half = case.ask(t("12:02:15"), "main")
    case.answer(half, fake.OK)
    case.finish(half, t("12:02:35"), 2)
    case.save(operating.cancel(case.incident, "ann", case.now))
    assert case.incident.is_withdrawn
    story = Story(dossier=case.dossier, now=case.now)
    assert why(story) == "Door: cancelled by ann; the rest is exported"
    told = progress(case.incident, case.dossier.exports)
    assert told.words == "1 of 2 cameras exported, 1 cancelled"
    missing = partial()
    assert not missing.incident.is_withdrawn
    assert why(Story(dossier=missing.dossier, now=missing.now)).startswith(
        "Lobby, Door missing: the recorder has no video of it (asked "
    )


def test_nobody_is_told_that_a_recorder_is_at_what_never_reached_it() -> None:
    case = begun(LOBBY)
    case.turn(t("12:02"))
    asked = case.ask(t("12:02:15"), "main")
    case.save(answers.not_sent(case.incident, asked, Reason.UNREACHABLE, "no route"))
    story = Story(dossier=case.dossier, now=case.now)
    assert why(story) == "the recorder cannot be asked, and is tried again: no route"
    assert export_words(story, case.exports[asked.id]) == (
        "asked at 12:02:15, tried once in vain: no route"
    )


def test_every_reason_has_its_words() -> None:
    assert REASONS.keys() == set(Reason)


def test_of_many_cameras_those_that_lack_footage_are_shown_at_once() -> None:
    [clip, *_] = ended(LOBBY).clips
    good = [replace(clip, n=n, state=ClipState.EXPORTED) for n in range(20)]
    lost = [replace(clip, n=n, state=ClipState.MISSING) for n in range(20, 40)]
    assert foremost(good[:12]) == (good[:12], ())
    shown, others = foremost([*good, *lost[:3]])
    assert [each.n for each in shown] == [20, 21, 22, *range(9)]
    assert others == good[9:]
    assert foremost([*good, *lost]) == (lost, good)


def test_of_many_cameras_without_footage_some_are_named_and_all_counted() -> None:
    incident = ended(LOBBY)
    [clip] = incident.clips
    lost = [
        replace(clip, n=n, camera=f"c{n}", label=f"Hall {n}", state=ClipState.MISSING)
        for n in range(9)
    ]
    told = lacking_words(replace(incident, clips=tuple(lost)))
    assert told.startswith("Hall 0, Hall 1, Hall 2, Hall 3, Hall 4 and 4 more missing")


def test_no_video_is_told_in_our_words_as_long_as_it_may_come_and_when_given_up() -> (
    None
):
    [clip] = begun(LOBBY).incident.clips
    said = {"code": -48, "message": "No videodata", "reason": Reason.NO_VIDEO}
    due = replace(clip, state=ClipState.DUE, attempts=2, **said)
    assert clip_words(due) == "no video yet (-48)"
    given_up = replace(due, state=ClipState.MISSING)
    assert clip_words(given_up) == "the recorder has no video of it (-48)"
    full = replace(due, code=-60, message="Disk full", reason=Reason.DISK_FULL)
    assert clip_words(full) == "Disk full (-60)"
