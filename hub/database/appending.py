"""How the journal grows: where a shard stands, and the statements that append to it.

Their cost is the journal's cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.database.connection import Connection, copy_in, fetched, is_sqlite, numbers, rows_of
from hub.database.partitions import QUARTERLY, Cut, make_room
from hub.database.shards import THIS_MOMENT
from hub.errors import StorageFailed


@dataclass(frozen=True, slots=True)
class Head:
    """Where a shard stands, whose it is, and how new what is held in memory must be."""

    shard: int
    next_number: int
    hubtime: int
    epoch: int
    room: int
    subscriptions_revision: int
    policy: tuple[int, int]


_HEAD: Final = (
    "SELECT next_number, hubtime, epoch, room,"
    " (SELECT revision FROM revisions WHERE name = 'subscriptions'), version, changed_at"
    " FROM shards, policies WHERE shard = ? ORDER BY version DESC LIMIT 1"
)


def head(connection: Connection, shard: int) -> Head:
    """One statement, since every registration asks it."""
    (row,) = fetched(connection, _HEAD, (shard,))
    next_number, hubtime, epoch, room, revision, *policy = row
    return Head(shard, next_number, hubtime, epoch, room, revision, tuple(policy))


_TAKE_TURN: Final = "SELECT 1 FROM shards WHERE shard = ? FOR UPDATE"


def take_turn(connection: Connection, shard: int) -> None:
    """Have the shard's head, and whose feeds it fills, stand still until this transaction ends.

    SQLite has one writing transaction at a time anyway.
    """
    if not is_sqlite(connection):
        connection.exec_driver_sql(_TAKE_TURN, (shard,))


_COLUMNS: Final = (
    "position bigint, hubtime bigint, audience text, origins text, parties bytea, receipt bytea, "
    "type text, version text, publisher text, region text, key text, addressed_to text, "
    "copied_to text, marking smallint, expires bigint, attributes bytea, data bytea, source text, "
    "event_id text, correlation text, digest bytea, caveats smallint, about bytea"
)
APPENDED: Final = dict(column.split() for column in _COLUMNS.split(", "))
_MOVE_HERE: Final = (
    "UPDATE shards SET next_number = ?, hubtime = ?"
    " WHERE shard = ? AND next_number = ? AND epoch = ?"
)
# Whoever registers is alive: who waits to take over sees it by the same row.
_MOVE_THERE: Final = (
    "UPDATE shards SET next_number = ?, hubtime = ?,"
    f" beat = {THIS_MOMENT} WHERE shard = ? AND next_number = ? AND epoch = ?"
)
_CLAIM_HERE: Final = "INSERT OR IGNORE INTO dedup (slot, position) VALUES (?, ?)"
_APPEND_HERE: Final = (
    f"INSERT INTO journal ({', '.join(APPENDED)}) VALUES ({', '.join('?' for _ in APPENDED)})"
)
_CLAIMED: Final = (
    "WITH claimed AS (INSERT INTO dedup (slot, position)"
    " SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))"
    " ON CONFLICT DO NOTHING RETURNING slot),"
    " free AS (SELECT count(*) = ? AS all_are FROM claimed),"
    f" moved AS ({_MOVE_THERE} AND (SELECT all_are FROM free) RETURNING shard)"
)
_WHETHER: Final = "SELECT all_are, EXISTS (SELECT 1 FROM moved) FROM free"
_CLAIM_THERE: Final = f"{_CLAIMED} {_WHETHER}"
# All at once: what a statement costs on its way is what a lone event costs.
_APPEND_THERE: Final = (
    f"{_CLAIMED}, stored AS (INSERT INTO journal ({', '.join(APPENDED)})"
    f" SELECT new.* FROM unnest({', '.join(f'CAST(? AS {t}[])' for t in APPENDED.values())})"
    f" AS new, moved) {_WHETHER}"
)
# From so many rows on COPY is quicker, which is one statement more.
COPIED: Final = 50


def append(
    connection: Connection,
    head: Head,
    slots: list[tuple[int, int]],
    rows: list[tuple[Any, ...]],
    *,
    hubtime: int,
    cut: Cut = QUARTERLY,
) -> bool:
    """Claim the dedup slots of journal rows, insert these, and move the shard on from `head`.

    Nothing of it is done, and False returned, unless all slots were free. `slots` are pairs of slot
    and position, sorted; a row is position, hubtime, what is taken over (audience, origins) and
    parties, then the first fields of Event. Where they have no partition, one is made as `cut`
    tells. Raises StorageFailed if the shard has moved from exactly what was read.
    """
    to, from_ = (head.next_number + len(rows), hubtime), (head.shard, head.next_number, head.epoch)
    if is_sqlite(connection):
        free = connection.exec_driver_sql(_CLAIM_HERE, slots).rowcount == len(rows)
        moved = free and connection.exec_driver_sql(_MOVE_HERE, (*to, *from_)).rowcount == 1
        if moved:
            connection.exec_driver_sql(_APPEND_HERE, rows)
    else:
        if (end := rows[-1][0] + 1) > head.room:
            make_room(connection, head.shard, first=rows[0][0], end=end, now=hubtime, cut=cut)
        copied = len(rows) >= COPIED
        statement = _CLAIM_THERE if copied else _APPEND_THERE
        values = (*rows_of(connection, slots), len(rows), *to, *from_)
        values += () if copied else rows_of(connection, rows)
        free, moved = connection.exec_driver_sql(statement, values).one()
        if copied and moved:
            copy_in(connection, "journal", APPENDED, rows)
    if not free:
        _unclaim(connection, [slot for slot, _ in slots], since=rows[0][0])
    elif not moved:
        raise StorageFailed("another writer moved the shard")
    return free


def _unclaim(connection: Connection, slots: Sequence[int], *, since: int) -> None:
    """Take back the pairs that this transaction inserted, at `since` and later."""
    those = numbers(connection, slots)
    connection.exec_driver_sql(
        f"DELETE FROM dedup WHERE slot {those.among} AND position >= ?",
        (those.values, since),
    )
