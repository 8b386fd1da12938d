"""Bringing the file to this version's schema: forward only.

Each migration is a numbered file under `migrations/versions`; a fresh store runs all of
them, so there is one way to get a schema, and a test compares it with `schema.py`.
"""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from evidenced.core.errors import StoreError


def scripts() -> ScriptDirectory:
    """The migrations that this version brings along."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def migrate(engine: Engine, path: Path) -> None:
    """Run what is missing, each migration in one transaction.

    Raises:
        StoreError: a newer version wrote the file.
    """
    script = scripts()
    head = script.get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        known = {revision.revision for revision in script.walk_revisions()}
        if found is not None and found not in known:
            raise StoreError(
                f"{path}: schema {found} was written by a newer evidenced, this one "
                f"knows up to {head}; install that version again or restore a backup "
                "from before the upgrade"
            )
        connection.rollback()
        _upgrade(engine, script, head)


def _upgrade(engine: Engine, script: ScriptDirectory, head: str | None) -> None:
    def steps(revision: object, _context: object) -> object:
        return script._upgrade_revs(head or "head", revision)  # type: ignore[arg-type] # noqa: SLF001 - alembic's own env.py recipe

    config = Config()
    with (
        EnvironmentContext(config, script, fn=steps) as environment,
        engine.connect() as connection,
    ):
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
        connection.commit()
