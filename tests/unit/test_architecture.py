"""daemon/README.md says what the code says."""

import ast
import re

from fakes.drawing import README, ROOT, filled

PACKAGE = ROOT / "daemon" / "evidenced"
DEFS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_what_is_drawn_of_the_code_is_as_it_is() -> None:
    text = README.read_text()
    assert filled(text) == text, "run python tests/fakes/drawing.py"


def test_one_name_means_one_thing() -> None:
    """No two classes of the product share a name, and no alias has that of a class."""
    classes: dict[str, str] = {}
    aliases: set[str] = set()
    for file in sorted((ROOT / "daemon").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                where = f"{file.relative_to(ROOT)}:{node.lineno}"
                assert node.name not in classes, f"{where} and {classes[node.name]}"
                classes[node.name] = where
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign):
                aliases |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    assert sorted(aliases & classes.keys()) == []


def test_files_and_functions_that_are_named_are_there() -> None:
    """The way of one alarm leads through functions that exist, in files that do."""
    text = README.read_text()
    for name in set(re.findall(r"`((?:\w+/)+\w+\.(?:py|css|md))`", text)):
        places = (ROOT, ROOT / "daemon", PACKAGE)
        assert any((place / name).is_file() for place in places), name
    way = text.partition("## The way of one alarm")[2].partition("\n## ")[0]
    steps = re.findall(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)", way)
    assert len(steps) > 20
    for file, functions in steps:
        tree = ast.parse((PACKAGE / file).read_text())
        defined = {node.name for node in ast.walk(tree) if isinstance(node, DEFS)}
        assert set(re.findall(r"\w+", functions)) <= defined, file
