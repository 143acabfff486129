"""Stretches of the backbone's topics, registered in one transaction with how far they go.

So whatever a process reads again, or two read at once, is registered once and in its order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import msgspec

from hub.backbone.batches import Batch, Batches
from hub.backbone.parcels import Newer, Unreadable
from hub.backbone.records import Record, event_of
from hub.backbone.rounds import refuse
from hub.database import offsets
from hub.database.connection import Connection
from hub.database.offsets import Lane, Move, Unread
from hub.errors import IntakeNewer
from hub.event import Event
from hub.journal.register import SMALL, Registrar, Registration

_packed = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records of a lane that follow each other, the first of them at `next` or behind it.

    `next` is what its reader knows of how far the lane is registered.
    """

    lane: Lane
    next: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Stretched:
    """What was registered, how far each lane is now, and which records could not be read."""

    registrations: list[Registration]
    next: dict[Lane, int]
    unread: list[Unread]


class Behind(Exception):
    """A lane does not stand where its reader thought: others have read it."""


class Stretches:
    """Registers stretches on the writing thread. `failed` is told as by `Batches`."""

    def __init__(
        self,
        *,
        registrar: Registrar,
        failed: Callable[[BaseException], None],
        clock: Callable[[], int],
    ) -> None:
        self._batches = Batches(registrar=registrar, failed=failed, clock=clock)
        self._clock = clock

    def register(self, connection: Connection, stretches: Sequence[Stretch]) -> Stretched:
        """Register some stretches, of different lanes.

        What cannot be read is kept apart. A record of a newer program's waits for that, and those
        behind it in its lane do.
        Raises Behind, Superseded, IntakeNewer, what storage raises, or what keeps all of them from
        being registered; nothing is done then.
        """
        now = self._clock()
        read = [_read(stretch, now=now) for stretch in stretches]
        moves = [Move(*each.lane, each.before, each.after) for each in read]
        if not offsets.move(connection, sorted(moves, key=attrgetter("topic", "partition"))):
            raise Behind
        done = self._batches.register(connection, [b for each in read for b in _batches(each)])
        refuse(connection, done, now=now)
        unread = [u for each in read for u in each.unread]
        if unread:
            offsets.keep_unread(connection, unread)
        return Stretched(
            [each.registration for each in done if each.registration is not None],
            {each.lane: each.after for each in read},
            unread,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    lane: Lane
    before: int
    after: int
    events: Sequence[Event]
    unread: Sequence[Unread]


def _read(stretch: Stretch, *, now: int) -> _Read:
    """The events of a stretch, up to the first of a newer program's. Raises IntakeNewer."""
    events: list[Event] = []
    unread: list[Unread] = []
    after = stretch.next
    for record in stretch.records:
        try:
            events.append(event_of(record))
        except Newer as newer:
            if after == stretch.next:
                raise IntakeNewer(str(newer)) from newer
            break
        except Unreadable as error:
            unread.append(_unread(stretch.lane, record, str(error), now))
        after = record.offset + 1
    return _Read(stretch.lane, stretch.next, after, events, unread)


def _unread(lane: Lane, record: Record, reason: str, now: int) -> Unread:
    headers = _packed([(name, value) for name, value in record.headers or ()])
    return Unread(*lane, record.offset, record.key, headers, record.value, reason, now)


def _batches(read: _Read) -> Iterator[Batch]:
    """Its events in batches of one publisher each, and small enough to be registered at once."""
    for _, own in groupby(read.events, key=attrgetter("publisher")):
        events = list(own)
        for first in range(0, len(events), SMALL):
            yield Batch(read.lane, False, events[first : first + SMALL])
