"""Batches and what became of them as bytes, for the way between a door and the writer."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, msgpack

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

UNREGISTRABLE: Final = Fault(
    "registration_failed",
    "",
    "事件已受理，但登记时出错，未能入库；请联系运维人员查看日志",
    "the event was taken in but could not be registered: ask the hub's operators, who have the log",
)


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


_encode = msgpack.Encoder().encode
_events = msgpack.Decoder(list[Event]).decode
_parcel = msgpack.Decoder(_Parcel).decode
_refusal = msgpack.Decoder(Told).decode


def packed_events(events: Sequence[Event]) -> bytes:
    """Events as bytes."""
    return _encode(events)


def unpacked_events(packed: bytes) -> list[Event]:
    """Those events."""
    return _events(packed)


def packed_outcomes(outcomes: Sequence[Outcome | None], *, refused: bool) -> bytes:
    """What became of a batch; `refused`, if it was refused as a whole."""
    hubtime = next((o.receipt.hubtime for o in outcomes if isinstance(o, Accepted)), None)
    return _encode(_Parcel(hubtime, refused, [_told(outcome) for outcome in outcomes]))


def unpacked_outcomes(packed: bytes, events: Sequence[Event]) -> list[Outcome]:
    """What became of those events. Raises BatchRefused when they were refused as a whole."""
    parcel = _parcel(packed)
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
    return _encode(Told(receipt_unregistered(event, "refused"), rejected.faults))


def unpacked_refusal(packed: bytes) -> Told:
    """What was packed of a refusal."""
    return _refusal(packed)


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
