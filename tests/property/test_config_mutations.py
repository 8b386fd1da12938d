"""Whatever stands in the file: it loads, or its faults are told in our words."""

import copy
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.config.load import load_raw
from evidenced.core.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config" / "evidenced.example.toml"
RAW = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
RAW["recorders"]["main"]["bandwidth_windows"] = [
    {"from": "08:00", "to": "18:00", "bandwidth": "1 MB/s"}
]

SCALARS = (
    st.none()  # stands for "leave it out"
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.text("{}@#+/\\:%$'\"\n\x1b idopenrule*", max_size=30)
    | st.sampled_from(
        ["", "0s", "1 MB/s", "@entrance", "lobby", "{door}", "unix:/", "#"]
    )
    | st.datetimes()
    | st.times()
    | st.just(10**4000)
)
VALUES = st.recursive(
    SCALARS.filter(lambda value: value is not None),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(raw: object, above: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    items: Any = ()
    if isinstance(raw, dict):
        items = raw.items()
    elif isinstance(raw, list):
        items = enumerate(raw)
    for key, value in items:
        found += [(*above, key), *_places(value, (*above, key))]
    return found


PLACES = _places(RAW)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.none() | VALUES, st.text(max_size=12)),
        min_size=1,
        max_size=4,
    )
)
def test_any_change_loads_or_is_told(
    changes: list[tuple[tuple[Any, ...], object, str]],
) -> None:
    raw = copy.deepcopy(RAW)
    for place, value, new_key in changes:
        _change(raw, place, value, new_key)
    for sentence in _told(raw):
        assert sentence.isprintable()
        assert len(sentence) < 2000
        assert "Input should" not in sentence
        # hypothesis finds this word in our source and writes it itself now and then
        assert "stand-in" not in sentence or "stand-in" in str(raw)


def _told(raw: dict[str, Any]) -> tuple[str, ...]:
    """The problems, at least one, or the warnings. Nothing else may come."""
    try:
        return load_raw(raw).warnings
    except ConfigError as error:
        return tuple(error.problems) or ("a ConfigError without a problem\n",)


def _change(raw: Any, place: tuple[Any, ...], value: object, new_key: str) -> None:
    """Replace or remove the value at a place, or put it beside under another key."""
    for part in place[:-1]:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(raw, dict):
        if value is None:
            raw.pop(place[-1], None)
        else:
            raw[new_key if len(new_key) > 8 else place[-1]] = value
    elif isinstance(raw, list) and value is not None:
        raw[:1] = [value]
