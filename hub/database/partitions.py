"""The journal's partitions, on PostgreSQL: statements that make them, and that take them away.

A partition holds a range of positions, which is a span of time. `shards.room` is where the ranges
end, as far as it was looked; up to `shards.purged` nothing is held, whatever stands there yet, and
the view `held` shows nothing of it. SQLite has no partitions, and there both stay 0.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy.exc import DBAPIError

from hub.database.connection import Connection, is_sqlite
from hub.database.writer import in_savepoint
from hub.event import pack

# A partition is small enough for shares of it, and what is deleted there should leave the disk.
TENDED: Final = "autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.01"
# So long readers and the writer may wait behind whoever takes a partition away.
MOST_WAITED: Final = "200ms"
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class Cut:
    """How large partitions are made: as many positions as come in `span` microseconds."""

    span: int
    least: int

    def size(self, events: int, within: int) -> int:
        """For a pace of so many in so many microseconds; a short while tells of no more."""
        return max(events * self.span // max(within, self.span), self.least)


# Twenty in five years: every statement that reads the journal locks them all. A hub that is new, or
# has few events, need not have one for each of its days.
QUARTERLY: Final = Cut(span=92 * 24 * 3600 * 1_000_000, least=10_000)


@dataclass(frozen=True, slots=True)
class Partition:
    """Positions from `first` up to, without it, `end`; `name` as SQL has it."""

    name: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Past:
    """That nothing is held up to `purged`, in every snapshot that is not older than `horizon`."""

    shard: int
    purged: int
    horizon: str


def partitions(connection: Connection, shard: int) -> list[Partition]:
    """A shard's, in order; none on SQLite."""
    if is_sqlite(connection):
        return []
    rows = connection.exec_driver_sql(
        "SELECT CAST(CAST(c.oid AS regclass) AS text), pg_get_expr(c.relpartbound, c.oid)"
        " FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = CAST('journal' AS regclass)"
    )
    # "FOR VALUES FROM ('1') TO ('10001')"
    found = [Partition(name, *map(int, re.findall(r"\d+", bounds))) for name, bounds in rows]
    of_shard = (p for p in found if pack(shard, 0) <= p.first < pack(shard + 1, 0))
    return sorted(of_shard, key=lambda partition: partition.first)


def make(connection: Connection, *, first: int, end: int) -> None:
    """Make the partition of the positions from `first` up to, without it, `end`."""
    name = f"journal_{first}"
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE journal INCLUDING ALL) WITH ({TENDED})")
    # Beside whoever reads and writes, for whom CREATE TABLE … PARTITION OF would wait.
    connection.exec_driver_sql(
        f"ALTER TABLE journal ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"
    )


def make_room(
    connection: Connection, shard: int, *, first: int, end: int, now: int, cut: Cut
) -> None:
    """Have partitions for the positions from `first` up to, without it, `end`.

    The caller has the shard stand still.
    """
    there = partitions(connection, shard)
    room = there[-1].end if there else first
    if room < end:
        begin, room = room, max(room + _next_size(connection, there, now=now, cut=cut), end)
        make(connection, first=begin, end=room)
    connection.exec_driver_sql("UPDATE shards SET room = ? WHERE shard = ?", (room, shard))


def _next_size(connection: Connection, there: Sequence[Partition], *, now: int, cut: Cut) -> int:
    """By the pace since the newest partition that began a whole span ago, or the oldest."""
    events, within = 0, 0
    for partition in reversed(there):
        began = connection.exec_driver_sql(
            "SELECT position, hubtime FROM journal WHERE position >= ? ORDER BY position LIMIT 1",
            (partition.first,),
        ).one_or_none()
        if began is not None:
            events, within = there[-1].end - began[0], now - began[1]
        if within >= cut.span:
            break
    return cut.size(events, within)


def whole_until(connection: Connection, shard: int, *, place: int, since: int) -> int:
    """The last position of the partitions that lie wholly at or below a place; 0 if none do.

    None, too, where the oldest has nothing of `since` or later: it should have gone.
    """
    there = partitions(connection, shard)
    if there and not _reaches(connection, there[0], since):
        return 0
    ends = (partition.end - 1 for partition in there)
    return max((end for end in ends if end <= place), default=0)


def _reaches(connection: Connection, partition: Partition, since: int) -> bool:
    """Whether there is an event of a time or later in a partition, held or not."""
    newest: int | None = connection.exec_driver_sql(
        "SELECT hubtime FROM journal WHERE position >= ? AND position < ?"
        " ORDER BY position DESC LIMIT 1",
        (partition.first, partition.end),
    ).scalar_one_or_none()
    return newest is not None and newest >= since


def erase(connection: Connection, shard: int, *, beyond: int, most: int) -> int:
    """Delete the first rows beyond a position that are not held any more; how many."""
    return connection.exec_driver_sql(
        "DELETE FROM journal WHERE position > ? AND position <= (SELECT max(position) FROM"
        " (SELECT position FROM journal WHERE position > ?"
        " AND position <= (SELECT purged FROM shards WHERE shard = ?)"
        " ORDER BY position LIMIT ?) AS step)",
        (beyond, beyond, shard, most),
    ).rowcount


def past(connection: Connection, shard: int) -> Past | None:
    """What tells which partitions nobody needs, if there are any."""
    there = partitions(connection, shard)
    if not there:
        return None
    purged, horizon = connection.exec_driver_sql(
        "SELECT purged, CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS xid) AS text)"
        " FROM shards WHERE shard = ?",
        (shard,),
    ).one()
    return Past(shard, purged, horizon) if there[0].end - 1 <= purged else None


_OLDER: Final = (
    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    " AND age(backend_xmin) > age(CAST(CAST(? AS text) AS xid)))"
)


def drop(connection: Connection, past: Past) -> int:
    """Detach and drop the partitions that nobody needs; how many.

    None of them while a snapshot is older, or somebody has the journal for longer than readers and
    the writer may wait behind this: later they will be gone.
    """
    if connection.exec_driver_sql(_OLDER, (past.horizon,)).scalar_one():
        return 0
    there = partitions(connection, past.shard)
    names = [partition.name for partition in there if partition.end - 1 <= past.purged]
    _, error = in_savepoint(connection, partial(_drop, names=names))
    if error is None:
        return len(names)
    if isinstance(error, DBAPIError) and _state(error) == _LOCK_NOT_AVAILABLE:
        return 0
    raise error


def _drop(connection: Connection, names: Sequence[str]) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{MOST_WAITED}'")
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE journal DETACH PARTITION {name}")
        connection.exec_driver_sql(f"DROP TABLE {name}")
    connection.exec_driver_sql("SET LOCAL lock_timeout = DEFAULT")


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
