"""Appending to the journal on PostgreSQL: rows as parameters or by COPY, to the same effect."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from hub.database import appending
from hub.database.appending import APPENDED, COPIED
from hub.database.connection import Connection
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.transactions import Transactions, is_away, of_the_server, storage_reason
from hub.event import Event, slot_of
from hub.journal.register import SHARD, _New, _row
from hub.policy.sql import append_version
from tests.postgres import connected
from tests.sample import admitted

NOW = 1_790_000_000_000_000
_ALL = f"SELECT {', '.join(APPENDED)} FROM journal ORDER BY position"
LEFT = {
    "journal": _ALL,
    "dedup": "SELECT * FROM dedup ORDER BY slot",
    "shards": "SELECT shard, next_number, hubtime FROM shards ORDER BY shard",
}


@dataclass
class Journal:
    """A journal on PostgreSQL whose server may owe an answer for a third of a second."""

    transactions: Transactions

    def append(self, events: Sequence[Event]) -> bool:
        """Append in one transaction, at the journal's end."""
        return self.transactions.run(partial(append, events=events))

    def left(self) -> dict[str, Any]:
        """All that the appending left."""
        return self.transactions.run(left)


def append(connection: Connection, events: Sequence[Event]) -> bool:
    head = appending.head(connection, SHARD)
    numbered = list(enumerate(events, start=head.next_number))
    rows = [_row(_New(event, 0), n, NOW) for n, event in numbered]
    slots = sorted((slot_of(event.receipt), n) for n, event in numbered)
    return appending.append(connection, head, slots, rows, hubtime=NOW)


def left(connection: Connection) -> dict[str, Any]:
    return {name: [*connection.exec_driver_sql(asked)] for name, asked in LEFT.items()}


@pytest.fixture
def journal(postgres_database: str) -> Iterator[Journal]:
    open_postgres(postgres_database).close()
    database = PostgresDatabase(make_url(postgres_database), answer=0.3)
    with closing(database.writing()) as transactions:
        policy = partial(append_version, version=1, document="{}", by="t", reason="t", now=1)
        transactions.run(policy)
        yield Journal(transactions)


def events(count: int, *, series: str = "e") -> list[Event]:
    """Events that differ in all that a row may hold."""
    return [
        admitted(f"{series}-{n}", data=f'{{"值":"第{n}行\\n\\t\\\\N"}}'.encode(), to="x" * (n % 3))
        for n in range(count)
    ]


def test_what_is_copied_is_what_statements_of_values_leave(journal: Journal) -> None:
    given = events(COPIED)
    assert journal.append(given)
    copied = journal.left()
    journal.transactions.run(empty)
    assert journal.append(given[:7])
    assert journal.append(given[7:])
    assert journal.left() == copied
    assert len(copied["journal"]) == len(copied["dedup"]) == COPIED


def empty(connection: Connection) -> None:
    for statement in ("DELETE FROM journal", "DELETE FROM dedup"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE shards SET next_number = 1, hubtime = 0")


@pytest.mark.parametrize("count", [3, COPIED], ids=["few", "many"])
def test_where_one_is_known_none_is_appended(journal: Journal, count: int) -> None:
    known = events(1)
    assert journal.append(known)
    before = journal.left()
    assert not journal.append([*events(count - 1, series="new"), *known])
    assert journal.left() == before


@pytest.mark.parametrize("count", [3, COPIED], ids=["few", "many"])
def test_a_position_that_is_taken_is_no_fault_of_the_server(journal: Journal, count: int) -> None:
    assert journal.append(events(count))
    back = f"UPDATE shards SET next_number = {count}"
    journal.transactions.run(lambda connection: connection.exec_driver_sql(back).rowcount)
    before = journal.left()
    with pytest.raises(Exception, match="journal") as error:
        journal.append(events(count, series="new"))
    assert not of_the_server(error.value)
    assert not is_away(error.value)
    assert storage_reason(error.value) == "UniqueViolationError 23505"
    assert journal.left() == before


async def test_a_copy_that_the_server_owes_is_given_up(
    postgres_database: str, journal: Journal
) -> None:
    # So that there is room.
    assert await asyncio.to_thread(journal.append, events(1, series="first"))
    before = await asyncio.to_thread(journal.left)
    async with connected(postgres_database) as other, other.transaction():
        await other.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OperationalError) as error:
            await asyncio.to_thread(journal.append, events(COPIED))
        assert of_the_server(error.value)
        assert is_away(error.value)
    assert await asyncio.to_thread(journal.left) == before
    assert await asyncio.to_thread(journal.append, events(COPIED))
