"""Bringing the tables of a database up to date."""

from pathlib import Path

from sqlalchemy import Connection, inspect

from hub.errors import DataDirectoryNewer

_MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


def revisions() -> tuple[str, ...]:
    """Every migration that this program knows, the newest first."""
    return tuple(sorted((file.name[:4] for file in _MIGRATIONS.glob("[0-9]*.py")), reverse=True))


def revision_of(connection: Connection) -> str | None:
    """The migration that the tables stand at; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    revision: str | None = found.scalar_one_or_none()
    return revision


def migrate(connection: Connection) -> None:
    """Make the tables, or bring them up to date, in the connection's transaction.

    Raises DataDirectoryNewer when a newer version of the program made them.
    """
    known = revisions()
    current = revision_of(connection)
    if current == known[0]:
        return
    if current is not None and current not in known:
        raise DataDirectoryNewer(current)
    # Alembic takes a fifth of all that a start imports, and most starts find nothing to do.
    from alembic.command import upgrade
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "hub.database:migrations")
    config.attributes["connection"] = connection
    upgrade(config, "head")
