"""What is handed out as a file, and why an expression failed, in any language."""

from dataclasses import replace
from datetime import UTC

import pytest

from evidenced.core.alarms.expression import Expression, ExpressionError
from evidenced.core.errors import BadInput, Reason
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.footage import Depicted, FootageFolder, FootageState
from evidenced.core.phrase import kept
from evidenced.core.telling.acceptance import (
    Acceptance,
    acceptance_html,
    trial_of_camera,
    trial_of_rule,
)
from evidenced.core.telling.index import Index, Shelf, index_page
from evidenced.tongues import tongue
from fakes.bracketed import Bracketed, bypassing, outside, words
from fakes.incident import LOBBY, ended, t

TONGUE = Bracketed()
NAMES = words("Lobby lobby hq forced UTC evidence footage panic")


def accepted(*, is_done: bool) -> Acceptance:
    incident = ended(LOBBY)
    clips = [
        clip.moved(ClipState.MISSING, reason=Reason.NO_VIDEO) for clip in incident.clips
    ]
    gone = incident.with_clips(*clips).settled(t("12:30"))
    went = [ClipState.REQUESTED, ClipState.EXPORTING, ClipState.EXPORTED]
    for state in went:
        clips = [
            clip.moved(state)
            for clip in (incident.clips if state is went[0] else clips)
        ]
    done = incident.with_clips(*clips).settled(t("12:30"))
    found = [done] if is_done else [gone]
    verified = {done.id: t("12:31")} if is_done else {}
    return Acceptance(
        instance="hq",
        at=t("12:40"),
        since=None if is_done else t("11:00"),
        zone=UTC,
        rules={"forced": trial_of_rule(done.rule, found, verified)},
        cameras={"lobby": trial_of_camera(LOBBY.name, found, verified)},
    )


@pytest.mark.parametrize("is_done", [False, True])
def test_a_report_of_acceptance_is_said_in_its_language(*, is_done: bool) -> None:
    page = acceptance_html(accepted(is_done=is_done), TONGUE)
    assert bypassing(page, NAMES) == []
    dutch = acceptance_html(accepted(is_done=is_done), tongue("nl"))
    assert '<html lang="nl">' in dutch
    assert ("de locatie is opgeleverd" in dutch) == is_done
    assert ("de recorder heeft er geen video van" in dutch) != is_done


def test_the_index_of_a_share_is_said_in_its_language() -> None:
    footage = FootageFolder(
        destination=DestinationName("nas"),
        path=r"V:\evidence\1",
        incident=IncidentId("i1"),
        state=FootageState.DISPOSED,
        ended_at=t("12:05"),
        files=1,
        size_bytes=3,
        sha256="0" * 64,
        checked_at=t("12:10"),
        recorded_at=t("12:10"),
        at=t("12:30"),
        by="",
        comment="destinations.nas.keep = 180 d",
        depicted=Depicted(
            rule="forced",
            label="",
            summary="",
            cameras=("Lobby",),
            opened_at=t("12:00"),
        ),
    )
    shelf = Shelf(footage=footage, way=("evidence", "footage"))
    index = Index(
        instance="hq", site="", zone=UTC, at=t("12:40"), shelves=[shelf], is_cut=True
    )
    page = index_page(index, TONGUE).decode()
    known = NAMES | words("destinations nas keep")
    assert bypassing(page, known) == []
    several = replace(index, shelves=[shelf, shelf])
    assert "2 mappen, de nieuwste eerst" in index_page(several, tongue("nl")).decode()


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("contains(a, 'x')", {"a": 1}),
        ("max(@)", [1, "a"]),
        ("a[::0]", {"a": [1]}),
        ("from_json(a)", {"a": "{"}),
        ("from_base64(a)", {"a": "~"}),
        ("bits(a)", {"a": "zz top"}),
        ("bits(a)", {"a": -1}),
        ("bits(a)", {"a": [999]}),
    ],
)
def test_why_an_expression_failed_is_recognised(text: str, payload: object) -> None:
    with pytest.raises(ExpressionError) as failed:
        Expression.parse(text).evaluate(payload)
    stored = str(failed.value)
    told = kept(stored)
    assert outside(TONGUE.recognised(stored), JMESPATH) == []
    assert str(told) == stored


@pytest.mark.parametrize(
    "text", ["a.b.", "a b", "nosuch(a)", "length()", "join(a)", ""]
)
def test_why_an_expression_cannot_be_read_is_recognised(text: str) -> None:
    with pytest.raises(BadInput) as failed:
        Expression.parse(text)
    assert outside(TONGUE.recognised(str(failed.value)), JMESPATH) == []


JMESPATH = words(
    "contains max from_json from_base64 bits json base array string number null or int "
    "str nosuch length join ValueError"
)
"""Names of functions and of kinds of values."""
