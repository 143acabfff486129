"""What all parts of a hub stand on: storage, time, the log, the metrics."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from contracts.catalogue import load_catalogue
from contracts.owncodes import Codes
from hub.database.background import Background
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import sqlite_module
from hub.database.transactions import Database
from hub.database.watch import Outage, ReaderWatch, WriterWatch
from hub.database.writer import Writer
from hub.journal.retention.terms import Terms
from hub.metrics import Metrics
from hub.settings import Settings

# A publisher is told within so long that PostgreSQL does not answer; a disk may be slow.
PATIENCE_SECONDS: Final = 2.0


def microseconds_now() -> int:
    """The time of day, microseconds UTC."""
    return time.time_ns() // 1000


def metrics_here() -> Metrics:
    """The metrics of a process, before anything is counted."""
    return Metrics(version=version("guantong"), sqlite=sqlite_module().sqlite_version)


@dataclass(frozen=True, slots=True)
class Ground:
    """Made first, and ended last. `records` writes what was read."""

    directory: Path
    settings: Settings
    codes: Codes
    terms: Terms
    log: FilteringBoundLogger
    metrics: Metrics
    background: Background
    database: Database
    reader_watch: ReaderWatch
    writer: Writer
    records: Writer
    readers: Readers
    pages: Readers
    examinations: Readers
    lookups: Readers

    @property
    def reading(self) -> tuple[Readers, ...]:
        """All who read."""
        return self.readers, self.pages, self.examinations, self.lookups

    @property
    def patience(self) -> float | None:
        """How long publishing waits for storage, seconds; None for as long as it takes."""
        return None if self.settings.database is None else PATIENCE_SECONDS

    @property
    def asked(self) -> Readers:
        """The readers for requests, which are answered also when the database falls silent."""
        return self.readers.within(self.database.answer)


@asynccontextmanager
async def ground_on(
    database: Database,
    directory: Path,
    settings: Settings,
    *,
    codes: Codes,
    metrics: Metrics,
    log: FilteringBoundLogger,
    records_apart: bool,
) -> AsyncIterator[Ground]:
    """What a hub stands on, on an opened database, for as long as the block.

    With `records_apart` what was read is written on a connection of its own: it holds access, and
    in one transaction with what waits for the shard two processes could wait for each other.
    """
    outage = Outage(log=log, clock=time.monotonic)
    watch = ReaderWatch(log, outage)
    readers = partial(Readers, failed=watch.failed, read=watch.answered)
    threads = partial(OnThreads, database.reading)
    writers = partial(
        Writer,
        capacity=settings.queue_bytes,
        observer=WriterWatch(metrics, log, outage),
        clock=time.perf_counter,
    )
    writer = writers(database.writing())
    ground = Ground(
        directory=directory,
        settings=settings,
        codes=codes,
        terms=Terms.of(load_catalogue(), settings.retention),
        log=log,
        metrics=metrics,
        background=Background(metrics=metrics, log=log),
        database=database,
        reader_watch=watch,
        writer=writer,
        records=writers(database.writing()) if records_apart else writer,
        readers=readers(threads(threads=settings.readers)),
        pages=readers(database.pages()).within(database.answer),
        examinations=readers(threads(threads=1)),
        # A question about what was read may go through a million entries.
        lookups=readers(threads(threads=1)).within(database.answer),
    )
    metrics.watch_queue(
        works=lambda: ground.writer.depth,
        size=lambda: ground.writer.weight,
        capacity=settings.queue_bytes,
    )
    every_writer = [ground.records, writer] if records_apart else [writer]
    for each in every_writer:
        each.start()
    try:
        yield ground
    finally:
        ends = [writer.stop for writer in every_writer] + [reader.stop for reader in ground.reading]
        for end in ends:
            await asyncio.to_thread(end)
