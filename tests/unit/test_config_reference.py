"""The committed reference, example and schema are what the models say."""

import json
import re
import tomllib
from datetime import timedelta
from functools import partial
from pathlib import Path
from runpy import run_path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from evidenced.config import Config, load, load_text
from evidenced.config.draft import Located, read_draft
from evidenced.config.tree import MapOf, Table, find, inner_table, tree

CONFIG = Path(__file__).parents[2] / "config"
REFERENCE = run_path(str(CONFIG / "reference.py"))
files, main = REFERENCE["files"], REFERENCE["main"]
EXAMPLE = CONFIG / "evidenced.example.toml"


@pytest.mark.parametrize("name", files())
def test_the_committed_file_is_the_generated_one(name: str) -> None:
    committed = (CONFIG / name).read_text(encoding="utf-8")
    assert committed == files()[name], "run python config/reference.py"


def test_the_command_writes_all_of_them(tmp_path: Path) -> None:
    main(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(files())


def test_the_example_loads_without_a_warning() -> None:
    assert load(EXAMPLE).warnings == ()


def test_the_example_shows_every_key() -> None:
    shown = set(re.findall(r"^#?([a-z_]+) = ", EXAMPLE.read_text(), re.MULTILINE))
    assert set(_keys(tree(Config))) <= shown


def test_the_example_gives_the_defaults() -> None:
    """Leaving a key out or writing it as the example does is the same."""
    raw = tomllib.loads(EXAMPLE.read_text())
    full, bare = (
        read_draft(each, partial(Located, ""))[0].config
        for each in (raw, _required_only(raw, tree(Config)))
    )
    assert bare == full.model_copy(update={"groups": {}})


def test_what_is_commented_out_is_right_too() -> None:
    text = re.sub(r"^#(?=[a-z_]+ = |\[)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    text = text.replace('format = "json"', 'format = "text"')  # as `pattern` needs it
    loaded = load_text(text.replace("pause = false\n", ""))
    assert loaded.config.recorders["main"].bandwidth_windows[0].bandwidth == 500_000


def test_the_configurations_of_the_readme_run() -> None:
    readme = (CONFIG / "README.md").read_text()
    toml, ready = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert load_text(toml).warnings == ()
    door = '[cameras.door-north]\nserver = "1001"\ndevice = "2002"\n'
    first, own = ready.split("\n\n", 1)
    changed = load_text(f"{first}\n{toml}{door}{own}").config.rules
    rolls = {rule.name: rule.post_roll for rule in changed}
    assert rolls["axis-input"] == timedelta(minutes=10)
    assert rolls["axis-scenario"] == timedelta(minutes=2)


def test_every_key_has_words() -> None:
    for place, table in _tables(tree(Config), ""):
        for name, key in table.keys.items():
            assert key.description.endswith("."), f"{place}.{name}"


def test_the_schema_takes_the_example_and_bad_files_break_it() -> None:
    schema = json.loads((CONFIG / "evidenced.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(tomllib.loads(EXAMPLE.read_text()))
    for name in ("unknown-key", "missing-password", "duration-word", "uid-as-number"):
        raw = tomllib.loads((CONFIG / "bad" / f"{name}.toml").read_text())
        assert not validator.is_valid(raw), name


def _keys(table: Table) -> list[str]:
    return [
        name
        for _, inner in _tables(table, "")
        for name, key in inner.keys.items()
        if inner_table(key.node) is None and name != "groups"
    ]


def _tables(table: Table, place: str) -> list[tuple[str, Table]]:
    found = [(place, table)]
    for name, key in table.keys.items():
        inner = inner_table(key.node)
        if inner is not None:
            found += _tables(inner, f"{place}.{name}")
    return found


def _required_only(raw: dict[str, Any], table: Table) -> dict[str, Any]:
    """The raw file without every key that could be left out."""
    kept: dict[str, Any] = {}
    for name, value in raw.items():
        node = find(table, (name,))
        inner = inner_table(node) if node else None
        if isinstance(node, MapOf) and inner:
            kept[name] = {k: _required_only(v, inner) for k, v in value.items()}
        elif isinstance(node, Table):
            kept[name] = _required_only(value, node)
        elif inner:
            kept[name] = [_required_only(v, inner) for v in value]
        elif table.keys[name].is_required:
            kept[name] = value
    return kept
