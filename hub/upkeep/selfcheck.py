"""The journal checked against itself: positions, digests, receipts, and the dedup table.

All of it, or a sample: the newest events, and as many spread over the rest.
"""

import hashlib
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hub.database.connection import Connection
from hub.event import SEALED, Caveat, pack, receipt_of, slot_of
from hub.journal import sql as journal
from hub.upkeep import sql

SAMPLE: Final = 500
_CHUNK: Final = 500
# `gone`: missing where events were purged. `missing`: where none were.
Kind = Literal["missing", "gone", "beyond", "digest", "receipt", "dedup"]


@dataclass
class Checked:
    """What was found so far: events looked at, and by kind of fault how many and the first.

    `surplus` is how many dedup claims stand for no event; it is only counted in a full check.
    """

    events: int = 0
    finished: bool = True
    faults: Counter[Kind] = field(default_factory=Counter)
    first: dict[Kind, int] = field(default_factory=dict)
    surplus: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.faults and not self.surplus

    def found(self, kind: Kind, position: int) -> None:
        """Note a fault."""
        self.faults[kind] += 1
        self.first.setdefault(kind, position)

    def forgive(self, kind: Kind) -> None:
        """Faults of this kind turned out to be none."""
        self.faults.pop(kind, None)
        self.first.pop(kind, None)


class Stretches:
    """Stretches of positions, (first, last), as one says whether a position lies in any."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        """`stretches` come in order of their first positions."""
        self._firsts, self._lasts = array("q"), array("q")
        for first, last in stretches:
            # Contracts that are purged together lie in each other's stretches.
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, position: int) -> bool:
        nearest = bisect_right(self._firsts, position) - 1
        return nearest >= 0 and position <= self._lasts[nearest]


def check_journal(
    connection: Connection, *, full: bool, start: int, enough: Callable[[], bool]
) -> Checked:
    """Check every event, or a sample that `start` (any number) shifts; until `enough`."""
    checked = Checked()
    purged = Stretches(sql.purged_stretches(connection))
    for standing in sql.standings(connection):
        first, end = pack(standing.shard, 1), pack(standing.shard, standing.next_number)
        last = sql.last_position(connection, until=pack(standing.shard + 1, 0))
        if last is not None and last >= end:
            checked.found("beyond", last)
        for positions in _chunks(first, end, full=full, start=start):
            if enough():
                checked.finished = False
                return _settled(connection, checked, full=False)
            _check(connection, positions, purged, checked)
    return _settled(connection, checked, full=full)


def _settled(connection: Connection, checked: Checked, *, full: bool) -> Checked:
    """What was found, against what was purged: of a stretch it is kept how many, not which."""
    gone, purged = checked.faults["gone"], sql.purged_events(connection)
    if gone == purged or (gone < purged and not full):
        checked.forgive("gone")
    if full:
        checked.surplus = max(0, sql.count_claims(connection) - checked.events)
    return checked


def fingerprint(connection: Connection) -> tuple[int, str]:
    """How many events the journal has, and the SHA-256 over their positions and digests."""
    events, digest = 0, hashlib.sha256()
    for position, proof in sql.proofs(connection):
        digest.update(position.to_bytes(8, "big") + proof)
        events += 1
    return events, digest.hexdigest()


def _chunks(first: int, end: int, *, full: bool, start: int) -> Iterator[Sequence[int]]:
    newest = first if full else max(first, end - SAMPLE)
    if newest > first:
        step = -(-(newest - first) // SAMPLE)
        yield range(first + start % step, newest, step)
    yield from (range(n, min(n + _CHUNK, end)) for n in range(newest, end, _CHUNK))


def _check(
    connection: Connection, positions: Sequence[int], purged: Stretches, checked: Checked
) -> None:
    slots: dict[int, int] = {}
    for row in sql.checkables(connection, positions):
        slots[row.position] = slot_of(row.receipt)
        if not _is_as_it_came(row):
            checked.found("digest", row.position)
        if receipt_of(row.source, row.id) != row.receipt:
            checked.found("receipt", row.position)
    claims = sql.claims(connection, sorted(slots.values()))
    for position in positions:
        if position not in slots:
            checked.found("gone" if position in purged else "missing", position)
        elif claims.get(slots[position]) != position and not _claimed_further(
            connection, slots[position], position
        ):
            checked.found("dedup", position)
    checked.events += len(slots)


def _is_as_it_came(row: sql.Checkable) -> bool:
    """Of a sealed event there is a digest, and no payload that it could be the digest of."""
    if row.caveats & Caveat.sealed:
        return row.data == SEALED
    return hashlib.sha256(row.data).digest() == row.digest


def _claimed_further(connection: Connection, slot: int, position: int) -> bool:
    """Whether the position stands in a slot behind its own, which another event had taken."""
    while (claimed := journal.claimed_by(connection, slot)) is not None:
        if claimed == position:
            return True
        slot += 1
    return False
