"""No sentence is said to people past the catalogue: all is said in a made-up language.

Of pages that a server gives, tests/contract/test_words.py does the same.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from jinja2 import Environment, nodes

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


WEB = Path(__file__).parents[2] / "daemon/evidenced/web"
TEMPLATES = sorted(WEB.glob("templates/*.html"))
UNSAID = words("evidenced API CSV SHA door forced")
SAYS = {"_", "ngettext"}
JINJA = Environment(autoescape=True)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_says_nothing_by_itself(path: Path) -> None:
    """Also in branches that no test of a page takes."""
    source = path.read_text()
    tokens = JINJA.lex(source)
    said = "".join(text for _, kind, text in tokens if kind == "data")
    assert bypassing(f"<main>{said}</main>", UNSAID) == []
    assert list(_planted(JINJA.parse(source))) == []


def _planted(node: nodes.Node) -> Iterator[str]:
    """Texts with more than one word that are no sentence of the catalogue."""
    called = node.node if isinstance(node, nodes.Call) else None
    if isinstance(called, nodes.Name) and called.name in SAYS:
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        text = node.value.strip()
        if " " in text and not text.startswith("evidenced "):
            yield text
    for each in node.iter_child_nodes():
        yield from _planted(each)


def test_what_a_template_says_by_itself_is_found() -> None:
    tree = JINJA.parse('{{ "It is lost" if a else _("It is found") }}')
    assert list(_planted(tree)) == ["It is lost"]


def test_a_script_says_nothing_by_itself() -> None:
    """Its words are the page's: see scriptwords.html."""
    source = (WEB / "static/live.js").read_text()
    code = re.sub(r"//.*", "", source)
    texts = re.findall(r"\"([^\"\n]*)\"|`([^`]*)`", code)
    said = [one or other for one, other in texts]
    assert [each for each in said if re.search(r"[a-z] [a-z]", each)] == ["use strict"]
