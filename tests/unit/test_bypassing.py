"""No sentence is said to people past the catalogue: all is said in a made-up language.

Of pages that a server gives, tests/contract/test_words.py does the same.
"""

from datetime import timedelta
from typing import Any, cast

import pytest

from evidenced.core.phrase import phrase
from evidenced.ports.control import Installation
from evidenced.web.frame import Frame
from evidenced.web.incidentpage import IncidentPage, Shown
from evidenced.web.languages import Languages
from fakes.bracketed import Bracketed, bypassing, outside, words
from fakes.clock import FakeClock
from fakes.control import FakeControl
from fakes.dossiers import (
    Case,
    begun,
    cancelled,
    exported,
    partial,
    running,
    stormy,
    waiting,
)
from fakes.incident import DOOR, LOBBY

TONGUE = Bracketed()
KNOWN = words(
    "Lobby Door Gate lobby door gate main nas north hq test ann evidence site UTC "
    "evidenced annex forced access No video data Disk full NoError at rule"
)
"""Names of what is configured here, and what recorders and people say."""
CASES = {
    "recording": lambda: begun(LOBBY, DOOR),
    "waiting": waiting,
    "running": running,
    "exported": exported,
    "partial": partial,
    "cancelled": cancelled,
    "stormy": stormy,
}


def page_of(case: Case) -> str:
    control = FakeControl()
    control.about = Installation(instance="test", settles={})
    clock = FakeClock()
    clock.advance((case.now - clock.now()) / timedelta(seconds=1))
    languages = Languages("nl", lambda _: TONGUE)
    nothing = cast("Any", None)
    frame = Frame(nothing, control.whole, clock, languages, has_users=False)
    shown = Shown(case.dossier, [], [])
    return IncidentPage(frame)._part(TONGUE, shown, may_act=True)


@pytest.mark.parametrize("state", CASES)
def test_an_incident_in_this_state(state: str) -> None:
    assert bypassing(page_of(CASES[state]()), KNOWN) == []


def test_what_is_said_past_the_catalogue_is_found() -> None:
    told = phrase("{camera} missing", camera="Lobby").said(TONGUE)
    assert outside(told, KNOWN) == []
    planted = phrase("{camera} missing: {why}", camera="Lobby", why="planted words")
    assert outside(planted.said(TONGUE), KNOWN) == ["planted", "words"]
    page = f'<p title="{told}">{told}</p><p>Planted <code>ls</code></p>'
    assert bypassing(page, KNOWN) == ["Planted"]
    assert bypassing('<img alt="a picture">', KNOWN) == ["a picture"]
