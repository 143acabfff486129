"""The statements that examine a journal: where it stands, and what its rows prove."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from hub.database.connection import (
    PART_OF_EVENTS,
    STREAMED,
    Connection,
    Spoken,
    at,
    numbers,
    plain,
    spoken,
)
from hub.database.partitions import partitions
from hub.event import pack

# A backup may be older than the view; SQLite's shows the whole table.
_HELD: Final[Spoken] = {"sqlite": "journal", "postgresql": "held"}


@dataclass(frozen=True, slots=True)
class ServerState:
    """What PostgreSQL tells anybody of itself; `durable` are settings that promises rest on."""

    version: str
    durable: Mapping[str, str]
    checksums: bool
    connections: int
    most_connections: int
    archives: bool
    archive_failed: bool
    replicas: int
    oldest_transaction: int
    vacuums: bool


def server_state(connection: Connection) -> ServerState:
    """Of a PostgreSQL server."""
    row = connection.exec_driver_sql(
        "SELECT current_setting('server_version'), current_setting('fsync'),"
        " current_setting('synchronous_commit'), current_setting('full_page_writes'),"
        " current_setting('data_checksums') = 'on',"
        " (SELECT sum(numbackends) FROM pg_stat_database),"
        " current_setting('max_connections')::int, current_setting('archive_mode') <> 'off',"
        " (SELECT coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL)"
        "  FROM pg_stat_archiver),"
        " (SELECT count(*) FROM pg_stat_replication),"
        " (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()),"
        " current_setting('autovacuum') = 'on'"
    ).one()
    durable = dict(zip(("fsync", "synchronous_commit", "full_page_writes"), row[1:4], strict=True))
    return ServerState(row[0], durable, row[4], int(row[5]), *row[6:])


@dataclass(frozen=True, slots=True)
class Partitioning:
    """The journal's partitions: how many, and positions that are left in the newest.

    `hidden` are at most so many events that were purged and wait for their partition to go,
    `past` the partitions that could. `may_make`: that the account may make another.
    """

    count: int
    left: int
    hidden: int
    past: int
    may_make: bool


def partitioning(connection: Connection, shard: int) -> Partitioning:
    """Of a shard, on PostgreSQL."""
    there = partitions(connection, shard)
    number, purged, may_make = connection.exec_driver_sql(
        "SELECT next_number, purged, has_schema_privilege(c.relnamespace, 'CREATE')"
        " AND pg_has_role(c.relowner, 'USAGE') FROM shards, pg_class AS c"
        " WHERE shard = ? AND c.oid = CAST('journal' AS regclass)",
        (shard,),
    ).one()
    return Partitioning(
        count=len(there),
        left=there[-1].end - pack(shard, number) if there else 0,
        hidden=max(0, purged + 1 - there[0].first) if there else 0,
        past=sum(partition.end - 1 <= purged for partition in there),
        may_make=may_make,
    )


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
        f"SELECT position FROM {spoken(connection, _HELD)} WHERE position < ?"
        " ORDER BY position DESC LIMIT 1",
        (until,),
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
    rows = connection.exec_driver_sql(
        "SELECT first, last FROM purges ORDER BY first", execution_options=STREAMED
    )
    return plain(rows)


def first_hubtime(connection: Connection) -> int | None:
    """The time of the oldest event that is held."""
    rows = connection.exec_driver_sql(
        f"SELECT hubtime FROM {spoken(connection, _HELD)} ORDER BY position LIMIT 1"
    )
    moment: int | None = rows.scalar_one_or_none()
    return moment


_PROOFS: Final[Spoken] = {
    "sqlite": "SELECT position, CAST(digest AS BLOB) FROM journal ORDER BY position",
    "postgresql": "SELECT position, digest FROM held ORDER BY position",
}


def proofs(connection: Connection) -> Iterator[tuple[int, bytes]]:
    """Every (position, digest), in order."""
    rows = connection.exec_driver_sql(spoken(connection, _PROOFS), execution_options=STREAMED)
    return plain(rows)


class Checkable(NamedTuple):
    """What of a journal row can be proved from the row itself."""

    position: int
    receipt: bytes
    source: str
    id: str
    digest: bytes
    data: bytes
    caveats: int


_CHECKABLES: Final[Spoken] = {
    "sqlite": "SELECT position, CAST(receipt AS BLOB), CAST(source AS TEXT),"
    " CAST(event_id AS TEXT), CAST(digest AS BLOB), CAST(data AS BLOB), CAST(caveats AS INTEGER)"
    " FROM journal WHERE {there} ORDER BY position",
    "postgresql": "SELECT position, receipt, source, event_id, digest, data, caveats"
    " FROM held WHERE {there} ORDER BY position",
}


def checkables(connection: Connection, positions: Sequence[int]) -> Iterator[Checkable]:
    """The rows at `positions`, in order, one at a time; in their types even if damaged."""
    there, values = at(connection, positions)
    rows = connection.exec_driver_sql(
        spoken(connection, _CHECKABLES).format(there=there),
        values,
        execution_options=STREAMED,
    )
    return (Checkable(*row) for row in plain(rows, part=PART_OF_EVENTS))


def claims(connection: Connection, slots: Sequence[int]) -> dict[int, int]:
    """Slot → position, of those that are claimed."""
    those = numbers(connection, slots)
    rows = connection.exec_driver_sql(
        f"SELECT slot, position FROM dedup WHERE slot {those.among}",
        (those.values,),
    )
    return {slot: position for slot, position in rows}


def count_claims(connection: Connection) -> int:
    """How many slots are claimed."""
    counted: int = connection.exec_driver_sql("SELECT count(*) FROM dedup").scalar_one()
    return counted
