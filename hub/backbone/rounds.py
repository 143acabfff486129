"""A round: what doors have handed over, registered in one transaction in the order it came.

All of a round is registered and settled, or none is, so that no batch passes an earlier one that
storage kept from being registered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from hub.backbone.parcels import (
    RECEIPT_BYTES,
    UNREGISTRABLE,
    Newer,
    Unreadable,
    packed_aside,
    packed_outcomes,
    packed_refusal,
    unpacked_events,
)
from hub.database import intake
from hub.database.connection import Connection
from hub.database.intake import Aside, Refused, Settled, Waiting
from hub.database.transactions import of_the_server
from hub.database.writer import in_savepoint
from hub.errors import HubError, IntakeNewer
from hub.event import Accepted, Event, Outcome, Rejected
from hub.journal import refusals
from hub.journal.register import BatchRefused, Registrar, Registration, may_join

# Of one round: batches, and bytes of their events.
MOST_BATCHES: Final = 512
MOST_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Round:
    """What was registered, what became of each batch, in order, and which were set aside."""

    registrations: list[Registration]
    settled: list[Settled]
    aside: list[Aside]


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch that waits, under its number in the intake table."""

    number: int
    door: int
    id: int
    atomic: bool
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class _Unread:
    """A batch that cannot be read, and why not."""

    waiting: Waiting
    error: Unreadable


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch with its outcomes as its door is told them."""

    batch: _Batch
    outcomes: bytes
    registration: Registration | None = None
    refused: Sequence[Refused] = ()


@dataclass(frozen=True, slots=True)
class _Failed:
    """A batch whose registration raised what neither it nor the server explains."""

    batch: _Batch
    error: Exception


class Rounds:
    """Registers rounds on the writing thread.

    A batch that fails where others are registered is refused, so that it does not hold them up;
    `failed` is told of it. Where nothing is registered, nothing is refused either: a fault of the
    hub must not cost events that were accepted. One that cannot be read is set aside, as it is.
    One of a newer program's waits for that, and all behind it do.
    """

    def __init__(
        self,
        *,
        registrar: Registrar,
        failed: Callable[[BaseException], None],
        clock: Callable[[], int],
    ) -> None:
        self._registrar = registrar
        self._failed = failed
        self._clock = clock

    def register(self, connection: Connection, *, halved: int = 0) -> Round | None:
        """Register and settle the first of what waits; None if nothing does.

        A round `halved` so often is so much smaller, down to a batch.
        Raises Superseded, IntakeNewer, what storage raises, or what keeps all of it from being
        registered: then it all waits on.
        """
        waiting = intake.waiting(
            connection, most=max(1, MOST_BATCHES >> halved), size=MOST_BYTES >> halved
        )
        if not waiting:
            return None
        read, unread = _read(waiting)
        tried: list[_Done | _Failed] = []
        for joining, run in groupby(read, key=lambda b: may_join(b.events)):
            tried.extend(self._together(connection, list(run), joining=joining))
        failed = [each for each in tried if isinstance(each, _Failed)]
        if failed and not any(map(_has_accepted, tried)):
            raise failed[0].error
        done = [
            each if isinstance(each, _Done) else self._refuse(connection, each) for each in tried
        ]
        now = self._clock()
        settled = [Settled(each.batch.door, each.batch.id, each.outcomes, now) for each in done]
        settled += map(partial(_settled_unread, now=now), unread)
        aside = [Aside(each.waiting.number, str(each.error), now) for each in unread]
        if aside:
            self._registrar.turn(connection)
            intake.set_aside(connection, aside)
        if refused := {each.receipt: each for d in done for each in d.refused}:
            intake.refuse(connection, list(refused.values()))
        numbers = [*(batch.number for batch in read), *(batch.number for batch in aside)]
        intake.settle(connection, settled, of=numbers)
        registrations = [each.registration for each in done if each.registration is not None]
        return Round(registrations, settled, aside)

    def _together(
        self, connection: Connection, batches: Sequence[_Batch], *, joining: bool
    ) -> Iterator[_Done | _Failed]:
        """Register batches at once, or else each alone."""
        if joining and len(batches) > 1:
            events = [batch.events for batch in batches]
            together = partial(self._registrar.register_together, batches=events)
            registrations, error = in_savepoint(connection, together)
            if error is not None and _is_of_storage(error):
                raise error
            if registrations is not None:
                yield from map(self._done, batches, registrations)
                return
        for batch in batches:
            yield self._alone(connection, batch)

    def _alone(self, connection: Connection, batch: _Batch) -> _Done | _Failed:
        register = partial(self._registrar.register, events=batch.events, atomic=batch.atomic)
        registration, error = in_savepoint(connection, register)
        if registration is not None:
            return self._done(batch, registration)
        if isinstance(error, BatchRefused):
            return _Done(batch, packed_outcomes(error.outcomes, refused=True))
        if error is None or _is_of_storage(error):
            raise error or AssertionError
        return _Failed(batch, error)

    def _refuse(self, connection: Connection, failed: _Failed) -> _Done:
        """Settle a batch that alone cannot be registered."""
        batch = failed.batch
        self._failed(failed.error)
        refused = [Rejected(event.source, event.id, (UNREGISTRABLE,)) for event in batch.events]
        publisher, now = batch.events[0].publisher, self._clock()
        refusals.record(connection, refused, caller=publisher, now=now)
        told = packed_outcomes(refused, refused=batch.atomic)
        return _Done(batch, told, refused=self._refused(batch, refused))

    def _done(self, batch: _Batch, registration: Registration) -> _Done:
        told = packed_outcomes(registration.outcomes, refused=False)
        return _Done(batch, told, registration, self._refused(batch, registration.outcomes))

    def _refused(self, batch: _Batch, outcomes: Sequence[Outcome]) -> list[Refused]:
        """What is to be told of the events of a batch; of one as a whole its door waits to tell."""
        return [
            Refused(event.receipt, event.publisher, packed_refusal(event, outcome), self._clock())
            for event, outcome in zip(batch.events, outcomes, strict=True)
            if isinstance(outcome, Rejected) and not batch.atomic
        ]


def _read(waiting: Sequence[Waiting]) -> tuple[list[_Batch], list[_Unread]]:
    """The batches before the first of a newer program's, and those among them that cannot be read.

    Raises IntakeNewer when there are none of either.
    """
    read: list[_Batch] = []
    unread: list[_Unread] = []
    for each in waiting:
        try:
            events = unpacked_events(each.events)
            read.append(_Batch(each.number, each.door, each.batch, each.atomic, events))
        except Newer as newer:
            if not read and not unread:
                raise IntakeNewer(str(newer)) from newer
            break
        except Unreadable as error:
            unread.append(_Unread(each, error))
    return read, unread


def _settled_unread(unread: _Unread, *, now: int) -> Settled:
    waiting = unread.waiting
    told = packed_aside(len(waiting.receipts) // RECEIPT_BYTES, refused=waiting.atomic)
    return Settled(waiting.door, waiting.batch, told, now)


def _is_of_storage(error: Exception) -> bool:
    """Whether the error says that the whole round is to be tried again, or by another."""
    return isinstance(error, HubError | MemoryError) or of_the_server(error)


def _has_accepted(tried: _Done | _Failed) -> bool:
    """Whether something of the batch became part of the journal."""
    registration = tried.registration if isinstance(tried, _Done) else None
    return registration is not None and any(
        isinstance(outcome, Accepted) for outcome in registration.outcomes
    )
