"""daemon/README.md says what the code says."""

from fakes.drawing import README, filled


def test_what_is_drawn_of_the_code_is_as_it_is() -> None:
    text = README.read_text()
    assert filled(text) == text, "run python tests/fakes/drawing.py"
