"""Purging, again and again in the background, chunk by chunk through the writer."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from hub.database import partitions
from hub.database.background import Background
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.journal.register import REMOVING, SHARD
from hub.journal.retention import sql
from hub.journal.retention.purge import (
    MOST_PURGED,
    Sweep,
    next_chunk,
    purge,
    sweeps,
    whole_until,
)
from hub.journal.retention.terms import DAY, Terms
from hub.metrics import Metrics


class Purger:
    """Removes what has outlived its retention. `pause` separates chunks, `rest` turns.

    Whatever interrupts it, a chunk is purged whole or not at all, and the next turn goes on.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        readers: Readers,
        terms: Terms,
        records_days: int,
        metrics: Metrics,
        log: FilteringBoundLogger,
        clock: Callable[[], int],
        background: Background,
        pause: Callable[[], Awaitable[None]],
        rest: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._terms = terms
        self._records_days = records_days
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._background = background
        self._pause = pause
        self._rest = rest
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Purge now, and then after each rest."""
        turns = self._background.again("purge", self.turn, rest=self._rest)
        self._task = asyncio.create_task(turns)

    async def stop(self) -> None:
        """Stop; what is purged stays purged."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def turn(self) -> bool:
        """Purge everything that is due by now; there is always another turn."""
        now = self._clock()
        for delete in (sql.delete_refusals, sql.delete_refused):
            await self._forget(delete, before=now - self._records_days * DAY)
        plan = partial(sweeps, terms=self._terms, now=now)
        for sweep in await self._readers.run(plan):
            await self._sweep(sweep, now=now)
        await self._clear(now=now)
        # Last, so that who was handed an event can be told for as long as there is the event.
        days = max(self._records_days, self._terms.longest)
        await self._forget(sql.delete_reads, before=now - days * DAY)
        return True

    async def _sweep(self, sweep: Sweep, *, now: int) -> None:
        after = sweep.after
        while after < sweep.until:
            left = Sweep(sweep.contracts, after, sweep.until)
            chunk = await self._readers.run(partial(next_chunk, sweep=left))
            remove = partial(purge, chunk=chunk, now=now)
            purged = await self._writer.submit(remove, locks=REMOVING)
            if purged.events:
                self._metrics.purged(events=purged.events, unread=purged.unread)
                events, unread = purged.events.total(), purged.unread.total()
                self._log.info("journal.purged", events=events, unread=unread)
            after = chunk.until
            await self._pause()

    async def _clear(self, *, now: int) -> None:
        """Free the disk of what is held no more: of partitions, and of rows where those stay."""
        past = await self._readers.run(partial(partitions.past, shard=SHARD))
        if past is not None:
            # Whoever has begun to read before that was asked has most often ended by now.
            await self._pause()
            if dropped := await self._writer.submit(partial(partitions.drop, past=past)):
                self._log.info("journal.dropped", partitions=dropped)
        whole = await self._readers.run(partial(whole_until, terms=self._terms, now=now))
        erase = partial(partitions.erase, shard=SHARD, beyond=whole, most=MOST_PURGED)
        while await self._writer.submit(erase):
            await self._pause()

    async def _forget(self, delete: Callable[..., int], *, before: int) -> None:
        forget = partial(delete, before=before, most=MOST_PURGED)
        while await self._writer.submit(forget):
            await self._pause()
