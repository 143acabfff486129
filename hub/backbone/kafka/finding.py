"""What is known of events before they go to the brokers, found for many requests at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from hub.database import intake
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.event import Event, Outcome
from hub.journal.register import Registrar, slots_if_new

# Whether anything waits in the outbox, and whether any of these dedup slots is taken.
Glance = Callable[[Iterable[int]], Awaitable[tuple[bool, bool]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What would become of a request's events, None for one that would be stored; and whether
    anything `waits` in the outbox.
    """

    outcomes: Sequence[Outcome | None]
    waits: bool


class Finding:
    """One look at the database at a time: who asks meanwhile is answered by the next, so that
    nobody is told of a moment before he asked.
    """

    def __init__(self, *, glance: Glance, readers: Readers, registrar: Registrar) -> None:
        self._glance = glance
        self._readers = readers
        self._registrar = registrar
        self._asked: list[tuple[Sequence[Event], asyncio.Future[Found]]] = []
        self._looking: asyncio.Task[None] | None = None

    def find(self, events: Sequence[Event]) -> asyncio.Future[Found]:
        """What is found of a request's events. Fails as readers do."""
        found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._asked.append((events, found))
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return found

    async def _look(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                await self._answer(asked)
        finally:
            self._looking = None

    async def _answer(self, asked: Sequence[tuple[Sequence[Event], asyncio.Future[Found]]]) -> None:
        try:
            told = await self._found([events for events, _ in asked])
        except Exception as error:
            for _, found in asked:
                if not found.done():
                    found.set_exception(error)
            return
        for (_, found), each in zip(asked, told, strict=True):
            if not found.done():
                found.set_result(each)

    async def _found(self, requests: Sequence[Sequence[Event]]) -> list[Found]:
        slots = slots_if_new([*chain.from_iterable(requests)])
        if slots:
            # Nearly always all is new, and one statement tells.
            waits, known = await self._glance(slots)
            if not known:
                return [Found([None] * len(events), waits) for events in requests]
        return await self._readers.run(partial(self._read, requests=requests))

    def _read(self, connection: Connection, requests: Sequence[Sequence[Event]]) -> list[Found]:
        waits = intake.any_waits(connection)
        return [Found(self._registrar.find(connection, events), waits) for events in requests]
