"""What is known of events before they go to the brokers, found for many requests at once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from hub.backbone.kafka.together import Together
from hub.database import intake
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.event import Event, Outcome, slot_of
from hub.journal.register import Registrar, slots_if_new

# Whether anything waits in the outbox, and which of these dedup slots are taken.
Ask = Callable[[Iterable[int]], Awaitable[tuple[bool, list[int]]]]


@dataclass(frozen=True, slots=True)
class Glance:
    """Whether anything `waits` in the outbox, and the dedup slots that are `taken`."""

    waits: bool
    taken: Collection[int]


@dataclass(frozen=True, slots=True)
class Found:
    """What would become of a request's events, None for one that would be stored; and whether
    anything `waits` in the outbox.
    """

    outcomes: Sequence[Outcome | None]
    waits: bool


class Finding:
    """Glances while events are examined, and reads where that does not tell: nearly always all is
    new, and one statement tells.
    """

    def __init__(self, *, ask: Ask, readers: Readers, registrar: Registrar) -> None:
        self._ask = ask
        self._readers = readers
        self._registrar = registrar
        self._glances = Together(self._glance)
        self._reads = Together(self._read)

    def glance(self, receipts: Sequence[bytes]) -> asyncio.Future[Glance]:
        """Begin to look whether a request's events are new. Fails as readers do."""
        return self._glances.ask(receipts)

    def read(self, events: Sequence[Event]) -> asyncio.Future[Found]:
        """What is found of a request's events by now. Fails as readers do."""
        return self._reads.ask(events)

    async def find(self, events: Sequence[Event], glance: Awaitable[Glance]) -> Found:
        """What is found of events of the request of a glance, whose own moment is enough for those
        that answer none. Raises what readers do.
        """
        slots = slots_if_new(events)
        if slots:
            told = await glance
            if slots.isdisjoint(told.taken):
                return Found([None] * len(events), told.waits)
        return await self.read(events)

    async def _glance(self, requests: Sequence[Sequence[bytes]]) -> list[Glance]:
        waits, taken = await self._ask(map(slot_of, chain.from_iterable(requests)))
        return [Glance(waits, taken)] * len(requests)

    async def _read(self, requests: Sequence[Sequence[Event]]) -> list[Found]:
        return await self._readers.run(partial(self._read_now, requests=requests))

    def _read_now(self, connection: Connection, requests: Sequence[Sequence[Event]]) -> list[Found]:
        waits = intake.any_waits(connection)
        return [Found(self._registrar.find(connection, events), waits) for events in requests]
