import re

import pytest
from lxml import etree

from evidenced.core.telling.shapes import NARROW, WIDE
from evidenced.core.telling.story import Story
from evidenced.core.telling.timeline import lay_out
from evidenced.picture import STYLE, draw
from fakes.dossiers import CASES
from fakes.incident import SETTLES

SHAPES = {"svg", "title", "desc", "defs", "pattern", "g", "rect", "line", "text"}
SHAPES |= {"circle", "path"}


def drawn(name: str, width: float = WIDE) -> str:
    case = CASES[name]()
    story = Story(dossier=case.dossier, now=case.now, settles=SETTLES)
    return draw(lay_out(story, width), "p")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_picture_is_well_formed_and_holds_shapes_and_words_only(
    name: str, width: float
) -> None:
    root = etree.fromstring(drawn(name, width))
    for element in root.iter():
        assert element.tag in SHAPES
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on")
            assert attribute not in {"style", "href"}
            assert "url(" not in value or value == "url(#p-hatch)"
    assert root.get("role") == "img"
    named = root.get("aria-labelledby", "").split()
    found = [root.find(f".//*[@id='{name}']") for name in named]
    assert all(each is not None and each.text for each in found)


def test_every_bar_and_mark_says_what_it_is() -> None:
    for name in CASES:
        root = etree.fromstring(drawn(name))
        for group in root.iter("g"):
            if group.get("class", "").split()[0] in {"bar", "mark", "break"}:
                assert group.findtext("title")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_words_are_painted_after_all_that_is_drawn(name: str, width: float) -> None:
    """But for those in a bar or a pill, whose line is behind it."""
    root = etree.fromstring(drawn(name, width))
    seen_words = False
    for element in root:
        kind = (element.get("class") or "").split(" ")[0]
        is_words = element.tag == "text" or kind in {"label", "legend"}
        is_drawn = element.tag == "line" or kind in {"break", "lane"}
        assert not (seen_words and is_drawn)
        seen_words = seen_words or is_words
    assert seen_words


def test_what_devices_send_is_text() -> None:
    text = drawn("hostile")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text


def test_every_state_has_a_colour() -> None:
    for state in ("exported", "exporting", "recording", "missing", "rejected"):
        assert re.search(rf"\.bar-{state}\b", STYLE)
        assert re.search(rf"\.state-{state}\b", STYLE)


def test_the_style_fetches_nothing() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
