"""Many guess at once, and whoever is honest gets their turn."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from evidenced.web.throttle import FREE_OF_ADDRESS, FREE_OF_NETWORK, Throttle
from evidenced.web.turns import (
    SLOTS,
    WAITING,
    WAITING_OF_PLACE,
    Turns,
    TurnsFull,
    places_of,
)
from fakes.clock import FakeClock

HONEST = "198.51.100.7"
CROWDS = {
    "of many machines": [f"2001:db8:0:{n:x}::1" for n in range(WAITING + 1)],
    "of many customers of one provider": [
        f"2001:db8:{n:x}::1" for n in range(WAITING + 1)
    ],
    "of the fourth version": [f"192.0.{n}.1" for n in range(WAITING + 1)],
}


class Crowd:
    """Guesses of which each holds its turn until it is told to let go."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.had: list[str] = []
        self.sent_away: list[str] = []
        self.lets_go = asyncio.Event()

    async def guess(self, address: str, home: str = "") -> None:
        try:
            async with self.turns.turn(address, home):
                self.had.append(address)
                await self.lets_go.wait()
        except TurnsFull:
            self.sent_away.append(address)


async def nobody() -> None:
    pass


async def settled() -> None:
    """Whoever came before has come as far as it can: the loop goes by their order."""
    await asyncio.create_task(nobody())


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
async def test_a_crowd_of_one_network_makes_room_for_who_comes_from_elsewhere(
    crowd: list[str],
) -> None:
    many = Crowd()
    async with asyncio.TaskGroup() as tasks:
        for each in crowd:
            tasks.create_task(many.guess(each))
        tasks.create_task(many.guess(HONEST))
        await settled()
        assert many.sent_away == crowd[-1:]
        many.lets_go.set()
    assert many.had == [*crowd[:-1], HONEST]


async def test_who_is_at_home_waits_for_no_stranger() -> None:
    """Not for as many networks as there may be, which nothing tells apart."""
    crowd = [f"{n}.0.2.1" for n in range(1, 2 * WAITING)]
    many = Crowd()
    async with asyncio.TaskGroup() as tasks:
        for each in crowd:
            tasks.create_task(many.guess(each))
        await settled()
        assert many.had == crowd[:1]
        tasks.create_task(many.guess(HONEST, "anna"))
        await settled()
        assert many.had == [crowd[0], HONEST]
        many.lets_go.set()


async def test_who_is_at_home_in_many_places_fills_no_lane_of_others() -> None:
    crowd = [f"192.0.2.{n}" for n in range(WAITING)]
    many = Crowd()
    async with asyncio.TaskGroup() as tasks:
        for each in crowd:
            tasks.create_task(many.guess(each, "guard"))
        tasks.create_task(many.guess(HONEST, "anna"))
        await settled()
        assert many.had == crowd[:SLOTS]
        assert many.sent_away == crowd[WAITING_OF_PLACE:]
        many.lets_go.set()
    assert HONEST in many.had


async def test_an_address_has_one_guess_under_way() -> None:
    turns = Turns()
    async with turns.turn(HONEST, "anna"):
        second = asyncio.create_task(
            AsyncExitStack().enter_async_context(turns.turn(HONEST, "anna"))
        )
        await settled()
        assert not second.done()
    await second


async def test_who_went_away_while_waiting_leaves_nothing_behind() -> None:
    many = Crowd()
    tasks = [asyncio.create_task(many.guess(f"192.0.{n}.1")) for n in range(WAITING)]
    await settled()
    for each in tasks:
        each.cancel()
    late = asyncio.create_task(many.guess(HONEST))
    await settled()
    assert many.had[-1:] == [HONEST]
    many.lets_go.set()
    await asyncio.gather(late, *tasks, return_exceptions=True)
    assert (many.turns._waiting, many.turns._hashing) == ([], [])


def test_networks_are_looked_at_wide_to_narrow() -> None:
    assert places_of("192.0.2.1") == ("192.0.0.0/16", "192.0.2.0/24", "192.0.2.1/32")
    assert places_of("2001:db8:1:2::9") == (
        "2001:db8::/32",
        "2001:db8:1::/48",
        "2001:db8:1:2::/64",
    )
    assert places_of("the local socket") == ("the local socket",) * 3


def test_a_customer_with_many_networks_is_slowed_down() -> None:
    """Each of its 65,536 networks had guesses of its own that cost nothing."""
    made = Throttle(FakeClock(), {"anna"})
    for n in range(FREE_OF_NETWORK):
        made.wrong(f"name-{n}", f"2001:db8:0:{n:x}::1")
    assert made.pause("anna", "2001:db8:0:ffff::1") == 1
    assert made.pause("anna", "2001:db8:1::1") == 0


def test_who_guesses_from_the_same_place_keeps_nobody_out_who_is_at_home() -> None:
    """Behind one address there may be a whole office, and whoever sits in it."""
    made = Throttle(FakeClock(), {"anna", "guard"})
    made.right("anna", HONEST)
    for _ in range(2 * FREE_OF_ADDRESS):
        made.wrong("guard", HONEST)
    assert made.pause("guard", HONEST) > 0
    assert made.pause("anna", HONEST) == 0
    for _ in range(FREE_OF_ADDRESS):
        made.wrong("anna", HONEST)
    assert made.pause("anna", HONEST) == 1
