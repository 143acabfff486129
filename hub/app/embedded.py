"""A whole hub in one process: from its start to its end."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from importlib.metadata import version
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from contracts.catalogue import load_catalogue
from contracts.owncodes import CODES, Codes, load_codes
from hub.app.ground import Ground, microseconds_now
from hub.app.parts import Hub, assemble
from hub.app.routes import web_side
from hub.database.background import Background
from hub.database.keys import keys_of
from hub.database.lock import locked
from hub.database.opening import open_database
from hub.database.readers import Readers
from hub.database.sqlite import FIRST_SAFE_SQLITE, sqlite_module
from hub.database.transactions import Database
from hub.database.watch import ReaderWatch, WriterWatch
from hub.database.writer import Writer
from hub.journal.retention.terms import Terms
from hub.metrics import Metrics
from hub.settings import Settings
from hub.upkeep.entrance import HUB_URL, ensure_admin_token
from hub.web.edge import Edge
from hub.web.server import Bounds, Server


async def run(
    directory: Path,
    *,
    host: str,
    port: int,
    settings: Settings,
    log: FilteringBoundLogger,
    ready: Callable[[str], None],
) -> None:
    """Run an embedded hub on a data directory until a signal; `ready` is told its address.

    Raises DataDirectoryInUse, DataDirectoryNewer, DataDirectoryDamaged, or OSError for an address
    that cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with locked(directory), socket.create_server((host, port), family=family) as listener:
        async with embedded(directory, settings=settings, log=log) as (hub, web):
            await ensure_admin_token(directory, hub.writer, now=microseconds_now())
            # Only now: a new token of the administrator's ended the old one.
            await hub.known.load(now=microseconds_now())
            # Contracts, regions and routes live as long as the process: nothing to collect there.
            gc.freeze()
            server = Server(
                web,
                doors=web.doors,
                bounds=Bounds(
                    head=settings.head_seconds,
                    body=settings.body_seconds,
                    connections=settings.max_connections,
                    of_one_address=settings.max_connections_per_address,
                    stop=settings.stop_seconds,
                ),
                ready=partial(_say_ready, directory, host, ready),
                stopping=hub.pull.stop,
                stopped=hub.filler.stop,
                metrics=hub.metrics,
            )
            try:
                await server.serve(sockets=[listener])
            finally:
                (directory / HUB_URL).unlink(missing_ok=True)
    log.info("hub.stopped")


@asynccontextmanager
async def embedded(
    directory: Path, *, settings: Settings, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Hub, Edge]]:
    """A hub in this process, and its HTTP side. The caller holds the lock of the directory."""
    sqlite = sqlite_module().sqlite_version
    metrics = Metrics(version=version("guantong"), sqlite=sqlite)
    codes = load_codes(directory / CODES)
    if settings.database is None and tuple(map(int, sqlite.split("."))) < FIRST_SAFE_SQLITE:
        log.warning("sqlite.old", version=sqlite, safe_from=".".join(map(str, FIRST_SAFE_SQLITE)))
    address = settings.database.get_secret_value() if settings.database else None
    opening = partial(open_database, directory, address, readers=settings.readers + 3)
    with closing(await asyncio.to_thread(opening)) as database:
        ground = _ground(database, directory, settings, codes=codes, metrics=metrics, log=log)
        ground.writer.start()
        try:
            hub = await assemble(ground, await ground.readers.run(keys_of))
            await hub.filler.resume()
            hub.watch.begin()
            hub.purger.start()
            try:
                yield hub, web_side(ground, hub)
            finally:
                await hub.purger.stop()
                await hub.watch.stop()
                hub.doctor.stop()
                await hub.uses.stop()
        finally:
            for stop in (
                ground.writer.stop,
                ground.readers.stop,
                ground.pages.stop,
                ground.examinations.stop,
                ground.lookups.stop,
            ):
                await asyncio.to_thread(stop)


def _ground(
    database: Database,
    directory: Path,
    settings: Settings,
    *,
    codes: Codes,
    metrics: Metrics,
    log: FilteringBoundLogger,
) -> Ground:
    """What a hub stands on, on an opened database."""
    readers = partial(Readers, database.reading, failed=ReaderWatch(log).failed)
    ground = Ground(
        directory=directory,
        settings=settings,
        codes=codes,
        terms=Terms.of(load_catalogue(), settings.retention),
        log=log,
        metrics=metrics,
        background=Background(metrics=metrics, log=log),
        database=database,
        writer=Writer(
            database.writing(),
            capacity=settings.queue_bytes,
            observer=WriterWatch(metrics, log),
            clock=time.perf_counter,
        ),
        readers=readers(threads=settings.readers),
        # The interpreter lock changes hands at each row: several threads that read pages of
        # a thousand rows get half of what one gets.
        pages=readers(threads=1),
        examinations=readers(threads=1),
        # A question about what was read may go through a million entries.
        lookups=readers(threads=1),
    )
    metrics.watch_queue(
        works=lambda: ground.writer.depth,
        size=lambda: ground.writer.weight,
        capacity=settings.queue_bytes,
    )
    return ground


def _say_ready(directory: Path, host: str, ready: Callable[[str], None], port: int) -> None:
    url = f"http://{host}:{port}"
    (directory / HUB_URL).write_text(url + "\n")
    ready(url)
