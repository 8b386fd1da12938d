from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.tag import TagState
from evidenced.store import StoreSettings, open_store
from evidenced.store.migrate import HEAD
from evidenced.store.schema import metadata
from evidenced.store.sqlite import FILE, writing
from evidenced.store.upgrade import scripts


def test_migrations_make_the_schema_that_the_code_knows(tmp_path: Path) -> None:
    open_store(StoreSettings(directory=tmp_path)).close()
    engine = writing(tmp_path / FILE)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        tables = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        made = {row.name: row.sql for row in connection.execute(tables)}
    engine.dispose()
    for table, states in (
        ("incidents", IncidentState),
        ("clips", ClipState),
        ("exports", ExportState),
        ("records", RecordState),
        ("tags", TagState),
    ):
        for state in states:
            assert f"'{state}'" in made[table]


def test_every_commit_is_on_disk_before_it_returns(tmp_path: Path) -> None:
    store = open_store(StoreSettings(directory=tmp_path))
    engine = store._engine
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    store.close()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    assert scripts().get_current_head() == HEAD
