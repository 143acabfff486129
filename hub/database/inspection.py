"""Reading a database file as it stands, for backups, restores and checks; nothing here changes it.

A connection made here is read-only to SQLite itself: it can neither write nor checkpoint, so the
hub's writer stays the only one that does, also where this runs in a process beside the hub's.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from hub.database.sqlite import sqlite_module
from hub.database.transactions import storage_reason
from hub.errors import DataDirectoryDamaged

MOST_FAULTS: Final = 5
# How many steps of SQLite's machine lie between two looks at whether it is enough.
_STEPS: Final = 100_000


@contextmanager
def reading(file: Path, *, still: bool = False) -> Iterator[Connection]:
    """A connection that sees one snapshot of a database file.

    With `still`, no process may have it open and no log lie beside it: then nothing is put beside
    it either. Raises DataDirectoryDamaged for whatever SQLite says, also inside the block.
    """
    unchanging = "&immutable=1" if still else ""
    url = f"file:{quote(str(file.absolute()))}?mode=ro{unchanging}"
    module = sqlite_module()
    engine = create_engine(
        "sqlite://",
        module=module,
        creator=lambda: module.connect(url, uri=True, isolation_level=None),
        poolclass=NullPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    with damage_told(), engine.connect() as connection:
        yield connection


@contextmanager
def damage_told() -> Iterator[None]:
    """What SQLite raises inside becomes DataDirectoryDamaged, with its reason."""
    try:
        yield
    except DBAPIError as error:
        raise DataDirectoryDamaged(storage_reason(error)) from error
    except sqlite_module().Error as error:
        raise DataDirectoryDamaged(str(error)) from error


def copy(source: Connection, target: Path) -> None:
    """Copy the database, as the connection's snapshot sees it, into an empty file.

    In one step: one that is taken in several starts anew whenever the hub commits.
    """
    with closing(sqlite_module().connect(target)) as copied:
        _driver(source).backup(copied)


def integrity(
    connection: Connection, *, full: bool, enough: Callable[[], bool]
) -> tuple[str, ...] | None:
    """What SQLite finds wrong, which names tables and pages; None when `enough` broke it off.

    `full` compares the indexes with their tables too, which takes several times as long.
    """
    driver = _driver(connection)
    driver.set_progress_handler(enough, _STEPS)
    check = "integrity_check" if full else "quick_check"
    try:
        lines = connection.exec_driver_sql(f"PRAGMA {check}({MOST_FAULTS})").scalars().all()
    except DBAPIError as error:
        return None if enough() else (storage_reason(error),)
    finally:
        driver.set_progress_handler(None, 0)
    return () if lines == ["ok"] else tuple(" ".join(line.split()) for line in lines)


def _driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection
