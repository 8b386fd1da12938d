"""Groups of groups: a circle is told, anything else becomes a flat list."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evidenced.config.camerachecks import flatten
from evidenced.config.load import load_raw
from evidenced.core.alarms.braces import SortedNames, could_be
from evidenced.core.errors import ConfigError

NAMES = [f"g{n}" for n in range(6)]
GROUPS = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(["lobby", "hall", *(f"@{n}" for n in NAMES)]), min_size=1),
)


def _raw(groups: dict[str, list[str]]) -> dict[str, Any]:
    known = {"lobby", "hall", *(f"@{name}" for name in groups)}
    return {
        "mqtt": {"url": "mqtts://broker.example"},
        "recorders": {
            "main": {
                "url": "https://sense.example",
                "username": "export",
                "password": {"env": "P"},
            }
        },
        "cameras": {
            "lobby": {"server": "1", "device": "1"},
            "hall": {"server": "1", "device": "2"},
        },
        "groups": {
            name: [m for m in members if m in known] or ["lobby"]
            for name, members in groups.items()
        },
    }


def _reaches_itself(groups: dict[str, list[str]], start: str) -> bool:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for member in groups[todo.pop()]:
            if member == f"@{start}":
                return True
            if member.startswith("@") and member not in seen:
                seen.add(member)
                todo.append(member[1:])
    return False


@given(GROUPS)
def test_a_circle_is_told_and_nothing_else_is(groups: dict[str, list[str]]) -> None:
    raw = _raw(groups)
    is_circular = any(_reaches_itself(raw["groups"], name) for name in groups)
    try:
        load_raw(raw)
        problems = []
    except ConfigError as error:
        problems = error.problems
    assert bool(problems) == is_circular
    assert all("cannot contain itself" in problem for problem in problems)


@given(GROUPS)
def test_a_flat_group_has_each_camera_once(groups: dict[str, list[str]]) -> None:
    members = {name: tuple(value) for name, value in _raw(groups)["groups"].items()}
    for name, inner in members.items():
        flat = flatten(members, name)
        assert len(set(flat)) == len(flat)
        assert set(flat) <= {"lobby", "hall"}
        direct = [m for m in inner if not m.startswith("@")]
        assert set(direct) <= set(flat)


def test_a_chain_longer_than_the_stack() -> None:
    chain = {f"g{n}": (f"@g{n + 1}",) for n in range(5000)} | {"g5000": ("lobby",)}
    assert flatten(chain, "g0") == ("lobby",)
    raw = _raw({})
    raw["groups"] = {name: list(members) for name, members in chain.items()}
    assert load_raw(raw).config.groups == chain


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.text("ab"))
def test_what_a_template_gives_it_could_be(literals: list[str], value: str) -> None:
    template, name = "{x}".join(literals), value.join(literals)
    assert could_be(template, name)
    assert could_be(template, f"{name}c") == (len(literals) > 1 and literals[-1] == "")


def test_many_captures_end_soon() -> None:
    assert not could_be("{a}x" * 60 + "y", "x" * 64)


@given(
    st.lists(st.text("ab", max_size=3), min_size=1, max_size=4),
    st.sets(st.text("abc", max_size=5)),
)
def test_names_are_found_by_their_beginning(
    literals: list[str], names: set[str]
) -> None:
    template = "{x}".join(literals)
    found = list(SortedNames(names).like(template))
    assert found == sorted(name for name in names if could_be(template, name))
