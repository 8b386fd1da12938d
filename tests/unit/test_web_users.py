from evidenced.web.users import ADDRESSES, Throttle
from fakes.clock import FakeClock


def test_the_pause_doubles_up_to_a_minute() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    pauses = []
    for _ in range(13):
        throttle.wrong("a")
        pauses.append(throttle.pause("a"))
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert throttle.pause("b") == 0
    throttle.right("a")
    assert throttle.pause("a") == 0


def test_the_table_of_guessers_is_bounded() -> None:
    throttle = Throttle(FakeClock())
    for n in range(2 * ADDRESSES):
        for _ in range(5):
            throttle.wrong(str(n))
    assert throttle.pause("0") == 0
    assert throttle.pause(str(2 * ADDRESSES - 1)) > 0
    assert len(throttle._guesses) == ADDRESSES
