"""A turn of the purger on a real database: what it forgets, and what it does not yet."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
import structlog
from structlog.testing import capture_logs

from hub.database import partitions
from hub.database.background import Background
from hub.database.connection import Connection
from hub.database.postgres import open_postgres
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.transactions import Database
from hub.database.watch import Outage, ReaderWatch
from hub.database.writer import Writer
from hub.journal.register import SHARD
from hub.journal.retention.purging import Purger
from hub.journal.retention.terms import DAY, Terms
from hub.metrics import Metrics

T = TypeVar("T")
NOW = 10_000
REFUSAL = "INSERT INTO refusals (caller, code, pointer, refused_at) VALUES ('c', 'x', '', ?)"
READING = (
    "INSERT INTO reads (subscription, agency, subscription_id, token, channel, policy, first, last,"
    " outcomes, read_at) VALUES (1, 'a', 's', 1, 'pull', 1, 1, 1, x'', ?)"
)
AGES = (182, 399, 401, 1826, 1828)


class Quiet:
    """Hears what the writer does."""

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """Refusals and readings of several ages."""
    with closing(open_sqlite(tmp_path, readers=1)) as made:
        with made.writer.begin() as connection:
            times = [((NOW - age) * DAY,) for age in reversed(AGES)]
            connection.exec_driver_sql(REFUSAL, times)
            connection.exec_driver_sql(READING, times)
        yield made


def left(database: SqliteDatabase, table: str, column: str) -> list[int]:
    """The ages of what is left, in days."""
    with database.readers.connect() as connection:
        times = connection.exec_driver_sql(f"SELECT {column} FROM {table}").scalars()
        return sorted(NOW - time // DAY for time in times)


async def at_once() -> None:
    """A pause that is over."""


async def turn(database: Database, terms: Terms) -> None:
    """One turn of a purger that keeps records for 400 days."""
    writer = Writer(database.writing(), capacity=10_000, observer=Quiet(), clock=lambda: 0.0)
    metrics, log = Metrics(version="0", sqlite="0"), structlog.get_logger()
    readers = Readers(
        OnThreads(database.reading, threads=1),
        failed=ReaderWatch(log, Outage(log=log, clock=lambda: 0.0)).failed,
    )
    writer.start()
    try:
        await Purger(
            writer=writer,
            readers=readers,
            terms=terms,
            records_days=400,
            metrics=metrics,
            log=log,
            background=Background(metrics=metrics, log=log),
            clock=lambda: NOW * DAY,
            pause=at_once,
            rest=at_once,
        ).turn()
    finally:
        await asyncio.to_thread(writer.stop)
        await asyncio.to_thread(readers.stop)


@pytest.mark.parametrize(
    ("terms", "readings"),
    [
        # As long as any event: the hub would deny that it has handed it over.
        ({("a.b", "1.0"): 365, ("a.c", "1.0"): 1827}, [182, 399, 401, 1826]),
        # And no shorter than records, however short the life of events.
        ({("a.b", "1.0"): 3}, [182, 399]),
    ],
)
async def test_readings_are_kept_as_long_as_any_event_and_any_record(
    database: SqliteDatabase, terms: dict[tuple[str, str], int], readings: list[int]
) -> None:
    await turn(database, Terms(terms))
    assert left(database, "reads", "read_at") == readings
    assert left(database, "refusals", "refused_at") == [182, 399]


JOURNAL = (
    "INSERT INTO journal (position, hubtime, audience, parties, receipt, type, version, publisher,"
    " region, key, addressed_to, copied_to, marking, attributes, data, source, event_id,"
    " correlation, digest) SELECT n, CASE WHEN n > 1150 THEN CAST(? AS bigint) ELSE 0 END, '', '',"
    " decode(md5(n::text), 'hex'), 'a.b', '1.0', 'p', '51', 'k', '', '', 1, '', '', 's', n::text,"
    " '', '' FROM generate_series(1, 1200) AS n"
)


def _journal(connection: Connection) -> None:
    """Two full partitions of events that are due, a third with fifty more, and as many young."""
    for first, end in ((1, 501), (501, 1001), (1001, 2001)):
        partitions.make(connection, first=first, end=end)
    connection.exec_driver_sql(JOURNAL, (NOW * DAY,))
    connection.exec_driver_sql("UPDATE shards SET next_number = 1201, hubtime = ?", (NOW * DAY,))


def _left(connection: Connection) -> tuple[list[str], int, int, int]:
    """The partitions, the rows in them, those that are held, and the events that were purged."""
    counts = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM held),"
        " (SELECT sum(events) FROM purges)"
    ).one()
    stored, held, purged = map(int, counts)
    return [p.name for p in partitions.partitions(connection, SHARD)], stored, held, purged


async def test_a_turn_takes_whole_partitions_away_and_the_rows_of_those_that_stay(
    postgres_database: str,
) -> None:
    database = await asyncio.to_thread(open_postgres, postgres_database)

    def run(work: Callable[[Connection], T]) -> T:
        with closing(database.writing()) as transactions:
            return transactions.run(work)

    await asyncio.to_thread(run, _journal)
    with capture_logs() as lines:
        await turn(database, Terms({("a.b", "1.0"): 365}))
    assert await asyncio.to_thread(run, _left) == (["journal_1001"], 50, 50, 1150)
    assert lines[-1] == {"event": "journal.dropped", "log_level": "info", "partitions": 2}
    with capture_logs() as lines:
        await turn(database, Terms({("a.b", "1.0"): 365}))
    assert lines == []
