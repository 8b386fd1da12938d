"""Settings that cannot work are refused with a sentence; secrets stay out of repr."""

from datetime import timedelta
from typing import Any

import pytest

from evidenced.mqtt.backoff import Backoff
from evidenced.mqtt.settings import BrokerSettings


def _settings(**changes: Any) -> BrokerSettings:
    values: dict[str, Any] = {"host": "broker", "port": 1883, "client_id": "a"}
    return BrokerSettings(**(values | changes))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"qos": 2}, "qos = 2 is not supported: use 1"),
        ({"client_id": ""}, "client_id is empty"),
        ({"inflight": 0}, "inflight = 0"),
        ({"inflight": 65536}, "inflight = 65536"),
        ({"session_expiry": timedelta(0)}, "session_expiry"),
        ({"session_expiry": timedelta(seconds=2**32)}, "session_expiry"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _settings(**change)


def test_secrets_are_not_shown() -> None:
    assert "password" not in repr(_settings(password=lambda: "s3cr3t"))


def test_the_back_off_doubles_to_its_bound_and_starts_again() -> None:
    backoff = Backoff(timedelta(seconds=1), timedelta(seconds=5), lambda: 1.0)
    waits = [backoff.next_wait(is_takeover=False) for _ in range(5)]
    assert waits == [1, 2, 4, 5, 5]
    assert backoff.failures == 5
    backoff.reset()
    assert backoff.next_wait(is_takeover=False) == 1


@pytest.mark.parametrize(("dice", "seconds"), [(0.0, 15), (1.0, 30)])
def test_a_takeover_waits_long_whatever_the_dice_say(dice: float, seconds: int) -> None:
    backoff = Backoff(timedelta(seconds=1), timedelta(seconds=60), lambda: dice)
    assert backoff.next_wait(is_takeover=True) == seconds
    assert Backoff(timedelta(1), timedelta(1), lambda: 0).next_wait(
        is_takeover=False
    ) == (0)
