"""What the gauges show of a database: exact, and read no more often than it may cost."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.faults import Fault
from contracts.region import load_regions
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.transactions import storage_reason
from hub.errors import StorageFailed
from hub.event import Marking, Rejected
from hub.gauges import Backlog, Measured
from hub.journal import refusals, sql, subscribing
from hub.journal.register import Registrar
from hub.journal.subscriptions import Body
from hub.policy import sql as policy_sql
from hub.policy.acts import Actor
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.watch import measuring
from hub.watch.measuring import FRESH_SECONDS, MOST_OF_THE_TIME, Measuring
from tests.running import PATIENCE
from tests.sample import CITY, COUNTY, DISCIPLINE, admitted, policy

NOW = 50_000_000


@dataclass
class World:
    """A database, and what measures it; `seconds` is the clock, a reading takes `cost` of them."""

    directory: Path
    database: SqliteDatabase
    readers: Readers
    seconds: float = 0.0
    cost: float = 0.0
    shown: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.policies = Policies(
            catalogue=load_catalogue(),
            regions=load_regions(),
            marks=PartyMarks(b"key"),
            ceiling=Marking.internal,
        )
        self.measuring = Measuring(
            space=self.database.space,
            readers=self.readers,
            policies=self.policies,
            show=self._show,
            clock=lambda: NOW,
            monotonic=lambda: self.seconds,
        )

    def _show(self, measured: Measured) -> None:
        self.seconds += self.cost
        self.shown.append(measured)

    def apply(self, version: int, **changes: Any) -> None:
        """Put a policy in force, at its version in seconds."""
        document = msgjson.encode(policy(**changes)).decode()
        with self.database.writer.begin() as connection:
            policy_sql.append_version(
                connection,
                version=version,
                document=document,
                by="test",
                reason="test",
                now=version * 1_000_000,
            )

    def subscribe(self, agency: str, id_: str, *, committed: int = 0) -> None:
        """A subscription to all of the city that is to come, with its cursor."""
        with self.database.writer.begin() as connection:
            made, _ = subscribing.create(
                connection,
                agency,
                Body(id=id_, region="510100"),
                catalogue=load_catalogue(),
                regions=load_regions(),
                by=Actor(agency, 1),
                now=1,
                most=10,
            )
            sql.commit_cursor(connection, made.number, committed)

    def register(self, at: int, *ids: str) -> None:
        """Register a batch at a time."""
        registrar = Registrar(policies=self.policies, clock=lambda: at)
        with self.database.writer.begin() as connection:
            registrar.register(connection, [admitted(id_) for id_ in ids], atomic=False)

    def write(self, statement: str) -> None:
        """Carry out a statement."""
        with self.database.writer.begin() as connection:
            connection.exec_driver_sql(statement)

    async def measured(self) -> Measured:
        """What a reading shows now, without the sizes, which are asserted on their own."""
        self.seconds += 1_000
        await self.measuring.refresh()
        shown = self.shown[-1]
        return replace(shown, database_bytes=0, log_bytes=0, disk_bytes=0, disk_free_bytes=0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(open_sqlite(tmp_path, readers=1)) as database:
        readers = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)
        made = World(tmp_path, database, readers)
        made.apply(1)
        yield made
        readers.stop()


EMPTY = Measured(
    now=NOW,
    position=0,
    oldest_position=0,
    hubtime=0,
    known=0,
    refusals=0,
    backlogs={},
    intake_since=None,
    intake_batches=0,
    intake_aside=0,
    records_aside=0,
    writer_silence=None,
    policy_version=1,
    policy_changed=1_000_000,
    tokens_expiring=0,
    database_bytes=0,
    log_bytes=0,
    disk_bytes=0,
    disk_free_bytes=0,
)


async def test_an_empty_hub_shows_nothing_but_its_policy(world: World) -> None:
    assert await world.measured() == EMPTY


async def test_a_backlog_is_what_lies_behind_the_cursors_of_an_agency(world: World) -> None:
    """Batches of three, two and one: cursors before, within, between and behind them."""
    world.subscribe(CITY, "before", committed=0)
    world.subscribe(CITY, "within", committed=2)
    world.subscribe(COUNTY, "between", committed=3)
    world.subscribe(DISCIPLINE, "behind", committed=6)
    world.register(10_000_000, "a", "b", "c")
    world.register(20_000_000, "d", "e")
    world.register(30_000_000, "f")
    assert await world.measured() == replace(
        EMPTY,
        position=6,
        oldest_position=1,
        hubtime=30_000_000,
        known=6,
        backlogs={CITY: Backlog(6 + 4, 10_000_000), COUNTY: Backlog(3, 20_000_000)},
    )


async def test_only_the_beginning_of_a_long_feed_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "MOST_ROWS_OF_A_FEED", 2)
    world.subscribe(CITY, "all", committed=1)
    world.register(10_000_000, "a", "b")
    for n in range(3):
        world.register(20_000_000, f"c{n}", f"d{n}")
    # The rest of the row that the cursor stands in, and two rows.
    assert (await world.measured()).backlogs == {CITY: Backlog(1 + 4, 10_000_000)}


async def test_what_retention_has_removed_is_neither_held_nor_the_oldest(world: World) -> None:
    world.subscribe(CITY, "all")
    world.register(10_000_000, "a")
    world.register(20_000_000, "b")
    world.register(30_000_000, "c")
    fault = Fault("out_of_range", "", "", "")
    with world.database.writer.begin() as connection:
        for _ in range(3):
            refusals.record(connection, [Rejected(None, None, (fault,))], caller=CITY, now=1)
    for table, column in (("journal", "position"), ("dedup", "position"), ("refusals", "number")):
        world.write(f"DELETE FROM {table} WHERE {column} = 1")
    found = await world.measured()
    assert (found.position, found.oldest_position, found.known, found.refusals) == (3, 2, 2, 2)
    # Its feed entry is still there, and the oldest event behind it is the second.
    assert found.backlogs == {CITY: Backlog(3, 20_000_000)}


async def test_an_agency_that_has_left_has_no_backlog(world: World) -> None:
    world.subscribe(CITY, "all")
    world.subscribe(COUNTY, "all")
    world.register(10_000_000, "a")
    backlog = Backlog(1, 10_000_000)
    assert (await world.measured()).backlogs == {CITY: backlog, COUNTY: backlog}
    agencies = [agency for agency in policy()["agencies"] if agency["id"] != CITY]
    grants = [grant for grant in policy()["grants"] if grant["agency"] != CITY]
    world.apply(2, agencies=agencies, grants=grants)
    assert (await world.measured()).backlogs == {COUNTY: backlog}


async def test_the_sizes_are_those_of_the_files_and_their_disk(world: World) -> None:
    world.register(10_000_000, "a")
    await world.measuring.refresh()
    (shown,) = world.shown
    assert shown.database_bytes == (world.directory / "hub.db").stat().st_size
    assert shown.log_bytes == (world.directory / "hub.db-wal").stat().st_size > 0
    assert shown.disk_bytes is not None
    assert shown.disk_free_bytes is not None
    assert 0 < shown.disk_free_bytes < shown.disk_bytes


async def test_a_reading_serves_for_some_seconds_and_a_dear_one_for_longer(world: World) -> None:
    """Scrapes may come as often as they like."""

    async def readings_until(end: float) -> int:
        before = len(world.shown)
        while world.seconds < end:
            await world.measuring.refresh()
            world.seconds += 0.5
        return len(world.shown) - before

    assert await readings_until(20 * FRESH_SECONDS) == 20
    world.cost = 2.0
    share = world.cost / MOST_OF_THE_TIME
    assert await readings_until(world.seconds + 3 * share) == 3


async def test_a_slow_reading_does_not_hold_up_a_scrape(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "PATIENCE", 0.0)
    going_on = threading.Event()
    blocking = asyncio.create_task(world.readers.run(lambda _: going_on.wait(timeout=PATIENCE)))
    await asyncio.wait({blocking}, timeout=0)
    for _ in range(3):
        await world.measuring.refresh()
    assert world.shown == []
    going_on.set()
    monkeypatch.setattr(measuring, "PATIENCE", None)
    await world.measuring.refresh()
    # One reading ran all the while.
    assert len(world.shown) == 1


async def test_a_reading_that_fails_is_told_and_done_again(world: World) -> None:
    world.write("ALTER TABLE feed RENAME TO away")
    world.subscribe(CITY, "all")
    with pytest.raises(StorageFailed) as failed:
        await world.measuring.refresh()
    assert storage_reason(failed.value.__cause__ or failed.value) == "no such table: feed"
    world.write("ALTER TABLE away RENAME TO feed")
    await world.measuring.refresh()
    assert world.shown == []
    assert await world.measured() == EMPTY
