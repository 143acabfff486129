"""Purging: finding what has outlived its retention, and removing a chunk of it in one transaction.

Finding is a reader's work, so that the writer spends its time on what it removes.
"""

import hashlib
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from hub.database import appending, partitions
from hub.database.connection import Connection
from hub.database.order import change_dead_letters, change_subscriptions
from hub.database.partitions import QUARTERLY
from hub.event import slot_of
from hub.journal import sql as journal
from hub.journal.register import SHARD
from hub.journal.retention import sql
from hub.journal.retention.places import place_before
from hub.journal.retention.sql import Contract, Due, Holder, Place
from hub.journal.retention.terms import DAY, Terms

MOST_PURGED: Final = 500
MOST_EXAMINED: Final = 2_000
# An event may stand in thousands of feeds: what bounds the transaction then.
MOST_ENTRIES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sweep:
    """Contracts whose events are due from one position to another; they are kept equally long."""

    contracts: tuple[Contract, ...]
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one transaction removes, from after `after` up to `until`, in order.

    `holders` are the subscriptions whose feeds can hold it, apart from those made since: with
    numbers above `newest`.
    """

    contracts: tuple[Contract, ...]
    after: int
    until: int
    rows: tuple[Due, ...]
    holders: tuple[int, ...]
    newest: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What a transaction removed: events by type, and feed entries expired unread by agency."""

    events: Counter[str]
    unread: Counter[str]


def sweeps(connection: Connection, *, terms: Terms, now: int) -> list[Sweep]:
    """What is due, where it has not been swept before."""
    swept = sql.swept(connection)
    together: dict[tuple[int, int], list[Contract]] = defaultdict(list)
    for contract, days in terms.days.items():
        together[swept.get(contract, 0), days].append(contract)
    found = (
        Sweep(tuple(contracts), after, place_before(connection, now - days * DAY))
        for (after, days), contracts in together.items()
    )
    return [sweep for sweep in found if sweep.until > sweep.after]


def next_chunk(connection: Connection, sweep: Sweep) -> Chunk:
    """The first chunk of a sweep; it may have no rows, if others' stand there."""
    end = sql.stretch_end(connection, after=sweep.after, until=sweep.until, most=MOST_EXAMINED)
    rows = sql.due(connection, sweep.contracts, after=sweep.after, until=end, most=MOST_PURGED)
    if not rows:
        return Chunk(sweep.contracts, sweep.after, end, (), (), 0)
    around = sql.feeds_around(connection, first=rows[0].position, last=rows[-1].position)
    few = max(1, len(rows) * MOST_ENTRIES // max(around.entries, MOST_ENTRIES))
    if few < len(rows) or len(rows) == MOST_PURGED:
        rows = rows[:few]
        end = rows[-1].position
    numbers = tuple(around.numbers)
    return Chunk(sweep.contracts, sweep.after, end, tuple(rows), numbers, around.newest)


def purge(connection: Connection, chunk: Chunk, *, now: int) -> Purged:
    """Remove a chunk from feeds, dedup and journal, record it, and count what expired unread.

    Nothing, where another has swept there since the chunk was read.
    """
    unread: Counter[str] = Counter()
    appending.take_turn(connection, SHARD)
    change_subscriptions(connection)
    change_dead_letters(connection)
    swept = sql.swept(connection)
    if any(swept.get(contract, 0) != chunk.after for contract in chunk.contracts):
        return Purged(Counter(), unread)
    positions = [row.position for row in chunk.rows]
    if positions:
        unread = _take_from_feeds(connection, chunk)
        _record(connection, chunk.rows, now=now)
        _release(connection, chunk.rows)
    # Without events too: what others deleted before may leave nothing up to there.
    sql.remove_entries(connection, SHARD, positions, until=chunk.until)
    sql.mark_swept(connection, chunk.contracts, chunk.until)
    return Purged(Counter(row.type for row in chunk.rows), unread)


def whole_until(connection: Connection, *, terms: Terms, now: int) -> int:
    """The position up to which the journal's partitions go as they are.

    All that such a partition holds will be due before its first event has been for a quarter. Where
    one that is older still stands, behind an event of no known contract or a reader that does not
    end, what is purged must leave the disk without it: then there are none.
    """
    due = now - terms.longest * DAY
    place = place_before(connection, due + QUARTERLY.span)
    return partitions.whole_until(connection, SHARD, place=place, since=due - QUARTERLY.span)


def _take_from_feeds(connection: Connection, chunk: Chunk) -> Counter[str]:
    """Take what is purged out of the feeds; how much of it no cursor had passed, by agency."""
    holders = {
        holder.number: holder
        for holder in sql.holders(connection, chunk.holders, newer_than=chunk.newest)
    }
    purged = {row.position: row.hubtime for row in chunk.rows}
    taken: dict[int, list[Place]] = defaultdict(list)
    old: list[tuple[int, int]] = []
    new: list[tuple[int, array[int]]] = []
    first, last = chunk.rows[0].position, chunk.rows[-1].position
    for number, positions in sql.feed_rows(connection, list(holders), first=first, last=last):
        if gone := [Place(p, purged[p]) for p in positions if p in purged]:
            taken[number].extend(gone)
            old.append((number, positions[0]))
            if rest := array("q", (p for p in positions if p not in purged)):
                new.append((number, rest))
    if taken:
        sql.remove_feed_rows(connection, old)
        if new:
            journal.put_feed_rows(connection, new)
        _note_expired(connection, holders, taken)
    return _count_unread(connection, holders, taken)


def _note_expired(
    connection: Connection, holders: Mapping[int, Holder], taken: Mapping[int, Sequence[Place]]
) -> None:
    """Note what feeds lost: all that stands after their oldest entry, the last of what is before.

    A feed that is being filled may yet get older entries than those it holds.
    """
    oldest = sql.oldest_entries(connection, list(taken))
    before = {n: min(oldest.get(n, sql.END) - 1, holders[n].ready) for n in taken}
    notes: list[tuple[int, int, int]] = []
    for number, places in taken.items():
        older = bisect_right(places, before[number], key=attrgetter("position"))
        notes.extend((number, *place) for place in places[max(older - 1, 0) :])
    sql.append_expired(connection, notes)
    sql.trim_expired(connection, list(before.items()))


def _count_unread(
    connection: Connection, holders: Mapping[int, Holder], taken: Mapping[int, Sequence[Place]]
) -> Counter[str]:
    counts = {
        n: sum(place.position > holders[n].committed for place in places)
        for n, places in taken.items()
    }
    unread: Counter[str] = Counter()
    for number, count in counts.items():
        unread[holders[number].agency] += count
    if +unread:
        sql.count_expired(connection, [(count, n) for n, count in counts.items() if count])
    return +unread


def _record(connection: Connection, rows: Sequence[Due], *, now: int) -> None:
    by_contract: dict[Contract, list[Due]] = defaultdict(list)
    for row in rows:
        by_contract[row.type, row.version].append(row)
    records = [
        (
            *contract,
            own[0].position,
            own[-1].position,
            own[0].hubtime,
            own[-1].hubtime,
            len(own),
            hashlib.sha256(b"".join(map(attrgetter("receipt"), own))).digest(),
            now,
        )
        for contract, own in by_contract.items()
    ]
    sql.append_purges(connection, records)


def _release(connection: Connection, rows: Sequence[Due]) -> None:
    """Free the dedup slots: a resend is a new event from now on."""
    pairs = [(slot_of(row.receipt), row.position) for row in rows]
    if sql.release(connection, pairs) < len(pairs):
        for slot, position in pairs:
            _close_up(connection, slot, position)


def _close_up(connection: Connection, slot: int, position: int) -> None:
    """Free the slot of a position, and move up those that stand behind it for want of their own.

    Whoever looks for one of them walks from its own slot on, and would stop at a hole.
    """
    while (held := journal.claimed_by(connection, slot)) != position:
        if held is None:
            return
        slot += 1
    hole, slot = slot, slot + 1
    while (held := journal.claimed_by(connection, slot)) is not None:
        if slot_of(sql.receipt_at(connection, held)) <= hole:
            sql.put_slot(connection, hole, held)
            hole = slot
        slot += 1
    sql.empty_slot(connection, hole)
