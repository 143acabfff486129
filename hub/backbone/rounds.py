"""A round: what doors have handed over, registered in one transaction in the order it came.

All of a round is registered and settled, or none is, so that no batch passes an earlier one that
storage kept from being registered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hub.backbone.batches import Batch, Batches, Done
from hub.backbone.parcels import (
    RECEIPT_BYTES,
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
from hub.errors import IntakeNewer
from hub.event import Outcome, Rejected
from hub.journal import refusals
from hub.journal.register import BATCH_REFUSED, Registrar, Registration

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
class _Origin:
    """A batch's number in the intake table; its door, and that one's number for it; whether that
    one does not hear what becomes of it.
    """

    number: int
    door: int
    id: int
    unheard: bool


@dataclass(frozen=True, slots=True)
class _Unread:
    """A batch that cannot be read, and why not."""

    waiting: Waiting
    error: Unreadable


class Rounds:
    """Registers rounds on the writing thread.

    A batch that cannot be read is set aside, as it is. One of a newer program's waits for that, and
    all behind it do. `failed` is told as by `Batches`.
    """

    def __init__(
        self,
        *,
        registrar: Registrar,
        failed: Callable[[BaseException], None],
        clock: Callable[[], int],
    ) -> None:
        self._batches = Batches(registrar=registrar, failed=failed, clock=clock)
        self._registrar = registrar
        self._clock = clock

    def register(
        self, connection: Connection, *, halved: int = 0, until: int | None = None
    ) -> Round | None:
        """Register and settle the first of what waits; None if nothing does.

        A round `halved` so often is so much smaller, down to a batch; it does not go beyond the
        batch `until`, by its number.
        Raises Superseded, IntakeNewer, what storage raises, or what keeps all of it from being
        registered: then it all waits on.
        """
        waiting = intake.waiting(
            connection,
            most=max(1, MOST_BATCHES >> halved),
            size=MOST_BYTES >> halved,
            until=until,
        )
        if not waiting:
            return None
        read, unread = _read(waiting)
        done = self._batches.register(connection, read)
        now = self._clock()
        settled = [_settled(each, now=now) for each in done]
        settled += map(partial(_settled_unread, now=now), unread)
        aside = [Aside(each.waiting.number, str(each.error), now) for each in unread]
        if aside:
            self._registrar.turn(connection)
            intake.set_aside(connection, aside)
        refuse(connection, done, now=now)
        _record(connection, done, now=now)
        numbers = [*(batch.origin.number for batch in read), *(batch.number for batch in aside)]
        intake.settle(connection, settled, of=numbers)
        registrations = [each.registration for each in done if each.registration is not None]
        return Round(registrations, settled, aside)


def refuse(connection: Connection, done: Sequence[Done], *, now: int) -> None:
    """Keep what is to be told of refused events: their door may not have waited to tell."""
    refused = {
        event.receipt: Refused(event.receipt, event.publisher, packed_refusal(event, told), now)
        for each in done
        for event, told in zip(each.batch.events, _told(each), strict=True)
        if isinstance(told, Rejected)
    }
    if refused:
        intake.refuse(connection, list(refused.values()))


def _record(connection: Connection, done: Sequence[Done], *, now: int) -> None:
    """Record the refusals of batches as a whole that no door will hear of and record."""
    for each in done:
        if each.refused and each.batch.origin.unheard:
            publisher = each.batch.events[0].publisher
            refusals.record(connection, _told(each), caller=publisher, now=now)


def _told(done: Done) -> list[Outcome]:
    """What is told of each event, also of those that only their batch kept from being stored."""
    return [
        outcome or Rejected(event.source, event.id, (BATCH_REFUSED,))
        for event, outcome in zip(done.batch.events, done.outcomes, strict=True)
    ]


def _settled(done: Done, *, now: int) -> Settled:
    origin: _Origin = done.batch.origin
    told = packed_outcomes(done.outcomes, refused=done.refused)
    return Settled(origin.door, origin.id, told, now)


def _read(waiting: Sequence[Waiting]) -> tuple[list[Batch], list[_Unread]]:
    """The batches before the first of a newer program's, and those among them that cannot be read.

    Raises IntakeNewer when there are none of either.
    """
    read: list[Batch] = []
    unread: list[_Unread] = []
    for each in waiting:
        try:
            events = unpacked_events(each.events)
            origin = _Origin(each.number, each.door, each.batch, each.unheard)
            read.append(Batch(origin, each.atomic, events))
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
