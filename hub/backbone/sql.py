"""The SQL backbone: admission hands the batch straight to the journal's writer."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from hub.backbone.port import Append
from hub.database.patience import Patience
from hub.database.readers import Readers
from hub.database.writer import Joint, Writer
from hub.event import Duplicate, Event, Outcome, Sent
from hub.journal.register import REGISTERING, Registrar, Registration, known, may_join

# What a journal row and its queue entry weigh beside the event's own bytes.
_OVERHEAD = 1024


class SqlBackbone:
    """Registers in the writer's next transaction: an accepted event is registered at once.

    `registered` is told of each registration once it is committed.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        readers: Readers,
        registrar: Registrar,
        registered: Callable[[Registration], None],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._registrar = registrar
        self._registered = registered

    def expect(self, receipts: Sequence[bytes]) -> Append:
        """As the port promises; whoever registers asks."""
        return self.append

    async def append(
        self, events: Sequence[Event], *, atomic: bool, patience: Patience
    ) -> list[Outcome]:
        """As the port promises."""
        weight = sum(len(event.data) + len(event.attributes) + _OVERHEAD for event in events)
        registering = self._writer.submit(
            partial(self._registrar.register, events=events, atomic=atomic),
            weight=weight,
            joint=self._joint(events),
            locks=REGISTERING,
        )
        registration = await patience.result(registering, late=self._tell)
        self._registered(registration)
        return registration.outcomes

    async def find(self, events: Sequence[Event]) -> list[Outcome | None]:
        """As the port promises."""
        return await self._readers.run(partial(self._registrar.find, events=events))

    async def passed(self) -> None:
        """At once: what waits is found in the database."""

    async def known(self, sent: Sequence[Sent]) -> list[Duplicate | None]:
        """As the port promises."""
        return await self._readers.run(partial(known, sent=sent))

    def _tell(self, registering: asyncio.Future[Registration]) -> None:
        """Its publisher has been told to come again; those who wait for events have not."""
        if not registering.cancelled() and registering.exception() is None:
            self._registered(registering.result())

    def _joint(self, events: Sequence[Event]) -> Joint | None:
        if not may_join(events):
            return None
        return Joint(self._registrar.register_together, events)
