"""Appending batches of 1,000 to the journal, against the bare transaction on the same tables."""

import asyncio
import gc
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any, Protocol

from contracts.catalogue import load_catalogue
from contracts.contract import Contract
from contracts.envelope import Envelope, read_structured
from contracts.region import load_regions
from hub.backbone.sql import SqlBackbone
from hub.database.appending import APPENDED
from hub.database.connection import Connection
from hub.database.keys import keys_of
from hub.database.patience import Patience
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import open_sqlite, sqlite_module
from hub.database.transactions import Database
from hub.database.writer import Writer
from hub.event import Accepted, Event, Marking, receipt_of, slot_of
from hub.journal import subscribing
from hub.journal.register import Registrar, _New, _row
from hub.journal.subscriptions import Body
from hub.policy import sql as policy_sql
from hub.policy.acts import Actor
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from tests.bench.material import event, regions_of_a_country, rendered
from tests.bench.measure import report

BATCH = 1_000
BATCHES = 8
ROUNDS = 9
SUBSCRIPTIONS = 1_000


@dataclass
class Quiet:
    """An observer that only keeps errors."""

    errors: list[BaseException] = field(default_factory=list)

    def committed(self, *, works: int, seconds: float) -> None:
        """Nothing is kept."""

    def failed(self, *, works: int, error: BaseException) -> None:
        self.errors.append(error)


class Reference(Protocol):
    """The transaction alone: the driver, the tables, rows made beforehand."""

    async def append(self, batches: Sequence[list[Event]]) -> float:
        """Events a second."""
        ...


@dataclass
class Journal:
    """A journal with its writer, as the hub puts it together."""

    writer: Writer
    readers: Readers
    policies: Policies
    backbone: SqlBackbone
    watch: Quiet


@contextmanager
def journal(database: Database) -> Iterator[Journal]:
    """A journal in an opened database. No event loop may run on the caller's thread."""
    watch = Quiet()
    writer = Writer(database.writing(), capacity=1 << 30, observer=watch, clock=perf_counter)
    readers = Readers(OnThreads(database.reading, threads=2), failed=lambda _: None)
    with closing(database.reading()) as reading:
        marks = PartyMarks(reading.run(keys_of)["parties"])
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=marks,
        ceiling=Marking.internal,
    )
    registrar = Registrar(policies=policies, clock=lambda: time_ns() // 1000)
    backbone = SqlBackbone(
        writer=writer,
        readers=readers,
        registrar=registrar,
        registered=lambda registration: None,
    )
    writer.start()
    try:
        yield Journal(writer, readers, policies, backbone, watch)
    finally:
        writer.stop()
        readers.stop()


def admitted(numbers: range, *, series: str, regions: Sequence[str] = ("510104",)) -> list[Event]:
    """Events as admission hands them on."""
    contract = load_catalogue().find("petition.case_transferred", "1.0")
    assert contract is not None
    raws = rendered([event(n, region=regions[n % len(regions)], series=series) for n in numbers])
    return [_admit(raw, contract) for raw in raws]


def _admit(raw: bytes, contract: Contract) -> Event:
    envelope = read_structured(raw)
    assert isinstance(envelope, Envelope)
    attributes = envelope.attributes
    return Event(
        receipt=receipt_of(attributes.source, attributes.id),
        type=contract.type,
        version=contract.version,
        publisher="510100.petition",
        region=str(attributes.region),
        key=f"petition:{attributes.id}",
        to="",
        cc="",
        marking=Marking.internal,
        expires=None,
        attributes=envelope.encoded,
        data=envelope.data,
        source=attributes.source,
        id=attributes.id,
        correlation="",
        digest=b"\0" * 32,
    )


async def subscribe(on: Journal, regions: Sequence[str]) -> None:
    """1,000 subscriptions: three for each region, and one that nothing matches."""
    agencies = [
        {"id": f"{region}.inspection-office.u{n}", "name": f"{region}-{n}"}
        for region in regions
        for n in range(3)
    ]
    agencies.append({"id": "659012.inspection-office", "name": "apart"})
    assert len(agencies) == SUBSCRIPTIONS
    document = json.dumps({"agencies": agencies}, ensure_ascii=False)
    await on.writer.submit(
        partial(policy_sql.append_version, version=1, document=document, by="b", reason="b", now=1)
    )
    for made in agencies:
        work = partial(
            subscribing.create,
            agency=made["id"],
            body=Body(id="all", types=("petition.*",)),
            catalogue=load_catalogue(),
            regions=load_regions(),
            by=Actor(made["id"], 1),
            now=1,
            most=SUBSCRIPTIONS,
        )
        await on.writer.submit(work)


async def append(on: Journal, batches: Sequence[list[Event]]) -> float:
    """Events a second, one transaction a batch: one is under way while the next waits."""

    async def part(mine: Sequence[list[Event]]) -> None:
        for batch in mine:
            outcomes = await on.backbone.append(batch, atomic=False, patience=Patience(None))
            assert isinstance(outcomes[-1], Accepted)

    started = perf_counter()
    await asyncio.gather(part(batches[::2]), part(batches[1::2]))
    return len(batches) * BATCH / (perf_counter() - started)


def rows_of(batch: list[Event], first: int) -> tuple[list[tuple[int, int]], list[tuple[Any, ...]]]:
    """What registration writes of new events at `first` and on: dedup rows, journal rows."""
    slots = sorted((slot_of(e.receipt), first + n) for n, e in enumerate(batch))
    return slots, [_row(_New(event, 0), first + n, 1) for n, event in enumerate(batch)]


@dataclass
class Bare:
    """The driver of SQLite."""

    connection: Any
    position: int = 1

    async def append(self, batches: Sequence[list[Event]]) -> float:
        """As the reference promises."""
        prepared = [rows_of(b, self.position + n * BATCH) for n, b in enumerate(batches)]
        self.position += len(batches) * BATCH
        columns, marks = ", ".join(APPENDED), ", ".join("?" for _ in APPENDED)
        started = perf_counter()
        for slots, rows in prepared:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany("INSERT INTO dedup VALUES (?, ?)", slots)
            self.connection.executemany(f"INSERT INTO journal ({columns}) VALUES ({marks})", rows)
            self.connection.execute("COMMIT")
        return len(batches) * BATCH / (perf_counter() - started)


@contextmanager
def bare(directory: Path) -> Iterator[Bare]:
    open_sqlite(directory, readers=1).close()
    connection = sqlite_module().connect(str(directory / "hub.db"), isolation_level=None)
    for pragma in ("synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=5000"):
        connection.execute(f"PRAGMA {pragma}")
    yield Bare(connection)
    connection.close()


async def compare(plain: Journal, fed: Journal, reference: Reference, *, on: str) -> bool:
    """Rounds of batches for a journal without subscriptions, one with 1,000, and the reference."""
    regions = regions_of_a_country(SUBSCRIPTIONS // 3)
    await subscribe(fed, regions)
    figures: list[dict[str, float]] = []
    for number in range(ROUNDS + 1):
        first = number * BATCH * BATCHES
        batches = [
            admitted(range(n, n + BATCH), series=f"{number}", regions=regions)
            for n in range(first, first + BATCH * BATCHES, BATCH)
        ]
        # Whoever is first finds the events in no cache: all take turns at that.
        contenders = ["plain", "fed", "bare"]
        turn = number % len(contenders)
        rates: dict[str, float] = {}
        for name in contenders[turn:] + contenders[:turn]:
            match name:
                case "plain":
                    rates[name] = await append(plain, batches)
                case "fed":
                    rates[name] = await append(fed, batches)
                case _:
                    rates[name] = await reference.append(batches)
        figures.append(rates)
    assert not plain.watch.errors + fed.watch.errors
    assert await fed.readers.run(_fed) == 3 * BATCH * BATCHES * (ROUNDS + 1)
    # The first round warms caches and statements up.
    plains, feds, bares = (
        [rates[name] for rates in figures[1:]] for name in ("plain", "fed", "bare")
    )
    alone = report(
        f"journal append(1000){on}, no subscriptions / bare transaction",
        ours=plains,
        reference=bares,
        goal=0.9,
        unit="events/s",
    )
    matched = report(
        f"journal append(1000){on}, 1,000 subscriptions of which 3 match / bare transaction",
        ours=feds,
        reference=bares,
        goal=0.5,
        unit="events/s",
    )
    return alone and matched


def _fed(connection: Connection) -> int:
    """How many entries all feeds hold."""
    entries = connection.exec_driver_sql("SELECT sum(length(positions)) / 8 FROM feed")
    return int(entries.scalar_one())


def run() -> bool:
    # As the hub does once it is put together.
    gc.freeze()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plain, fed = (
            stack.enter_context(
                journal(stack.enter_context(closing(open_sqlite(folder / name, readers=2))))
            )
            for name in ("plain", "fed")
        )
        reference = stack.enter_context(bare(folder / "bare"))
        return asyncio.run(compare(plain, fed, reference, on=""))
