"""The watch: tallies new events and measures silence, in the background, a little at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from hub.database.background import Background
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.journal.register import SHARD
from hub.metrics import Metrics
from hub.policy.policy import Policies
from hub.watch import sql
from hub.watch.rhythm import Rhythm
from hub.watch.silence import KEPT_HOURS, Silence

EVENTS_A_STEP: Final = 10_000
AGENCIES_A_STEP: Final = 50


class Watch:
    """One task. What it tallied stays tallied, however the process ends.

    `silence` is what it has learned of the agencies' rhythms.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        readers: Readers,
        policies: Policies,
        metrics: Metrics,
        clock: Callable[[], int],
        background: Background,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._policies = policies
        self.silence = Silence()
        self._metrics = metrics
        self._clock = clock
        self._background = background
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start watching."""
        turns = self._background.again("watch", self._turn, rest=self._pause)
        self._task = asyncio.create_task(turns)

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _turn(self) -> bool:
        """Tally and measure; what is shown of silence stays until it is measured anew."""
        while await self._tally():
            pass
        await self._measure()
        return True

    async def _tally(self) -> bool:
        """Tally one step; whether there may be more."""
        tallies, since, until = await self._readers.run(_untallied)
        if not tallies:
            return False
        await self._writer.submit(
            partial(sql.add, tallies=tallies, since=since, until=until, keep=KEPT_HOURS)
        )
        return sum(tally.events for tally in tallies) == EVENTS_A_STEP

    async def _measure(self) -> None:
        policy = await self._readers.run(self._policies.seen_by)
        now = self._clock()
        present = sorted(a.id for a in policy.registry.agencies.values() if a.takes_part(now))
        found: dict[str, Rhythm] = {}
        for start in range(0, len(present), AGENCIES_A_STEP):
            some = present[start : start + AGENCIES_A_STEP]
            found |= await self._readers.run(partial(self._rhythms, agencies=some, now=now))
        absences = await self._readers.run(partial(self.silence.absences, now=now))
        self._metrics.silence(
            {agency: (rhythm.silent, rhythm.expected) for agency, rhythm in found.items()},
            provinces=len(absences),
        )

    def _rhythms(
        self, connection: Connection, *, agencies: Sequence[str], now: int
    ) -> dict[str, Rhythm]:
        newest = sql.newest_tallies(connection, agencies, since=now // sql.HOUR)
        spoke = {agency: last for agency, last, _ in newest}
        return self.silence.rhythms(connection, spoke, now=now)


def _untallied(connection: Connection) -> tuple[list[sql.Tally], sql.Tallied, sql.Tallied]:
    since = sql.tallied(connection, SHARD)
    tallies, until = sql.untallied(connection, since, most=EVENTS_A_STEP)
    return tallies, since, until
