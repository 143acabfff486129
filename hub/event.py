"""The values that travel the way: an admitted event, its journal entry, its receipt.

These are made by the ten thousand a second, so they are msgspec structs, whose construction costs
a tenth of a frozen dataclass, and which the garbage collector need not follow, since they hold
no references in circles; everything else inside the hub is a dataclass.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from contracts.faults import Fault

SEALED: Final = b"{}"
_SHARD_BITS: Final = 48
_NUMBER: Final = (1 << _SHARD_BITS) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Marking(IntEnum):
    """`dataclassification`, in the order of the law; the last three are state secrets."""

    public = 0
    internal = 1
    mimi = 2
    jimi = 3
    juemi = 4


class Caveat(IntEnum):
    """`caveats`: how an event is to be handled beside its marking; bits of one number.

    `source_protected`: only whom it is addressed to sees more than open and internal fields.
    `no_forward`: only who is addressed or copied gets it. `sealed`: its payload is not kept.
    """

    source_protected = 1
    no_forward = 2
    sealed = 4


class Sent(Struct, frozen=True, gc=False):
    """An event as its publisher sent it, before it is asked whether it may; as in `Event`."""

    receipt: bytes
    attributes: bytes
    data: bytes
    source: str
    id: str
    digest: bytes
    caveats: int


class Event(Struct, frozen=True, gc=False):
    """An event that admission let in.

    `attributes` is the JSON object of the published attributes, `data` the payload's bytes as they
    came, `digest` the SHA-256 of `data`, `receipt` the first 16 bytes of SHA-256 of source LF id.
    `to` and `cc` are addresses, space-separated; `expires` is microseconds UTC; `parties` are
    marks (`hub.policy.parties`). `refers`: it answers an earlier event, or is about one. `opening`
    is the receipt id (hex) of the event that it answers, "" when it names none; `about` the receipt
    of the event that it is about, empty when it is about none. `data` of a sealed event is
    `SEALED`, its digest what came.
    """

    receipt: bytes
    type: str
    version: str
    publisher: str
    region: str
    key: str
    to: str
    cc: str
    marking: int
    expires: int | None
    attributes: bytes
    data: bytes
    source: str
    id: str
    correlation: str
    digest: bytes
    caveats: int = 0
    about: bytes = b""
    parties: bytes = b""
    refers: bool = False
    opening: str = ""


class Entry(Struct, frozen=True, gc=False):
    """What delivery reads of a registered event. `hubtime` is microseconds UTC.

    `origins`: the keys, space-separated, of the other cases that it comes from: that of what it
    answers or is about, and those which that came from.
    """

    position: int
    hubtime: int
    receipt: bytes
    type: str
    version: str
    publisher: str
    region: str
    key: str
    to: str
    cc: str
    audience: str
    marking: int
    expires: int | None
    caveats: int
    origins: str
    parties: bytes
    attributes: bytes
    data: bytes


class Record(Entry, frozen=True, gc=False):
    """A whole journal row."""

    source: str
    id: str
    correlation: str
    digest: bytes
    about: bytes


State = Literal["accepted", "registered", "refused"]


class Receipt(Struct, frozen=True, gc=False):
    """The hub's statement about an event; position and hubtime once it is registered."""

    id: str
    state: State
    source: str
    event_id: str
    type: str
    digest: bytes
    position: int | None
    hubtime: int | None


class Accepted(Struct, frozen=True, gc=False):
    """The event was new and is safe."""

    receipt: Receipt


class Duplicate(Struct, frozen=True, gc=False):
    """The event was known, and is the same: its first receipt."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event was refused; `source` and `id` as far as they could be read."""

    source: str | None
    id: str | None
    faults: tuple[Fault, ...]


Outcome = Accepted | Duplicate | Rejected


def receipt_for(event: Event | Record, position: int, hubtime: int) -> Receipt:
    """The receipt of an event that is registered at a position."""
    return Receipt(
        event.receipt.hex(),
        "registered",
        event.source,
        event.id,
        event.type,
        event.digest,
        position,
        hubtime,
    )


def receipt_unregistered(event: Event, state: State) -> Receipt:
    """The receipt of an event that has no position."""
    return Receipt(
        event.receipt.hex(), state, event.source, event.id, event.type, event.digest, None, None
    )


def receipt_of(source: str, event_id: str) -> bytes:
    """The 16 bytes whose hex is the receipt id of (source, id)."""
    return hashlib.sha256(f"{source}\n{event_id}".encode()).digest()[:16]


def slot_of(receipt: bytes) -> int:
    """The signed 64-bit number under which the dedup table keeps a receipt."""
    return int.from_bytes(receipt[:8], "big", signed=True)


def pack(shard: int, number: int) -> int:
    """A position as one integer: the shard above 48 bits of number, in order within a shard."""
    return (shard << _SHARD_BITS) | number


def number_of(position: int) -> int:
    """A position's number within its shard."""
    return position & _NUMBER


def shown(position: int) -> str:
    """A position as it is written outside, `<shard>-<number>`."""
    return f"{position >> _SHARD_BITS}-{position & _NUMBER}"


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


# Events of one registration share their time, and so do pages of events that came together.
@lru_cache(maxsize=1024)
def rfc3339(moment: int) -> str:
    """Microseconds UTC as RFC 3339 with `Z`."""
    text = (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
