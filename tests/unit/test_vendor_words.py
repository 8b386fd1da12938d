"""A vendor's words stop in the adapter: nothing else in the product knows them."""

import re

from fakes.drawing import ROOT

PACKAGE = ROOT / "daemon" / "evidenced"
ROOMS = (
    *("core", "store", "pipeline", "ports", "web", "notify", "evidence", "host"),
    *("cli", "app.py", "parts.py", "condition.py", "metrics.py", "picture.py"),
)
"""All but what speaks to a recorder or plays one (`sense`, `simulator`, `demo`), and
the keys of a recorder in the file (`kinds`, `config`)."""
WORDS = (
    r"exportvideo|exportid|get(?:export|image|device|video|system)[a-z]+|executeaction|"
    r"tagvideo|videotag|nonce|sessionkey|errorcode|serverid|deviceid|cameraid|pretime|"
    r"posttime|\bvdg\b|\bsense\b(?!-api\.md)|/info\b|webservice|"
    r"[ (]-(?:17|33|34|37|48|53|57|58|60|61)\b"
)
SUFFIXES = {".py", ".html", ".js", ".css"}
WORD = re.compile(WORDS, re.IGNORECASE)
EVERYDAY = re.compile(r"mak(?:es|e|ing) sense|no sense", re.IGNORECASE)

MAY = {
    # the API promises that name for what a recorder shows an export by
    "core/telling/objects.py": {"exportid"},
    # whatever is logged under that name is a secret, whoever logs it
    "host/log.py": {"nonce"},
    # whoever is handed the folder has to know whose player opens its files
    "evidence/incident.html": {"vdg", "sense"},
    # the command that plays a recorder of that vendor
    "cli/simulate.py": {"vdg", "sense", "nonce", "exportid"},
}


def _files() -> list[str]:
    places = [PACKAGE / room for room in ROOMS]
    files = [file for place in places for file in (place, *place.rglob("*"))]
    return sorted(
        str(file.relative_to(PACKAGE)) for file in files if file.suffix in SUFFIXES
    )


def words_in(text: str) -> set[str]:
    return {found.lower().strip(" (") for found in WORD.findall(EVERYDAY.sub("", text))}


def test_no_word_of_a_vendor_s() -> None:
    found = {
        name: words
        for name in _files()
        if (words := words_in((PACKAGE / name).read_text()) - MAY.get(name, set()))
    }
    assert found == {}


def test_the_exceptions_are_needed() -> None:
    for name, words in MAY.items():
        assert words_in((PACKAGE / name).read_text()) == words, name


def test_a_word_would_be_found() -> None:
    assert words_in("the answer -48, of Sense's getImageSequence, makes sense") == {
        "-48",
        "sense",
        "getimagesequence",
    }
