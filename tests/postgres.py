"""A PostgreSQL server that tests share, databases that are theirs alone, and what they ask it."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer, found_programs, running


def programs() -> Path:
    """The programs of PostgreSQL; where there are none the test is skipped."""
    found = found_programs()
    if found is None:
        pytest.skip("no PostgreSQL: the wheel of the extra `cluster` has none for this platform")
    return found


@contextmanager
def shared_server() -> Iterator[PostgresServer]:
    """A server in a folder of its own that is gone afterwards.

    What a killed process has written stays without fsync too; a test that is about the disk
    starts a server with PostgreSQL's defaults.
    """
    programs()
    with (
        TemporaryDirectory(prefix="guantong-postgres-") as folder,
        running(Path(folder), settings={"fsync": "off"}) as server,
    ):
        yield server


@contextmanager
def fresh_database(server: PostgresServer, *, template: str = "template1") -> Iterator[str]:
    """The URL of a database copied from another, which is dropped with the block."""
    name = f"test_{secrets.token_hex(8)}"
    server.create_database(name, template=template)
    try:
        yield server.url(name)
    finally:
        server.drop_database(name)


@asynccontextmanager
async def connected(url: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection of asyncpg's own to a database that SQLAlchemy's URL names."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        yield connection
    finally:
        await connection.close()


async def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a statement answers on a connection of its own."""
    async with connected(url) as connection:
        return [tuple(row) for row in await connection.fetch(statement)]
