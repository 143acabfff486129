"""A process beside others on one PostgreSQL database: what doors and writers have in common."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from contracts.owncodes import CODES, load_codes
from hub.app.brokers import Brokers
from hub.app.ground import Ground, ground_on
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.errors import KafkaMissing, NeedsDatabase
from hub.metrics import Metrics
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.app.overkafka import Kafka


@asynccontextmanager
async def joined(
    directory: Path, *, settings: Settings, metrics: Metrics, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Ground, PostgresDatabase]]:
    """The ground of such a process.

    Raises NeedsDatabase, DatabaseAway, DatabaseAddress, DatabaseUnfit or DataDirectoryNewer.
    """
    if settings.database is None:
        raise NeedsDatabase
    codes = load_codes(directory / CODES)
    address = settings.database.get_secret_value()
    with closing(await asyncio.to_thread(open_postgres, address)) as database:
        async with ground_on(
            database,
            directory,
            settings,
            codes=codes,
            metrics=metrics,
            log=log,
            records_apart=True,
        ) as ground:
            yield ground, database


def over_kafka(ground: Ground, brokers: Brokers) -> "Kafka":
    """The brokers that carry events. Raises KafkaMissing, NeedsKafka or KafkaLogin."""
    try:
        # Whoever has no Kafka needs no driver for it.
        from hub.app.overkafka import kafka_of
    except ModuleNotFoundError as absent:
        raise KafkaMissing from absent
    return kafka_of(ground, brokers)
