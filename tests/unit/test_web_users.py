"""How guesses are slowed down, and whose word about the client is taken."""

from types import SimpleNamespace
from typing import Any

import pytest

from evidenced.web.peers import Peers
from evidenced.web.throttle import FORGET_S, FREE_OF_ADDRESS, KEPT, Throttle
from fakes.clock import FakeClock

ANNA, GUARD = "anna", "guard"


def throttle() -> tuple[FakeClock, Throttle]:
    clock = FakeClock()
    return clock, Throttle(clock, {ANNA, GUARD})


def test_the_pause_doubles_up_to_a_minute() -> None:
    _, made = throttle()
    pauses = []
    for n in range(13):
        made.wrong(ANNA, f"192.0.2.{n}")
        pauses.append(made.pause(ANNA, "198.51.100.1"))
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert made.pause(GUARD, "198.51.100.1") == 0


def test_a_login_of_ones_own_forgives_nothing_of_anothers() -> None:
    """A viewer logged in now and then between guesses at an operator's password."""
    _, made = throttle()
    for n in range(6):
        made.wrong(ANNA, f"192.0.2.{n}")
        made.right(GUARD, f"192.0.2.{n}")
    assert made.pause(ANNA, "192.0.2.1") > 0
    made.right(ANNA, "203.0.113.1")
    assert made.pause(ANNA, "192.0.2.1") == 0


def test_an_address_that_tries_many_accounts_is_slowed_down() -> None:
    _, made = throttle()
    for n in range(FREE_OF_ADDRESS):
        assert made.pause(ANNA, "192.0.2.1") == 0
        made.wrong(f"name-{n}", "192.0.2.1")
    assert made.pause(ANNA, "192.0.2.1") == 1
    assert made.pause(ANNA, "192.0.2.2") == 0
    made.right(GUARD, "192.0.2.1")
    assert made.pause(ANNA, "192.0.2.1") == 1


def test_an_address_of_version_6_has_its_whole_network() -> None:
    _, made = throttle()
    for n in range(FREE_OF_ADDRESS):
        made.wrong("x", f"2001:db8::{n:x}")
    assert made.pause(ANNA, "2001:db8::ffff:1") == 1
    assert made.pause(ANNA, "2001:db8:1::1") == 0


def test_guesses_of_others_keep_nobody_out_where_they_are_at_home() -> None:
    _, made = throttle()
    made.right(ANNA, "192.0.2.1")
    for n in range(9):
        made.wrong(ANNA, f"198.51.100.{n}")
    assert made.pause(ANNA, "198.51.100.1") > 0
    assert made.pause(ANNA, "192.0.2.1") == 0


def test_who_is_at_home_in_many_places_takes_nobody_s_home() -> None:
    """Whoever has a network of version 6 logs in from as many places as they like."""
    _, made = throttle()
    made.right(ANNA, "192.0.2.1")
    for n in range(KEPT + 1):
        made.right(GUARD, f"2001:db8:0:{n:x}::1")
    for n in range(9):
        made.wrong(ANNA, f"198.51.100.{n}")
    assert made.pause(ANNA, "192.0.2.1") == 0


def test_guesses_age() -> None:
    """Months after five typos each further one cost a pause."""
    clock, made = throttle()
    for _ in range(5):
        made.wrong(ANNA, "192.0.2.1")
    clock.advance(FORGET_S + 1)
    made.wrong(ANNA, "192.0.2.1")
    assert made.pause(ANNA, "192.0.2.1") == 0


def test_the_tables_are_bounded_and_an_account_is_not_crowded_out() -> None:
    _, made = throttle()
    for _ in range(6):
        made.wrong(ANNA, "192.0.2.1")
    for n in range(2 * KEPT):
        made.wrong(f"name-{n}", f"2001:db8:{n:x}::1")
        made.right(GUARD, f"2001:db8:{n:x}::1")
    assert made.pause(ANNA, "198.51.100.1") > 0
    tables = (made._accounts._passing, made._addresses._passing, made._homes[GUARD])
    assert [len(each) for each in tables] == [KEPT] * 3


def asked(remote: str | None, said: str | None, **more: str) -> Any:
    headers = dict(more)
    if said is not None:
        headers["X-Forwarded-For"] = said
    return SimpleNamespace(remote=remote, headers=headers, secure=False)


@pytest.mark.parametrize(
    ("proxies", "remote", "said", "found"),
    [
        ((), "127.0.0.1", "198.51.100.7", "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (("127.0.0.1/32",), "127.0.0.1", "192.0.2.9, 198.51.100.7", "198.51.100.7"),
        (("127.0.0.1/32",), "127.0.0.1", None, "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", "anna (chief of security)", "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", "198.51.100.7, \udcff", "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.1", "9" * 5000, "127.0.0.1"),
        (("127.0.0.1/32",), "127.0.0.2", "198.51.100.7", "127.0.0.2"),
        (("10.0.0.0/8",), "10.1.2.3", "192.0.2.9, 10.9.9.9", "192.0.2.9"),
        (("::1/128",), "::1", "2001:db8::0001", "2001:db8::1"),
        (("unix",), None, "198.51.100.7", "198.51.100.7"),
        (("unix",), None, "fe80::1%anna (chief of \u202esecurity)", "fe80::1"),
        (("unix",), None, "::ffff:198.51.100.7", "198.51.100.7"),
        (("fe80::/10",), "fe80::1%eth0", "192.0.2.9", "192.0.2.9"),
        (("127.0.0.1/32",), None, "198.51.100.7", "the local socket"),
    ],
)
def test_only_a_proxy_that_is_configured_says_who_asks(
    proxies: tuple[str, ...], remote: str | None, said: str | None, found: str
) -> None:
    assert Peers(proxies).address_of(asked(remote, said)) == found


def test_only_a_proxy_that_is_configured_says_that_it_is_tls() -> None:
    https = {"X-Forwarded-Proto": "https"}
    assert not Peers().is_tls(asked("127.0.0.1", None, **https))
    assert Peers(["127.0.0.1/32"]).is_tls(asked("127.0.0.1", None, **https))
