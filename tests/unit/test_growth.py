"""Which files on a share prove an export that the recorder's list does not show."""

from evidenced.core.exports.growth import Growth, Search, Sighting
from evidenced.core.ids import SessionId

S1, S2 = SessionId("s1"), SessionId("s2")
SMALL, LARGE = Sighting(files=1, size_bytes=1), Sighting(files=1, size_bytes=2)
NONE: frozenset[int] = frozenset()


def found(sighting: Sighting) -> Search:
    return Search(found={7: sighting})


def test_files_that_grew_and_then_lie_still_prove_it() -> None:
    growth = Growth()
    assert growth.look(found(SMALL), S1, NONE) == {7: None}
    assert growth.look(found(LARGE), S1, NONE) == {7: None}
    assert growth.look(found(LARGE), S1, NONE) == {7: LARGE}


def test_files_that_only_lie_still_may_be_cut_short_and_prove_nothing() -> None:
    growth = Growth()
    assert growth.look(found(LARGE), S1, NONE) == {7: None}
    for _ in range(3):
        assert growth.look(found(LARGE), S1, NONE) == {}


def test_they_prove_it_where_the_list_said_that_all_was_written() -> None:
    growth = Growth()
    assert growth.look(found(LARGE), S1, {7}) == {7: None}
    assert growth.look(found(LARGE), S1, {7}) == {7: LARGE}


def test_growth_over_a_new_login_proves_nothing() -> None:
    growth = Growth()
    growth.look(found(SMALL), S1, NONE)
    assert growth.look(found(LARGE), S2, NONE) == {7: None}
    assert growth.look(found(LARGE), S2, NONE) == {}


def test_growth_that_was_seen_before_a_new_login_proves_nothing_either() -> None:
    """The recorder may have been restarted amid it, which ends its sessions."""
    growth = Growth()
    growth.look(found(SMALL), S1, NONE)
    growth.look(found(LARGE), S1, NONE)
    assert growth.look(found(LARGE), S2, NONE) == {7: None}
    assert growth.look(found(LARGE), S2, NONE) == {}


def test_what_was_seen_is_kept_while_the_share_is_away() -> None:
    growth = Growth()
    away = Search(unknown=frozenset({7}))
    growth.look(found(SMALL), S1, NONE)
    assert growth.look(away, S1, NONE) == {7: None}
    assert growth.look(found(LARGE), S1, NONE) == {7: None}
    assert growth.look(away, S1, NONE) == {7: None}
    assert growth.look(found(LARGE), S1, NONE) == {7: LARGE}


def test_an_export_without_files_is_forgotten() -> None:
    growth = Growth()
    growth.look(found(SMALL), S1, NONE)
    growth.look(found(LARGE), S1, NONE)
    assert growth.look(Search(), S1, NONE) == {}
    growth.look(found(LARGE), S1, NONE)
    assert growth.look(found(LARGE), S1, NONE) == {}
