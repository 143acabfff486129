"""The hand-over: a door puts a batch into the intake table, and the shard's writer registers it.

The door's commit makes the batch durable. It then waits a little for what became of it, so that
nearly every answer says what the SQL backbone's would.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Final

from hub.backbone.parcels import Unreadable, packed_events, unpacked_outcomes
from hub.backbone.port import Append
from hub.database import intake
from hub.database.background import Background
from hub.database.connection import Connection
from hub.database.intake import Handed
from hub.database.patience import Patience
from hub.database.readers import Readers
from hub.database.writer import Joint, Writer
from hub.errors import Overloaded, StorageFailed
from hub.event import Accepted, Duplicate, Event, Outcome, Sent, receipt_unregistered
from hub.journal.register import Registrar, known

# What an intake row and its queue entry weigh beside the events' own bytes.
_OVERHEAD: Final = 1024
# What may wait to be registered, in all: then publishers are told to wait.
MOST_WAITING: Final = 256 * 1024 * 1024
# Without a signal it is looked so often what became of batches, seconds; where nobody waits, less.
LOOKS: Final = 0.1
LOOKS_AT_REST: Final = 1.0
REMOVED_AT_ONCE: Final = 100


class HandOver:
    """Hands batches to the writer's process. `door` is a number that no other process has had.

    An event that is not registered before patience ends is answered `accepted`: it is safe, and
    will be registered, or refused with a reason. A batch that must be stored as a whole is answered
    only when it is. `handed` is told when a batch waits, `weighed` how many bytes do.
    """

    def __init__(
        self,
        *,
        door: int,
        writer: Writer,
        readers: Readers,
        registrar: Registrar,
        handed: Callable[[], None],
        weighed: Callable[[int], None],
        background: Background,
        clock: Callable[[], int],
    ) -> None:
        self._door = door
        self._writer = writer
        self._readers = readers
        self._registrar = registrar
        self._handed = handed
        self._weighed = weighed
        self._background = background
        self._clock = clock
        self._batches = count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        # Up to which batch it is known what became of them, and up to which that is removed.
        self._read = 0
        self._removed = 0
        self._full = False
        self._told = asyncio.Event()

    def expect(self, receipts: Sequence[bytes]) -> Append:
        """As the port promises; whoever registers asks."""
        return self.append

    async def append(
        self, events: Sequence[Event], *, atomic: bool, patience: Patience
    ) -> list[Outcome]:
        """As the port promises."""
        if self._full:
            raise Overloaded(retry_after=1)
        batch = next(self._batches)
        outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        handed = self._submit(batch, events, atomic=intake.WHOLE if atomic else intake.EACH)
        self._waiting[batch] = outcome
        try:
            await patience.result(handed, late=_ignore)
            self._handed()
            await patience.sees(outcome)
        finally:
            del self._waiting[batch]
        # What a newer writer tells, this door may not understand; the events' receipts do.
        with suppress(Unreadable):
            if outcome.done():
                return unpacked_outcomes(outcome.result(), events)
        if atomic:
            # Sent again, it is known, or waits for its turn.
            raise StorageFailed(retry_after=1)
        return [Accepted(receipt_unregistered(event, "accepted")) for event in events]

    async def put(self, events: Sequence[Event], *, atomic: bool, patience: Patience) -> None:
        """Have a batch wait in the table, whatever becomes of it. Raises as `append` does."""
        if self._full:
            raise Overloaded(retry_after=1)
        how = intake.UNHEARD if atomic else intake.EACH
        handed = self._submit(next(self._batches), events, atomic=how)
        await patience.result(handed, late=_ignore)
        self._handed()

    async def find(self, events: Sequence[Event]) -> list[Outcome | None]:
        """As the port promises, of what is registered."""
        return await self._readers.run(partial(self._registrar.find, events=events))

    async def passed(self) -> None:
        """At once: what waits is found in the database."""

    async def known(self, sent: Sequence[Sent]) -> list[Duplicate | None]:
        """As the port promises."""
        return await self._readers.run(partial(known, sent=sent))

    def settled(self, batches: Sequence[tuple[int, bytes]]) -> None:
        """Tell those who wait what became of batches of this door, which are in their order."""
        self._tell(batches)
        newest = max([self._read, *(batch for batch, _ in batches)])
        if any(batch < newest and not o.done() for batch, o in self._waiting.items()):
            # News of an earlier one has not come.
            self.look()
        else:
            self._read = newest

    def look(self) -> None:
        """Look what became of batches: news may have been lost."""
        self._told.set()

    async def run(self) -> None:
        """Look whenever it is time, until cancelled."""
        await self._background.again("settle", self._look, rest=self._until_told)

    async def _look(self) -> bool:
        self._told.clear()
        settled = partial(intake.settled, door=self._door, after=self._read)
        found = await self._readers.run(settled)
        self._tell(found)
        self._read = max([self._read, *(batch for batch, _ in found[-1:])])
        return True

    def _tell(self, batches: Sequence[tuple[int, bytes]]) -> None:
        for number, outcomes in batches:
            outcome = self._waiting.get(number)
            if outcome is not None and not outcome.done():
                outcome.set_result(outcomes)

    async def _until_told(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKS if self._waiting else LOOKS_AT_REST):
                await self._told.wait()

    async def weigh(self) -> bool:
        """A turn in the background: see whether too much waits for more to be taken in."""
        waiting = await self._readers.run(intake.weight)
        self._full = waiting > MOST_WAITING
        self._weighed(waiting)
        return True

    def _submit(self, batch: int, events: Sequence[Event], *, atomic: int) -> asyncio.Future[None]:
        """Have the batch committed. Raises Overloaded or Stopping."""
        weight = sum(len(event.data) + len(event.attributes) + _OVERHEAD for event in events)
        handed = Handed(
            door=self._door,
            batch=batch,
            atomic=atomic,
            # One request has one caller.
            publisher=events[0].publisher,
            events=packed_events(events),
            receipts=b"".join(event.receipt for event in events),
            weight=weight,
            at=self._clock(),
        )
        return self._writer.submit(
            partial(self._hand_over, handed=handed),
            weight=weight,
            joint=Joint(self._hand_over_together, handed),
        )

    def _hand_over(self, connection: Connection, handed: Handed) -> None:
        self._hand_over_together(connection, [handed])

    def _hand_over_together(
        self, connection: Connection, batches: Sequence[Handed]
    ) -> Sequence[None]:
        intake.hand_over(connection, batches)
        read = self._read
        if read - self._removed >= REMOVED_AT_ONCE:
            # Undone with its transaction, it is left for the writer to remove.
            intake.forget_settled(connection, self._door, until=read)
            self._removed = read
        return [None] * len(batches)


def _ignore(handed: asyncio.Future[None]) -> None:
    """Nobody waits any more; what storage met is the writer's to tell."""
    if not handed.cancelled():
        handed.exception()
