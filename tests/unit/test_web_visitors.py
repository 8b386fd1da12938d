"""Who is let in by the door of the page, and who goes for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidenced.web.visitors import Admission, DoorLimits, Visitors

HERE, THERE = "192.0.2.1", "198.51.100.1"
IN: Admission[int] = Admission(is_in=True)


def made(room: int = 4, of_address: int = 3, of_user: int = 2) -> Visitors[int]:
    return Visitors(DoorLimits(of_address=of_address, of_user=of_user), room)


def test_the_longest_waiting_goes_where_an_address_is_full() -> None:
    visitors = made()
    assert [visitors.enter(n, HERE) for n in (1, 2, 3)] == [IN] * 3
    visitors.works(1)
    visitors.waits(1)  # it has just been answered: now 2 waits longest
    assert visitors.enter(4, HERE) == Admission(is_in=True, goes=2)
    assert visitors.enter(5, THERE) == IN


def test_the_most_crowded_address_makes_room_for_others() -> None:
    visitors = made()
    visitors.enter(1, THERE)
    for n in (2, 3, 4):
        visitors.enter(n, HERE)
    assert visitors.enter(5, "203.0.113.1") == Admission(is_in=True, goes=2)


def test_requests_in_hand_are_not_given_up() -> None:
    visitors = made()
    for n in (1, 2, 3):
        visitors.enter(n, HERE)
        visitors.works(n)
    assert visitors.enter(4, HERE) == Admission(is_in=False)
    visitors.ends(2)
    assert visitors.enter(4, HERE) == Admission(is_in=True, goes=2)


def test_a_place_that_many_share_has_no_bound_but_that_of_all() -> None:
    visitors = made()
    assert [visitors.enter(n, "") for n in range(4)] == [IN] * 4
    assert visitors.enter(4, "") == Admission(is_in=True, goes=0)


def test_a_user_has_so_many_requests_in_hand() -> None:
    visitors = made()
    for n in (1, 2, 3):
        visitors.enter(n, "")
    assert visitors.is_of(1, "anna")
    assert visitors.is_of(2, "anna")
    assert not visitors.is_of(3, "anna")
    assert visitors.is_of(3, "guard")
    visitors.waits(1)  # for its body: it is in hand still
    assert not visitors.is_of(4, "anna")
    visitors.ends(1)
    assert visitors.is_of(1, "anna")
    visitors.leave(2)
    visitors.leave(2)
    assert visitors.is_of(3, "anna")


@pytest.mark.parametrize(
    ("files", "room"), [(1024, 256), (4096, 256), (64, 16), (3, 1)]
)
def test_the_room_is_far_below_what_the_process_may_open(files: int, room: int) -> None:
    assert DoorLimits().within(files) == room


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "works", "waits", "ends", "leave"]),
        st.integers(0, 12),
        st.sampled_from([HERE, THERE, ""]),
    )
)


@given(STEPS)
def test_whatever_comes_the_bounds_hold(steps: list[tuple[str, int, str]]) -> None:
    """Also: who goes was inside and had no request in hand."""
    visitors = made()
    inside: dict[int, str] = {}
    busy: set[int] = set()
    for step, key, place in steps:
        if step == "enter":
            if key in inside:
                continue
            entry = visitors.enter(key, place)
            if entry.goes is not None:
                assert entry.goes not in busy
                del inside[entry.goes]
            if entry.is_in:
                inside[key] = place
        elif step == "leave":
            visitors.leave(key)
            inside.pop(key, None)
            busy.discard(key)
        else:
            getattr(visitors, step)(key)
            if key in inside:
                (busy.add if step == "works" else busy.discard)(key)
        assert len(visitors) == len(inside) <= 4
        for at in (HERE, THERE):
            assert sum(each == at for each in inside.values()) <= 3
