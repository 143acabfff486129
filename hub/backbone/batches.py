"""Batches of accepted events, registered in one transaction, however they came to the writer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from hub.backbone.parcels import UNREGISTRABLE
from hub.database.connection import Connection
from hub.database.transactions import of_the_server
from hub.database.writer import in_savepoint
from hub.errors import HubError
from hub.event import Accepted, Event, Outcome, Rejected
from hub.journal import refusals
from hub.journal.register import BatchRefused, Registrar, Registration, may_join


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one caller, in order; `origin` says to who handed them over which they are.

    With `atomic` all are to be registered or none.
    """

    origin: Any
    atomic: bool
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Done:
    """A batch, and what became of each of its events; `refused` as a whole, or what is new."""

    batch: Batch
    outcomes: Sequence[Outcome | None]
    refused: bool = False
    registration: Registration | None = None


@dataclass(frozen=True, slots=True)
class _Failed:
    """A batch whose registration raised what neither it nor the server explains."""

    batch: Batch
    error: Exception


class Batches:
    """Registers batches on the writing thread, in their order.

    A batch that fails where others are registered is refused, so that it does not hold them up;
    `failed` is told of it. Refusals are recorded, but of a batch as a whole: whoever hears of it
    does that. Where nothing is registered, nothing is refused either: a fault of the
    hub must not cost events that were accepted.
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

    def register(self, connection: Connection, batches: Sequence[Batch]) -> list[Done]:
        """What became of each batch.

        Raises Superseded, what storage raises, or what keeps all of them from being registered.
        """
        tried: list[Done | _Failed] = []
        for joining, run in groupby(batches, key=lambda b: may_join(b.events)):
            tried.extend(self._together(connection, list(run), joining=joining))
        failed = [each for each in tried if isinstance(each, _Failed)]
        if failed and not any(map(_has_accepted, tried)):
            raise failed[0].error
        return [
            each if isinstance(each, Done) else self._refuse(connection, each) for each in tried
        ]

    def _together(
        self, connection: Connection, batches: Sequence[Batch], *, joining: bool
    ) -> Iterator[Done | _Failed]:
        """Register batches at once, or else each alone."""
        if joining and len(batches) > 1:
            events = [batch.events for batch in batches]
            together = partial(self._registrar.register_together, batches=events)
            registrations, error = in_savepoint(connection, together)
            if error is not None and _is_of_storage(error):
                raise error
            if registrations is not None:
                yield from map(_done, batches, registrations)
                return
        for batch in batches:
            yield self._alone(connection, batch)

    def _alone(self, connection: Connection, batch: Batch) -> Done | _Failed:
        register = partial(self._registrar.register, events=batch.events, atomic=batch.atomic)
        registration, error = in_savepoint(connection, register)
        if registration is not None:
            return _done(batch, registration)
        if isinstance(error, BatchRefused):
            return Done(batch, error.outcomes, refused=True)
        if error is None or _is_of_storage(error):
            raise error or AssertionError
        return _Failed(batch, error)

    def _refuse(self, connection: Connection, failed: _Failed) -> Done:
        """Settle a batch that alone cannot be registered."""
        batch = failed.batch
        self._failed(failed.error)
        refused = [Rejected(event.source, event.id, (UNREGISTRABLE,)) for event in batch.events]
        if not batch.atomic:
            publisher, now = batch.events[0].publisher, self._clock()
            refusals.record(connection, refused, caller=publisher, now=now)
        return Done(batch, refused, refused=batch.atomic)


def _done(batch: Batch, registration: Registration) -> Done:
    return Done(batch, registration.outcomes, registration=registration)


def _is_of_storage(error: Exception) -> bool:
    """Whether the error says that all is to be tried again, or by another."""
    return isinstance(error, HubError | MemoryError) or of_the_server(error)


def _has_accepted(tried: Done | _Failed) -> bool:
    """Whether something of the batch became part of the journal."""
    registration = tried.registration if isinstance(tried, Done) else None
    return registration is not None and any(
        isinstance(outcome, Accepted) for outcome in registration.outcomes
    )
