"""Batches and what became of them as bytes, for the way between a door and the writer.

Each begins with the number of its format and a checksum. Processes of two versions of the program
may share a database for a while: whoever changes what is packed here, an `Event` above all, counts
`FORMAT` up and goes on reading what was packed before.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from zlib import crc32

from msgspec import DecodeError, Struct, msgpack

from contracts.faults import Fault
from hub.event import (
    Accepted,
    Duplicate,
    Event,
    Outcome,
    Receipt,
    Rejected,
    receipt_for,
    receipt_unregistered,
)
from hub.journal.register import BatchRefused

T = TypeVar("T")
FORMAT: Final = 1
# Of those that stand beside a batch's events, one after the other.
RECEIPT_BYTES: Final = 16
_CHECKSUM: Final = 4
UNREGISTRABLE: Final = Fault(
    "registration_failed",
    "",
    "事件已受理，但登记时出错，未能入库；请联系运维人员查看日志",
    "the event was taken in but could not be registered: ask the hub's operators, who have the log",
)
SET_ASIDE: Final = Fault(
    "set_aside",
    "",
    "事件已受理，但所存内容登记进程读不懂，已另行留存，未入库；可用原编号重发，或请运维人员处理",
    "the event was taken in, but what was kept of it cannot be read and stands apart, unregistered:"
    " send it again under the same id, or ask the hub's operators",
    retryable=True,
)


class Unreadable(Exception):
    """Bytes that are none of what is packed here; the message tells why, and nothing of them."""


class Newer(Unreadable):
    """They were packed, and are whole, but by a newer program."""


class Told(Struct, frozen=True, array_like=True):
    """What a publisher is told of an event: its receipt, and why it was refused if it was."""

    receipt: Receipt
    faults: tuple[Fault, ...]


class _Result(Struct, frozen=True, array_like=True):
    """One outcome: new at a position, else a duplicate's first receipt, else faults.

    None of them: it would have been stored, if all of its batch could have been.
    """

    position: int | None = None
    first: Receipt | None = None
    faults: tuple[Fault, ...] | None = None


class _Parcel(Struct, frozen=True, array_like=True):
    """The outcomes of a batch, in order; `hubtime` is that of the new ones."""

    hubtime: int | None
    refused: bool
    told: list[_Result]


_pack = msgpack.Encoder().encode
_events = msgpack.Decoder(list[Event]).decode
_parcel = msgpack.Decoder(_Parcel).decode
_refusal = msgpack.Decoder(Told).decode


def packed_events(events: Sequence[Event]) -> bytes:
    """Events as bytes."""
    return _sealed(events)


def unpacked_events(sealed: bytes) -> list[Event]:
    """Those events. Raises Unreadable."""
    return _opened(sealed, _events)


def packed_outcomes(outcomes: Sequence[Outcome | None], *, refused: bool) -> bytes:
    """What became of a batch; `refused`, if it was refused as a whole."""
    hubtime = next((o.receipt.hubtime for o in outcomes if isinstance(o, Accepted)), None)
    return _sealed(_Parcel(hubtime, refused, [_told(outcome) for outcome in outcomes]))


def unpacked_outcomes(sealed: bytes, events: Sequence[Event]) -> list[Outcome]:
    """What became of those events. Raises BatchRefused when they were refused as a whole, and
    Unreadable.
    """
    parcel = _opened(sealed, _parcel)
    outcomes = [
        _outcome(told, event, parcel.hubtime)
        for told, event in zip(parcel.told, events, strict=True)
    ]
    stored = [outcome for outcome in outcomes if outcome is not None]
    if parcel.refused or len(stored) != len(outcomes):
        raise BatchRefused(outcomes)
    return stored


def packed_refusal(event: Event, rejected: Rejected) -> bytes:
    """That an event was refused, and why."""
    return _sealed(Told(receipt_unregistered(event, "refused"), rejected.faults))


def unpacked_refusal(sealed: bytes) -> Told:
    """What was packed of a refusal. Raises Unreadable."""
    return _opened(sealed, _refusal)


def packed_aside(count: int, *, refused: bool) -> bytes:
    """That a batch of so many events was set aside."""
    return _sealed(_Parcel(None, refused, [_Result(faults=(SET_ASIDE,))] * count))


def _sealed(value: Any) -> bytes:
    packed = _pack(value)
    return _seal(FORMAT, packed) + packed


def _seal(format_: int, packed: bytes) -> bytes:
    head = bytes([format_])
    return head + crc32(packed, crc32(head)).to_bytes(_CHECKSUM, "big")


def _opened(sealed: bytes, decode: Callable[[bytes], T]) -> T:
    seal, packed = sealed[: 1 + _CHECKSUM], sealed[1 + _CHECKSUM :]
    if len(seal) <= _CHECKSUM or seal != _seal(seal[0], packed):
        raise Unreadable("checksum")
    if seal[0] > FORMAT:
        raise Newer(f"format {seal[0]}")
    try:
        return decode(packed)
    except (DecodeError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error


def _told(outcome: Outcome | None) -> _Result:
    match outcome:
        case Accepted(receipt):
            return _Result(position=receipt.position)
        case Duplicate(receipt):
            return _Result(first=receipt)
        case Rejected(faults=faults):
            return _Result(faults=faults)
        case None:
            return _Result()


def _outcome(told: _Result, event: Event, hubtime: int | None) -> Outcome | None:
    if told.position is not None and hubtime is not None:
        return Accepted(receipt_for(event, told.position, hubtime))
    if told.first is not None:
        return Duplicate(told.first)
    if told.faults is not None:
        return Rejected(event.source, event.id, told.faults)
    return None
