"""What a publisher is told of an event: that it waits, is registered, or was refused afterwards."""

from contextlib import suppress

from contracts.faults import Fault
from hub.backbone.parcels import SET_ASIDE, Told, Unreadable, unpacked_events, unpacked_refusal
from hub.database import intake
from hub.database.connection import Connection
from hub.event import Receipt, State, receipt_unregistered
from hub.journal.register import receipt_of_record
from hub.journal.sought import own_record

_NONE: tuple[Fault, ...] = ()


def own_receipt(connection: Connection, receipt: bytes, publisher: str) -> Told | None:
    """The receipt of an event, with the faults of a refused one, if that agency has published it.

    Whether it is unknown or another's, the same is looked at.
    """
    record = own_record(connection, receipt, publisher)
    if record is not None:
        return Told(receipt_of_record(record), _NONE)
    for packed in intake.waiting_with(connection, publisher, receipt):
        try:
            events = unpacked_events(packed)
        except Unreadable:
            return Told(_bare(receipt, "accepted"), _NONE)
        for event in events:
            if event.receipt == receipt:
                return Told(receipt_unregistered(event, "accepted"), _NONE)
    told = intake.refusal(connection, publisher, receipt)
    with suppress(Unreadable):
        if told is not None:
            return unpacked_refusal(told)
    if told is not None or intake.is_aside(connection, publisher, receipt):
        return Told(_bare(receipt, "refused"), (SET_ASIDE,))
    return None


def _bare(receipt: bytes, state: State) -> Receipt:
    """A receipt where nothing else can be read."""
    return Receipt(receipt.hex(), state, "", "", "", b"", None, None)
