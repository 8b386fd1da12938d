"""Writes into each catalogue what the code says: `python daemon/catalogues.py`.

New sentences come without a translation, which is yours to write; those that nobody
says any more go. It tells what lacks a translation. English needs no catalogue.
"""

import sys
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parent / "evidenced"
TONGUES = SOURCE / "tongues"
LANGUAGES = ("nl", "de")
KEYWORDS = {
    "python": {"phrase": None, "mark": None, "plural": (1, 2), "marks": (1, 2)},
    "jinja2.ext:babel_extract": {"_": None, "ngettext": (1, 2)},
}
KINDS = {".py": "python", ".html": "jinja2.ext:babel_extract"}
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true"}
WIDTH = 88
VOLATILE = (
    '"Project-Id-Version',
    '"Report-Msgid-Bugs-To',
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Language-Team',
    '"Generated-By',
)
"""Lines of a header that change with every run, and that nobody reads."""

Sentence = str | tuple[str, str]


def sentences() -> list[Sentence]:
    """All that is said to people, in the order of files; a pair is one by a number."""
    return list(dict.fromkeys(_extracted()))


def _extracted() -> Iterator[Sentence]:
    for path in sorted(SOURCE.rglob("*")):
        method = KINDS.get(path.suffix)
        if method is None:
            continue
        with warnings.catch_warnings():  # a value that is an f-string is no sentence
            warnings.simplefilter("ignore", SyntaxWarning)
            found = extract_from_file(method, path, KEYWORDS[method], options=OPTIONS)
        for _, message, _, _ in found:
            yield (message[0], message[1]) if isinstance(message, tuple) else message


def updated(language: str) -> str:
    """The catalogue as it should be."""
    path = TONGUES / f"{language}.po"
    with path.open("rb") as source:
        catalog = read_po(source, locale=language, ignore_obsolete=True)
    template = Catalog()
    for each in sentences():
        template.add(each)
    catalog.update(template, no_fuzzy_matching=True)
    written = BytesIO()
    write_po(
        written,
        catalog,
        width=WIDTH,
        no_location=True,
        sort_output=True,
        ignore_obsolete=True,
    )
    lines = written.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(VOLATILE))


def untranslated(language: str) -> list[str]:
    """Sentences that this catalogue says in English."""
    with (TONGUES / f"{language}.po").open("rb") as source:
        catalog = read_po(source, locale=language)
    return [
        str(each.id)
        for each in catalog
        if each.id
        and not all(each.string if isinstance(each.string, tuple) else [each.string])
    ]


def main() -> int:
    """Writes them; 1 where a sentence lacks its translation."""
    lacking = 0
    for language in LANGUAGES:
        text = updated(language)
        (TONGUES / f"{language}.po").write_text(text, encoding="utf-8")
        for each in untranslated(language):
            sys.stdout.write(f"{language}: {each}\n")
            lacking += 1
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
