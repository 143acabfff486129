"""Where in the journal a time is."""

from bisect import bisect_left

from hub.database import appending
from hub.database.connection import Connection
from hub.event import pack
from hub.journal.register import SHARD
from hub.journal.retention import sql


def place_before(connection: Connection, hubtime: int) -> int:
    """The position just before the first entry that is held of `hubtime` or later.

    Where there is none, the newest position. Times never run backwards within a shard, so the
    place is found by halving, over gaps too.
    """
    end = pack(SHARD, appending.head(connection, SHARD).next_number)
    places = range(pack(SHARD, 1), end)

    def hubtime_from(place: int) -> int:
        entry = sql.entry_from(connection, place)
        return sql.END if entry is None else entry.hubtime

    found = bisect_left(places, hubtime, key=hubtime_from)
    entry = sql.entry_from(connection, places[found]) if found < len(places) else None
    return (end if entry is None else entry.position) - 1
