"""Installations for end-to-end tests; whatever is left of them is ended."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fakes.installation import Installation, InstallationFactory, Recorder
from fakes.mosquitto import Mosquitto


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
