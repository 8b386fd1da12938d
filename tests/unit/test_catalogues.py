"""The catalogues are whole: a new sentence cannot land without its translations."""

import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from evidenced.core.account import Role
from evidenced.core.alarms.alarm import Outcome, Signal
from evidenced.core.incidents.history import Event
from evidenced.core.incidents.silence import Subject
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.still import StillState
from evidenced.core.keeping.tag import TagState
from evidenced.core.phrase import ENGLISH, LANGUAGES
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.statewords import WORDS

DAEMON = Path(__file__).parents[2] / "daemon"
OTHERS = tuple(code for code in LANGUAGES if code != ENGLISH.code)
HOLE = re.compile(r"\{\w+(?::\w+)?\}")
TAG = re.compile(r"</?\w+[^>]*>")
SHOWN_AS_WORDS: tuple[type[StrEnum], ...] = (
    *(ClipState, ExportState, IncidentState, StillState, RecordState, TagState),
    *(Outcome, Signal, Subject, Role, NoticeKind),
)
RUN = "run `python daemon/catalogues.py`, translate what it names, and commit"


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    spec = spec_from_file_location("catalogues", DAEMON / "catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def catalog_of(code: str) -> Catalog:
    with (DAEMON / "evidenced/tongues" / f"{code}.po").open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


def messages(code: str) -> Iterator[tuple[Message, list[str], list[str]]]:
    """Each with what it is in English and in this language."""
    for each in catalog_of(code):
        if each.id:
            ids = [each.id] if isinstance(each.id, str) else list(each.id)
            told = [each.string] if isinstance(each.string, str) else list(each.string)
            yield each, [str(one) for one in ids], [str(one) for one in told]


def test_there_is_one_of_each_language(catalogues: ModuleType) -> None:
    assert catalogues.LANGUAGES == OTHERS
    found = {path.stem for path in (DAEMON / "evidenced/tongues").glob("*.po")}
    assert found == set(OTHERS)


@pytest.mark.parametrize("code", OTHERS)
def test_it_has_what_the_code_says_and_nothing_else(
    code: str, catalogues: ModuleType
) -> None:
    text = (DAEMON / "evidenced/tongues" / f"{code}.po").read_text()
    assert text == catalogues.updated(code), RUN


@pytest.mark.parametrize("code", OTHERS)
def test_all_of_it_is_translated(code: str) -> None:
    lacking = [ids for _, ids, told in messages(code) if not all(told)]
    assert lacking == [], RUN
    assert [each.id for each in catalog_of(code) if each.id and each.fuzzy] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_holes_and_tags_of_its_sentence(code: str) -> None:
    wrong = [
        (one, text)
        for _, ids, told in messages(code)
        for one, text in zip(ids, told, strict=True)
        if sorted(set(HOLE.findall(one))) != sorted(set(HOLE.findall(text)))
        or sorted(TAG.findall(one)) != sorted(TAG.findall(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", OTHERS)
def test_plurals_are_those_of_the_language(code: str) -> None:
    catalog = catalog_of(code)
    assert (catalog.num_plurals, catalog.plural_expr) == (2, "(n != 1)")
    several = [m for m in catalog if isinstance(m.id, tuple)]
    assert several
    assert [m.id for m in several if len(m.string) != catalog.num_plurals] == []


@pytest.mark.parametrize("code", OTHERS)
def test_nobody_is_addressed(code: str) -> None:
    """Short, as a control room says it: neither u nor Sie."""
    spoken = {"nl": r"\b([Uu]w?|[Jj]e|[Jj]ouw)\b", "de": r"\b(Ihnen|Ihre?[mnrs]?|du)\b"}
    found = [text for *_, told in messages(code) for text in told]
    assert [t for t in found if re.search(spoken[code], HOLE.sub("", t))] in (
        [],
        ["{n} u"],
    )


@pytest.mark.parametrize("code", OTHERS)
def test_it_begins_with_its_words(code: str) -> None:
    text = (DAEMON / "evidenced/tongues" / f"{code}.po").read_text()
    assert "one thing has one name" in text.partition("msgid")[0]


def test_every_state_has_its_word() -> None:
    shown = {str(each) for kind in SHOWN_AS_WORDS for each in kind}
    shown |= {str(event).replace("-", " ") for event in Event}
    assert shown - {"report"} <= WORDS


def test_what_is_not_in_a_catalogue_is_found(catalogues: ModuleType) -> None:
    said = catalogues.sentences()
    assert ("{n} message", "{n} messages") in said
    assert "All footage is safe." in said
    assert "Log in" in said
