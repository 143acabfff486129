"""The journal and the hub on PostgreSQL (fsync on), against the bare transaction over asyncpg."""

import asyncio
import gc
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import asyncpg
import uvloop

from deploy.local.postgres import PostgresServer, running
from hub.database.appending import APPENDED
from hub.database.partitions import make
from hub.database.patience import Patience
from hub.database.postgres import open_postgres
from hub.event import Accepted, Event
from tests.bench.http import over_http, prepare, pulled
from tests.bench.journal import Journal, admitted, compare, journal, rows_of
from tests.bench.latency import End, told
from tests.bench.measure import report
from tests.cluster import DOORS, WORKS, Cluster
from tests.postgres import connected
from tests.running import RunningHub, running_hub
from tests.sample import CITY, PETITION

PUBLISHERS = 64
EACH = 25
ALONE = 200
ROUNDS = 7
_CLAIM = "INSERT INTO dedup SELECT * FROM unnest($1::bigint[], $2::bigint[])"
_APPEND = f"INSERT INTO journal ({', '.join(APPENDED)}) SELECT * FROM unnest(" + (
    ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(APPENDED.values(), start=1)) + ")"
)


@dataclass
class Bare:
    """The driver of PostgreSQL: columns to `unnest`, in statements prepared once."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    position: int = 1

    async def append(self, batches: Sequence[list[Event]]) -> float:
        """As the reference promises; a transaction a batch."""
        prepared = []
        for batch in batches:
            slots, rows = rows_of(batch, self.position)
            self.position += len(batch)
            prepared.append((list(zip(*slots, strict=True)), list(zip(*rows, strict=True))))
        claim = await self.connection.prepare(_CLAIM)
        store = await self.connection.prepare(_APPEND)
        started = perf_counter()
        for claimed, stored in prepared:
            async with self.connection.transaction():
                await claim.fetch(*claimed)
                await store.fetch(*stored)
        return sum(map(len, batches)) / (perf_counter() - started)


@contextmanager
def journal_on(server: PostgresServer, name: str) -> Iterator[Journal]:
    """A journal in a new database."""
    server.create_database(name)
    with closing(open_postgres(server.url(name))) as database, journal(database) as made:
        yield made


async def singles(on: Journal, series: str) -> float:
    """Events a second of many publishers that each send one after the other."""
    events = admitted(range(PUBLISHERS * EACH), series=series)

    async def publish(mine: Sequence[Event]) -> None:
        for event in mine:
            (outcome,) = await on.backbone.append([event], atomic=False, patience=Patience(2.0))
            assert isinstance(outcome, Accepted)

    started = perf_counter()
    await asyncio.gather(*(publish(events[n::PUBLISHERS]) for n in range(PUBLISHERS)))
    return len(events) / (perf_counter() - started)


async def group_commit(plain: Journal, reference: Bare) -> bool:
    rounds = [
        (
            await singles(plain, f"g{n}"),
            await reference.append([[e] for e in admitted(range(ALONE), series=f"a{n}")]),
        )
        for n in range(ROUNDS + 1)
    ]
    return report(
        "single events of 64 publishers on PostgreSQL / bare transactions of one event",
        ours=[ours for ours, _ in rounds[1:]],
        reference=[alone for _, alone in rounds[1:]],
        goal=4.0,
        unit="events/s",
    )


async def journals(plain: Journal, fed: Journal, url: str) -> bool:
    async with connected(url) as connection:
        reference = Bare(connection)
        compared = await compare(plain, fed, reference, on=" on PostgreSQL")
        return await group_commit(plain, reference) and compared


async def through_http(publisher: str, reader: str, *doors: tuple[str, int], how: str) -> bool:
    rounds = [
        (await over_http(publisher, f"h{n}", *doors), await pulled(reader, *doors))
        for n in range(ROUNDS + 1)
    ]
    return report(
        f"pull through {how}, pages of 1,000 / the write rate in batches of 100",
        ours=[read for _, read in rounds[1:]],
        reference=[written for written, _ in rounds[1:]],
        goal=10.0,
        unit="events/s",
    )


def used(hub: RunningHub, *doors: tuple[str, int], how: str) -> bool:
    """Publish at the first door, read at the last; then all at all of them."""
    prepare(hub)
    publisher, reader = hub.token(PETITION), hub.token(CITY)
    quick = told(End(*doors[0], publisher), End(*doors[-1], reader), through=how)
    return uvloop.run(through_http(publisher, reader, *doors, how=how)) and quick


def in_one_process(server: PostgresServer, folder: Path) -> bool:
    server.create_database("hub")
    with running_hub(folder, settings={"database": server.url("hub")}) as hub:
        return used(hub, hub.address, how="one process on PostgreSQL")


def in_four_processes(server: PostgresServer, folder: Path) -> bool:
    """Two doors and two that register, of which one stands by."""
    server.create_database("cluster")
    cluster = Cluster(folder, dict.fromkeys((*DOORS, *WORKS), server.url("cluster")))
    try:
        cluster.start(DOORS[0])
        cluster.start(*DOORS[1:], *WORKS)
        cluster.writer()
        doors = [cluster.running[door].address for door in DOORS]
        return used(cluster.running[DOORS[0]], *doors, how="two doors on PostgreSQL")
    finally:
        cluster.end()


def run() -> bool:
    gc.freeze()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(folder / "server"))
        server.create_database("bare")
        with (
            closing(open_postgres(server.url("bare"))) as database,
            closing(database.writing()) as transactions,
        ):
            transactions.run(partial(make, first=1, end=2**40))
        with journal_on(server, "plain") as plain, journal_on(server, "fed") as fed:
            journaled = asyncio.run(journals(plain, fed, server.url("bare")))
        return all(
            [
                journaled,
                in_one_process(server, folder / "hub"),
                in_four_processes(server, folder / "cluster"),
            ]
        )
