"""A process's claim to the journal: on SQLite it is alone, on PostgreSQL it takes the shard.

`up` hears nothing of what other processes change, so there it is alone too, or does not start.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hub.app.ground import Ground
from hub.database import shards
from hub.database.connection import Connection
from hub.errors import DatabaseNotAlone
from hub.journal.register import ALONE, SHARD
from hub.journal.writership import SILENCE, Writership

BEAT_SECONDS = 1.0
STANDBY_SECONDS = 0.5
# Before the name of a process that is alone on a database.
_ALONE = "up "
# How often it is looked who else is there: one that was killed is silent, but not at once.
_LOOKS = 8


def writership_of(ground: Ground, *, kind: str = "") -> Writership:
    """The claim of this process, not yet made."""
    return Writership(
        ground.writer,
        name=f"{kind}{socket.gethostname()}:{os.getpid()}",
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
    """The epoch of the one process on a database, which has taken the shard and takes it again.

    Raises DatabaseNotAlone where there are others.
    """
    writership = writership_of(ground, kind=_ALONE)
    ground.metrics.watch_registering(lambda: writership.held)
    await _unless(ground, _any_other)
    await writership.take()
    keeping = asyncio.create_task(_keep(writership))
    try:
        yield writership.epoch
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await writership.give_back()


async def among_others(ground: Ground) -> None:
    """Raise DatabaseNotAlone where a process has the database for itself."""
    await _unless(ground, _one_alone)


async def _unless(ground: Ground, found: Callable[[Connection], str]) -> None:
    """Raise DatabaseNotAlone, naming who is found for longer than the dead may be."""
    for _ in range(_LOOKS):
        who = await ground.readers.run(found)
        if not who:
            return
        await asyncio.sleep(STANDBY_SECONDS)
    raise DatabaseNotAlone(who)


def _any_other(connection: Connection) -> str:
    # Whoever has one machine needs no driver for another.
    from hub.database.signals import others_listen

    # Whoever has such a connection serves, or works.
    listening = "serve / work" if others_listen(connection) else ""
    return shards.holder(connection, SHARD, silence=SILENCE) or listening


def _one_alone(connection: Connection) -> str:
    holder = shards.holder(connection, SHARD, silence=SILENCE)
    return holder if holder.startswith(_ALONE) else ""


async def _keep(writership: Writership) -> None:
    while True:
        await writership.keep()
        await writership.take()
