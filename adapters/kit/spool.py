"""Events that wait to be sent, in order for each case, and what was sent for it."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import json

from adapters.kit.event import event_id
from adapters.kit.port import Place, Translated
from adapters.kit.state import State

_LOOKED_AT: Final = 10_000
_AT_ONCE: Final = 500
# In one row each: with every row the other thread may take its turn, and keep it for long.
_FRONT: Final = (
    "SELECT json_group_array(json_array(number, document, sheet, row, kase, native, event,"
    ' CAST(attributes AS TEXT), CAST(data AS TEXT))) FROM (SELECT *, "case" AS kase FROM spool'
    " NOT INDEXED WHERE source = ? AND number > ? ORDER BY number LIMIT ?)"
)
_DROP: Final = "DELETE FROM spool WHERE number IN (SELECT value FROM json_each(?))"
_REMEMBER: Final = (
    'INSERT OR IGNORE INTO sent (source, "case", native, type, event, supersedes)'
    " SELECT ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
    " json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]')"
    " FROM json_each(?)"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event in the spool: its number there, where it came from, and what it replaces."""

    number: int
    document: int
    place: Place
    case: str
    event: str
    supersedes: str | None
    made: Translated


@dataclass(frozen=True, slots=True)
class Fresh:
    """An event to be put there: the record that gave it, the case that orders it."""

    place: Place
    case: str
    made: Translated


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
        known = _known(database, self.source, [event for event, _ in named], again=again)
        fresh: dict[str, tuple[object, ...]] = {}
        repeated = []
        for event, each in named:
            if event in known or event in fresh:
                repeated.append(event)
                continue
            place, made = each.place, each.made
            attributes = json.encode(dict(made.attributes))
            where = (self.source, document, place.sheet, place.row, each.case)
            fresh[event] = (*where, made.native, made.type, event, attributes, made.data, now)
        database.executemany(
            'INSERT INTO spool (source, document, sheet, row, "case", native, type, event,'
            " attributes, data, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            fresh.values(),
        )
        return repeated

    def front(self, most: int, most_bytes: int) -> list[Waiting]:
        """What to send next: the oldest event of each case, at most so many.

        What an event replaces is certain once the hub has answered for the one before it.
        """
        chosen: dict[str, list[Any]] = {}
        size = after = 0
        while len(chosen) < most:
            ((found,),) = self._state.rows(_FRONT, self.source, after, most)
            rows = sorted(json.decode(found))
            for row in rows:
                after, case, attributes, data = row[0], row[4], row[7], row[8]
                if case in chosen:
                    continue
                size += len(data.encode()) + len(attributes)
                if chosen and (size > most_bytes or len(chosen) == most):
                    return self._named(chosen)
                chosen[case] = row
            # Many steps of few cases: looking further for others is not worth it for ever.
            if len(rows) < most or after - next(iter(chosen.values()))[0] > _LOOKED_AT:
                break
        return self._named(chosen)

    def _named(self, chosen: Mapping[str, list[Any]]) -> list[Waiting]:
        """Rows of the spool, each with what it replaces."""
        sent = self._sent(list(chosen))
        named = []
        for case, row in chosen.items():
            number, document, sheet, at, _, native, event, attributes, data = row
            made = Translated(native, json.decode(attributes), data.encode())
            before = _supersedes(made, event, sent.get(case, ()))
            place = Place("", at, sheet)
            named.append(Waiting(number, document, place, case, event, before, made))
        return named

    def _sent(self, cases: Sequence[str]) -> dict[str, list[tuple[str, str, str | None, str]]]:
        """What was sent for these cases, in order: native number, event, what it replaced, type."""
        found: dict[str, list[tuple[str, str, str | None, str]]] = {}
        for start in range(0, len(cases), _AT_ONCE):
            part = cases[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            select = (
                'SELECT "case", native, event, supersedes, type FROM sent WHERE source = ?'
                f' AND "case" IN ({marks}) ORDER BY number'
            )
            for case, *sent in self._state.rows(select, self.source, *part):
                found.setdefault(case, []).append((sent[0], sent[1], sent[2], sent[3]))
        return found

    def depth(self) -> Depth:
        select = "SELECT events, bytes, (SELECT since FROM spool NOT INDEXED WHERE source = ?1"
        select += " ORDER BY number LIMIT 1) FROM depth WHERE source = ?1"
        return next((Depth(*row) for row in self._state.rows(select, self.source)), _NOTHING)

    def gone_before(self, database: sqlite3.Connection, case: str) -> frozenset[str]:
        """The types of what was sent, or waits, for a case."""
        select = (
            'SELECT type FROM sent WHERE source = ?1 AND "case" = ?2'
            ' UNION SELECT type FROM spool WHERE source = ?1 AND "case" = ?2'
        )
        return frozenset(row[0] for row in database.execute(select, (self.source, case)))

    def went(self, database: sqlite3.Connection, number: str) -> bool:
        """Whether anything was sent, or waits, of that native number or of that case."""
        select = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE source = ?1 AND {column} = ?2"
            for table in ("sent", "spool")
            for column in ("native", '"case"')
        )
        found = database.execute(f"{select} LIMIT 1", (self.source, number)).fetchone()
        return found is not None


def drop(database: sqlite3.Connection, answered: Sequence[Waiting]) -> None:
    """The hub has answered for these."""
    database.execute(_DROP, (json.encode([each.number for each in answered]).decode(),))


def remember(database: sqlite3.Connection, source: str, taken: Iterable[Waiting]) -> None:
    """Note events that the hub has, in the order sent; those known already stay as they are."""
    rows = [(w.case, w.made.native, w.made.type, w.event, w.supersedes) for w in taken]
    database.execute(_REMEMBER, (source, json.encode(rows).decode()))


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


def _known(
    database: sqlite3.Connection, source: str, events: Sequence[str], *, again: bool
) -> frozenset[str]:
    """Which of these wait, or (unless `again`) were sent."""
    found: set[str] = set()
    for start in range(0, len(events), _AT_ONCE):
        part = events[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(part))
        for table in ("spool",) if again else ("spool", "sent"):
            select = f"SELECT event FROM {table} WHERE source = ? AND event IN ({marks})"
            found.update(row[0] for row in database.execute(select, (source, *part)))
    return frozenset(found)
