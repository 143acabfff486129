"""The backbone of Kafka: an event is accepted when the brokers have it, and registered from there.

What cannot go there goes to the outbox, the table in which doors hand over without Kafka. While
anything waits there all of it goes there, so that no event passes an earlier one of its key.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import compress
from typing import Final

from hub.backbone.handover import HandOver
from hub.backbone.kafka.ends import Ends
from hub.backbone.kafka.finding import Finding, Found, Glance
from hub.backbone.kafka.producing import Producing
from hub.backbone.kafka.watch import Watch
from hub.backbone.port import Append
from hub.backbone.records import Outgoing, outgoing
from hub.database.patience import Patience
from hub.errors import BackboneAway, NotYetRegistered
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
from hub.journal.openings import OPENING_UNKNOWN, SUBJECT_UNKNOWN
from hub.journal.register import ID_REUSED, BatchRefused
from hub.kafkametrics import Detour

_NOT_THERE: Final = frozenset({OPENING_UNKNOWN, SUBJECT_UNKNOWN})


class KafkaBackbone:
    """Produces to so many `partitions` of each topic. `refused` keeps what is refused here."""

    def __init__(
        self,
        *,
        producing: Producing,
        outbox: HandOver,
        finding: Finding,
        ends: Ends,
        refused: Callable[[Sequence[Outcome], str], Awaitable[None]],
        partitions: int,
        watch: Watch,
    ) -> None:
        self._producing = producing
        self._outbox = outbox
        self._finding = finding
        self._ends = ends
        self._refused = refused
        self._partitions = partitions
        self._watch = watch

    def expect(self, receipts: Sequence[bytes]) -> Append:
        """As the port promises; what is accepted is registered, or refused, later."""
        return partial(self._append, self._finding.glance(receipts))

    async def _append(
        self,
        glance: Awaitable[Glance],
        events: Sequence[Event],
        *,
        atomic: bool,
        patience: Patience,
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for part in [events] if atomic else _parts(events):
            # Nearly always all is new, and the database is still answering.
            records = [outgoing(event, partitions=self._partitions) for event in part]
            # Of a part after the first the glance tells nothing, since that one answers an event:
            # what came before it may wait in the outbox by now.
            found = await patience.answer(self._finding.find(part, glance))
            outcomes += await self._append_found(
                part, records, found, atomic=atomic, patience=patience
            )
        return outcomes

    async def _append_found(
        self,
        events: Sequence[Event],
        records: Sequence[Outgoing],
        found: Found,
        *,
        atomic: bool,
        patience: Patience,
    ) -> list[Outcome]:
        if any(map(_names_what_is_unknown, found.outcomes)):
            found = await self._found_after_all(events, patience, waits=found.waits)
        outcomes = _outcomes(events, found.outcomes)
        if any(isinstance(outcome, Rejected) for outcome in outcomes):
            if atomic:
                raise BatchRefused(_unless_accepted(outcomes))
            # One request has one caller.
            await patience.answer(self._refused(outcomes, events[0].publisher))
        new = [isinstance(outcome, Accepted) for outcome in outcomes]
        if any(new):
            await self._carry(
                [*compress(events, new)],
                [*compress(records, new)],
                patience,
                atomic=atomic,
                waits=found.waits,
            )
        return outcomes

    async def _found_after_all(
        self, events: Sequence[Event], patience: Patience, *, waits: bool
    ) -> Found:
        """What is found of events once those that they may answer are registered."""
        if waits:
            raise NotYetRegistered(retry_after=1)
        await patience.answer(self._ends.passed())
        return await patience.answer(self._finding.read(events))

    async def find(self, events: Sequence[Event]) -> list[Outcome | None]:
        """As the port promises, of what is registered."""
        return await self._outbox.find(events)

    async def passed(self) -> None:
        """As the port promises."""
        await self._ends.passed()

    async def known(self, sent: Sequence[Sent]) -> list[Duplicate | None]:
        """As the port promises."""
        return await self._outbox.known(sent)

    async def _carry(
        self,
        events: Sequence[Event],
        records: Sequence[Outgoing],
        patience: Patience,
        *,
        atomic: bool,
        waits: bool,
    ) -> None:
        """To the brokers, or into the outbox."""
        detour: Detour = "whole" if atomic else "waits" if waits else "away"
        if not atomic and not waits and not self._producing.away:
            try:
                return await patience.answer(self._producing.produce(records))
            except BackboneAway:
                # Some of them may be there, or may yet come: registered once.
                detour = "unacknowledged"
        self._watch.went_round(detour)
        await self._outbox.put(events, atomic=atomic, patience=patience)


def _parts(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """The events in parts, so that none stands in one part with an event that it answers.

    They may go by different topics, and the answer might be registered first.
    """
    first, receipts = 0, set[bytes]()
    for n, event in enumerate(events):
        if event.refers and receipts & {bytes.fromhex(event.opening), event.about}:
            yield events[first:n]
            first, receipts = n, set()
        receipts.add(event.receipt)
    yield events[first:]


def _names_what_is_unknown(outcome: Outcome | None) -> bool:
    """Whether an event answers one that is not registered, or is about one."""
    return isinstance(outcome, Rejected) and not _NOT_THERE.isdisjoint(outcome.faults)


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
