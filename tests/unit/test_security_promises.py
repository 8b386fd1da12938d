"""systemd/SECURITY.md promises nothing that no test shows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "systemd" / "SECURITY.md"
SHOWN = re.compile(r"`(tests/[\w/]+\.py): (test_\w+)`")
PARTS = ["What holds", "What does not hold"]


def sentences(part: str) -> list[str]:
    text = FILE.read_text().split(f"\n## {part}\n", 1)[1].split("\n## ", 1)[0]
    bullets = re.split(r"\n\n|\n(?=- )", text.strip())
    return [each for each in bullets if each and not each.startswith("#")]


@pytest.mark.parametrize("part", PARTS)
def test_each_sentence_names_a_test(part: str) -> None:
    found = sentences(part)
    assert len(found) >= 5
    assert [each for each in found if not SHOWN.search(each)] == []


def test_each_test_that_is_named_is_there() -> None:
    named = SHOWN.findall(FILE.read_text())
    missing = []
    for file, name in named:
        path = ROOT / file
        tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        there = {each.name for each in tree.body if isinstance(each, kinds)}
        if name not in there:
            missing.append(f"{file}: {name}")
    assert missing == []
    assert len(named) == FILE.read_text().count("`tests/")
