"""Opening a hub's database: SQLite in its data directory, or PostgreSQL by its address."""

from pathlib import Path
from typing import Final

from hub.database.sqlite import open_sqlite
from hub.database.transactions import Database
from hub.errors import DataDirectoryMoved

# Says where the database of its directory was moved to, and when.
MOVED: Final = "moved"


def open_database(directory: Path, address: str | None, *, readers: int) -> Database:
    """The database, its tables up to date; `readers` connections read SQLite at once.

    Raises DataDirectoryMoved, and as the one that is opened. No event loop may run on the caller's
    thread.
    """
    if address is None:
        refuse_moved(directory)
        return open_sqlite(directory, readers=readers)
    # Whoever has one machine needs no driver for another.
    from hub.database.postgres import open_postgres

    return open_postgres(address)


def refuse_moved(directory: Path) -> None:
    """Raise DataDirectoryMoved for a data directory whose database was moved away."""
    mark = directory / MOVED
    if mark.exists():
        raise DataDirectoryMoved(mark.read_text(encoding="utf-8", errors="replace").strip())
