"""What a ledger knows beside its workbook: its rows, the events it has taken, what was corrected.

One SQLite file, hidden beside the workbook. It is written first; the workbook is made to agree
with it afterwards, as often as need be.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.kit.present import Plain, said
from adapters.kit.sinks.taken import TABLE, Taken, open_database

_TABLES: Final = f"""{TABLE}
CREATE TABLE IF NOT EXISTS rows (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, cells TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS corrections (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, key TEXT NOT NULL, "column" TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, receipt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS named (
    event TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (event, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS named_by ON named (key);
CREATE TABLE IF NOT EXISTS workbook (one INTEGER PRIMARY KEY CHECK (one = 1), seen TEXT NOT NULL);
"""
# What a row is known by: the parts of its key, in the order of the ledger's.
Key = tuple[str, ...]
# What people can be shown has no such character.
_BETWEEN: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger: its number from 1, its key, and what the events say, by title."""

    number: int
    key: Key
    cells: Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction made of a cell that had something in it; `number` rises from 1, `key` is
    for people."""

    number: int
    time: str
    key: str
    column: str
    before: str
    after: str
    receipt: str


class LedgerRows:
    """The rows of one ledger."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.taken = Taken(database)

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

    def cells(self, key: Key) -> dict[str, Plain]:
        """What is known of a row, nothing for a new one."""
        select = "SELECT cells FROM rows WHERE key = ?"
        found = self._database.execute(select, (_kept(key),)).fetchone()
        cells: dict[str, Plain] = json.loads(found[0]) if found else {}
        return cells

    def put(self, key: Key, cells: Mapping[str, Plain]) -> None:
        """Keep a row; a new one gets the next number. No workbook says so yet."""
        upsert = (
            "INSERT INTO rows (key, cells) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET cells = excluded.cells"
        )
        self._database.execute(upsert, (_kept(key), json.dumps(cells, ensure_ascii=False)))
        self._database.execute("DELETE FROM workbook")

    def name(self, event: str, keys: Collection[Key], *, instead_of: str | None) -> list[Key]:
        """Remember which rows an event is about; those that the event it is sent instead of was
        about and it is not."""
        select = "SELECT key FROM named WHERE event = ? ORDER BY key"
        before = [_parts(key) for (key,) in self._database.execute(select, (instead_of,))]
        self._database.execute("DELETE FROM named WHERE event = ?", (instead_of,))
        insert = "INSERT OR IGNORE INTO named VALUES (?, ?)"
        self._database.executemany(insert, ((event, _kept(key)) for key in keys))
        return [key for key in before if key not in keys]

    def is_named(self, key: Key) -> bool:
        """Whether any event is about a row."""
        select = "SELECT 1 FROM named WHERE key = ? LIMIT 1"
        return self._database.execute(select, (_kept(key),)).fetchone() is not None

    def forget(self, key: Key) -> None:
        """Keep a row no longer."""
        self._database.execute("DELETE FROM rows WHERE key = ?", (_kept(key),))

    def note(self, time: str, key: str, column: str, change: tuple[str, str], receipt: str) -> None:
        """Note a correction: what stood in a column, and what stands there now."""
        insert = (
            'INSERT INTO corrections (time, key, "column", before, after, receipt)'
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        self._database.execute(insert, (time, key, column, *change, receipt))

    def __iter__(self) -> Iterator[Row]:
        """All rows in the order they came."""
        select = "SELECT number, key, cells FROM rows ORDER BY number"
        for number, key, cells in self._database.execute(select):
            yield Row(number, _parts(key), json.loads(cells))

    def corrections(self, after: int) -> Iterator[Correction]:
        """The corrections numbered above `after`, in order."""
        select = (
            'SELECT number, time, key, "column", before, after, receipt FROM corrections'
            " WHERE number > ? ORDER BY number"
        )
        for found in self._database.execute(select, (after,)):
            yield Correction(*found)

    @property
    def written(self) -> str | None:
        """What told the workbook from others when it said all that the rows say; None if they say
        more."""
        found = self._database.execute("SELECT seen FROM workbook").fetchone()
        return None if found is None else str(found[0])

    @written.setter
    def written(self, seen: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO workbook VALUES (1, ?)", (seen,))


@contextmanager
def open_rows(path: Path, key: Sequence[str]) -> Iterator[LedgerRows]:
    """The rows kept in a file, which is made for its owner's eyes if need be; `key` are the titles
    of the columns that name a row.

    Raises Away while another run holds them.
    """
    with open_database(path, _TABLES) as database:
        rows = LedgerRows(database)
        with rows.transaction():
            _carry_over(database, key)
        yield rows


def _carry_over(database: sqlite3.Connection, titles: Sequence[str]) -> None:
    """Part the keys of former times, which stood in one text with "/" between their parts: as the
    row's cells say, and where these say it in other words at the first of them."""
    if database.execute("PRAGMA user_version").fetchone()[0]:
        return
    former = database.execute("SELECT key, cells FROM rows").fetchall()
    for key, written in former:
        cells = json.loads(written)
        told = [said(cells.get(title)) for title in titles]
        parts = told if "/".join(told) == key else key.split("/", len(titles) - 1)
        database.execute("UPDATE rows SET key = ? WHERE key = ?", (_kept(parts), key))
        database.execute("UPDATE named SET key = ? WHERE key = ?", (_kept(parts), key))
    database.execute("DROP TABLE IF EXISTS behind")
    database.execute("PRAGMA user_version = 1")


def _kept(key: Sequence[str]) -> str:
    return _BETWEEN.join(key)


def _parts(key: str) -> Key:
    return tuple(key.split(_BETWEEN))
