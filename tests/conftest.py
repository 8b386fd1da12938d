"""Real servers for tests. What is missing skips with its reason, but fails in CI."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from fakes.installation import Installation, InstallationFactory, Recorder
from fakes.mosquitto import Mosquitto, find_mosquitto
from fakes.pair import Pair
from fakes.postgres import Postgres, find_postgres

MosquittoFactory = Callable[..., Mosquitto]

# a deadline for each example would measure the neighbours on a shared machine
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")
settings.register_profile("mutation", max_examples=25, derandomize=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of several folders; pytest takes them from here only."""
    group = parser.getgroup("simulation")
    group.addoption("--seeds", type=int, default=40, help="simulate so many seeds")
    group.addoption("--seeds-from", type=int, default=0, help="the first of them")
    group.addoption("--seed", type=int, help="simulate this one seed only")
    group = parser.getgroup("chaos")
    group.addoption("--kills", type=int, default=5, help="kill the daemon so often")
    group.addoption("--chaos-seed", type=int, help="the dice of an earlier run")
    group = parser.getgroup("fuzz")
    group.addoption(
        "--fuzz-seconds", type=int, default=60, help="of each target, with -m fuzz"
    )
    group = parser.getgroup("browser")
    group.addoption("--screenshots", metavar="FOLDER", help="keep screenshots there")


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        reason = "PostgreSQL is not installed (Debian: apt install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = Postgres(programs)
    try:
        server.make()
        server.start()
        yield server
        server.stop("immediate")
    finally:
        server.remove()


@pytest.fixture
def pair(postgres: Postgres) -> Iterator[Pair]:
    """Servers of their own; `postgres` skips where there is none."""
    programs = find_postgres()
    assert programs is not None, postgres
    first = Postgres(programs)
    pair = Pair(first)
    try:
        first.make()
        first.start()
        pair.follow()
        yield pair
    finally:
        pair.remove()
        first.kill()
        first.remove()


@pytest.fixture
async def installation_factory(
    tmp_path: Path, mosquitto: Mosquitto
) -> AsyncIterator[InstallationFactory]:
    """Installations with these recorders, which are started."""
    made: list[Installation] = []

    async def make(
        broker: Mosquitto | None = None, **recorders: Recorder
    ) -> Installation:
        for recorder in recorders.values():
            await recorder.start()
        installation = Installation(
            tmp_path, broker or mosquitto, recorders or {"main": await _started()}
        )
        made.append(installation)
        return installation

    yield make
    for installation in made:
        await installation.close()


async def _started() -> Recorder:
    recorder = Recorder()
    await recorder.start()
    return recorder


@pytest.fixture
async def site(installation_factory: InstallationFactory) -> Installation:
    """One recorder named main that behaves well, and a rule named forced."""
    return await installation_factory()
