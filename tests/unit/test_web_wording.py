"""Sentences of the page that an operator reads first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.hold import Hold
from evidenced.core.ids import DestinationName, RecorderName
from evidenced.core.incidents import operating
from evidenced.core.keeping.kept import Standing
from evidenced.core.telling.story import REASONS, Story, progress, why
from evidenced.ports.control import RecorderStatus, ShareStatus
from evidenced.web.wording import headline, hindrances
from fakes import incident as fake
from fakes.dossiers import begun, partial
from fakes.incident import DOOR, LOBBY, t

DAY = timedelta(hours=24)
NONE = Standing(safe=0, waiting=0, late=0, missing=0)


@pytest.mark.parametrize(
    ("standing", "mood", "text", "more"),
    [
        (NONE, "good", "No alarms in the last 24 hours.", "nothing waits"),
        (
            replace(NONE, withdrawn=1),
            "good",
            "Nothing is missing in the last 24 hours.",
            "1 incident cancelled",
        ),
        (
            replace(NONE, safe=2, withdrawn=1),
            "good",
            "All footage of the last 24 hours is safe.",
            "2 incidents exported; 1 incident cancelled",
        ),
        (
            replace(NONE, waiting=1, late=1),
            "bad",
            "Footage is late.",
            "1 late; 1 incident under way",
        ),
        (
            replace(NONE, missing=1000),
            "bad",
            "Some footage is not safe.",
            "1000 or more incidents without all footage in the last 24 hours",
        ),
        (
            replace(NONE, safe=1, waiting=2),
            "wait",
            "2 incidents under way, nothing is missing.",
            "1 incident of the last 24 hours exported",
        ),
    ],
)
def test_is_it_safe(standing: Standing, mood: str, text: str, more: str) -> None:
    found = headline(standing, DAY, [])
    assert (found.mood, found.text, found.more) == (mood, text, more)


def test_no_verdict_is_better_than_what_does_not_come_in() -> None:
    found = headline(replace(NONE, safe=9), DAY, ["the broker does not answer"])
    assert found.mood == "bad"
    assert found.text == "Alarms may not be coming in."


UP = RecorderStatus(name=RecorderName("annex"), is_up=True)
DOWN = RecorderStatus(name=RecorderName("main"), is_up=False, problem="refused")
NEW = RecorderStatus(name=RecorderName("new"), is_up=False)
GONE = ShareStatus(destination=DestinationName("nas"), problem="not mounted")
HELD = replace(
    UP,
    holds={
        DestinationName("attic"): Hold(
            reason=Reason.BAD_PATH,
            text="x",
            since=t("06:00"),
            next_try=t("06:00"),
            failures=1,
            wait=DAY,
        )
    },
)


@pytest.mark.parametrize(
    ("recorders", "shares", "said"),
    [
        ([UP, NEW], [], []),
        ([UP, DOWN], [], ["recorder main does not answer"]),
        ([], [GONE], ["the share of nas is not there"]),
        ([HELD], [], ["attic is held at annex"]),
    ],
)
def test_what_hinders_exports_is_said(
    recorders: list[RecorderStatus], shares: list[ShareStatus], said: list[str]
) -> None:
    assert hindrances(recorders, shares) == said


def test_what_hinders_exports_is_in_the_verdict_though_nothing_is_missing() -> None:
    found = headline(replace(NONE, waiting=3), DAY, [], ["recorder main is away"])
    assert (found.mood, found.see) == ("wait", "/recorders")
    assert found.text == "3 incidents under way, nothing is missing."
    assert found.more.endswith("; recorder main is away")


def test_what_is_missing_goes_before_what_hinders() -> None:
    found = headline(replace(NONE, missing=1), DAY, [], ["recorder main is away"])
    assert (found.mood, found.see) == ("bad", "/without-footage")
    assert found.more.endswith("; recorder main is away")


def test_a_broker_that_is_away_leads_to_no_incidents() -> None:
    assert headline(NONE, DAY, ["the broker does not answer"]).see == ""


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
        "the recorder has no video"
    )


def test_every_reason_has_its_words() -> None:
    assert REASONS.keys() == set(Reason)
