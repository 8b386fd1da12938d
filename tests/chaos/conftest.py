"""An installation under load, and dice that can be thrown again."""

import random
import secrets

import pytest

from fakes.installation import Installation, InstallationFactory, Recorder

LONG_S = 3600
"""The more kills, the longer."""
MAX_EXPORTS = 8
LIMITS = ("alarms_per_topic", "incidents_per_rule", "exports_per_recorder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in this folder is chaos; each wait in it has a deadline of its own."""
    for item in items:
        if "chaos" in item.path.parts:
            item.add_marker(pytest.mark.chaos)
            item.add_marker(pytest.mark.timeout(LONG_S))


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Printed, and shown with a failure: `--chaos-seed` gives it again."""
    given = request.config.getoption("chaos_seed")
    seed = secrets.randbelow(1 << 32) if given is None else given
    print(f"again: --chaos-seed {seed}")  # noqa: T201 - pytest shows it when it fails
    return random.Random(seed)  # noqa: S311


@pytest.fixture
def recorder() -> Recorder:
    """A test that needs another one overrides this."""
    return Recorder()


@pytest.fixture
async def site(
    installation_factory: InstallationFactory, recorder: Recorder
) -> Installation:
    return await loaded_site(installation_factory, recorder)


async def loaded_site(make: InstallationFactory, recorder: Recorder) -> Installation:
    """Windows of two seconds about the alarm's own time; each event once."""
    site = await make(main=recorder)
    site.config["rules"][0] |= {"id": "event", "time": "at"}
    site.config["recorders"]["main"] |= {"max_exports": MAX_EXPORTS, "timeout": "2s"}
    # beyond them alarms share incidents, and each one's fate cannot be told any more
    site.config["limits"] = dict.fromkeys(LIMITS, 0)
    return site
