"""Frozen values made fast are like those made the long way."""

from dataclasses import dataclass, field, replace

import pytest

from evidenced.core.frozen import evolved, remembered, restored


@dataclass(frozen=True, kw_only=True)
class Pair:
    left: int
    right: int = 2
    computed: list[int] = field(default_factory=list, compare=False)

    @remembered
    def total(self) -> int:
        """Both."""
        self.computed.append(self.left)
        return self.left + self.right


def test_restored_is_what_the_constructor_makes() -> None:
    made = restored(Pair, left=1, right=2, computed=[])
    assert made == Pair(left=1)
    assert hash(made) == hash(Pair(left=1))


def test_evolved_is_what_replace_makes() -> None:
    before = Pair(left=1)
    assert evolved(before, (), left=5) == replace(before, left=5)
    assert before.left == 1


def test_evolved_takes_no_word_that_is_no_field() -> None:
    with pytest.raises(TypeError, match=r"not fields: .'middle'"):
        evolved(Pair(left=1), (), middle=5)


def test_what_is_remembered_is_computed_once_and_left_behind() -> None:
    pair = Pair(left=1)
    assert (pair.total, pair.total) == (3, 3)
    assert pair.computed == [1]
    assert evolved(pair, ("total",), left=5).total == 7


def test_what_is_remembered_can_be_found_on_its_class() -> None:
    assert isinstance(Pair.total, remembered)
    assert Pair.total.__doc__ == "Both."
