"""config/bad: one fault a file, found alone and said as its first line says."""

from pathlib import Path

import pytest

from evidenced.config import load
from evidenced.core.errors import ConfigError

BAD = Path(__file__).parents[2] / "config" / "bad"
FILES = sorted(BAD.glob("*.toml"))


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_file_is_told_as_it_says(file: Path) -> None:
    first, _, _ = file.read_text(encoding="utf-8").partition("\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.problems == [first.removeprefix("# ")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_said_in_our_words(file: Path) -> None:
    first, _, _ = file.read_text(encoding="utf-8").partition("\n")
    words = ("Input should", "validation error", "Traceback", "pydantic", "None", "<")
    assert not [word for word in words if word in first]
