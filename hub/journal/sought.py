"""What a receipt stands for, found at the same cost whether it is there, whoever's it is."""

from hub.database import appending
from hub.database.connection import Connection
from hub.event import Record, pack, slot_of
from hub.journal import sql
from hub.journal.register import SHARD
from hub.journal.sql import Place


def sought(connection: Connection, receipt: bytes) -> Place | None:
    """Where the event of a receipt stands; for an unknown one, where some other event does.

    Both take the same statements, none of which reads what an event says: whoever goes on with
    either place alike tells nobody by the time it takes which of them it was. The other event is
    the same each time a receipt is asked for, and any as likely. None while nothing is held.
    """
    last = appending.head(connection, SHARD).next_number - 1
    otherwise = pack(SHARD, int.from_bytes(receipt[8:], "big") % max(last, 1) + 1)
    slot = slot_of(receipt)
    while True:
        place = sql.place(connection, slot, otherwise=otherwise)
        if place is None or not place.claimed or place.receipt == receipt:
            return place
        slot += 1


def own_record(connection: Connection, receipt: bytes, publisher: str) -> Record | None:
    """The event of a receipt, if that agency has published it; only then is it read."""
    place = sought(connection, receipt)
    if place is None or place.receipt != receipt or place.publisher != publisher:
        return None
    return sql.record(connection, place.position)
