"""SQLite, in a data directory: one writing engine, one for readers, one process.

SQLite up to 3.51.2 can corrupt a WAL database when two connections write or checkpoint at the same
moment (sqlite.org/wal.html#walresetbug), so exactly one connection does either, and `pysqlite3`
brings a newer SQLite where there is a wheel.
"""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from hub.database.migrating import migrate
from hub.database.readers import OnThreads
from hub.database.transactions import SpaceHere, T, Works, storage_reason
from hub.errors import DataDirectoryDamaged

FIRST_SAFE_SQLITE = (3, 51, 3)
DATABASE = "hub.db"
_WRITER_PRAGMAS = (
    "page_size=8192",
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "cache_size=-65536",
    "wal_autocheckpoint=5000",
    "journal_size_limit=67108864",
    "temp_store=MEMORY",
    "foreign_keys=ON",
    # What is purged is overwritten, not only unlinked.
    "secure_delete=ON",
)
_READER_PRAGMAS = ("query_only=1", "wal_autocheckpoint=0", "busy_timeout=5000", "cache_size=-8192")


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """The two engines of one hub: `writer` has a single connection and is used by one thread."""

    directory: Path
    writer: Engine
    readers: Engine

    @property
    def answer(self) -> None:
        """A disk may be slow."""

    def writing(self) -> "_Transactions":
        """Transactions that change it, of one thread in all."""
        return _Transactions(self.writer)

    def reading(self) -> "_Transactions":
        """Transactions that only read."""
        return _Transactions(self.readers)

    def pages(self) -> Works:
        """Works that read pages, one after another: the driver gives the interpreter lock away at
        each row, so that several threads get half of what one gets.
        """
        return OnThreads(self.reading, threads=1)

    def space(self, _connection: Connection) -> SpaceHere:
        """What the data directory takes and may take."""
        return space_of(self.directory)

    def close(self) -> None:
        """Close every connection."""
        self.readers.dispose()
        self.writer.dispose()


class _Transactions:
    """Transactions of one connection of an engine, had at the first of them and kept: to have it
    anew each time takes a quarter of what a record of a page takes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._engine.connect()
        try:
            with connection.begin():
                return work(connection)
        except BaseException:
            # The engine rolls back what a commit that failed has left.
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def sqlite_module() -> ModuleType:
    """The DB-API module: `pysqlite3` where it is installed, else the standard library's."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3")


def open_sqlite(directory: Path, *, readers: int) -> SqliteDatabase:
    """Open, or make, the database of a data directory and bring its tables up to date.

    Raises DataDirectoryNewer when a newer version of the program made it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = f"sqlite:///{directory / DATABASE}"
    writer = _engine(url, _WRITER_PRAGMAS, "BEGIN IMMEDIATE", pool_size=1)
    try:
        with writer.begin() as connection:
            migrate(connection)
    except DBAPIError as damaged:
        raise DataDirectoryDamaged(storage_reason(damaged)) from damaged
    return SqliteDatabase(
        directory, writer, _engine(url, _READER_PRAGMAS, "BEGIN", pool_size=readers)
    )


def space_of(directory: Path) -> SpaceHere:
    """What a data directory takes and may take."""
    disk = shutil.disk_usage(directory)
    log = directory / f"{DATABASE}-wal"
    return SpaceHere(
        database=(directory / DATABASE).stat().st_size,
        log=log.stat().st_size if log.exists() else 0,
        disk=disk.total,
        free=disk.free,
    )


def retire_cursor_key(file: Path, *, until: int, key: bytes) -> None:
    """Have cursors be signed with a new key, in a database that no hub has open.

    The key in use stays good up to the position `until`.
    """
    with closing(sqlite_module().connect(file)) as database, database:
        retired = f"cursors-{until}-{key.hex()[:4]}"
        database.execute("UPDATE secrets SET name = ? WHERE name = 'cursors'", (retired,))
        database.execute("INSERT INTO secrets (name, value) VALUES ('cursors', ?)", (key,))


def _engine(url: str, pragmas: tuple[str, ...], begin: str, *, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_module(),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself: `begin` below says how they start.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
