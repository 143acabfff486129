"""What an adapter remembers, in one SQLite file of its state directory.

Documents, how far each was read and what was wrong with it; which events were made for each case
and whether they wait or were sent (`events`), the bytes of those that wait, of some in one row
(`spool`); what its own ledgers are to have (`own`); the openings that replies may name. Faults are
row numbers and sentences, nothing that a cell says; the bytes of an event that was dealt with are
erased.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final

from msgspec import json

from adapters.kit.held import Waiting, held
from adapters.kit.port import CannotRun, Place, Translated
from adapters.kit.turn import Turn

FILE_NAME: Final = "adapter.db"
RAW: Final = "raw"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS documents (
    document INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL,
    digest TEXT NOT NULL, phase TEXT NOT NULL DEFAULT 'reading', record INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 1, read INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0, duplicate INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0, ended REAL);
CREATE INDEX IF NOT EXISTS documents_open ON documents (source, document)
    WHERE phase <> 'finished';
CREATE INDEX IF NOT EXISTS documents_reading ON documents (source, document)
    WHERE phase = 'reading';
CREATE INDEX IF NOT EXISTS documents_ended ON documents (source, ended) WHERE phase = 'finished';
CREATE TABLE IF NOT EXISTS positions (source TEXT PRIMARY KEY, position TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
    document INTEGER NOT NULL, sheet TEXT NOT NULL, row INTEGER NOT NULL, "column" TEXT NOT NULL,
    kind TEXT NOT NULL, reason TEXT NOT NULL, advice TEXT NOT NULL,
    PRIMARY KEY (document, sheet, row, "column", kind, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, "case" TEXT NOT NULL, native TEXT NOT NULL,
    type TEXT NOT NULL, event TEXT NOT NULL, waits INTEGER NOT NULL, sent INTEGER NOT NULL,
    supersedes TEXT, UNIQUE (source, event));
CREATE INDEX IF NOT EXISTS events_case ON events (source, "case");
CREATE INDEX IF NOT EXISTS events_native ON events (source, native);
CREATE TABLE IF NOT EXISTS spool (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, document INTEGER NOT NULL,
    events INTEGER NOT NULL, since REAL NOT NULL, held BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS depth (
    source TEXT PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own (
    number INTEGER PRIMARY KEY AUTOINCREMENT, receipt TEXT NOT NULL, hubtime TEXT NOT NULL,
    event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS openings (
    receipt TEXT PRIMARY KEY, key TEXT NOT NULL, type TEXT NOT NULL, correlation TEXT);
CREATE INDEX IF NOT EXISTS openings_key ON openings (key);
"""


# What adapters kept before: until events were named apart from their bytes, and then until several
# of them stood in one row. Which it is tells the column of the spool that names an event.
_NAMED: Final = "SELECT name FROM pragma_table_info('spool') WHERE name IN ('event', 'entry')"
_FORMER: Final = {
    "event": """
        DROP TRIGGER spool_in;
        DROP TRIGGER spool_out;
        DROP INDEX spool_case;
        DROP INDEX spool_native;
        ALTER TABLE spool RENAME TO former;
    """,
    "entry": "ALTER TABLE spool RENAME TO former;",
}
_CARRIED: Final = {
    "event": """
        INSERT INTO events (source, "case", native, type, event, waits, sent, supersedes)
            SELECT source, "case", native, type, event, 0, 1, supersedes FROM sent ORDER BY number;
        INSERT INTO events (source, "case", native, type, event, waits, sent)
            SELECT source, "case", native, type, event, 1, 0 FROM former WHERE true ORDER BY number
            ON CONFLICT (source, event) DO UPDATE SET waits = 1;
        DROP TABLE sent;
    """,
    "entry": "",
}
_JOINED: Final = {
    "event": "former.source = events.source AND former.event = events.event",
    "entry": "former.entry = events.number",
}
_WAITED: Final = (
    "SELECT former.number, events.number, former.source, document, sheet, row, attributes, data,"
    ' since, events."case", events.event, events.native FROM former JOIN events ON '
)


class StateInUse(CannotRun):
    """Another run holds the state directory."""


class StateBroken(CannotRun):
    """What the state directory holds is no state any more."""


class State:
    """The state of one directory. Threads take turns: each use is inside `transaction`, and
    `computing` is for what takes them long beside it."""

    def __init__(self, database: sqlite3.Connection, directory: Path) -> None:
        self._database = database
        self._turn = RLock()
        self.computing = Turn()
        self.directory = directory

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """What happens inside is kept whole, on disk, when it ends; nothing of it if it fails.

        What is not `durable` outlives the process, but a power cut may undo it, whole.
        """
        with self._turn:
            self._database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                # A full disk has rolled it back already.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def rows(self, select: str, *values: object) -> list[Any]:
        """The rows of a SELECT."""
        with self._turn:
            return self._database.execute(select, values).fetchall()

    def raw(self, document: int) -> Path:
        """Where the bytes of a document are kept as they came."""
        return self.directory / RAW / f"{document}"


@contextmanager
def open_state(directory: Path) -> Iterator[State]:
    """The state kept in a directory, made if need be, for the owner's eyes only.

    Raises StateInUse while another run holds it, StateBroken, or OSError.
    """
    (directory / RAW).mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    path = directory / FILE_NAME
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    try:
        _prepare(database)
        yield State(database, directory)
    finally:
        database.close()


def _prepare(database: sqlite3.Connection) -> None:
    """The lock is taken at once and kept until the connection closes."""
    try:
        # A row of the spool holds some hundred KiB, and every page of it is a write of its own.
        database.execute("PRAGMA page_size = 16384")
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN EXCLUSIVE")
        former = database.execute(_NAMED).fetchone()
        _execute(database, _FORMER[former[0]] if former else "")
        _execute(database, _TABLES)
        if former:
            _carry(database, former[0])
        database.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StateInUse("另一个导入正在使用同一状态目录，请稍后再试") from error
        if error.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise StateBroken(f"状态文件 {FILE_NAME} 已损坏，请从备份恢复") from error
        raise


def _carry(database: sqlite3.Connection, named_by: str) -> None:
    """What was sent is known, and what waited goes on waiting, each in a row of its own."""
    _execute(database, _CARRIED[named_by])
    for (
        number,
        entry,
        source,
        document,
        sheet,
        row,
        attributes,
        data,
        since,
        *named,
    ) in database.execute(_WAITED + _JOINED[named_by]):
        case, event, native = named
        translated = Translated(native, json.decode(attributes), data)
        kept = Waiting(number, entry, document, Place("", row, sheet), case, event, translated)
        values = (number, source, document, 1, since, held([kept]))
        database.execute("INSERT INTO spool VALUES (?, ?, ?, ?, ?, ?)", values)
    database.execute("DROP TABLE former")


def _execute(database: sqlite3.Connection, statements: str) -> None:
    """Inside the transaction: `executescript` would end it."""
    for statement in statements.split(";"):
        database.execute(statement)
