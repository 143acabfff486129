"""A whole hub in one process: from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from contracts.owncodes import CODES, load_codes
from hub.app.beside import beside
from hub.app.brokers import brokers_of
from hub.app.claim import alone, claimed
from hub.app.core import core_of
from hub.app.ground import ground_on, microseconds_now
from hub.app.kafkadoors import kafka_doors
from hub.app.kafkafeeds import kafka_feeds
from hub.app.parts import Hub, assemble, registering, straight
from hub.app.routes import web_side
from hub.database.opening import open_database
from hub.database.sqlite import FIRST_SAFE_SQLITE, sqlite_module
from hub.errors import NeedsParts
from hub.metrics import Metrics
from hub.settings import Settings
from hub.upkeep.admin import ensure_admin_token
from hub.web.edge import Edge


@asynccontextmanager
async def embedded(
    directory: Path, *, settings: Settings, metrics: Metrics, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Hub, Edge]]:
    """A hub in this process, and its HTTP side. The caller holds the lock of the directory.

    Raises NeedsParts where its backbone is to be Kafka, and what opening its database raises.
    """
    if settings.backbone == "kafka":
        raise NeedsParts
    sqlite = sqlite_module().sqlite_version
    codes = load_codes(directory / CODES)
    if settings.database is None and tuple(map(int, sqlite.split("."))) < FIRST_SAFE_SQLITE:
        log.warning("sqlite.old", version=sqlite, safe_from=".".join(map(str, FIRST_SAFE_SQLITE)))
    address = settings.database.get_secret_value() if settings.database else None
    opening = partial(open_database, directory, address, readers=settings.readers + 3)
    ground_of = partial(ground_on, codes=codes, metrics=metrics, log=log, records_apart=False)
    with closing(await asyncio.to_thread(opening)) as database:
        async with (
            ground_of(database, directory, settings) as ground,
            alone(ground) if address is None else claimed(ground) as epoch,
        ):
            core = await core_of(ground, epoch=epoch, tell=lambda _: None)
            await ground.writer.submit(core.registrar.load)
            brokers = brokers_of(ground)
            hub = assemble(ground, core, straight(ground, core), examine=brokers.examine)
            # Of a hub that was several processes, doors may have left something, or still run.
            intake = registering(ground, core)
            await intake.register_all()
            await ensure_admin_token(directory, hub.writer, now=microseconds_now())
            # Only now: a new token of the administrator's ended the old one.
            await hub.known.load(now=microseconds_now())
            await hub.filler.resume()
            hub.watch.begin()
            hub.purger.start()
            doors, feeds = kafka_doors(hub, brokers), kafka_feeds(hub, brokers)
            missing = brokers.missing(doors.open, feeds.open)
            works = [*brokers.works(), *doors.works(), *feeds.works()]
            if address is not None:
                works.append(intake.run())
            try:
                async with beside(*works):
                    yield (
                        hub,
                        web_side(ground, hub, missing=missing),
                    )
            finally:
                await hub.purger.stop()
                await hub.watch.stop()
                hub.doctor.stop()
                await hub.uses.stop()
