"""Whatever comes in whatever order: bounded, settled once, never forgotten."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.core.alarms.deliveries import Deliveries
from evidenced.mqtt.inbox import MAX_HELD_BYTES, Inbox
from evidenced.mqtt.publish import Publish
from evidenced.ports import Delivery
from fakes.clock import FakeClock

WINDOW = 8


def _message(mid: int, qos: int = 1, *, size: int = 1, dup: bool = False) -> Publish:
    return Publish("alarms/1", bytes(size), mid if qos else None, dup)


def _take(inbox: Inbox, limit: int) -> list[Delivery]:
    return asyncio.run(asyncio.wait_for(inbox.take(limit), 60))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.integers(0, 1)),
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.tuples(st.just("settle"), st.integers(0, 5)),
        st.tuples(st.just("reconnect"), st.booleans()),
        st.tuples(st.just("pass"), st.integers(0, 20)),
        st.tuples(st.just("set"), st.integers(-9, 9)),
    ),
    max_size=80,
)


@settings(max_examples=80)
@given(STEPS)
def test_the_inbox_keeps_its_promises(steps: list[tuple[str, int]]) -> None:
    clock = FakeClock()
    inbox = Inbox(clock, WINDOW, None)
    inbox.begin(away_since=None)
    hand: list[Delivery] = []
    lines: dict[int, int] = {}
    connection, told, last = 1, set[int](), 0
    for mid, (what, number) in enumerate(steps, start=1):
        if what == "message":
            inbox.accept([_message(mid, number)])
            lines.setdefault(inbox.deliveries.number, connection)
        elif what == "take" and inbox._queue:
            taken = _take(inbox, number)
            assert 1 <= len(taken) <= number
            numbers = [one.number for one in taken]
            assert numbers == sorted(numbers)
            assert numbers[0] > last
            last = numbers[-1]
            hand += [one for one in taken if one.alarm.stamp is not None]
        elif what == "settle":
            for one in hand[:number]:
                is_told = inbox.settle(one)
                assert not (is_told and one.number in told), "acknowledged twice"
                assert not is_told or lines[one.number] == connection
                told.add(one.number)
        elif what == "reconnect":
            connection += 1
            inbox.end()
            inbox.begin(away_since=inbox.last_alive if number else None)
        elif what == "pass":
            clock.advance(number)
        elif what == "set":
            clock.jump(timedelta(hours=number))
        open_now = [one for one in hand if one.number not in told]
        queued = [one for one in inbox._queue if one.alarm.stamp is not None]
        assert len(inbox._unsettled) == len(open_now) + len(queued)
        alive = inbox.last_alive
        assert alive is not None
        assert all(alive <= one.alarm.received_at for one in open_now)
        if (confirmable := inbox.confirmable()) is not None:
            inbox.deliveries.confirm(confirmable)
            before = inbox.deliveries.over.before
            assert all(one.number >= before for one in open_now + queued)
            assert before <= inbox.deliveries.number + 1


@pytest.mark.parametrize("qos", [0, 1])
def test_what_is_held_is_known_from_its_arrival_until_it_is_settled(qos: int) -> None:
    """Also between `take` and `settle`, while it is being stored."""
    clock = FakeClock()
    inbox = Inbox(clock, WINDOW, None)
    inbox.begin(away_since=None)
    came = clock.now()
    inbox.accept([_message(1, qos)])
    clock.advance(1)
    inbox.accept([_message(2, qos)])
    assert inbox.held_since == came
    [first, second] = _take(inbox, 2)
    assert inbox.held_since == came
    inbox.settle(first)
    assert inbox.held_since == clock.now()
    inbox.settle(second)
    assert inbox.held_since is None


@settings(max_examples=30)
@given(st.lists(st.integers(0, MAX_HELD_BYTES // 3), max_size=12), st.integers(0, 1))
def test_bytes_are_bounded_and_one_large_message_always_gets_in(
    sizes: list[int], qos: int
) -> None:
    inbox = Inbox(FakeClock(), WINDOW, None)
    inbox.begin(away_since=None)
    shared = bytes(MAX_HELD_BYTES + 1)
    for mid, size in enumerate(sizes, start=1):
        message = _message(mid, qos)
        inbox.accept([message._replace(payload=shared[:size])])
        held = sum(len(one.alarm.payload) for one in inbox._queue)
        assert held <= MAX_HELD_BYTES
    assert len(inbox._queue) + inbox.dropped + inbox.surplus == len(sizes)
    alone = Inbox(FakeClock(), WINDOW, None)
    alone.accept([_message(1, qos)._replace(payload=shared)])
    assert len(alone._queue) == 1


@pytest.mark.parametrize("hours", [-24, 24])
def test_what_is_confirmed_does_not_hang_on_the_clock(hours: int) -> None:
    """Else an old mark may take another alarm of the same text for a repeat."""
    clock = FakeClock()
    inbox = Inbox(clock, WINDOW, None, Deliveries(last=6))
    inbox.begin(away_since=None)
    inbox.accept([_message(1)])
    [first] = _take(inbox, 1)
    inbox.settle(first)
    confirmable = inbox.confirmable()
    assert confirmable is not None
    clock.jump(timedelta(hours=hours))
    inbox.accept([_message(2)])
    [second] = _take(inbox, 1)
    inbox.deliveries.confirm(confirmable)
    assert first.number < inbox.deliveries.over.before <= second.number
    assert first.number == 7


def test_a_repeat_that_comes_while_the_answer_is_under_way_spoils_it() -> None:
    inbox = Inbox(FakeClock(), WINDOW, None)
    inbox.begin(away_since=None)
    confirmable = inbox.confirmable()
    assert confirmable is not None
    inbox.accept([_message(1, dup=True)])
    inbox.deliveries.confirm(confirmable)
    assert inbox.deliveries.over.before == 0
