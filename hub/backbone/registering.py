"""The writer's side of the hand-over: round by round, what doors have handed over is registered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from hub.backbone.rounds import Rounds
from hub.database import intake
from hub.database.background import Background
from hub.database.intake import Aside, Settled
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import IntakeNewer, StorageFailed, Superseded
from hub.journal.register import REGISTERING, Registration

# Without a signal the table is looked at so often, seconds.
LOOKS: Final = 0.1
# As often as a round can be halved, and after how many that passed it is doubled again.
MOST_HALVED: Final = 9
PASSED: Final = 20
HOUR: Final = 3600 * 1_000_000


class Registering:
    """Registers as long as it runs. `registered` is told of each registration once it is
    committed, `settled` of what became of batches, `aside` of those that could not be read. `rest`
    follows what storage met.

    A round may be what storage does not bear: PostgreSQL ends a transaction that does not go on for
    three seconds. So the next one after a failure is half as large.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        readers: Readers,
        rounds: Rounds,
        registered: Callable[[Registration], None],
        settled: Callable[[Sequence[Settled]], None],
        aside: Callable[[Aside], None],
        background: Background,
        rest: Callable[[], Awaitable[None]],
        clock: Callable[[], int],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._rounds = rounds
        self._registered = registered
        self._settled = settled
        self._aside = aside
        self._background = background
        self._rest = rest
        self._clock = clock
        self._woken = asyncio.Event()
        self._halved = 0
        self._passed = 0

    def wake(self) -> None:
        """Batches wait."""
        self._woken.set()

    async def run(self) -> None:
        """Register what waits and what comes, until cancelled."""
        await self._background.again("register", self._turn, rest=self._until_woken)

    async def register_all(self) -> None:
        """Register everything that waits. Raises Superseded, IntakeNewer or StorageFailed."""
        while await self._round():
            pass

    async def register_until(self, number: int) -> None:
        """Register what waits, up to the batch of that number. Raises as `register_all` does."""
        while await self._round(until=number):
            pass

    async def _turn(self) -> bool:
        try:
            await self.register_all()
        except (StorageFailed, Superseded):
            # It is told where it happened, and another turn comes.
            await self._rest()
        except IntakeNewer:
            await self._rest()
            raise
        return True

    async def _round(self, *, until: int | None = None) -> bool:
        """Register a round; whether there was anything."""
        self._woken.clear()
        work = partial(self._rounds.register, halved=self._halved, until=until)
        try:
            done = await self._writer.submit(work, locks=REGISTERING)
        except StorageFailed:
            self._halved, self._passed = min(self._halved + 1, MOST_HALVED), 0
            raise
        if done is None:
            return False
        self._passed += 1
        if self._passed == PASSED:
            self._halved, self._passed = max(self._halved - 1, 0), 0
        for registration in done.registrations:
            self._registered(registration)
        for batch in done.aside:
            self._aside(batch)
        self._settled(done.settled)
        return True

    async def forget_left(self) -> None:
        """Remove what doors that are no more have left."""
        before = self._clock() - HOUR
        await self._writer.submit(partial(intake.forget_left, before=before))

    async def _until_woken(self) -> None:
        """Until a signal comes, or something is found to wait."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS):
                    await self._woken.wait()
                    return
            with suppress(StorageFailed):
                if await self._readers.run(intake.any_waits):
                    return
