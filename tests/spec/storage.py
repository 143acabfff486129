"""What a stopped hub left in its data directory, and how to make it older."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(directory: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a hub that was stopped in order."""
    with closing(_opened(directory)) as database:
        return database.execute(query).fetchall()


def cells(directory: Path) -> Iterator[tuple[str, str, Any]]:
    """Every value of every table: table, column, value."""
    with closing(_opened(directory)) as database:
        named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in named:
            found = database.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in found.description]
            for row in found:
                for column, value in zip(columns, row, strict=True):
                    yield table, column, value


def make_older(directory: Path, *, days: int) -> None:
    """Put everything that a stopped hub has registered, refused and handed over some days back."""
    earlier = {
        "journal": "hubtime",
        "shards": "hubtime",
        "expired": "hubtime",
        "refusals": "refused_at",
        "reads": "read_at",
    }
    _opened(directory).close()
    with closing(sqlite3.connect(directory / "hub.db")) as database, database:
        for table, column in earlier.items():
            database.execute(
                f"UPDATE {table} SET {column} = {column} - ?", (days * 24 * 3600 * 1_000_000,)
            )


def _opened(directory: Path) -> sqlite3.Connection:
    path = directory / "hub.db"
    assert not path.with_name("hub.db-wal").exists(), "the hub has not been stopped in order"
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
