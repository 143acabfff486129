"""Copying the tables of one database into PostgreSQL, row for row, and what proves that it is so.

A table is proved by the SHA-256 over its rows in the order of their key, each as MessagePack, which
has one form for a number, a text or bytes. It is the same on both databases.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from msgspec.msgpack import Encoder
from sqlalchemy import Connection, Table, func, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.util import await_only

from hub.database import partitions
from hub.database.connection import PART_OF_EVENTS, STREAMED, is_sqlite, plain
from hub.database.inspection import damage_told
from hub.database.partitions import Cut
from hub.database.postgres import PostgresDatabase
from hub.database.tables import metadata
from hub.database.transactions import storage_reason
from hub.errors import MoveFailed

TABLES: Final = tuple(sorted(metadata.tables.values(), key=lambda table: table.name))
# How many rows the migrations make; of the other tables, none.
MADE: Final = {
    "policies": 1,
    "revisions": 3,
    "secrets": 2,
    "shards": 1,
    "subscription_changes": 1,
    "tallied": 1,
}
_A_STEP: Final = 5_000
# What a COPY may fail with: the server, the way to it, or a value that is not of its column's kind.
_FAILS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TypeError,
    ValueError,
    OverflowError,
)

# Told of a table how many rows have been gone through, again and again.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Held:
    """What a table holds: how many rows, and the SHA-256 over them."""

    rows: int
    digest: str


def name_of(database: PostgresDatabase) -> str:
    """Which database it is, without the account."""
    url = database.url
    return f"{url.host or ''}:{url.port or 5432}/{url.database or ''}"


def held(connection: Connection, table: Table, *, progress: Progress) -> Held:
    """What a table holds, read from its first row to its last."""
    count, digest, encode = 0, hashlib.sha256(), Encoder().encode
    for row in _counted(_rows(connection, table), table, progress):
        digest.update(encode(tuple(row)))
        count += 1
    return Held(count, digest.hexdigest())


def counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has, of those that have any."""
    counted = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in TABLES
    }
    return {name: count for name, count in counted.items() if count}


def keep_to_itself(target: Connection) -> None:
    """Have nobody else read or write the tables until the transaction ends, however long it is."""
    for setting, value in (
        ("idle_in_transaction_session_timeout", "0"),
        ("statement_timeout", "0"),
        # A hub, or whoever looks on, may be in the way.
        ("lock_timeout", "10s"),
    ):
        target.exec_driver_sql(f"SET LOCAL {setting} = '{value}'")
    target.exec_driver_sql(f"LOCK TABLE {_names()}, alembic_version")


def make_partitions(source: Connection, target: Connection, *, cut: Cut) -> None:
    """Make room in the target for the journal of the source, in equal parts."""
    found = source.exec_driver_sql(
        "SELECT first.position, first.hubtime, last.position, last.hubtime FROM"
        " (SELECT position, hubtime FROM journal ORDER BY position LIMIT 1) AS first,"
        " (SELECT position, hubtime FROM journal ORDER BY position DESC LIMIT 1) AS last"
    ).one_or_none()
    if found is None:
        return
    first, begin, last, end = found
    size = cut.size(last + 1 - first, end - begin)
    for place in range(first, last + 1, size):
        partitions.make(target, first=place, end=min(place + size, last + 1))


def copy_rows(source: Connection, target: Connection, table: Table, *, progress: Progress) -> None:
    """Put the rows of a table in the place of those that the migrations made of it."""
    if table.name in MADE:
        target.execute(table.delete())
    driver: Any = target.connection.driver_connection
    columns = [column.name for column in table.columns]
    with closing(_counted(_rows(source, table), table, progress)) as rows:
        try:
            await_only(driver.copy_records_to_table(table.name, records=rows, columns=columns))
        except _FAILS as failed:
            reason = storage_reason(OperationalError(None, None, failed))
            raise MoveFailed(f"{table.name}: {reason}") from failed


def restart_numbers(source: Connection, target: Connection) -> None:
    """Have the target go on numbering where the source would, a row that is gone included."""
    for table in TABLES:
        numbered = table.autoincrement_column
        if numbered is None:
            continue
        given = source.exec_driver_sql(
            "SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)
        ).scalar_one_or_none()
        largest = source.execute(select(func.max(numbered))).scalar_one()
        last = max(given or 0, largest or 0)
        sequence: str = target.exec_driver_sql(
            "SELECT pg_get_serial_sequence(?, ?)", (table.name, numbered.name)
        ).scalar_one()
        # Unlike setval() it is undone with the transaction.
        target.exec_driver_sql(f"ALTER SEQUENCE {sequence} RESTART WITH {last + 1}")


def analyze(target: Connection) -> None:
    """Let the planner know what the tables hold."""
    target.exec_driver_sql(f"ANALYZE {_names()}")


@contextmanager
def faults_told() -> Iterator[None]:
    """What SQLAlchemy raises of the target inside becomes MoveFailed, with its reason."""
    try:
        yield
    except DBAPIError as error:
        raise MoveFailed(storage_reason(error)) from error


def _names() -> str:
    return ", ".join(table.name for table in TABLES)


def _rows(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    """The rows in the order of their key: that of bytes, on both."""
    every = select(table).order_by(*table.primary_key)
    if is_sqlite(connection):
        with damage_told():
            yield from plain(connection.execute(every), part=PART_OF_EVENTS)
    else:
        streamed = connection.execute(every, execution_options=STREAMED)
        yield from plain(streamed, part=PART_OF_EVENTS)


def _counted(
    rows: Iterable[Sequence[Any]], table: Table, progress: Progress
) -> Generator[Sequence[Any]]:
    count = 0
    for count, row in enumerate(rows, start=1):
        yield row
        if count % _A_STEP == 0:
            progress(table.name, count)
    progress(table.name, count)
