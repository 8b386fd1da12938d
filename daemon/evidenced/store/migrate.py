"""Whether the file has this version's schema, and bringing it there: forward only."""

from sqlalchemy import Connection, Engine, inspect, text

from evidenced.core.errors import StoreError

HEAD = "0001"
"""The newest migration; a test compares it with the files."""


def migrate(engine: Engine, where: str) -> None:
    """Run the migrations that are missing.

    A file that is current is recognised without alembic, which takes longer to import
    than everything else of a start together (measured: 0.6 of 1.1 s).

    Raises:
        StoreError: a newer version wrote the file.
    """
    with engine.connect() as connection:
        found = revision_of(connection)
    if found == HEAD:
        return
    from evidenced.store.upgrade import is_known, upgrade  # noqa: PLC0415

    if found is not None and not is_known(found):
        raise StoreError(
            f"{where}: schema {found} was written by a newer evidenced, this one knows "
            f"up to {HEAD}; install that version again or restore a backup from before "
            "the upgrade"
        )
    upgrade(engine)


def revision_of(connection: Connection) -> str | None:
    """The migration that the file has come to; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(
        text("SELECT version_num FROM alembic_version")
    )
    return found
