"""Retention's statements: times and positions, what is due, removing it, and what feeds lost."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from hub.database.connection import (
    Connection,
    Spoken,
    at,
    is_sqlite,
    numbers,
    rows_of,
    spoken,
    words,
)

Contract = tuple[str, str]
END: Final = 2**63 - 1


class Place(NamedTuple):
    """An entry's position and hubtime."""

    position: int
    hubtime: int


def entry_from(connection: Connection, position: int) -> Place | None:
    """The first entry held at `position` or later."""
    return _place(
        connection,
        "SELECT position, hubtime FROM held WHERE position >= ? ORDER BY position LIMIT 1",
        position,
    )


def oldest_of_feed(connection: Connection, subscription: int, *, until: int) -> Place | None:
    """The oldest entry that a feed holds, up to `until`."""
    return _place(
        connection,
        "SELECT position, hubtime FROM held WHERE position ="
        " (SELECT min(first) FROM feed WHERE subscription = ? AND first <= ?)",
        subscription,
        until,
    )


def last_expired(connection: Connection, subscription: int, *, until: int) -> Place | None:
    """The last entry of a feed that expired, up to `until`."""
    return _place(
        connection,
        "SELECT position, hubtime FROM expired WHERE subscription = ? AND position <= ?"
        " ORDER BY position DESC LIMIT 1",
        subscription,
        until,
    )


def expired_from(connection: Connection, subscription: int, *, hubtime: int) -> Place | None:
    """The first entry of a feed known to have expired, of those of `hubtime` or later."""
    return _place(
        connection,
        "SELECT position, hubtime FROM expired WHERE subscription = ? AND hubtime >= ?"
        " ORDER BY position LIMIT 1",
        subscription,
        hubtime,
    )


def expired_between(
    connection: Connection, subscription: int, *, after: int, until: int
) -> tuple[int, int]:
    """How many entries of a feed expired there, and the position of the last; 0, 0 if none did."""
    row = connection.exec_driver_sql(
        "SELECT count(*), coalesce(max(position), 0) FROM expired"
        " WHERE subscription = ? AND position > ? AND position <= ?",
        (subscription, after, until),
    ).one()
    return row[0], row[1]


def swept(connection: Connection) -> dict[Contract, int]:
    """How far the journal has been swept of each contract's events."""
    rows = connection.exec_driver_sql("SELECT type, version, position FROM sweeps")
    return {(type_, version): position for type_, version, position in rows}


def mark_swept(connection: Connection, contracts: Sequence[Contract], until: int) -> None:
    """Say how far the journal has been swept of some contracts' events."""
    connection.exec_driver_sql(
        "INSERT INTO sweeps (type, version, position) VALUES (?, ?, ?)"
        " ON CONFLICT (type, version) DO UPDATE SET position = excluded.position",
        [(*contract, until) for contract in contracts],
    )


def stretch_end(connection: Connection, *, after: int, until: int, most: int) -> int:
    """Where a stretch of at most `most` journal rows after `after` ends; `until` if it has less."""
    end: int | None = connection.exec_driver_sql(
        "SELECT position FROM held WHERE position > ? AND position <= ?"
        " ORDER BY position LIMIT 1 OFFSET ?",
        (after, until, most - 1),
    ).scalar_one_or_none()
    return until if end is None else end


class Due(NamedTuple):
    """A journal row that has outlived its retention."""

    position: int
    hubtime: int
    receipt: bytes
    type: str
    version: str


def due(
    connection: Connection, contracts: Sequence[Contract], *, after: int, until: int, most: int
) -> list[Due]:
    """The first journal rows of some contracts with `after` < position <= `until`, in order."""
    those = words(connection, map(" ".join, contracts))
    rows = connection.exec_driver_sql(
        "SELECT position, hubtime, receipt, type, version FROM held"
        " WHERE position > ? AND position <= ?"
        f" AND type || ' ' || version {those.among}"
        " ORDER BY position LIMIT ?",
        (after, until, those.values, most),
    )
    return [Due(*row) for row in rows]


class Around(NamedTuple):
    """Feeds that reach into a stretch of the journal, or may yet; how many entries they hold there.

    `newest` is the last number given out: a subscription with a greater one was made later.
    """

    numbers: list[int]
    entries: int
    newest: int


def feeds_around(connection: Connection, *, first: int, last: int) -> Around:
    """The feeds whose rows reach into positions from `first` to `last`, or that are being filled.

    A row counts with all its entries, though the stretch may end within it.
    """
    rows = connection.exec_driver_sql(
        "SELECT number, entries FROM (SELECT number, filled < fill_until AS filling,"
        " (SELECT coalesce(sum(length(positions)), 0) / 8 FROM feed"
        " WHERE subscription = number AND first <= ? AND last >= ? AND first >="
        " (SELECT coalesce(max(first), 0) FROM feed WHERE subscription = number AND first <= ?))"
        " AS entries FROM subscriptions) AS feeds WHERE filling OR entries > 0",
        (last, first, first),
    ).all()
    newest = connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM subscriptions")
    return Around([n for n, _ in rows], sum(entries for _, entries in rows), newest.scalar_one())


class Holder(NamedTuple):
    """A subscription whose feed may hold what is purged; it is complete up to `ready`."""

    number: int
    agency: str
    committed: int
    ready: int


def holders(connection: Connection, feeds: Sequence[int], *, newer_than: int) -> list[Holder]:
    """The subscriptions with these numbers, and those with a number above `newer_than`."""
    those = numbers(connection, feeds)
    rows = connection.exec_driver_sql(
        "SELECT number, agency, committed, CASE WHEN filled < fill_until THEN filled ELSE ? END"
        " FROM subscriptions"
        f" WHERE number {those.among} OR number > ?",
        (END, those.values, newer_than),
    )
    return [Holder(*row) for row in rows]


def feed_rows(
    connection: Connection, feeds: Sequence[int], *, first: int, last: int
) -> Iterator[tuple[int, "array[int]"]]:
    """The rows of some feeds that may hold entries from `first` to `last`: their positions."""
    # A cross join, so that each feed is found by its key.
    those = numbers(connection, feeds)
    rows = connection.exec_driver_sql(
        f"SELECT subscription, positions FROM {those.table} CROSS JOIN feed"
        " WHERE subscription = value AND first <= ? AND last >= ? AND first >="
        " (SELECT coalesce(max(first), 0) FROM feed WHERE subscription = value AND first <= ?)"
        " ORDER BY subscription, first",
        (those.values, last, first, first),
    )
    for subscription, packed in rows:
        yield subscription, array("q", packed)


_REMOVE_FEED_ROWS: Final[Spoken] = {
    "sqlite": "DELETE FROM feed WHERE subscription = ? AND first = ?",
    "postgresql": "DELETE FROM feed USING unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))"
    " AS gone (subscription, first)"
    " WHERE feed.subscription = gone.subscription AND feed.first = gone.first",
}


def remove_feed_rows(connection: Connection, rows: Sequence[tuple[int, int]]) -> None:
    """Remove rows, some at least, by subscription and first position."""
    connection.exec_driver_sql(
        spoken(connection, _REMOVE_FEED_ROWS), rows_of(connection, list(rows))
    )


def oldest_entries(connection: Connection, feeds: Sequence[int]) -> dict[int, int]:
    """The position of the oldest entry that each of some feeds holds, of those that hold any."""
    those = numbers(connection, feeds)
    rows = connection.exec_driver_sql(
        "SELECT value, (SELECT min(first) FROM feed WHERE subscription = value)"
        f" FROM {those.table}",
        (those.values,),
    )
    return {number: first for number, first in rows if first is not None}


def append_expired(connection: Connection, notes: Sequence[tuple[int, int, int]]) -> None:
    """Note what feeds hold no longer: subscription, position, hubtime."""
    connection.exec_driver_sql(
        "INSERT INTO expired (subscription, position, hubtime) VALUES (?, ?, ?)", list(notes)
    )


def trim_expired(connection: Connection, before: Sequence[tuple[int, int]]) -> None:
    """Forget what expired before the last that did up to a position, by subscription."""
    connection.exec_driver_sql(
        "DELETE FROM expired WHERE subscription = ? AND position <"
        " (SELECT max(position) FROM expired AS e"
        " WHERE e.subscription = expired.subscription AND e.position <= ?)",
        list(before),
    )


def count_expired(connection: Connection, counts: Sequence[tuple[int, int]]) -> None:
    """So many entries more expired unread, of each subscription."""
    connection.exec_driver_sql(
        "UPDATE subscriptions SET expired = expired + ? WHERE number = ?", list(counts)
    )


_RELEASE: Final[Spoken] = {
    "sqlite": "DELETE FROM dedup WHERE slot = ? AND position = ?"
    " AND NOT EXISTS (SELECT 1 FROM dedup AS other WHERE other.slot = dedup.slot + 1)",
    "postgresql": "DELETE FROM dedup USING unnest(CAST(? AS bigint[]), CAST(? AS bigint[]))"
    " AS gone (slot, position) WHERE dedup.slot = gone.slot AND dedup.position = gone.position"
    " AND NOT EXISTS (SELECT 1 FROM dedup AS other WHERE other.slot = dedup.slot + 1)",
}


def release(connection: Connection, slots: Sequence[tuple[int, int]]) -> int:
    """Remove those (slot, position) pairs that have none in the next slot; how many these were."""
    values = rows_of(connection, list(slots))
    return connection.exec_driver_sql(spoken(connection, _RELEASE), values).rowcount


def put_slot(connection: Connection, slot: int, position: int) -> None:
    """Have a slot point to a position, whatever it held."""
    connection.exec_driver_sql(
        "INSERT INTO dedup (slot, position) VALUES (?, ?)"
        " ON CONFLICT (slot) DO UPDATE SET position = excluded.position",
        (slot, position),
    )


def empty_slot(connection: Connection, slot: int) -> None:
    """Have a slot point nowhere."""
    connection.exec_driver_sql("DELETE FROM dedup WHERE slot = ?", (slot,))


def receipt_at(connection: Connection, position: int) -> bytes:
    """The receipt of the journal row at a position that is known to be there."""
    receipt: bytes = connection.exec_driver_sql(
        "SELECT receipt FROM held WHERE position = ?", (position,)
    ).scalar_one()
    return receipt


def remove_entries(
    connection: Connection, shard: int, positions: Sequence[int], *, until: int
) -> None:
    """Hold no more the journal rows at `positions`, and the dead letters that they were.

    They are in order, and lie at `until` or below. If they are all that is held there, PostgreSQL
    leaves the rows to go with their partition.
    """
    if not is_sqlite(connection) and _are_all(connection, positions, until):
        connection.exec_driver_sql("UPDATE shards SET purged = ? WHERE shard = ?", (until, shard))
    else:
        there, values = at(connection, positions)
        connection.exec_driver_sql(f"DELETE FROM journal WHERE {there}", values)
    those = numbers(connection, positions)
    connection.exec_driver_sql(
        f"DELETE FROM dead_letters WHERE position {those.among}", (those.values,)
    )


def append_purges(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Record what was purged, for good."""
    connection.exec_driver_sql(
        "INSERT INTO purges (type, version, first, last, from_hubtime, to_hubtime, events, digest,"
        " at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


class PurgeRow(NamedTuple):
    """The record of what one transaction purged of a contract's events."""

    number: int
    type: str
    version: str
    first: int
    last: int
    from_hubtime: int
    to_hubtime: int
    events: int
    digest: bytes
    at: int


def purges_after(connection: Connection, number: int, *, most: int) -> list[PurgeRow]:
    """Records of purges with greater numbers, the oldest first."""
    rows = connection.exec_driver_sql(
        f"SELECT {', '.join(PurgeRow._fields)} FROM purges WHERE number > ?"
        " ORDER BY number LIMIT ?",
        (number, most),
    )
    return [PurgeRow(*row) for row in rows]


def delete_refusals(connection: Connection, *, before: int, most: int) -> int:
    """Of the `most` oldest refusals, remove those from before a time; how many."""
    return connection.exec_driver_sql(
        "DELETE FROM refusals WHERE refused_at < ?"
        " AND number IN (SELECT number FROM refusals ORDER BY number LIMIT ?)",
        (before, most),
    ).rowcount


def delete_refused(connection: Connection, *, before: int, most: int) -> int:
    """Remove what is told of events that were refused before a time, at most so many; how many."""
    return connection.exec_driver_sql(
        "DELETE FROM refused WHERE receipt IN (SELECT receipt FROM refused WHERE at < ? LIMIT ?)",
        (before, most),
    ).rowcount


def delete_reads(connection: Connection, *, before: int, most: int) -> int:
    """Of the `most` oldest readings, remove those from before a time; how many."""
    return connection.exec_driver_sql(
        "DELETE FROM reads WHERE read_at < ?"
        " AND number IN (SELECT number FROM reads ORDER BY number LIMIT ?)",
        (before, most),
    ).rowcount


def _place(connection: Connection, statement: str, *values: int) -> Place | None:
    row = connection.exec_driver_sql(statement, values).one_or_none()
    return None if row is None else Place(*row)


def _are_all(connection: Connection, positions: Sequence[int], until: int) -> bool:
    """Whether these, in order and all held, are what is held up to `until`."""
    oldest = entry_from(connection, 0)
    if oldest is None or oldest.position > until:
        return True
    # Most often it is seen here, and nothing is counted.
    if not positions or oldest.position < positions[0]:
        return False
    counted: int = connection.exec_driver_sql(
        "SELECT count(*) FROM (SELECT 1 FROM held WHERE position <= ? LIMIT ?) AS met",
        (until, len(positions) + 1),
    ).scalar_one()
    return counted == len(positions)
