"""A storm of alarms is on until what came of it is stored, however long that takes."""

from datetime import timedelta

from evidenced.pipeline.storm import CALM_S, MANY, Storm
from fakes.clock import FakeClock


def test_a_few_messages_are_none() -> None:
    storm = Storm(FakeClock())
    storm.came(MANY - 1)
    assert not storm.is_on


def test_it_is_on_while_the_store_is_slow() -> None:
    clock = FakeClock()
    storm = Storm(clock)
    storm.came(MANY)
    clock.advance(100 * CALM_S)
    assert storm.is_on


def test_it_is_over_a_moment_after_the_last_was_stored() -> None:
    clock = FakeClock()
    storm = Storm(clock)
    for _ in range(2):
        storm.came(MANY)
    storm.stored(MANY)
    clock.advance(CALM_S)
    assert storm.is_on
    storm.stored(MANY)
    assert storm.is_on
    clock.advance(2 * CALM_S)
    assert not storm.is_on


async def test_nobody_waits_for_its_end_longer_than_they_may() -> None:
    storm = Storm(FakeClock())
    storm.came(MANY)
    await storm.over(timedelta(0))
