"""Opening the database of a data directory: one writing engine, one for readers, one process.

SQLite up to 3.51.2 can corrupt a WAL database when two connections write or checkpoint at the same
moment (sqlite.org/wal.html#walresetbug), so exactly one connection does either, and `pysqlite3`
brings a newer SQLite where there is a wheel.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError

from hub.database.tables import secrets
from hub.errors import DataDirectoryDamaged, DataDirectoryInUse, DataDirectoryNewer

FIRST_SAFE_SQLITE = (3, 51, 3)
DATABASE = "hub.db"
LOCK = "hub.lock"
_MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
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
_READER_PRAGMAS = ("query_only=1", "wal_autocheckpoint=0", "busy_timeout=5000", "cache_size=-16384")


@dataclass(frozen=True, slots=True)
class Database:
    """The two engines of one hub: `writer` has a single connection and is used by one thread."""

    writer: Engine
    readers: Engine

    def close(self) -> None:
        """Close every connection."""
        self.readers.dispose()
        self.writer.dispose()


def sqlite_module() -> ModuleType:
    """The DB-API module: `pysqlite3` where it is installed, else the standard library's."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3")


def open_database(directory: Path, *, readers: int) -> Database:
    """Open, or make, the database of a data directory and bring its tables up to date.

    Raises DataDirectoryNewer when a newer version of the program made it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = f"sqlite:///{directory / DATABASE}"
    writer = _engine(url, _WRITER_PRAGMAS, "BEGIN IMMEDIATE", pool_size=1)
    try:
        _migrate(writer)
    except DBAPIError as damaged:
        raise DataDirectoryDamaged(storage_reason(damaged)) from damaged
    return Database(
        writer=writer, readers=_engine(url, _READER_PRAGMAS, "BEGIN", pool_size=readers)
    )


def storage_reason(error: BaseException) -> str:
    """What the database says of an error, which names tables and never values; else its type."""
    return str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes: the database, its write-ahead log, the disk that they are on, what is free there."""

    database: int
    log: int
    disk: int
    free: int


def space_of(directory: Path) -> Space:
    """What a data directory takes and may take."""
    disk = shutil.disk_usage(directory)
    log = directory / f"{DATABASE}-wal"
    return Space(
        database=(directory / DATABASE).stat().st_size,
        log=log.stat().st_size if log.exists() else 0,
        disk=disk.total,
        free=disk.free,
    )


def keys_of(connection: Connection) -> dict[str, bytes]:
    """This hub's keys, by name."""
    return {name: value for name, value in connection.execute(select(secrets))}


def retire_cursor_key(file: Path, *, until: int, key: bytes) -> None:
    """Have cursors be signed with a new key, in a database that no hub has open.

    The key in use stays good up to the position `until`.
    """
    with closing(sqlite_module().connect(file)) as database, database:
        retired = f"cursors-{until}-{key.hex()[:4]}"
        database.execute("UPDATE secrets SET name = ? WHERE name = 'cursors'", (retired,))
        database.execute("INSERT INTO secrets (name, value) VALUES ('cursors', ?)", (key,))


def retired_cursor_keys(keys: Mapping[str, bytes]) -> dict[bytes, int]:
    """Of a hub's keys, those that signed cursors before a restore, and how far each is good."""
    return {
        key: int(name.split("-")[1]) for name, key in keys.items() if name.startswith("cursors-")
    }


def probe(connection: Connection) -> None:
    """Write a little, so that the commit shows whether the disk takes it."""
    connection.exec_driver_sql("UPDATE revisions SET revision = revision + 1 WHERE name = 'probe'")


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the data directory for this process; the lock goes with the process, however it ends.

    Raises DataDirectoryInUse.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        os.close(descriptor)
        raise DataDirectoryInUse(str(directory)) from busy
    try:
        yield
    finally:
        os.close(descriptor)


def is_locked(directory: Path) -> bool:
    """Whether a process holds the data directory."""
    try:
        with locked(directory):
            return False
    except DataDirectoryInUse:
        return True


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


def revisions() -> tuple[str, ...]:
    """Every migration that this program knows, the newest first."""
    return tuple(sorted((file.name[:4] for file in _MIGRATIONS.glob("[0-9]*.py")), reverse=True))


def revision_of(connection: Connection) -> str | None:
    """The migration that the tables stand at; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    revision: str | None = found.scalar_one_or_none()
    return revision


def _migrate(engine: Engine) -> None:
    known = revisions()
    with engine.begin() as connection:
        current = revision_of(connection)
        if current == known[0]:
            return
        if current is not None and current not in known:
            raise DataDirectoryNewer(current)
        # Alembic takes a fifth of all that a start imports, and most starts find nothing to do.
        from alembic.command import upgrade
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "hub.database:migrations")
        config.attributes["connection"] = connection
        upgrade(config, "head")
