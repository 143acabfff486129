"""The backbone of Kafka: an event is accepted when the brokers have it, and registered from there.

What cannot go there goes to the outbox, the table in which doors hand over without Kafka. While
anything waits there all of it goes there, so that no event passes an earlier one of its key.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from hub.backbone.handover import HandOver
from hub.backbone.kafka.ends import Ends
from hub.backbone.kafka.producing import Producing
from hub.backbone.records import outgoing
from hub.database import intake
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.errors import BackboneAway
from hub.event import (
    Accepted,
    Duplicate,
    Event,
    Outcome,
    Receipt,
    Rejected,
    Sent,
    receipt_unregistered,
)
from hub.journal.duplicates import is_same
from hub.journal.register import ID_REUSED, BatchRefused, Registrar


class KafkaBackbone:
    """Produces to so many `partitions` of each topic. `refused` keeps what is refused here."""

    def __init__(
        self,
        *,
        producing: Producing,
        outbox: HandOver,
        readers: Readers,
        registrar: Registrar,
        ends: Ends,
        refused: Callable[[Sequence[Outcome], str], Awaitable[None]],
        partitions: int,
    ) -> None:
        self._producing = producing
        self._outbox = outbox
        self._readers = readers
        self._registrar = registrar
        self._ends = ends
        self._refused = refused
        self._partitions = partitions

    async def append(self, events: Sequence[Event], *, atomic: bool) -> list[Outcome]:
        """As the port promises; what is accepted is registered, or refused, later."""
        found, waits = await self._readers.run(partial(self._find, events=events))
        outcomes = _outcomes(events, found)
        if atomic and any(isinstance(outcome, Rejected) for outcome in outcomes):
            raise BatchRefused(_unless_accepted(outcomes))
        if any(isinstance(outcome, Rejected) for outcome in outcomes):
            # One request has one caller.
            await self._refused(outcomes, events[0].publisher)
        new = [e for e, o in zip(events, outcomes, strict=True) if isinstance(o, Accepted)]
        if new:
            await self._carry(new, atomic=atomic, waits=waits)
        return outcomes

    async def find(self, events: Sequence[Event]) -> list[Outcome | None]:
        """As the port promises, of what is registered."""
        return await self._outbox.find(events)

    async def passed(self) -> None:
        """As the port promises."""
        await self._ends.passed()

    async def known(self, sent: Sequence[Sent]) -> list[Duplicate | None]:
        """As the port promises."""
        return await self._outbox.known(sent)

    async def _carry(self, events: Sequence[Event], *, atomic: bool, waits: bool) -> None:
        """To the brokers, or into the outbox."""
        if not atomic and not waits and not self._producing.away:
            try:
                records = [outgoing(event, partitions=self._partitions) for event in events]
                return await self._producing.produce(records)
            except BackboneAway:
                # Some of them may be there, or may yet come: registered once.
                pass
        await self._outbox.put(events, atomic=atomic)

    def _find(
        self, connection: Connection, events: Sequence[Event]
    ) -> tuple[list[Outcome | None], bool]:
        return self._registrar.find(connection, events), intake.any_waits(connection)


def _outcomes(events: Sequence[Event], found: Sequence[Outcome | None]) -> list[Outcome]:
    """What is answered: what is known, and what is the same as an earlier event of its batch."""
    first: dict[bytes, Event] = {}
    outcomes: list[Outcome] = []
    for event, known in zip(events, found, strict=True):
        earlier = first.setdefault(event.receipt, event)
        if known is not None:
            outcomes.append(known)
        elif earlier is event:
            outcomes.append(Accepted(_accepted(event)))
        elif is_same(event, earlier):
            outcomes.append(Duplicate(_accepted(earlier)))
        else:
            outcomes.append(Rejected(event.source, event.id, (ID_REUSED,)))
    return outcomes


def _accepted(event: Event) -> Receipt:
    return receipt_unregistered(event, "accepted")


def _unless_accepted(outcomes: Sequence[Outcome]) -> list[Outcome | None]:
    return [None if isinstance(outcome, Accepted) else outcome for outcome in outcomes]
