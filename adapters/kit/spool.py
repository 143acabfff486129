"""Events that wait to be sent, in order for each case, and what was sent for it."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct, json
from msgspec.structs import replace

from adapters.kit.event import event_id
from adapters.kit.held import Waiting, held, waiting
from adapters.kit.port import Place, Translated
from adapters.kit.state import State

# A row of the spool holds no more events, and bytes, unless it is of one event alone.
_TOGETHER: Final = 100
_TOGETHER_BYTES: Final = 1 << 20
_LOOKED_AT: Final = 10_000
# Rows of which all is on its way are not looked at.
_NEXT: Final = (
    "SELECT number, held FROM spool WHERE source = ? AND number > ? AND events >"
    " ifnull((SELECT value FROM json_each(?) WHERE key = number), 0) ORDER BY number LIMIT 1"
)
# In one row each: with every row the other thread may take its turn, and keep it for long.
_NUMBERS: Final = "IN (SELECT value FROM json_each(?))"
_SENT: Final = (
    'SELECT json_group_array(json_array(number, "case", native, event, supersedes, type))'
    f' FROM events WHERE source = ? AND "case" {_NUMBERS} AND sent'
)
_NAMED: Final = (
    "SELECT json_group_array(json_array(event, number, waits))"
    f" FROM events WHERE source = ? AND event {_NUMBERS}"
)
_EVENT: Final = (
    'INSERT INTO events (number, source, "case", native, type, event, waits, sent)'
    " VALUES (?, ?, ?, ?, ?, ?, 1, 0)"
)
_ROW: Final = "INSERT INTO spool VALUES (?, ?, ?, ?, ?, ?)"
_LEFT: Final = "UPDATE spool SET events = ?, held = ? WHERE number = ?"
_DEEPER: Final = (
    "INSERT INTO depth VALUES (?, ?, ?) ON CONFLICT (source)"
    " DO UPDATE SET events = events + excluded.events, bytes = bytes + excluded.bytes"
)


class Fresh(Struct, frozen=True):
    """An event to be put there: the record that gave it, the case that orders it."""

    place: Place
    case: str
    made: Translated


@dataclass(frozen=True, slots=True)
class _Known:
    """An event that was put before: its number among all events, and whether it waits."""

    entry: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits, and since when the oldest of it (seconds since the epoch)."""

    events: int
    bytes: int
    oldest: float | None


_NOTHING: Final = Depth(0, 0, None)


class Spool:
    """The events of one event source that the hub has not answered for."""

    def __init__(self, state: State, source: str) -> None:
        self._state = state
        self.source = source

    def put(
        self,
        database: sqlite3.Connection,
        document: int,
        events: Sequence[Fresh],
        now: float,
        *,
        again: bool = False,
    ) -> list[str]:
        """Let events wait, in this order. The ids of those that wait already, or were sent before
        (unless `again`), and so do not wait once more."""
        named = [(event_id(each.made), each) for each in events]
        known = _known(database, self.source, [event for event, _ in named])
        entry, last = _last(database, "events"), _last(database, "spool")
        fresh: list[tuple[object, ...]] = []
        once_more: list[int] = []
        waits: dict[str, tuple[int, Fresh]] = {}
        repeated = []
        for event, each in named:
            before = known.get(event)
            if event in waits or (before and (before.waits or not again)):
                repeated.append(event)
                continue
            if before:
                once_more.append(before.entry)
            else:
                entry += 1
                made = each.made
                fresh.append((entry, self.source, each.case, made.native, made.type, event))
            waits[event] = (before.entry if before else entry, each)
        rows = []
        for number, together in enumerate(_together(waits), start=last + 1):
            kept = [_waiting(number, document, *each) for each in together]
            rows.append((number, self.source, document, len(kept), now, held(kept)))
        database.executemany(_EVENT, fresh)
        database.executemany(_ROW, rows)
        _mark(database, "waits = 1", once_more)
        size = sum(len(each.made.data) for _, each in waits.values())
        _deeper(database, self.source, len(waits), size)
        return repeated

    def front(self, most: int, most_bytes: int, going: Sequence[Waiting] = ()) -> list[Waiting]:
        """What to send next: the oldest event of each case, at most so many; of the cases of those
        that are `going` already, none.

        What an event replaces is certain once the hub has answered for the one before it.
        """
        without = {each.case for each in going}
        rows = json.encode(Counter(str(each.number) for each in going)).decode()
        chosen: dict[str, Waiting] = {}
        size = after = seen = 0
        # Many steps of few cases: looking further for others is not worth it for ever.
        while len(chosen) < most and seen < _LOOKED_AT:
            found = self._state.rows(_NEXT, self.source, after, rows)
            if not found:
                break
            ((after, row),) = found
            for each in waiting(row):
                seen += 1
                if each.case in chosen or each.case in without:
                    continue
                size += len(each.made.data)
                if len(chosen) == most or (chosen and size > most_bytes):
                    return self._named(chosen)
                chosen[each.case] = each
        return self._named(chosen)

    def _named(self, chosen: Mapping[str, Waiting]) -> list[Waiting]:
        """What was chosen for each case, with what it replaces."""
        sent = self._sent(list(chosen))
        return [
            replace(each, supersedes=_supersedes(each.made, each.event, sent[case]))
            if case in sent
            else each
            for case, each in chosen.items()
        ]

    def _sent(self, cases: Sequence[str]) -> dict[str, list[tuple[str, str, str | None, str]]]:
        """What was sent for these cases, in order: native number, event, what it replaced, type."""
        found: dict[str, list[tuple[str, str, str | None, str]]] = {}
        if not cases:
            return found
        ((rows,),) = self._state.rows(_SENT, self.source, json.encode(cases).decode())
        for _, case, *sent in sorted(json.decode(rows)):
            found.setdefault(case, []).append((sent[0], sent[1], sent[2], sent[3]))
        return found

    def depth(self) -> Depth:
        select = "SELECT events, bytes, (SELECT since FROM spool NOT INDEXED WHERE source = ?1"
        select += " ORDER BY number LIMIT 1) FROM depth WHERE source = ?1"
        return next((Depth(*row) for row in self._state.rows(select, self.source)), _NOTHING)

    def gone_before(self, database: sqlite3.Connection, case: str) -> frozenset[str]:
        """The types of what was sent, or waits, for a case."""
        select = 'SELECT DISTINCT type FROM events WHERE source = ? AND "case" = ?'
        return frozenset(row[0] for row in database.execute(select, (self.source, case)))

    def went(self, database: sqlite3.Connection, number: str) -> bool:
        """Whether anything was sent, or waits, of that native number or of that case."""
        select = " UNION ALL ".join(
            f"SELECT 1 FROM events WHERE source = ?1 AND {column} = ?2"
            for column in ("native", '"case"')
        )
        found = database.execute(f"{select} LIMIT 1", (self.source, number)).fetchone()
        return found is not None


def take(database: sqlite3.Connection, source: str, taken: Sequence[Waiting]) -> None:
    """The hub has these: they wait no more, and are remembered."""
    _drop(database, source, taken)
    _mark(database, "waits = 0, sent = 1", [each.entry for each in taken])
    database.executemany(
        "UPDATE events SET supersedes = ? WHERE number = ?",
        [(each.supersedes, each.entry) for each in taken if each.supersedes],
    )


def refuse(database: sqlite3.Connection, source: str, refused: Sequence[Waiting]) -> None:
    """The hub will not have these: they wait no more, and may be made again."""
    _drop(database, source, refused)
    entries = [each.entry for each in refused]
    database.execute(f"DELETE FROM events WHERE NOT sent AND number {_NUMBERS}", _list(entries))
    _mark(database, "waits = 0", entries)


def _together(
    events: Mapping[str, tuple[int, Fresh]],
) -> Iterator[list[tuple[str, int, Fresh]]]:
    """Rows of the spool: first the first events of all cases, then the second ones, and so on, so
    that what is in a row can be sent together."""
    turns: dict[str, int] = {}
    layers: dict[int, list[tuple[str, int, Fresh]]] = {}
    for event, (entry, each) in events.items():
        turn = turns.get(each.case, 0)
        turns[each.case] = turn + 1
        layers.setdefault(turn, []).append((event, entry, each))
    for layer in layers.values():
        row: list[tuple[str, int, Fresh]] = []
        size = 0
        for item in layer:
            size += len(item[2].made.data)
            if row and (len(row) == _TOGETHER or size > _TOGETHER_BYTES):
                yield row
                row, size = [], len(item[2].made.data)
            row.append(item)
        yield row


def _waiting(number: int, document: int, event: str, entry: int, fresh: Fresh) -> Waiting:
    place, made = Place("", fresh.place.row, fresh.place.sheet), fresh.made
    bare = Translated(made.native, dict(made.attributes), made.data)
    return Waiting(number, entry, document, place, fresh.case, event, bare)


def _drop(database: sqlite3.Connection, source: str, answered: Sequence[Waiting]) -> None:
    rows: dict[int, set[int]] = {}
    for each in answered:
        rows.setdefault(each.number, set()).add(each.entry)
    for number, entries in rows.items():
        select = "SELECT events, held FROM spool WHERE number = ?"
        events, row = database.execute(select, (number,)).fetchone()
        if events == len(entries):
            database.execute("DELETE FROM spool WHERE number = ?", (number,))
            continue
        left = [each for each in waiting(row) if each.entry not in entries]
        database.execute(_LEFT, (len(left), held(left), number))
    size = sum(len(each.made.data) for each in answered)
    _deeper(database, source, -len(answered), -size)


def _mark(database: sqlite3.Connection, mark: str, entries: Sequence[int]) -> None:
    if entries:
        database.execute(f"UPDATE events SET {mark} WHERE number {_NUMBERS}", _list(entries))


def _list(numbers: Sequence[int]) -> tuple[str]:
    return (json.encode(numbers).decode(),)


def _deeper(database: sqlite3.Connection, source: str, events: int, size: int) -> None:
    if events:
        database.execute(_DEEPER, (source, events, size))


def _last(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f"SELECT ifnull(max(number), 0) FROM {table}").fetchone()[0])


def _supersedes(
    made: Translated, event: str, sent: Iterable[tuple[str, str, str | None, str]]
) -> str | None:
    """What `event` replaces: as it was sent, or for a new one the last sent of its type."""
    last: str | None = None
    for native, known, supersedes, type_ in sent:
        if known == event:
            return supersedes
        last = known if (native, type_) == (made.native, made.type) else last
    return last


def _known(database: sqlite3.Connection, source: str, events: Sequence[str]) -> dict[str, _Known]:
    """Those of these that wait or were sent."""
    names = json.encode(events).decode()
    found = database.execute(_NAMED, (source, names)).fetchone()[0]
    return {event: _Known(entry, bool(waits)) for event, entry, waits in json.decode(found)}
