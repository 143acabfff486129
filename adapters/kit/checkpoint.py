"""What an adapter remembers between runs, in one SQLite file of its state directory.

Per input, how far it was settled and what was wrong with it; per native number, the events that
were sent for it, so that reading the same rows again makes the same events. Row numbers, ids and
faults only: nothing that a cell says.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from adapters.kit.port import CannotRun, FaultKind, RowFault

FILE_NAME: Final = "adapters.db"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS inputs (
    input INTEGER PRIMARY KEY, source TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL,
    row INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0,
    read INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, file, digest));
CREATE TABLE IF NOT EXISTS faults (
    input INTEGER NOT NULL, row INTEGER NOT NULL, "column" TEXT NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, advice TEXT NOT NULL,
    PRIMARY KEY (input, row, "column", kind, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, native TEXT NOT NULL, event TEXT NOT NULL,
    supersedes TEXT, UNIQUE (source, native, event));
"""


class CheckpointInUse(CannotRun):
    """Another run holds the state directory."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by what became of them."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that the hub has, and the one of the same native number that it replaces."""

    native: str
    event: str
    supersedes: str | None


class Checkpoint:
    """The remembered state of all inputs of one state directory; one run at a time holds it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens inside is kept whole, on disk, when it ends; nothing of it if it fails."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def input(self, *, source: str, file: str, digest: str) -> "Input":
        """The state of one input. A finished one begins again, without its counts and faults."""
        with self.transaction():
            where = (source, file, digest)
            insert = "INSERT OR IGNORE INTO inputs (source, file, digest) VALUES (?, ?, ?)"
            self._database.execute(insert, where)
            select = "SELECT input, finished FROM inputs WHERE (source, file, digest) = (?, ?, ?)"
            number, finished = self._database.execute(select, where).fetchone()
            if finished:
                self._begin_again(number)
        return Input(self._database, number)

    def supersedes(self, *, source: str, native: str, event: str) -> str | None:
        """What `event` replaces: as it was sent, or for a new one the last sent of its number."""
        where = "FROM sent WHERE source = ? AND native = ?"
        known = self._database.execute(
            f"SELECT supersedes {where} AND event = ?", (source, native, event)
        ).fetchone()
        last = self._database.execute(
            f"SELECT event {where} ORDER BY number DESC LIMIT 1", (source, native)
        ).fetchone()
        found: str | None = (known or last or (None,))[0]
        return found

    def remember(self, source: str, events: Iterable[Sent]) -> None:
        """Note events that the hub has, in the order sent; those known already stay as they are."""
        insert = (
            "INSERT OR IGNORE INTO sent (source, native, event, supersedes) VALUES (?, ?, ?, ?)"
        )
        self._database.executemany(insert, ((source, *astuple(event)) for event in events))

    def _begin_again(self, number: int) -> None:
        self._database.execute(
            "UPDATE inputs SET row = 0, finished = 0, read = 0, accepted = 0, duplicate = 0,"
            " rejected = 0 WHERE input = ?",
            (number,),
        )
        self._database.execute("DELETE FROM faults WHERE input = ?", (number,))


class Input:
    """How far one input was settled, what became of its rows, what was wrong with them."""

    def __init__(self, database: sqlite3.Connection, number: int) -> None:
        self._database = database
        self._number = number

    @property
    def row(self) -> int:
        """The last row settled, 0 for none."""
        return int(self._one("SELECT row FROM inputs WHERE input = ?")[0])

    @property
    def counts(self) -> Counts:
        """Of all runs since it was begun."""
        return Counts(
            *self._one("SELECT read, accepted, duplicate, rejected FROM inputs WHERE input = ?")
        )

    @property
    def fault_count(self) -> int:
        return int(self._one("SELECT count(*) FROM faults WHERE input = ?")[0])

    def faults(self) -> Iterator[RowFault]:
        """In the order of rows."""
        select = (
            'SELECT row, "column", kind, reason, advice FROM faults WHERE input = ?'
            ' ORDER BY row, "column", kind, reason'
        )
        for row, column, kind, reason, advice in self._database.execute(select, (self._number,)):
            yield RowFault(row, column, FaultKind(kind), reason, advice)

    def settle(self, row: int) -> None:
        """Rows up to this one are settled."""
        update = "UPDATE inputs SET row = max(row, ?) WHERE input = ?"
        self._database.execute(update, (row, self._number))

    def count(self, more: Counts) -> None:
        update = (
            "UPDATE inputs SET read = read + ?, accepted = accepted + ?,"
            " duplicate = duplicate + ?, rejected = rejected + ? WHERE input = ?"
        )
        self._database.execute(update, (*astuple(more), self._number))

    def note(self, faults: Iterable[RowFault]) -> None:
        """Keep faults; the same one twice is one."""
        insert = "INSERT OR IGNORE INTO faults VALUES (?, ?, ?, ?, ?, ?)"
        self._database.executemany(
            insert, ((self._number, *astuple(fault)[:-1]) for fault in faults)
        )

    def finish(self) -> None:
        """Everything that can be read was settled."""
        self._database.execute("UPDATE inputs SET finished = 1 WHERE input = ?", (self._number,))

    def _one(self, select: str) -> tuple[int, ...]:
        found: tuple[int, ...] = self._database.execute(select, (self._number,)).fetchone()
        return found


@contextmanager
def open_checkpoint(directory: Path) -> Iterator[Checkpoint]:
    """The state kept in a directory, made if need be, for the owner's eyes only.

    Raises CheckpointInUse while another run holds it.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / FILE_NAME
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        _prepare(database)
        yield Checkpoint(database)
    finally:
        database.close()


def _prepare(database: sqlite3.Connection) -> None:
    """The lock is taken by the first write and kept until the connection closes."""
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(f"BEGIN EXCLUSIVE; {_TABLES} COMMIT;")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise CheckpointInUse("另一个导入正在使用同一状态目录，请稍后再试") from error
