"""The way in: a document's records become events that wait in the spool.

Record → field map → translation → contract (`making`) → step and opening → spool. What a record
gave is kept in one transaction with how far the document was read, so that whoever is killed goes
on behind the last record settled, and nothing is there twice.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from adapters.kit.adapter import Adapter
from adapters.kit.convert import Wrong
from adapters.kit.documents import Counts, Document, Documents, count, note, settle
from adapters.kit.making import FromRecord, Made, make
from adapters.kit.openings import answering
from adapters.kit.port import (
    FaultKind,
    Place,
    Record,
    RowFault,
    Translated,
    Unreadable,
    UnreadableFile,
)
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.opening import opened
from adapters.kit.spool import Fresh, Spool
from adapters.kit.state import State
from adapters.kit.steps import impossible

_TOGETHER: Final = 200
_TOGETHER_BYTES: Final = 4 << 20

Told = Callable[[Counts, Counter[FaultKind]], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """Who is told while a document is read: `progress` how far it is and how many records there
    are at most, `kept` what a step gave, `known` the id of an event that was sent before. `room`
    returns when there is room in the spool; what it raises ends the reading."""

    progress: Callable[[int, int | None], None] = lambda number, rows: None
    kept: Told = lambda counts, faults: None
    known: Callable[[str], None] = lambda event: None
    room: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Chunk:
    """What records gave that are settled together; `last` is the number of the last."""

    records: list[tuple[Place, FromRecord]] = field(default_factory=list)
    last: int = 0
    bytes: int = 0

    def add(self, record: Record | Unreadable, given: FromRecord) -> None:
        self.records.append((record.place, given))
        self.last = record.number
        for made in given.events:
            self.bytes += len(made.event.data)

    @property
    def full(self) -> bool:
        return len(self.records) >= _TOGETHER or self.bytes >= _TOGETHER_BYTES


class Reading:
    """Reads the documents of one adapter into its spool; used by one thread."""

    def __init__(
        self,
        adapter: Adapter,
        state: State,
        documents: Documents,
        spool: Spool,
        *,
        now: Callable[[], float],
        limits: Limits = SPREADSHEET,
        again: bool = False,
        watched: Watched = Watched(),
    ) -> None:
        """`again`: what was sent before is sent once more, and is a duplicate there."""
        self._adapter = adapter
        self._state = state
        self._documents = documents
        self._spool = spool
        self._now = now
        self._limits = limits
        self._again = again
        self._watched = watched

    def read(self, document: Document) -> None:
        """Everything behind the last record settled. Raises OSError, and sqlite3's errors."""
        chunk = _Chunk()
        read = document.counts.read
        try:
            with opened(
                document.path, document.name, self._adapter.mapping.wanted, self._limits
            ) as reader:
                if not document.record:
                    self._keep(document, chunk, reader.notices)
                for record, given in self._made(reader.read(document.record)):
                    chunk.add(record, given)
                    read += 1
                    if chunk.full:
                        self._keep(document, chunk)
                        self._tell(chunk, read, reader.rows)
                        chunk = _Chunk()
                        self._watched.room()
                self._keep(document, chunk)
                if chunk.records:
                    self._tell(chunk, read, reader.rows)
        except UnreadableFile as error:
            self._keep(document, chunk, error.faults)
            self._documents.read_to_end(document, complete=False)
        else:
            self._documents.read_to_end(document, complete=True)

    def _made(
        self, records: Iterator[Record | Unreadable]
    ) -> Iterator[tuple[Record | Unreadable, FromRecord]]:
        """Records and what they give, each in a turn of its own: whoever sends need not wait."""
        for record in records:
            with self._state.computing:
                given = make(self._adapter, record)
            yield record, given

    def _tell(self, chunk: _Chunk, read: int, rows: int | None) -> None:
        """Numbers that nobody knows the last of may have gaps: then records are counted."""
        self._watched.progress(read if rows is None else chunk.last, rows)

    def _keep(self, document: Document, chunk: _Chunk, more: tuple[RowFault, ...] = ()) -> None:
        """Settle records: their events wait, their faults are noted, all in one transaction."""
        # Undone by a power cut, the records are read once more, and give the same.
        with self._state.transaction(durable=False) as database:
            told = list(more)
            rejected = 0
            events: list[Fresh] = []
            for place, given in chunk.records:
                faults = list(given.faults)
                if given.deleted and self._went(database, given.deleted, events):
                    faults.append(_deleted(place))
                for made in given.events:
                    event = self._possible(database, made, events)
                    if isinstance(event, Wrong):
                        faults.append(_wrong(place, event))
                    else:
                        events.append(Fresh(place, made.case, event))
                told += faults
                rejected += bool(faults)
            known = self._spool.put(
                database, document.number, events, self._now(), again=self._again
            )
            counts = Counts(read=len(chunk.records), duplicate=len(known), rejected=rejected)
            note(database, document.number, told)
            count(database, document.number, counts)
            if chunk.records:
                settle(database, document.number, chunk.last)
        for each in known:
            self._watched.known(each)
        self._watched.kept(counts, Counter(fault.kind for fault in told))

    def _went(self, database: sqlite3.Connection, number: str, before: list[Fresh]) -> bool:
        just = any(number in (each.made.native, each.case) for each in before)
        return just or self._spool.went(database, number)

    def _possible(
        self, database: sqlite3.Connection, made: Made, before: list[Fresh]
    ) -> Translated | Wrong:
        """The event as it can be sent, its opening named; or why its case does not allow it."""
        steps = self._adapter.mapping.steps
        if made.event.type in steps:
            gone = self._spool.gone_before(database, made.case)
            just = {each.made.type for each in before if each.case == made.case}
            if wrong := impossible(made.event.type, gone | just, steps):
                return wrong
        return answering(database, made.contract, made.case, made.event)


def _wrong(place: Place, wrong: Wrong) -> RowFault:
    return RowFault(place.row, "", wrong.kind, wrong.reason, wrong.advice, place.sheet)


def _deleted(place: Place) -> RowFault:
    reason = "该行在原系统中已删除，而此前已发送"
    advice = "如需撤回，请按公文撤回（exchange.recalled）办理"
    return RowFault(place.row, "", FaultKind.DELETED, reason, advice, place.sheet)
