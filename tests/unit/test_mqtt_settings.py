"""Settings that cannot work are refused with a sentence; secrets stay out of repr."""

from datetime import timedelta
from typing import Any

import pytest

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
