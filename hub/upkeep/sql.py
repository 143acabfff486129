"""The statements that examine a journal: where it stands, and what its rows prove."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from hub.database.connection import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a shard ends: its next free number and its last hubtime, microseconds UTC."""

    shard: int
    next_number: int
    hubtime: int


def standings(connection: Connection) -> list[Standing]:
    """Where every shard ends."""
    rows = connection.exec_driver_sql("SELECT shard, next_number, hubtime FROM shards ORDER BY 1")
    return [Standing(*row) for row in rows]


def last_position(connection: Connection, *, until: int) -> int | None:
    """The last position in the journal below `until`."""
    rows = connection.exec_driver_sql(
        "SELECT position FROM journal WHERE position < ? ORDER BY position DESC LIMIT 1", (until,)
    )
    position: int | None = rows.scalar_one_or_none()
    return position


def purged_events(connection: Connection) -> int:
    """How many events outlived their retention and were purged, ever."""
    counted: int = connection.exec_driver_sql(
        "SELECT coalesce(sum(events), 0) FROM purges"
    ).scalar_one()
    return counted


def purged_stretches(connection: Connection) -> Iterator[tuple[int, int]]:
    """Between which positions events were purged, by the first of them; some overlap."""
    rows = connection.exec_driver_sql("SELECT first, last FROM purges ORDER BY first")
    return cast(Iterator[tuple[int, int]], rows.cursor)


def first_hubtime(connection: Connection) -> int | None:
    """The time of the oldest event that is held."""
    rows = connection.exec_driver_sql("SELECT hubtime FROM journal ORDER BY position LIMIT 1")
    moment: int | None = rows.scalar_one_or_none()
    return moment


def proofs(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Every (position, digest), in order."""
    rows = connection.exec_driver_sql(
        "SELECT position, CAST(digest AS BLOB) FROM journal ORDER BY position"
    )
    return cast(Iterator[tuple[int, bytes]], rows.cursor)


class Checkable(NamedTuple):
    """What of a journal row can be proved from the row itself."""

    position: int
    receipt: bytes
    source: str
    id: str
    digest: bytes
    data: bytes
    caveats: int


def checkables(connection: Connection, positions: Sequence[int]) -> Iterator[Checkable]:
    """The rows at `positions`, in order, one at a time; in their types even if damaged."""
    rows = connection.exec_driver_sql(
        "SELECT position, CAST(receipt AS BLOB), CAST(source AS TEXT), CAST(event_id AS TEXT),"
        " CAST(digest AS BLOB), CAST(data AS BLOB), CAST(caveats AS INTEGER) FROM journal"
        " WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position",
        (json.dumps(list(positions)),),
    )
    return (Checkable(*row) for row in cast(Iterator[tuple[Any, ...]], rows.cursor))


def claims(connection: Connection, slots: Sequence[int]) -> dict[int, int]:
    """Slot → position, of those that are claimed."""
    rows = connection.exec_driver_sql(
        "SELECT slot, position FROM dedup WHERE slot IN (SELECT value FROM json_each(?))",
        (json.dumps(slots),),
    )
    return {slot: position for slot, position in rows}


def count_claims(connection: Connection) -> int:
    """How many slots are claimed."""
    counted: int = connection.exec_driver_sql("SELECT count(*) FROM dedup").scalar_one()
    return counted
