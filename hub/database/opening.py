"""Opening a hub's database: SQLite in its data directory, or PostgreSQL by its address."""

from pathlib import Path

from hub.database.sqlite import open_sqlite
from hub.database.transactions import Database


def open_database(directory: Path, address: str | None, *, readers: int) -> Database:
    """The database, its tables up to date; `readers` connections read SQLite at once.

    Raises as the one that is opened. No event loop may run on the caller's thread.
    """
    if address is None:
        return open_sqlite(directory, readers=readers)
    # Whoever has one machine needs no driver for another.
    from hub.database.postgres import open_postgres

    return open_postgres(address)
