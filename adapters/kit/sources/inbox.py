"""Documents that were pushed in and wait to be brought, in a folder that one process holds."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from threading import Lock
from typing import Final

from adapters.kit.port import CannotRun
from adapters.kit.sources.files import held, sync

_DATABASE: Final = "inbox.db"
_DAY: Final = 86_400.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS inbox (mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, digest BLOB NOT NULL,
    bytes INTEGER NOT NULL, suffix TEXT NOT NULL, at REAL NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS waiting ON documents (number) WHERE NOT finished;
"""


class Added(Enum):
    """What became of a document that was pushed in."""

    KEPT = auto()
    KNOWN = auto()
    OTHER_UNDER_THE_SAME_KEY = auto()


@dataclass(frozen=True, slots=True)
class Pushed:
    """A document that is whole and on the disk: where, what it is known by, and its digest."""

    path: Path
    key: bytes
    digest: bytes
    bytes: int
    suffix: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A document that waits."""

    number: int
    suffix: str
    path: Path


class Inbox:
    """What was pushed in, in the order in which it came; used by several threads.

    `mark` tells this inbox from others that stood in its place before.
    """

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self.folder = folder
        self._database = database
        self._lock = Lock()
        self.mark = self._marked()

    def draft(self) -> Path:
        """A new place to write a document to."""
        return self.folder / f"{secrets.token_hex(8)}.new"

    def add(self, pushed: Pushed, now: float) -> Added:
        """Keep a document, once for its key; it is on the disk when this returns.

        Raises OSError, sqlite3.Error.
        """
        with self._lock, self._transaction():
            select = "SELECT digest FROM documents WHERE key = ?"
            known = self._database.execute(select, (pushed.key,)).fetchone()
            if known is not None:
                pushed.path.unlink()
                same = known[0] == pushed.digest
                return Added.KNOWN if same else Added.OTHER_UNDER_THE_SAME_KEY
            insert = "INSERT INTO documents (key, digest, bytes, suffix, at) VALUES (?, ?, ?, ?, ?)"
            values = (pushed.key, pushed.digest, pushed.bytes, pushed.suffix, now)
            number = self._database.execute(insert, values).lastrowid
            pushed.path.replace(self.folder / str(number))
            sync(self.folder)
        return Added.KEPT

    def after(self, number: int) -> Waiting | None:
        """The first document above a number that is not finished."""
        with self._lock:
            select = (
                "SELECT number, suffix FROM documents WHERE NOT finished AND number > ?"
                " ORDER BY number LIMIT 1"
            )
            found = self._database.execute(select, (number,)).fetchone()
        if found is None:
            return None
        return Waiting(found[0], found[1], self.folder / str(found[0]))

    def waiting(self) -> tuple[int, int]:
        """How many documents wait, and their bytes."""
        with self._lock:
            select = "SELECT count(*), coalesce(sum(bytes), 0) FROM documents WHERE NOT finished"
            documents, size = self._database.execute(select).fetchone()
        return documents, size

    def finish(self, number: int, *, now: float, days: float) -> None:
        """A document waits no more; what it is known by is kept for so many days."""
        with self._lock, self._transaction():
            update = "UPDATE documents SET finished = 1 WHERE number = ?"
            self._database.execute(update, (number,))
            purge = "DELETE FROM documents WHERE finished AND at < ?"
            self._database.execute(purge, (now - days * _DAY,))
        (self.folder / str(number)).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what an earlier process left that is no document that waits."""
        select = "SELECT number FROM documents WHERE NOT finished"
        waiting = {str(number) for (number,) in self._database.execute(select)}
        for path in self.folder.iterdir():
            left = path.name.isdigit() and path.name not in waiting
            if left or path.name.endswith((".new", ".partial")):
                path.unlink()

    def _marked(self) -> str:
        insert = "INSERT INTO inbox SELECT ? WHERE NOT EXISTS (SELECT 1 FROM inbox)"
        self._database.execute(insert, (secrets.token_hex(3),))
        return str(self._database.execute("SELECT mark FROM inbox").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


@contextmanager
def open_inbox(folder: Path) -> Iterator[Inbox]:
    """The inbox of a folder, made if need be. Raises CannotRun while another process holds it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(held(folder, wait=False))
        except BlockingIOError:
            raise CannotRun(f"另一个适配器正在使用收件箱 {folder}，请另设 inbox") from None
        path = folder / _DATABASE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        stack.callback(database.close)
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_TABLES)
        inbox = Inbox(folder, database)
        inbox.tidy()
        yield inbox
