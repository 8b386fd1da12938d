"""Both databases that can hold the store: what asks for `settings` runs on each."""

from pathlib import Path

import pytest

from evidenced.store import StoreSettings, open_store
from fakes.postgres import Postgres, on_server


@pytest.fixture(scope="session")
def fresh(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store in which nothing is yet: making one takes longer than copying one."""
    url = postgres.database()
    open_store(on_server(url, tmp_path_factory.mktemp("fresh"))).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param == "sqlite":
        return StoreSettings(directory=tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    return on_server(server.database(request.getfixturevalue("fresh")), tmp_path)
