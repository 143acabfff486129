"""The watch on a real database: what it measures, pass by pass, and that it goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import json as msgjson
from structlog import DropEvent, make_filtering_bound_logger, wrap_logger

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.background import Background
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.watch import Outage, ReaderWatch
from hub.database.writer import Writer
from hub.event import Marking
from hub.metrics import Metrics
from hub.policy import sql as policy_sql
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.watch.sql import HOUR
from hub.watch.watching import Watch
from tests.running import PATIENCE
from tests.sample import AUDIT, CITY, PETITION, policy

TODAY = 20_000
NOON = (TODAY * 24 - 8 + 12) * HOUR


class Quiet:
    """Hears what the writer does."""

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


@dataclass
class Passes:
    """Lets the watch look when the test says so."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    next: asyncio.Event = field(default_factory=asyncio.Event)

    async def pause(self) -> None:
        """What the watch does between two passes."""
        self.done.set()
        await self.next.wait()
        self.next.clear()

    async def one_more(self) -> None:
        """Have the watch look once more."""
        self.done.clear()
        self.next.set()
        await asyncio.wait_for(self.done.wait(), PATIENCE)


@pytest.fixture
def database(tmp_path: Any) -> Iterator[SqliteDatabase]:
    """A city whose audit office stopped ten days ago, while the petition bureau goes on."""
    with closing(open_sqlite(tmp_path, readers=2)) as made:
        apply(made, policy(), version=1)
        with made.writer.begin() as connection:
            rows = [(PETITION, hour) for hour in hours(until=TODAY * 24 - 8 + 12)]
            rows += [(AUDIT, hour) for hour in hours(until=(TODAY - 10) * 24 - 8)]
            rows += [(CITY, TODAY * 24 - 8)]
            connection.exec_driver_sql(
                "INSERT INTO tallies VALUES (?, ?, 1, ?)", [(a, h, h * HOUR) for a, h in rows]
            )
        yield made


def hours(*, until: int) -> range:
    """Each hour of nine weeks."""
    return range(until - 9 * 168, until)


def apply(database: SqliteDatabase, document: dict[str, Any], *, version: int) -> None:
    """Put a policy in force."""
    kept = msgjson.encode(document).decode()
    with database.writer.begin() as connection:
        policy_sql.append_version(
            connection, version=version, document=kept, by="test", reason="test", now=version
        )


@asynccontextmanager
async def watching(
    database: SqliteDatabase, metrics: Metrics, *, clock: Callable[[], int], told: list[str]
) -> AsyncIterator[Passes]:
    """A watch that begins with the block and is stopped with it."""
    writer = Writer(database.writing(), capacity=10_000, observer=Quiet(), clock=lambda: 0.0)
    passes = Passes()
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )

    def tell(_logger: Any, _level: str, entry: MutableMapping[str, Any]) -> Mapping[str, Any]:
        told.append(f"{entry['event']} {entry['reason']}")
        raise DropEvent

    log = wrap_logger(None, processors=[tell], wrapper_class=make_filtering_bound_logger(0))
    readers = Readers(
        OnThreads(database.reading, threads=1),
        failed=ReaderWatch(log, Outage(log=log, clock=lambda: 0.0)).failed,
    )
    watch = Watch(
        writer=writer,
        readers=readers,
        policies=policies,
        metrics=metrics,
        clock=clock,
        background=Background(metrics=metrics, log=log),
        pause=passes.pause,
    )
    writer.start()
    watch.begin()
    try:
        await asyncio.wait_for(passes.done.wait(), PATIENCE)
        yield passes
    finally:
        await watch.stop()
        await asyncio.to_thread(writer.stop)
        readers.stop()


def measured(metrics: Metrics) -> dict[tuple[str, str], float]:
    """What the metrics say of silence, by metric and agency."""
    return {
        (
            sample.name.removeprefix("guantong_silence_"),
            sample.labels.get("agency", ""),
        ): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name.startswith("guantong_silence_")
    }


async def test_only_registered_agencies_with_a_rhythm_are_measured(
    database: SqliteDatabase,
) -> None:
    metrics, told = Metrics(version="0", sqlite="0"), list[str]()
    async with watching(database, metrics, clock=lambda: NOON, told=told) as passes:
        assert measured(metrics) == {
            ("silent", AUDIT): 1,
            ("expected_events", AUDIT): 10 * 24 + 12,
            ("silent", PETITION): 0,
            ("expected_events", PETITION): 0,
            ("away_provinces", ""): 0,
        }
        left = [agency for agency in policy()["agencies"] if agency["id"] != AUDIT]
        apply(database, policy(agencies=left, grants=[]), version=2)
        await passes.one_more()
        assert measured(metrics) == {
            ("silent", PETITION): 0,
            ("expected_events", PETITION): 0,
            ("away_provinces", ""): 0,
        }
    assert told == []


async def test_a_watch_that_fails_says_so_and_goes_on_where_it_was(
    database: SqliteDatabase,
) -> None:
    """What it last measured stays, so that nobody is told that the silence is over."""
    metrics, told = Metrics(version="0", sqlite="0"), list[str]()
    times = [NOON, NOON]
    async with watching(database, metrics, clock=lambda: times.pop(), told=told) as passes:
        before = measured(metrics)
        assert before["silent", AUDIT] == 1
        run(database, "ALTER TABLE tallied RENAME TO away")
        await passes.one_more()
        assert (measured(metrics), failed(metrics)) == (before, 1)

        run(database, "ALTER TABLE away RENAME TO tallied")
        run(database, f"DELETE FROM tallies WHERE agency = '{AUDIT}'")
        await passes.one_more()
        after = measured(metrics)
        assert after == {
            ("silent", PETITION): 0,
            ("expected_events", PETITION): 0,
            ("away_provinces", ""): 0,
        }
        # A fault of its own is no end either.
        await passes.one_more()
        assert (measured(metrics), failed(metrics)) == (after, 2)
    assert told == [
        "read.failed no such table: tallied",
        "watch.failed StorageFailed",
        "watch.failed IndexError",
    ]


def run(database: SqliteDatabase, statement: str) -> None:
    """Change the database."""
    with database.writer.begin() as connection:
        connection.exec_driver_sql(statement)


def failed(metrics: Metrics) -> float | None:
    """How many turns of the watch failed."""
    return metrics.registry.get_sample_value("guantong_background_failed_total", {"task": "watch"})
