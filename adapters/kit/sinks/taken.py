"""Which events a sink has taken, by receipt.

A hub that was restored from a backup gives positions to other events; receipts stay what they are.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.kit.port import Away, CannotRun
from adapters.kit.sinks.columns import Event

FILE_NAME: Final = ".taken.db"
_POSITION: Final = re.compile(r"[0-9]{1,10}-[0-9]{1,20}")
_RECEIPT: Final = re.compile(r"[0-9a-f]{32}")
TABLE: Final = "CREATE TABLE IF NOT EXISTS taken (receipt TEXT PRIMARY KEY) WITHOUT ROWID;"


class Taken:
    """The receipts of the events that one sink has taken."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __contains__(self, event: Event) -> bool:
        select = "SELECT 1 FROM taken WHERE receipt = ?"
        return self._database.execute(select, (receipt_of(event),)).fetchone() is not None

    def add(self, event: Event) -> None:
        """Remember an event, on disk if no transaction is open; one that is known stays so."""
        self._database.execute("INSERT OR IGNORE INTO taken VALUES (?)", (receipt_of(event),))


def receipt_of(event: Event) -> str:
    """The receipt, by which an event is known. Raises CannotRun."""
    return _told(event, "hubreceipt", _RECEIPT)


def name_of(event: Event) -> str:
    """The name of an event's file: its place in the subscription and its receipt."""
    return f"{_told(event, 'hubposition', _POSITION)}-{receipt_of(event)}"


def _told(event: Event, attribute: str, pattern: re.Pattern[str]) -> str:
    value = event.get(attribute)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise CannotRun(f"收到的事件没有可识别的 {attribute}：请检查地址是否指向贯通")
    return value


def folder_at(path: Path) -> Path:
    """The folder, made for the owner alone if it is not there. Raises CannotRun."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError) as error:
        raise CannotRun(f"{path} 不是文件夹：请改名移开，或另指定文件夹") from error
    return path


@contextmanager
def open_taken(path: Path) -> Iterator[Taken]:
    """The receipts kept in a file, which is made for its owner's eyes if need be.

    Raises Away while another run holds them.
    """
    with open_database(path, TABLE) as database:
        yield Taken(database)


@contextmanager
def open_database(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """A SQLite file for one run at a time, in which every commit is on disk. Raises Away."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(f"BEGIN EXCLUSIVE; {tables} COMMIT;")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise Away(f"另一个程序正在使用 {path.parent} 中的 {path.name}") from error
        yield database
    finally:
        database.close()
