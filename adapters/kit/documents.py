"""The documents of one source: brought, read record by record, answered for, finished."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.kit.port import Brought, FaultKind, RowFault
from adapters.kit.state import State

DAY: Final = 86_400.0
# How long a raw copy is kept after its document was answered for, unless somebody says otherwise.
RAW_DAYS: Final = 30.0

_CHUNK: Final = 1 << 20
_FAULTS: Final = (
    'SELECT sheet, row, "column", kind, reason, advice FROM faults WHERE document = ?'
    ' AND (sheet, row, "column", kind, reason) > (?, ?, ?, ?, ?)'
    ' ORDER BY sheet, row, "column", kind, reason LIMIT 1000'
)
_COLUMNS: Final = "document, name, record, complete, read, accepted, duplicate, rejected"


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows with something in them, and what they gave by how it ended.

    `rejected`: rows that gave something wrong here, and events that the hub refused.
    """

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One document: what people call it, its raw copy, and the last record that was settled."""

    number: int
    name: str
    path: Path
    record: int
    complete: bool
    counts: Counts


class Documents:
    """The documents of one event source (`/<agency>/<system>`), oldest first."""

    def __init__(self, state: State, source: str) -> None:
        self._state = state
        self.source = source

    @property
    def position(self) -> str:
        """Behind the last document brought; "" at first."""
        select = "SELECT position FROM positions WHERE source = ?"
        return str(next((row[0] for row in self._state.rows(select, self.source)), ""))

    def next_raw(self) -> Path:
        """A new file for the next document; what a run that ended too early left there is gone."""
        select = "SELECT seq FROM sqlite_sequence WHERE name = 'documents'"
        last = next((int(row[0]) for row in self._state.rows(select)), 0)
        path = self._state.raw(last + 1)
        path.unlink(missing_ok=True)
        return path

    def add(self, brought: Brought, raw: Path) -> Document:
        """Keep a document that lies at `next_raw`, and the position behind it, in one step."""
        digest = digest_of(raw)
        with self._state.transaction() as database:
            insert = "INSERT INTO documents (source, name, digest) VALUES (?, ?, ?)"
            number = database.execute(insert, (self.source, brought.name, digest)).lastrowid
            database.execute(
                "INSERT OR REPLACE INTO positions VALUES (?, ?)", (self.source, brought.position)
            )
        if number is None or raw != self._state.raw(number):
            raise AssertionError("one thread adds the documents of a state directory")
        return Document(number, brought.name, raw, 0, True, Counts())

    def unfinished(self, name: str, digest: str) -> Document | None:
        """The document of that name and content that is not finished."""
        where = "source = ? AND phase <> 'finished' AND name = ? AND digest = ?"
        return self._first(where, self.source, name, digest)

    def to_read(self) -> Document | None:
        """The oldest that is not read to its end."""
        return self._first("source = ? AND phase = 'reading'", self.source)

    def answered(self) -> Document | None:
        """The oldest that was read and waits for no answer, unless an older one still does."""
        oldest = self._first("source = ? AND phase <> 'finished'", self.source)
        if oldest is None:
            return None
        # Documents are read one after the other, so the first event that waits is of the oldest.
        waits = "SELECT document FROM spool NOT INDEXED WHERE source = ? ORDER BY number LIMIT 1"
        reading = "SELECT document FROM documents WHERE document = ? AND phase = 'reading'"
        first = (*self._state.rows(waits, self.source), *self._state.rows(reading, oldest.number))
        # The last answers may have come since it was looked up.
        return None if (oldest.number,) in first else self.current(oldest)

    def current(self, document: Document) -> Document:
        """The same as it is now."""
        found = self._first("document = ?", document.number)
        assert found is not None
        return found

    def faults(self, document: Document) -> Iterator[RowFault]:
        """In the order of rows."""
        after: tuple[object, ...] = ("", -1, "", "", "")
        while rows := self._state.rows(_FAULTS, document.number, *after):
            for sheet, row, column, kind, reason, advice in rows:
                yield RowFault(row, column, FaultKind(kind), reason, advice, sheet)
            after = tuple(rows[-1][:5])

    def read_to_end(self, document: Document, *, complete: bool) -> None:
        """Everything that can be read was settled."""
        with self._state.transaction() as database:
            database.execute(
                "UPDATE documents SET phase = 'sending', complete = ? WHERE document = ?",
                (complete, document.number),
            )

    def finish(self, document: Document, now: float) -> None:
        """The hub has answered for all of it, and the source was told."""
        with self._state.transaction() as database:
            database.execute(
                "UPDATE documents SET phase = 'finished', ended = ? WHERE document = ?",
                (now, document.number),
            )

    def purge(self, before: float) -> None:
        """Forget what was finished before a time, and its raw copies."""
        where = "source = ? AND phase = 'finished' AND ended < ?"
        for (number,) in self._state.rows(
            f"SELECT document FROM documents WHERE {where}", self.source, before
        ):
            self._state.raw(number).unlink(missing_ok=True)
            with self._state.transaction() as database:
                database.execute("DELETE FROM faults WHERE document = ?", (number,))
                database.execute("DELETE FROM documents WHERE document = ?", (number,))

    def _first(self, where: str, *values: object) -> Document | None:
        select = f"SELECT {_COLUMNS} FROM documents WHERE {where} ORDER BY document LIMIT 1"
        for number, name, record, complete, *counts in self._state.rows(select, *values):
            path = self._state.raw(number)
            return Document(number, name, path, record, bool(complete), Counts(*counts))
        return None


def note(database: sqlite3.Connection, document: int, faults: Iterable[RowFault]) -> None:
    """Keep faults; the same one twice is one."""
    database.executemany(
        "INSERT OR IGNORE INTO faults VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((document, f.sheet, f.row, f.column, f.kind, f.reason, f.advice) for f in faults),
    )


def settle(database: sqlite3.Connection, document: int, record: int) -> None:
    """Records up to this one are settled."""
    update = "UPDATE documents SET record = max(record, ?) WHERE document = ?"
    database.execute(update, (record, document))


def count(database: sqlite3.Connection, document: int, more: Counts) -> None:
    update = (
        "UPDATE documents SET read = read + ?, accepted = accepted + ?,"
        " duplicate = duplicate + ?, rejected = rejected + ? WHERE document = ?"
    )
    values = (more.read, more.accepted, more.duplicate, more.rejected, document)
    database.execute(update, values)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
