"""daemon/README.md says what the code says."""

import ast

from fakes.drawing import README, ROOT, filled


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
