"""A process beside others on one PostgreSQL database: what doors and writers have in common."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from contracts.owncodes import CODES, load_codes
from hub.app.ground import Ground, ground_on
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.errors import NeedsDatabase
from hub.metrics import Metrics
from hub.settings import Settings

REST_SECONDS: Final = 0.5


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


async def rest() -> None:
    """Before the next attempt at what storage keeps from being done."""
    await asyncio.sleep(REST_SECONDS)


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Works that go on beside the block and end with it; one that fails ends the block too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
