"""Running migrations with alembic.

Each is a numbered file under `migrations/versions`; a fresh store runs all of them, so
there is one way to get a schema, and a test compares it with `schema.py`.
"""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def scripts() -> ScriptDirectory:
    """The migrations that this version brings along."""
    return ScriptDirectory.from_config(_config())


def is_known(revision: str) -> bool:
    """Whether this version has that migration."""
    return revision in {each.revision for each in scripts().walk_revisions()}


def upgrade(engine: Engine) -> None:
    """Run what is missing, all in one transaction: a crash leaves the old schema."""
    script = scripts()

    def steps(revision: object, _context: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001 - alembic's own env.py recipe

    with (
        EnvironmentContext(_config(), script, fn=steps) as environment,
        engine.connect() as connection,
        connection.begin(),
    ):
        environment.configure(connection=connection)
        environment.run_migrations()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
