"""The journal's partitions on PostgreSQL: made before they are needed, taken away whole."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from alembic.command import upgrade
from alembic.config import Config
from msgspec import json as msgjson
from sqlalchemy import make_url

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from deploy.local.postgres import PostgresServer
from hub.database import appending, partitions, shards
from hub.database.connection import Connection
from hub.database.copying import copy_rows, make_partitions
from hub.database.partitions import QUARTERLY, Cut
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.sqlite import open_sqlite
from hub.database.tables import journal as journal_table
from hub.errors import StorageFailed, Superseded
from hub.event import Accepted, Event, Marking
from hub.journal import sql as journal
from hub.journal.register import SHARD, Registrar
from hub.journal.retention import sql as retention
from hub.journal.retention.purge import next_chunk, purge, sweeps, whole_until
from hub.journal.retention.terms import DAY, Terms
from hub.policy import sql as policy_sql
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.upkeep import sql as upkeep
from hub.upkeep.sql import Partitioning
from hub.watch import sql as watch
from tests.bench.plans import nodes, sent
from tests.postgres import connected, fresh_database
from tests.sample import admitted, policy

T = TypeVar("T")
SHORT, LONG = "petition.case_transferred", "clue.transferred"
TERMS = Terms({(SHORT, "1.0"): 10, (LONG, "1.0"): 10})
MIXED = Terms({(SHORT, "1.0"): 10, (LONG, "1.0"): 200})
TEN = Cut(span=QUARTERLY.span, least=10)
FOUR = Cut(span=QUARTERLY.span, least=4)
END = 2**62


def put_policy(connection: Connection) -> None:
    """Have a city's policy in force."""
    document = msgjson.encode(policy()).decode()
    policy_sql.append_version(connection, version=1, document=document, by="t", reason="t", now=1)


@pytest.fixture(scope="module")
def template(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database with a policy in force."""
    with fresh_database(postgres) as url:
        with (
            closing(open_postgres(url)) as database,
            closing(database.writing()) as transactions,
        ):
            transactions.run(put_policy)
        yield url.rpartition("/")[2]


@dataclass
class Journal:
    """A journal on PostgreSQL, at a time that tests set."""

    url: str
    database: PostgresDatabase
    now: int = 1_000 * DAY
    made: int = 0

    def run(self, work: Callable[[Connection], T]) -> T:
        """In a transaction of its own, on a connection of its own."""
        with closing(self.database.writing()) as transactions:
            return transactions.run(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """As readers do."""
        with closing(self.database.reading()) as transactions:
            return transactions.run(work)

    def events(self, count: int, *, type_: str = SHORT) -> list[Event]:
        """New events."""
        self.made += count
        return [admitted(f"e-{self.made - n}", type_=type_) for n in range(count)]

    def register(self, *batches: Sequence[Event], cut: Cut = TEN) -> list[int]:
        """Register batches, each in a transaction of its own; the positions."""
        registrar = Registrar(policies=POLICIES, clock=lambda: self.now, cut=cut)
        found: list[int] = []
        with closing(self.database.writing()) as transactions:
            for batch in batches:
                work = partial(registrar.register, events=batch, atomic=True)
                outcomes = transactions.run(work).outcomes
                found += [o.receipt.position or 0 for o in outcomes if isinstance(o, Accepted)]
        return found

    def purge(self, terms: Terms = TERMS) -> int:
        """Purge all that is due; how many events."""

        def all_due(connection: Connection) -> int:
            count = 0
            for sweep in sweeps(connection, terms=terms, now=self.now):
                while sweep.after < sweep.until:
                    chunk = next_chunk(connection, sweep)
                    count += purge(connection, chunk, now=self.now).events.total()
                    sweep = replace(sweep, after=chunk.until)
            return count

        return self.run(all_due)

    def drop(self) -> int:
        """Take away the partitions that are past; how many."""
        past = self.read(partial(partitions.past, shard=SHARD))
        return 0 if past is None else self.run(partial(partitions.drop, past=past))

    def erase(self, *, beyond: int, most: int) -> int:
        """Delete rows that are not held any more; how many."""
        return self.run(partial(partitions.erase, shard=SHARD, beyond=beyond, most=most))

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """From where to where partitions go."""
        return [(p.first, p.end) for p in self.read(partial(partitions.partitions, shard=SHARD))]

    def stored(self) -> list[int]:
        """The positions of all rows, held or not."""
        return self._positions("journal")

    def held(self) -> list[int]:
        """The positions of those that readers see."""
        return self._positions("held")

    def _positions(self, table: str) -> list[int]:
        statement = f"SELECT position FROM {table} ORDER BY position"
        return self.read(lambda c: list(c.exec_driver_sql(statement).scalars()))


@pytest.fixture
def hub(postgres: PostgresServer, template: str) -> Iterator[Journal]:
    """An empty journal."""
    with (
        fresh_database(postgres, template=template) as url,
        closing(open_postgres(url)) as database,
    ):
        yield Journal(url, database)


POLICIES = Policies(
    catalogue=load_catalogue(),
    regions=load_regions(),
    marks=PartyMarks(b"key"),
    ceiling=Marking.internal,
)


# --- making them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "days", "size"),
    [
        (0, 0, 10_000),
        (9_000, 92, 10_000),
        (30_000, 92, 30_000),
        # What came in a day does not tell of a quarter.
        (30_000, 1, 30_000),
        (60_000, 184, 30_000),
    ],
)
def test_a_partition_is_for_what_comes_in_a_quarter(events: int, days: int, size: int) -> None:
    assert QUARTERLY.size(events, days * DAY) == size


def test_whoever_registers_has_room_also_over_the_end_of_a_partition_and_past_it(
    hub: Journal,
) -> None:
    assert hub.ranges == []
    grown = []
    for batch in (4, 4, 4, 40, 1):
        hub.register(hub.events(batch))
        grown.append(hub.ranges[-1])
    assert grown == [(1, 11), (1, 11), (11, 21), (21, 53), (53, 105)]
    # So that registration need not look where they are.
    assert hub.read(partial(appending.head, shard=SHARD)).room == 105
    assert hub.held() == hub.stored() == [*range(1, 54)]


def test_the_next_is_as_large_as_the_pace_of_the_last_months_tells(hub: Journal) -> None:
    cut = Cut(span=92 * DAY, least=3)
    for days, count in ((0, 3), (50, 30), (100, 16)):
        hub.now += days * DAY
        hub.register(*[[event] for event in hub.events(count)], cut=cut)
    # The last was made when the one before it, 24 events, had begun 100 days ago.
    assert hub.ranges == [(1, 4), (4, 7), (7, 13), (13, 25), (25, 49), (49, 49 + 24 * 92 // 100)]


def test_what_is_undone_leaves_no_partition_and_no_room(hub: Journal) -> None:
    registrar = Registrar(policies=POLICIES, clock=lambda: hub.now, cut=TEN)
    hub.register(hub.events(8))

    def fails(connection: Connection) -> None:
        registrar.register(connection, hub.events(8), atomic=True)
        raise StorageFailed

    with pytest.raises(StorageFailed):
        hub.run(fails)
    assert hub.ranges == [(1, 11)]
    assert hub.register(hub.events(8)) == [*range(9, 17)]
    assert hub.ranges == [(1, 11), (11, 21)]


def test_a_writer_that_was_replaced_makes_none(hub: Journal) -> None:
    hub.register(hub.events(9))
    old = hub.run(partial(appending.head, shard=SHARD))
    hub.run(partial(shards.take, shard=SHARD, writer="next", silence=0))

    def append(connection: Connection) -> None:
        # As if it had looked at the shard before the other took it.
        rows = [(10, 1, "", "", b"", *[None] * 18), (11, 1, "", "", b"", *[None] * 18)]
        appending.append(connection, old, [(1, 10), (2, 11)], rows, hubtime=hub.now, cut=TEN)

    with pytest.raises(StorageFailed):
        hub.run(append)
    stale = Registrar(policies=POLICIES, clock=lambda: hub.now, cut=TEN)
    with pytest.raises(Superseded):
        hub.run(partial(stale.register, events=hub.events(5), atomic=True))
    assert hub.ranges == [(1, 11)]
    one = Registrar(policies=POLICIES, clock=lambda: hub.now, epoch=lambda: 1, cut=TEN)
    hub.run(partial(one.register, events=hub.events(5), atomic=True))
    assert (hub.ranges, hub.held()) == ([(1, 11), (11, 21)], [*range(1, 15)])


def test_several_that_register_at_once_make_each_partition_once(hub: Journal) -> None:
    batches = [[hub.events(7) for _ in range(10)] for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda mine: hub.register(*mine, cut=FOUR), batches))
    assert sorted(chain.from_iterable(found)) == hub.held() == [*range(1, 211)]
    ranges = hub.ranges
    assert ranges[0][0] == 1 and ranges[-1][1] > 210
    assert [end for _, end in ranges[:-1]] == [first for first, _ in ranges[1:]]


def literal(value: int | list[int]) -> str:
    return str(value) if isinstance(value, int) else f"CAST('{{{str(value)[1:-1]}}}' AS bigint[])"


@pytest.mark.parametrize("positions", [range(250, 350), range(250, 350, 9)])
def test_a_page_looks_into_the_partitions_that_it_is_about_alone(
    hub: Journal, positions: range
) -> None:
    """With the one plan that its connection keeps for all pages."""
    for first in range(1, 2_401, 100):
        hub.run(partial(partitions.make, first=first, end=first + 100))

    def explained(connection: Connection) -> Mapping[str, Any]:
        with sent(connection) as statements:
            list(journal.entries(connection, positions))
        ((statement, values),) = statements
        connection.exec_driver_sql(f"PREPARE page AS {statement}")
        told = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({', '.join(map(literal, values))})"
        ).scalar_one()
        ((plan,),) = [told if isinstance(told, list) else msgjson.decode(told)]
        return dict(plan["Plan"])

    done = [node for node in nodes(hub.read(explained)) if node["Actual Loops"]]
    scans = [node for node in done if "Relation Name" in node]
    assert {node["Relation Name"] for node in scans} == {"journal_201", "journal_301", "shards"}
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}


# --- purging --------------------------------------------------------------------------------------


READING: dict[str, Callable[[Connection], object]] = {
    "entries": lambda c: list(journal.entries(c, range(1, 20))),
    "times": lambda c: journal.times(c, range(1, 20), since=0)[0],
    "records": lambda c: journal.records(c, range(1, 20)),
    "outlines": lambda c: journal.outlines(c, range(1, 20)),
    "headers": lambda c: journal.headers(c, after=0, until=END, most=99),
    "headers before": lambda c: journal.headers_before(c, before=END, most=99),
    "place": lambda c: journal.place(c, 7, otherwise=1),
    "of a case": lambda c: [
        p for n in range(1, 20) for p in journal.of_case(c, f"petition:e-{n}", since=0, until=END)
    ],
    "entry from": lambda c: retention.entry_from(c, 0),
    "due": lambda c: retention.due(c, [(SHORT, "1.0")], after=0, until=END, most=99),
    "proofs": lambda c: list(upkeep.proofs(c)),
    "checkables": lambda c: list(upkeep.checkables(c, range(1, 20))),
    "last position": lambda c: upkeep.last_position(c, until=END),
    "first hubtime": upkeep.first_hubtime,
    "untallied": lambda c: watch.untallied(c, watch.Tallied(SHARD, 0, 0), most=99)[0],
    "registered at": lambda c: watch.registered_at(c, range(1, 20)),
    "extent": lambda c: watch.extent(c, SHARD).oldest,
    "holdings": lambda c: watch.holdings(c, SHARD).oldest,
}


def test_what_is_purged_is_out_of_every_readers_sight_at_once_and_its_disk_is_freed(
    hub: Journal,
) -> None:
    """A hub that dies in between leaves what the next one takes away."""
    hub.register(hub.events(20))
    seen = {name: hub.read(read) for name, read in READING.items()}
    hub.now += 10 * DAY + 1
    assert hub.purge() == 20
    assert (hub.held(), hub.stored()) == ([], [*range(1, 21)])
    unseen = {name: hub.read(read) for name, read in READING.items()}
    assert {name for name, read in unseen.items() if read} == set()
    assert {name for name, read in seen.items() if not read} == set()
    assert hub.drop() == 1
    assert (hub.stored(), hub.ranges) == ([], [])
    left = "SELECT relname FROM pg_class WHERE relname LIKE 'journal_%'"
    assert hub.read(lambda c: list(c.exec_driver_sql(left.replace("%", "%%")).scalars())) == [
        "journal_pkey"
    ]
    assert hub.register(hub.events(3)) == [21, 22, 23]
    assert (hub.ranges, hub.held()) == ([(21, 31)], [21, 22, 23])


def test_a_partition_that_is_past_goes_and_the_one_that_is_not_stays(hub: Journal) -> None:
    hub.register(hub.events(10))
    hub.now += 5 * DAY
    hub.register(hub.events(5))
    hub.now += 5 * DAY + 1
    assert (hub.purge(), hub.drop()) == (10, 1)
    assert (hub.held(), hub.stored(), hub.ranges) == (
        [*range(11, 16)],
        [*range(11, 16)],
        [(11, 21)],
    )
    assert hub.drop() == 0


def test_what_is_kept_less_long_than_its_neighbours_is_deleted_between_them(hub: Journal) -> None:
    pairs = [hub.events(1) + hub.events(1, type_=LONG) for _ in range(5)]
    hub.register(*pairs)
    hub.now += 10 * DAY + 1
    assert hub.purge(MIXED) == 5
    # The first stood before all that is held.
    assert (hub.held(), hub.stored()) == ([2, 4, 6, 8, 10], [2, 4, 6, 8, 10])
    assert hub.drop() == 0
    hub.now += 190 * DAY
    assert hub.purge(MIXED) == 5
    assert (hub.held(), hub.drop(), hub.ranges) == ([], 1, [])


def test_where_events_are_few_rows_leave_the_disk_before_their_partition(hub: Journal) -> None:
    """A partition that has room left, or is long, may stand for years."""
    hub.register(hub.events(10))
    hub.register(hub.events(8))
    hub.now += 10 * DAY + 1
    hub.purge()
    whole = hub.read(partial(whole_until, terms=TERMS, now=hub.now))
    assert (whole, hub.stored()) == (10, [*range(1, 19)])
    assert [hub.erase(beyond=whole, most=3) for _ in range(4)] == [3, 3, 2, 0]
    assert (hub.stored(), hub.held()) == ([*range(1, 11)], [])
    assert (hub.drop(), hub.ranges) == (1, [(11, 21)])


def test_a_partition_goes_whole_only_if_all_of_it_is_soon_due(hub: Journal) -> None:
    hub.register(hub.events(1))
    hub.now += 92 * DAY
    hub.register(hub.events(9))
    began, full = hub.now - 92 * DAY, hub.now
    due = began + 10 * DAY + 1
    for now, whole in ((due - 1, 0), (due, 10), (full + 10 * DAY, 10)):
        found = hub.read(partial(whole_until, terms=TERMS, now=now))
        assert (found, now) == (whole, now)


def test_a_partition_that_should_have_gone_and_stays_is_emptied_row_by_row(hub: Journal) -> None:
    """What stands before an event whose contract nobody knows any more would wait for ever."""
    hub.register(hub.events(4))
    hub.now += DAY
    hub.register(hub.events(1, type_="clue.unknown") + hub.events(5))
    last = hub.now
    hub.now += 9 * DAY + 1
    assert (hub.purge(), hub.stored()) == (4, [*range(1, 11)])
    for now, whole in ((last + 102 * DAY, 10), (last + 102 * DAY + 1, 0)):
        hub.now = now
        hub.purge()
        assert (hub.held(), hub.stored(), hub.drop()) == ([5], [1, 2, 3, 4, 5], 0)
        assert hub.read(partial(whole_until, terms=TERMS, now=now)) == whole
    assert hub.erase(beyond=0, most=100) == 4
    assert (hub.held(), hub.stored()) == ([5], [5])


def test_only_what_is_not_held_is_erased(hub: Journal) -> None:
    hub.register(hub.events(6))
    assert hub.erase(beyond=0, most=100) == 0
    assert hub.held() == [*range(1, 7)]


# --- who is in the way ----------------------------------------------------------------------------


@asynccontextmanager
async def snapshot(hub: Journal) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A reader in the midst of its transaction, which has not looked into the journal yet."""
    async with (
        connected(hub.url) as reader,
        reader.transaction(isolation="repeatable_read", readonly=True),
    ):
        assert await reader.fetchval("SELECT purged FROM shards") == 0
        yield reader


async def test_a_reader_that_began_before_keeps_what_it_has_begun_to_read(hub: Journal) -> None:
    aside = asyncio.to_thread
    await aside(hub.register, hub.events(10))
    hub.now += 10 * DAY + 1
    async with snapshot(hub) as reader:
        assert await aside(hub.purge) == 10
        assert await aside(hub.drop) == 0
        assert await reader.fetchval("SELECT count(*) FROM held") == 10
        # One that began later is not in the way, whatever it has read.
    async with connected(hub.url) as later, later.transaction(isolation="repeatable_read"):
        assert await later.fetchval("SELECT purged FROM shards") == 10
        assert await aside(hub.drop) == 1


async def test_nobody_waits_long_behind_a_partition_that_somebody_reads(hub: Journal) -> None:
    aside = asyncio.to_thread
    await aside(hub.register, hub.events(10))
    hub.now += 10 * DAY + 1
    await aside(hub.purge)
    async with connected(hub.url) as reader, reader.transaction():
        cursor = await reader.cursor("SELECT position FROM journal ORDER BY position")
        assert [row[0] for row in await cursor.fetch(3)] == [1, 2, 3]
        assert await aside(hub.drop) == 0
        # The transaction in which it was tried is as good as before.
        past = await aside(hub.read, partial(partitions.past, shard=SHARD))
        assert past is not None

        def tried(connection: Connection) -> tuple[int, str]:
            dropped = partitions.drop(connection, past)
            return dropped, connection.exec_driver_sql("SHOW lock_timeout").scalar_one()

        assert await aside(hub.run, tried) == (0, "0")
        assert [row[0] for row in await cursor.fetch(9)] == [*range(4, 11)]
    assert await aside(hub.run, tried) == (1, "0")


# --- how they come about otherwise ----------------------------------------------------------------


def test_a_journal_of_before_becomes_the_first_partition_as_it_stands(
    postgres: PostgresServer,
) -> None:
    config = Config()
    config.set_main_option("script_location", "hub.database:migrations")

    def older(connection: Connection) -> None:
        config.attributes["connection"] = connection
        upgrade(config, "0011")
        connection.exec_driver_sql(
            "INSERT INTO journal (position, hubtime, audience, parties, receipt, type, version,"
            " publisher, region, key, addressed_to, copied_to, marking, attributes, data, source,"
            " event_id, correlation, digest) SELECT n, n, '', '', '', 'a.b', '1.0', 'p', '51', 'k',"
            " '', '', 1, '', '', 's', n::text, '', '' FROM generate_series(3, 7) AS n"
        )
        connection.exec_driver_sql("UPDATE shards SET next_number = 8")

    def node(connection: Connection) -> int:
        found = connection.exec_driver_sql(
            "SELECT max(relfilenode) FROM pg_class WHERE relname IN ('journal', 'journal_3')"
        )
        return int(found.scalar_one())

    with fresh_database(postgres) as url:
        hub = Journal(url, PostgresDatabase(make_url(url)))
        hub.run(older)
        before = hub.read(node)
        open_postgres(url).close()
        assert hub.read(node) == before
        assert (hub.held(), hub.ranges) == ([*range(3, 8)], [(3, 8)])
        tended = "SELECT reloptions FROM pg_class WHERE relname = 'journal_3'"
        assert hub.read(lambda c: c.exec_driver_sql(tended).scalar_one()) == [
            option.replace(" ", "") for option in partitions.TENDED.split(", ")
        ]
        hub.run(put_policy)
        assert hub.register(hub.events(2)) == [8, 9]
        assert hub.ranges == [(3, 8), (8, 18)]


def test_a_journal_that_is_moved_is_cut_as_it_would_have_been(hub: Journal, tmp_path: Path) -> None:
    registrar = Registrar(policies=POLICIES, clock=lambda: hub.now, cut=TEN)
    with closing(open_sqlite(tmp_path, readers=1)) as database:
        with database.writer.begin() as connection:
            put_policy(connection)
            for _ in range(10):
                registrar.register(connection, hub.events(5), atomic=True)
                hub.now += 92 * DAY // 2
            # Fifty events in four and a half quarters.
            connection.exec_driver_sql("DELETE FROM journal WHERE position < 3")
        with database.readers.connect() as source:

            def carry(target: Connection) -> None:
                make_partitions(source, target, cut=TEN)
                copy_rows(source, target, journal_table, progress=lambda *_: None)

            hub.run(carry)
    assert hub.ranges == [(3, 13), (13, 23), (23, 33), (33, 43), (43, 51)]
    assert hub.held() == [*range(3, 51)]


# --- what the doctor sees -------------------------------------------------------------------------


async def test_the_doctor_sees_what_comes_and_what_waits_to_go(hub: Journal) -> None:
    def found() -> Partitioning:
        return hub.read(partial(upkeep.partitioning, shard=SHARD))

    aside = asyncio.to_thread
    assert await aside(found) == Partitioning(0, 0, 0, 0, may_make=True)
    await aside(hub.register, hub.events(10), hub.events(4))
    hub.now += 10 * DAY + 1
    async with snapshot(hub):
        await aside(hub.purge)
        assert await aside(hub.drop) == 0
    await aside(hub.register, hub.events(1))
    assert await aside(found) == Partitioning(2, 5, 14, 1, may_make=True)
    assert await aside(hub.drop) == 1
    assert await aside(found) == Partitioning(1, 5, 4, 0, may_make=True)
    async with connected(hub.url) as other:
        role = f"other_{secrets.token_hex(4)}"
        await other.execute(f"CREATE ROLE {role}")
        await other.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")

    def as_another(connection: Connection) -> Partitioning:
        connection.exec_driver_sql(f"SET LOCAL ROLE {role}")
        return upkeep.partitioning(connection, SHARD)

    assert await aside(hub.run, as_another) == Partitioning(1, 5, 4, 0, may_make=False)
    async with connected(hub.url) as other:
        await other.execute(f"DROP OWNED BY {role}")
        await other.execute(f"DROP ROLE {role}")
