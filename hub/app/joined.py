"""A process beside others on one PostgreSQL database: what doors and writers have in common."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib.metadata import version
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from contracts.owncodes import CODES, load_codes
from hub.app.ground import Ground, ground_on
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.sqlite import sqlite_module
from hub.errors import DatabaseAway, NeedsDatabase
from hub.metrics import Metrics
from hub.settings import Settings

REST_SECONDS: Final = 0.5


@asynccontextmanager
async def joined(
    directory: Path, *, settings: Settings, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Ground, PostgresDatabase]]:
    """The ground of such a process, once the database can be reached.

    Raises NeedsDatabase, DatabaseAddress, DatabaseUnfit or DataDirectoryNewer.
    """
    if settings.database is None:
        raise NeedsDatabase
    metrics = Metrics(version=version("guantong"), sqlite=sqlite_module().sqlite_version)
    codes = load_codes(directory / CODES)
    with closing(await _opened(settings.database.get_secret_value(), log)) as database:
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


async def rest() -> None:
    """Before the next attempt at what storage keeps from being done."""
    await asyncio.sleep(REST_SECONDS)


async def _opened(address: str, log: FilteringBoundLogger) -> PostgresDatabase:
    """The database, as soon as it can be reached: whichever of them is started first."""
    while True:
        try:
            return await asyncio.to_thread(open_postgres, address)
        except DatabaseAway as away:
            log.warning("database.away", reason=away.detail)
        await rest()
