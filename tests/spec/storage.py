"""What a hub's database holds, and how to make it older."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.postgres import connected
from tests.running import address_of

TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def rows(directory: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return _rows(directory, query)[1]


def cells(directory: Path) -> Iterator[tuple[str, str, Any]]:
    """Every value of every table: table, column, value."""
    backend = "sqlite" if address_of(directory) is None else "postgresql"
    for (table,) in rows(directory, TABLES[backend]):
        columns, found = _rows(directory, f'SELECT * FROM "{table}"')
        for row in found:
            for column, value in zip(columns, row, strict=True):
                yield table, column, value


def change(directory: Path, *statements: str) -> None:
    """Change what a hub that has ended has kept."""
    address = address_of(directory)
    if address is None:
        with closing(sqlite3.connect(directory / "hub.db")) as database, database:
            for statement in statements:
                database.execute(statement)
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _change(address, statements)).result()


def make_older(directory: Path, *, days: int) -> None:
    """Put everything that a stopped hub has registered, refused and handed over some days back."""
    earlier = {
        "journal": "hubtime",
        "shards": "hubtime",
        "expired": "hubtime",
        "refusals": "refused_at",
        "reads": "read_at",
    }
    moved = days * 24 * 3600 * 1_000_000
    change(
        directory,
        *(f"UPDATE {table} SET {column} = {column} - {moved}" for table, column in earlier.items()),
    )


def _rows(directory: Path, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of a query's columns, and its rows."""
    address = address_of(directory)
    if address is None:
        with closing(_opened(directory)) as database:
            cursor = database.execute(query)
            return [column[0] for column in cursor.description], cursor.fetchall()
    # A test may have an event loop of its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _fetched(address, query)).result()


async def _fetched(address: str, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    async with connected(address) as connection:
        prepared = await connection.prepare(query)
        columns = [attribute.name for attribute in prepared.get_attributes()]
        return columns, [tuple(row) for row in await prepared.fetch()]


async def _change(address: str, statements: Sequence[str]) -> None:
    async with connected(address) as connection, connection.transaction():
        for statement in statements:
            await connection.execute(statement)


def _opened(directory: Path) -> sqlite3.Connection:
    # What was stopped in order has no log; whoever only looks must not leave one.
    still = "" if (directory / "hub.db-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{directory / 'hub.db'}?mode=ro{still}", uri=True)
