"""Writes into each catalogue what the code says: `python daemon/catalogues.py`.

New sentences come without a translation, which is yours to write; those that nobody
says any more go. It tells what lacks a translation. English needs no catalogue.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parent / "evidenced"
TONGUES = SOURCE / "tongues"
LANGUAGES = ("nl", "de")
IN_PYTHON = {"phrase": 1, "mark": 1, "plural": 2, "marks": 2}
"""Functions that say something, and how many of their first values are templates."""
IN_TEMPLATES = {"_": None, "ngettext": (1, 2)}
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


@cache
def sentences() -> tuple[Sentence, ...]:
    """All that is said to people, in the order of files; a pair is one by a number."""
    return tuple(dict.fromkeys(_extracted()))


def _extracted() -> Iterator[Sentence]:
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix == ".py":
            yield from _of_python(path)
        elif path.suffix == ".html":
            yield from _of_template(path)


def _of_python(path: Path) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        said = node.args[: IN_PYTHON.get(node.func.id, 0)]
        if any(isinstance(each, ast.JoinedStr) for each in said):
            raise SystemExit(f"{path}:{node.lineno}: a template is no f-string")
        texts = [each.value for each in said if isinstance(each, ast.Constant)]
        if texts and len(texts) == len(said):
            yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _of_template(path: Path) -> Iterator[Sentence]:
    method = "jinja2.ext:babel_extract"
    for found in extract_from_file(method, path, IN_TEMPLATES, options=OPTIONS):
        message = found[1]
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
