"""The verdict: a sentence that people trust instead of looking."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.errors import Reason
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.kept import Standing
from evidenced.core.keeping.loss import Loss, LossKind, loss_about, unplaced, unreadable
from evidenced.core.telling.judgement import (
    MANY,
    Findings,
    Lost,
    Matter,
    Mood,
    Remedy,
    Surroundings,
    verdict_object,
)
from evidenced.core.telling.notice import TROUBLES, NoticeKind
from evidenced.core.telling.trouble import Trouble
from evidenced.core.telling.troublecauses import _TROUBLES
from evidenced.core.telling.verdict import MOST_CAUSES, verdict
from evidenced.core.window import Window
from fakes.dossiers import begun
from fakes.incident import DOOR, LOBBY, t

NOW = t("12:30")
MINUTE = timedelta(minutes=1)
FINDINGS = Findings(now=NOW)


def an_incident() -> Incident:
    return begun(LOBBY, DOOR).incident


def missing(*labels: str) -> Lost:
    """A loss of an incident whose cameras of these labels have no video."""
    known = an_incident()
    clips = tuple(
        replace(clip, state=ClipState.MISSING, reason=Reason.NO_VIDEO)
        if clip.label in labels
        else replace(clip, state=ClipState.EXPORTED)
        for clip in known.clips
    )
    incident = replace(known, clips=clips)
    loss = Loss(
        kind=LossKind.INCIDENT,
        name=incident.id,
        since=t("12:10"),
        last_at=t("12:10"),
        text="no footage",
    )
    return Lost(loss=loss, incident=incident)


def gapped(*labels: str) -> Lost:
    """A loss of an incident that is exported, with a gap over the alarm."""
    lost = missing()
    assert lost.incident is not None
    gap = Coverage(
        state=CoverageState.GAPS,
        gaps=(Window(start=t("11:59:50"), end=t("12:00:20")),),
        is_loss=True,
    )
    clips = tuple(
        replace(clip, coverage=gap) if clip.label in labels else clip
        for clip in lost.incident.clips
    )
    return replace(lost, incident=replace(lost.incident, clips=clips))


ALTERED = Lost(
    loss=Loss(
        kind=LossKind.ALTERED,
        name=an_incident().id,
        since=t("11:00"),
        last_at=t("12:20"),
        text="V:\\evidence\\1: a file is altered: a.dvn",
    ),
    incident=an_incident(),
)
UNRECORDED = Lost(
    loss=loss_about(
        LossKind.UNRECORDED, an_incident().id, "no footage lies in V:\\1", t("12:10")
    ),
    incident=an_incident(),
)
UNTAGGED = Lost(
    loss=loss_about(LossKind.UNTAGGED, an_incident().id, "nobody keeps it", t("12:10")),
    incident=an_incident(),
)
UNPLACED = Lost(
    loss=unplaced(None, an_incident().id, ["attic"], t("12:10")),
    incident=an_incident(),
)
UNREAD = Lost(loss=unreadable("gate", t("12:20"), "no JSON"))
STALE = Lost(loss=unreadable("gate", t("12:20"), "of last year", LossKind.STALE))


def trouble(kind: NoticeKind, name: str = "", ago: timedelta = MINUTE) -> Trouble:
    return Trouble(kind=kind, name=name, text="why so", since=NOW - ago)


def waited_for(kind: NoticeKind, ago: timedelta, waiting: int) -> dict[str, Any]:
    each = trouble(kind, "main", ago)
    return {"troubles": [each], "waiting": {each.key: waiting}}


SILENCE = Silence(
    id=SilenceId("s1"),
    subject=Subject.RULE,
    name="gate",
    starts_at=t("12:00"),
    until=t("16:07"),
    ends_at=t("16:07"),
    author="anja",
    comment="locksmith",
)

OTHERS = [kind for kind in LossKind if kind is not LossKind.INCIDENT]

# What may be so, each by what it brings: the matter, and the mood that it alone makes.
Option = tuple[dict[str, Any], Matter | None, Mood]
NOTHING: Option = ({}, None, Mood.GOOD)
AXES: list[list[Option]] = [
    [
        NOTHING,
        (
            {"losses": [missing("Door")], "open": {LossKind.INCIDENT: 1}},
            Matter.LOSS,
            Mood.BAD,
        ),
        (
            {"losses": [gapped("Door")], "open": {LossKind.INCIDENT: 1}},
            Matter.LOSS,
            Mood.BAD,
        ),
        ({"losses": [ALTERED]}, Matter.ALTERED, Mood.BAD),
        ({"losses": [UNREAD]}, Matter.UNREADABLE, Mood.BAD),
        ({"losses": [STALE]}, Matter.STALE, Mood.WARN),
        ({"losses": [UNRECORDED]}, Matter.UNRECORDED, Mood.BAD),
        ({"losses": [UNTAGGED]}, Matter.UNTAGGED, Mood.WARN),
        ({"losses": [UNPLACED]}, Matter.UNPLACED, Mood.WARN),
    ],
    [NOTHING, ({"late": [an_incident()]}, Matter.LATE, Mood.BAD)],
    [
        NOTHING,
        (waited_for(NoticeKind.RECORDER, MINUTE * 9, 0), Matter.RECORDER, Mood.WARN),
        (waited_for(NoticeKind.RECORDER, MINUTE / 2, 3), Matter.RECORDER, Mood.WARN),
        (waited_for(NoticeKind.RECORDER, MINUTE, 3), Matter.RECORDER, Mood.BAD),
    ],
    [NOTHING, (waited_for(NoticeKind.SHARE, MINUTE, 3), Matter.SHARE, Mood.BAD)],
    [
        NOTHING,
        ({"troubles": [trouble(NoticeKind.BROKER)]}, Matter.BROKER, Mood.BAD),
        ({"troubles": [trouble(NoticeKind.STORE)]}, Matter.STORE, Mood.BAD),
        ({"troubles": [trouble(NoticeKind.CONFIG)]}, Matter.CONFIG, Mood.WARN),
        ({"troubles": [trouble(NoticeKind.CLOCK)]}, Matter.CLOCK, Mood.WARN),
        ({"troubles": [trouble(NoticeKind.QUEUE, "a")]}, Matter.QUEUE, Mood.WARN),
        ({"troubles": [trouble(NoticeKind.RECORDS, "a")]}, Matter.RECORDS, Mood.WARN),
    ],
    [NOTHING, ({"silences": [SILENCE]}, Matter.SILENCE, Mood.WAIT)],
    [
        NOTHING,
        ({"around": None}, Matter.DAEMON, Mood.BAD),
        ({"around": Surroundings(stalled=["it waits"])}, Matter.DAEMON, Mood.BAD),
        (
            {"around": Surroundings(notes=["mail is refused"])},
            Matter.NOTE,
            Mood.WARN,
        ),
        ({"around": Surroundings(is_deaf=True)}, Matter.CONFIG, Mood.WARN),
    ],
    [
        NOTHING,
        ({"standing": Standing(safe=3)}, None, Mood.GOOD),
        ({"standing": Standing(safe=1, waiting=2)}, Matter.UNDER_WAY, Mood.WAIT),
        ({"standing": Standing(withdrawn=2)}, None, Mood.GOOD),
        ({"standing": Standing(safe=2, lost=1)}, None, Mood.GOOD),
    ],
]


def together(options: tuple[Option, ...]) -> Findings:
    values: dict[str, Any] = {"troubles": [], "waiting": {}}
    for said, _, _ in options:
        for name, value in said.items():
            if name in {"troubles", "waiting"}:
                values[name] = (
                    values[name] + value
                    if name == "troubles"
                    else (values[name] | value)
                )
            else:
                values[name] = value
    return replace(FINDINGS, **values)


def combinations() -> Iterator[tuple[Option, ...]]:
    return product(*AXES)


def test_every_combination_has_the_mood_of_its_worst_cause() -> None:
    number = 0
    for options in combinations():
        number += 1
        found = verdict(together(options))
        wanted = max((mood for _, _, mood in options), key=lambda mood: mood.rank)
        assert found.mood is wanted, options
        matters = {matter for _, matter, _ in options if matter is not None}
        assert {cause.matter for cause in found.causes} == matters, options
        assert (found.mood is Mood.GOOD) == (not found.causes), options
        assert ("safe" in found.text) <= (found.mood is Mood.GOOD), options
        assert ("All footage is safe" in found.text) <= (
            found.mood is Mood.GOOD and not together(options).standing.lost
        ), options
        assert found.text.endswith("."), found.text
        assert found.more, options
        ranks = [cause.mood.rank for cause in found.causes]
        assert ranks == sorted(ranks, reverse=True), options
        bad = [cause for cause in found.causes if cause.mood in {"warn", "bad"}]
        assert found.number == len(bad)
        assert all(cause.text.endswith(".") for cause in found.causes)
    assert number == 9 * 2 * 4 * 2 * 7 * 2 * 5 * 5


@pytest.mark.parametrize(
    ("facts", "mood", "text", "more"),
    [
        ({}, "good", "No incidents in the last 24 hours.", "Nothing waits."),
        (
            {"standing": Standing(safe=2, withdrawn=1)},
            "good",
            "All footage is safe.",
            (
                "2 incidents exported in the last 24 hours; "
                "1 incident cancelled in the last 24 hours."
            ),
        ),
        (
            {"standing": Standing(withdrawn=1)},
            "good",
            "Nothing is missing.",
            "1 incident cancelled in the last 24 hours.",
        ),
        (
            {"standing": Standing(safe=1, waiting=2)},
            "wait",
            "2 incidents under way, nothing is missing.",
            "1 incident exported in the last 24 hours.",
        ),
        (
            {"losses": [missing("Door")], "open": {LossKind.INCIDENT: 1}},
            "bad",
            (
                "Footage of Door, 11:59:30 to 12:02:00, is missing: the recorder has "
                "no video of it."
            ),
            "See why, retry while the recorder still has it, or acknowledge.",
        ),
        (
            {
                "losses": [missing("Door"), missing("Lobby", "Door")],
                "open": {LossKind.INCIDENT: MANY},
            },
            "bad",
            "Footage of 1000 or more incidents is missing, since 12:10:00.",
            "See why, retry while the recorder still has it, or acknowledge.",
        ),
        (
            {"losses": [gapped("Door")], "open": {LossKind.INCIDENT: 1}},
            "bad",
            (
                "Footage of Door has a gap over the alarm: nothing was recorded "
                "11:59:50 to 12:00:20."
            ),
            "See why, retry while the recorder still has it, or acknowledge.",
        ),
        (
            {"standing": Standing(safe=3, gapped=1)},
            "good",
            "All footage is safe.",
            "3 incidents exported in the last 24 hours, 1 with gaps.",
        ),
        (
            {"standing": Standing(safe=3, lost=1)},
            "good",
            "What is missing was acknowledged; all other footage is safe.",
            (
                "3 incidents exported in the last 24 hours; "
                "1 incident without all footage in the last 24 hours."
            ),
        ),
        (
            {"standing": Standing(lost=1)},
            "good",
            "What is missing was acknowledged.",
            "1 incident without all footage in the last 24 hours.",
        ),
        (
            {"losses": [UNREAD]},
            "bad",
            "1 alarm of gate could not be read at 12:20:00.",
            (
                "Look at the messages, mend the rule or the source, export what was an "
                "alarm, and acknowledge."
            ),
        ),
        (
            waited_for(NoticeKind.RECORDER, timedelta(hours=13), 0),
            "warn",
            (
                "Recorder main has not answered since Sun 22 Nov 23:30:00: why so. "
                "Nothing waits for it yet."
            ),
            (
                "Nothing is lost while it keeps its footage: see that it runs and can "
                "be reached. Exports go on by themselves."
            ),
        ),
        (
            waited_for(NoticeKind.SHARE, MINUTE, 1),
            "bad",
            (
                "Share main is in trouble since 12:29:00: why so. "
                "1 incident waits for it."
            ),
            "Do what it says; what waits for the share goes on by itself.",
        ),
        (
            {"silences": [SILENCE]},
            "wait",
            "Silenced: rule gate until 16:07:00, by anja: locksmith.",
            "Nothing waits.",
        ),
    ],
)
def test_what_it_says(facts: dict[str, Any], mood: str, text: str, more: str) -> None:
    found = verdict(replace(FINDINGS, **facts))
    assert (found.mood, found.text, found.more) == (mood, text, more)


def test_what_else_is_wrong_follows_the_sentence() -> None:
    down = waited_for(NoticeKind.RECORDER, MINUTE, 2)
    facts = replace(
        FINDINGS, losses=[missing("Door")], open={LossKind.INCIDENT: 1}, **down
    )
    facts = replace(facts, troubles=[*facts.troubles, trouble(NoticeKind.CONFIG)])
    more = verdict(facts).more
    assert "Also: Recorder main has not answered since 12:29:00" in more
    assert more.endswith(" And 1 more.")


def test_times_are_those_of_the_wall_and_of_another_day_with_it() -> None:
    facts = replace(
        FINDINGS,
        now=NOW + timedelta(days=3),
        zone=ZoneInfo("Europe/Amsterdam"),
        losses=[missing("Door")],
        open={LossKind.INCIDENT: 1},
    )
    assert "Mon 23 Nov 12:59:30 to Mon 23 Nov 13:02:00" not in verdict(facts).text
    assert "Mon 23 Nov 12:59:30 to 13:02:00" in verdict(facts).text


AT_ONCE_BAD = {NoticeKind.BROKER, NoticeKind.STORE}
WAITED_FOR = {NoticeKind.RECORDER, NoticeKind.DESTINATION, NoticeKind.SHARE}


@pytest.mark.parametrize("kind", sorted(TROUBLES))
@pytest.mark.parametrize("waiting", [0, 1, 3])
@pytest.mark.parametrize("ago", [timedelta(0), MINUTE / 2, MINUTE, MINUTE * 600])
def test_no_trouble_is_green_and_none_is_red_while_nothing_waits(
    kind: NoticeKind, waiting: int, ago: timedelta
) -> None:
    found = verdict(replace(FINDINGS, **waited_for(kind, ago, waiting)))
    is_late = kind in WAITED_FOR and waiting and ago >= MINUTE
    assert found.mood is (Mood.BAD if kind in AT_ONCE_BAD or is_late else Mood.WARN)
    assert found.causes[0].matter is Matter(kind)
    assert "why so" in found.text
    assert found.more


@pytest.mark.parametrize("kind", sorted(TROUBLES - AT_ONCE_BAD))
def test_a_loss_is_told_before_any_trouble_that_may_come_to_one(
    kind: NoticeKind,
) -> None:
    for lost in (missing("Door"), gapped("Door"), UNREAD, ALTERED):
        number = int(lost.loss.kind is LossKind.INCIDENT)
        facts = {
            "losses": [lost],
            "open": {LossKind.INCIDENT: number},
            **waited_for(kind, MINUTE, 9),
        }
        found = verdict(replace(FINDINGS, **facts))
        assert found.causes[0].since == lost.loss.since
        assert [cause.matter for cause in found.causes[1:]] == [Matter(kind)]


def test_since_when_several_are_missing_is_said_of_what_is_missing() -> None:
    facts = {
        "losses": [ALTERED, missing("Door"), missing("Lobby")],
        "open": {LossKind.INCIDENT: 2},
    }
    found = verdict(replace(FINDINGS, **facts))
    assert found.text == "Footage of 2 incidents is missing, since 12:10:00."


def test_each_kind_of_loss_is_told_however_many_there_are_of_another() -> None:
    many = [missing("Door")] * MOST_CAUSES
    facts = {
        "losses": [*many, ALTERED, UNREAD, STALE, UNRECORDED, UNPLACED, UNTAGGED],
        "open": {LossKind.INCIDENT: 500, **dict.fromkeys(OTHERS, 1)},
    }
    found = verdict(replace(FINDINGS, **facts))
    assert len(found.causes) == MOST_CAUSES
    assert {cause.matter for cause in found.causes} == {
        Matter.LOSS,
        Matter.ALTERED,
        Matter.UNREADABLE,
        Matter.STALE,
        Matter.UNRECORDED,
        Matter.UNPLACED,
        Matter.UNTAGGED,
    }
    assert found.number == 506


def test_a_record_that_failed_and_a_tag_say_of_what_they_are() -> None:
    [record] = verdict(replace(FINDINGS, losses=[UNRECORDED])).causes
    assert record.text == (
        "rule-0 (site/door), 12:00:00: there is no evidence record: no footage lies in "
        "V:\\1."
    )
    assert record.remedies == (Remedy.RECORD, Remedy.ACKNOWLEDGE)
    gone = replace(UNTAGGED, incident=None)
    [tag] = verdict(replace(FINDINGS, losses=[gone])).causes
    assert (tag.text, tag.remedies) == ("Nobody keeps it.", (Remedy.ACKNOWLEDGE,))


@pytest.mark.parametrize(
    ("ago", "mood"),
    [
        (timedelta(seconds=14), Mood.GOOD),
        (timedelta(seconds=15), Mood.WAIT),
        (timedelta(minutes=2), Mood.WARN),
    ],
)
def test_messages_that_wait_to_be_read_may_be_alarms(
    ago: timedelta, mood: Mood
) -> None:
    found = verdict(replace(FINDINGS, unread_since=NOW - ago))
    assert found.mood is mood
    assert found.text.startswith("Messages that came") == (mood is not Mood.GOOD)


BACK = timedelta(hours=2)
"""By so much a clock went back."""
WAITS = Standing(safe=1, waiting=2)


@pytest.mark.parametrize(
    ("facts", "mood", "text"),
    [
        ({"standing": replace(WAITS, lost=1)}, "wait", "2 incidents under way."),
        ({"standing": WAITS, "known": 1}, "wait", "2 incidents under way."),
        ({"unread_since": NOW + BACK}, "warn", "Messages that came since 14:30:00"),
        (waited_for(NoticeKind.RECORDER, -BACK, 3), "bad", "Recorder main has not"),
        (waited_for(NoticeKind.SHARE, -BACK, 1), "bad", "Share main is in trouble"),
        ({"late": [replace(an_incident(), clips=())]}, "good", "No incidents in the"),
    ],
)
def test_no_mood_and_no_word_is_better_or_worse_than_it_is(
    facts: dict[str, Any], mood: str, text: str
) -> None:
    """Acknowledged losses, a clock that went back, footage that came at last."""
    found = verdict(replace(FINDINGS, **facts))
    assert found.mood == mood
    assert found.text.startswith(text)


@pytest.mark.parametrize(
    "lost", [ALTERED, UNREAD, STALE, UNRECORDED, UNPLACED, UNTAGGED]
)
def test_nothing_is_said_to_be_whole_beside_a_loss(lost: Lost) -> None:
    found = verdict(replace(FINDINGS, standing=WAITS, losses=[lost]))
    assert "nothing is missing" not in "".join(each.text for each in found.causes)


@pytest.mark.parametrize("known", [ALTERED, UNRECORDED, UNTAGGED])
def test_what_ends_as_a_sentence_has_one_full_stop(known: Lost) -> None:
    lost = replace(known, loss=replace(known.loss, text="it is gone."))
    silence = replace(SILENCE, comment="locksmith comes.")
    found = verdict(replace(FINDINGS, losses=[lost], silences=[silence]))
    assert [each.text.endswith("..") for each in found.causes] == [False, False]


def test_footage_is_not_all_safe_where_somebody_acknowledged_a_loss() -> None:
    """As of a gap over the alarm: its incident is exported."""
    found = verdict(replace(FINDINGS, standing=Standing(safe=2, gapped=1), known=1))
    assert found.mood is Mood.GOOD
    assert found.text == "What is missing was acknowledged; all other footage is safe."


def test_a_silence_is_told_by_what_people_call_its_rule() -> None:
    around = Surroundings(labels={(Subject.RULE, "gate"): "Gate of the yard"})
    found = verdict(replace(FINDINGS, silences=[SILENCE], around=around))
    assert found.text.startswith("Silenced: rule Gate of the yard until")


def test_rules_and_cameras_are_told_by_what_people_call_them() -> None:
    labels = {
        (Subject.RULE, "gate"): "Gate of the yard",
        (Subject.CAMERA, "door"): "Front door",
    }
    facts = replace(
        FINDINGS,
        losses=[UNREAD, STALE],
        troubles=[
            trouble(NoticeKind.SOURCE, "gate"),
            trouble(NoticeKind.CAMERA, "door"),
        ],
        around=Surroundings(labels=labels),
    )
    assert [each.text for each in verdict(facts).causes] == [
        "1 alarm of Gate of the yard could not be read at 12:20:00.",
        (
            "1 alarm of Gate of the yard was too old by its own time, and nothing was "
            "exported for it: it came at 12:20:00."
        ),
        "Camera Front door does not record: why so.",
        "The source of Gate of the yard has fallen silent: why so.",
    ]


def test_cameras_that_are_called_alike_are_not_taken_for_one() -> None:
    """Seen: of sixteen long labels, alike up to their number, one was told."""
    known = missing("Lobby", "Door")
    assert known.incident is not None
    label = "Camera of the loading bay in the north wing of the warehouse, number "

    def told(*labels: str) -> str:
        clips = [
            replace(clip, label=said)
            for clip, said in zip(known.incident.clips, labels, strict=True)  # type: ignore[union-attr]
        ]
        incident = replace(known.incident, clips=tuple(clips))
        lost = [replace(known, incident=incident)]
        return verdict(replace(FINDINGS, losses=lost)).text

    long = "Camera of the loading bay in the north w…arehouse, number "
    assert told(label + "01", label + "02").startswith(
        f"Footage of {long}01 and {long}02, 11:59:30"
    )
    assert told("Hall", "Hall").startswith("Footage of Hall and Hall, 11:59:30")


def test_instants_that_were_stored_are_told_in_local_time() -> None:
    text = "it goes on at 2026-11-23T12:25:00.000Z, not 2026-99-99T00:00:00.000Z"
    each = replace(trouble(NoticeKind.QUEUE, "a"), text=text)
    found = verdict(replace(FINDINGS, troubles=[each], zone=ZoneInfo("Europe/Paris")))
    assert "goes on at 13:25:00, not 2026-99-99T00:00:00.000Z." in found.text


def test_a_loss_is_asked_for_again_only_where_that_can_be() -> None:
    def remedies(lost: Lost) -> tuple[Remedy, ...]:
        facts = replace(FINDINGS, losses=[lost], open={LossKind.INCIDENT: 1})
        return verdict(facts).causes[0].remedies

    assert remedies(missing("Door")) == (Remedy.RETRY, Remedy.ACKNOWLEDGE)
    assert remedies(gapped("Door")) == (Remedy.AGAIN, Remedy.ACKNOWLEDGE)
    assert remedies(ALTERED) == remedies(UNREAD) == (Remedy.ACKNOWLEDGE,)
    assert remedies(replace(missing("Door"), incident=None)) == (Remedy.ACKNOWLEDGE,)
    under_way = missing("Door")
    assert under_way.incident is not None
    clips = [
        replace(clip, ended_as=clip.state, state=ClipState.DUE)
        if clip.is_lacking
        else clip
        for clip in under_way.incident.clips
    ]
    asked = replace(under_way.incident, clips=tuple(clips))
    assert remedies(replace(under_way, incident=asked)) == (Remedy.ACKNOWLEDGE,)


def test_every_trouble_that_is_told_has_its_words_here() -> None:
    assert _TROUBLES.keys() == set(TROUBLES)
    assert {kind.value for kind in TROUBLES} <= {matter.value for matter in Matter}


def test_programs_read_the_same() -> None:
    found = verdict(
        replace(FINDINGS, losses=[missing("Door")], open={LossKind.INCIDENT: 1})
    )
    made = verdict_object(found)
    assert made["text"] == found.text
    [reason] = made["reasons"]  # type: ignore[misc]
    assert reason["kind"] == "loss"
    assert reason["since"] == "2026-11-23T12:10:00.000Z"
    assert reason["incident"] == found.causes[0].incident


def test_an_alarm_that_nobody_clears_is_told_with_how_long_it_has_been_on() -> None:
    on = replace(an_incident(), begun_at=NOW - timedelta(hours=5, minutes=10))
    found = verdict(Findings(now=NOW, on=[on]))
    assert (
        found.text == f"{on.title} has been on for 5 h 10 min, and no clear has come."
    )
    assert (found.mood, found.causes[0].incident) == (Mood.WARN, on.id)


def test_doors_of_one_rule_are_told_apart_where_no_summary_does() -> None:
    known = an_incident()
    north = replace(known, key="north", clips=())
    loss = replace(missing("Door").loss, text="no camera of it is configured")
    found = verdict(
        replace(FINDINGS, losses=[Lost(loss=loss, incident=north)], open={loss.kind: 1})
    )
    assert found.text.startswith(f"Footage of {known.label} (north), 12:00:00, is miss")
    worded = replace(known.terms, summary="Door forced")
    assert replace(north, terms=worded).title == "Door forced"
    assert replace(north, key="").title == known.label
    assert len(replace(north, key="x" * 300).title) < 100
