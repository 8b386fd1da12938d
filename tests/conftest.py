"""Real servers for tests. What is missing skips with its reason, but fails in CI."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.mosquitto import Mosquitto, find_mosquitto

MosquittoFactory = Callable[..., Mosquitto]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the simulation; pytest takes them from here only."""
    group = parser.getgroup("simulation")
    group.addoption("--seeds", type=int, default=200, help="simulate so many seeds")
    group.addoption("--seed", type=int, help="simulate this one seed only")


@pytest.fixture
def mosquitto_factory(tmp_path: Path) -> Iterator[MosquittoFactory]:
    """Starts brokers with the options of fakes.mosquitto.Mosquitto; ends them all."""
    if find_mosquitto() is None:
        reason = "mosquitto is not installed (Debian: apt install mosquitto)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    brokers: list[Mosquitto] = []

    def start(**options: Any) -> Mosquitto:
        broker = Mosquitto(tmp_path / f"mosquitto-{len(brokers)}", **options)
        brokers.append(broker)
        broker.start()
        return broker

    yield start
    for broker in brokers:
        broker.stop()


@pytest.fixture
def mosquitto(mosquitto_factory: MosquittoFactory) -> Mosquitto:
    """A running broker that keeps its sessions over a restart."""
    return mosquitto_factory()
