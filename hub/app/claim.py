"""A process's claim to the journal: on SQLite it is alone, on PostgreSQL it takes the shard."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hub.app.ground import Ground
from hub.journal.register import ALONE
from hub.journal.writership import Writership

BEAT_SECONDS = 1.0
STANDBY_SECONDS = 0.5


def writership_of(ground: Ground) -> Writership:
    """The claim of this process, not yet made."""
    return Writership(
        ground.writer,
        name=f"{socket.gethostname()}:{os.getpid()}",
        rest=lambda: asyncio.sleep(BEAT_SECONDS),
        standing_by=lambda: asyncio.sleep(STANDBY_SECONDS),
        log=ground.log,
    )


@asynccontextmanager
async def alone(ground: Ground) -> AsyncIterator[Callable[[], int]]:
    """The epoch of whoever has the lock of a data directory."""
    ground.metrics.watch_registering(lambda: True)
    yield lambda: ALONE


@asynccontextmanager
async def claimed(ground: Ground) -> AsyncIterator[Callable[[], int]]:
    """The epoch of a process that has taken the shard, waiting for it, and takes it again."""
    writership = writership_of(ground)
    ground.metrics.watch_registering(lambda: writership.held)
    await writership.take()
    keeping = asyncio.create_task(_keep(writership))
    try:
        yield writership.epoch
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await writership.give_back()


async def _keep(writership: Writership) -> None:
    while True:
        await writership.keep()
        await writership.take()
