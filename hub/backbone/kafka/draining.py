"""Draining the outbox: what waits there goes to the brokers in its order.

A batch that is to be registered whole is registered from the outbox itself, once all that the
brokers had before is, and what waits with it is as well; so is one that cannot be read, which is
set aside then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from hub.backbone.kafka.ends import Ends
from hub.backbone.kafka.producing import Producing
from hub.backbone.parcels import Unreadable, unpacked_events
from hub.backbone.records import Outgoing, outgoing
from hub.backbone.registering import Registering
from hub.database import intake
from hub.database.background import Background
from hub.database.intake import Waiting
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import BackboneAway, HubError, NotYetRegistered

# Without a signal the outbox is looked at so often, seconds, and so soon after a failure.
LOOKS: Final = 0.1
MOST_BATCHES: Final = 100
MOST_BYTES: Final = 4 * 1024 * 1024


class Draining:
    """Drains as long as it runs; one process does at a time, and a second does no harm."""

    def __init__(
        self,
        *,
        producing: Producing,
        ends: Ends,
        registering: Registering,
        writer: Writer,
        readers: Readers,
        partitions: int,
        background: Background,
        rest: Callable[[], Awaitable[None]],
    ) -> None:
        self._producing = producing
        self._ends = ends
        self._registering = registering
        self._writer = writer
        self._readers = readers
        self._partitions = partitions
        self._background = background
        self._rest = rest
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Batches wait."""
        self._woken.set()

    async def run(self) -> None:
        """Drain what waits and what comes, until cancelled."""
        await self._background.again("drain", self._turn, rest=self._until_woken)

    async def _turn(self) -> bool:
        self._woken.clear()
        try:
            while await self._drained():
                pass
        except HubError:
            # The brokers, or storage: it is told where it happened, and another turn comes.
            await self._rest()
        return True

    async def _drained(self) -> bool:
        """Take the first batches out of the outbox; whether there were any."""
        first = partial(intake.waiting, most=MOST_BATCHES, size=MOST_BYTES)
        waiting = await self._readers.run(first)
        if not waiting:
            return False
        records = self._records(waiting)
        if records is None:
            await self._register()
        else:
            await self._producing.deliver(records)
            numbers = [each.number for each in waiting]
            await self._writer.submit(partial(intake.remove, numbers=numbers))
        return True

    async def _register(self) -> None:
        """Register the first of what waits, once all is registered that the brokers have."""
        while True:
            # What comes later may follow on what the brokers are given from now on.
            last = await self._readers.run(partial(intake.last, most=MOST_BATCHES))
            try:
                await self._ends.passed()
            except (BackboneAway, NotYetRegistered):
                await self._rest()
            else:
                return await self._registering.register_until(last)

    def _records(self, waiting: Sequence[Waiting]) -> list[Outgoing] | None:
        """The batches' records; None where one of them is not to be produced."""
        if any(each.atomic for each in waiting):
            return None
        try:
            events = [event for each in waiting for event in unpacked_events(each.events)]
        except Unreadable:
            return None
        return [outgoing(event, partitions=self._partitions) for event in events]

    async def _until_woken(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKS):
                await self._woken.wait()
