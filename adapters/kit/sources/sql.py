"""A table or view of an agency's database: the rows changed since, a page each one document.

Rows are read in the order of a pair of columns, when a row was `changed` and its `key`. A position
tells behind which pair to read on. A transaction may commit a row long after it wrote its time;
so what changed in the last `overlap` seconds is read again, without the rows that were brought.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import Field
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Select,
    and_,
    column,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError

from adapters.kit.port import Away, Brought, CannotRun, Outcome, Source
from adapters.kit.sources.database import Database, engine_at, told
from adapters.kit.sources.files import new_file, shown
from adapters.kit.sources.values import FAR_AHEAD, PLAIN, cell, earlier, moment_of, packed, unpacked

# What a dialect is told first in each transaction.
_SESSION: Final = {
    "postgresql": (
        "SET TRANSACTION READ ONLY",
        "SET LOCAL statement_timeout = {milliseconds}",
    ),
    "sqlite": ("PRAGMA query_only = ON",),
}
_DIGEST: Final = 8
_MOST_SEEN: Final = 4_000


class SqlSettings(Database):
    """A table or view.

    `changed` and `key` make a pair that no two rows share, never NULL. `overlap`: how late a
    transaction may commit, in seconds of a time and in units of a number; `batch`: most rows of a
    document; `timeout`: of a query, in seconds; `session`: what the database is told first in
    each transaction, where the kit does not know it.
    """

    type: Literal["sql"] = "sql"
    owner: Annotated[str, Field(min_length=1)] | None = None
    table: Annotated[str, Field(min_length=1)]
    columns: Annotated[tuple[str, ...], Field(min_length=1, max_length=1_000)]
    changed: Annotated[str, Field(min_length=1)]
    key: Annotated[str, Field(min_length=1)]
    overlap: Annotated[int, Field(ge=0, le=604_800)] = 300
    batch: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    timeout: Annotated[float, Field(gt=0, le=3_600)] = 60
    session: tuple[str, ...] | None = None

    @contextmanager
    def opened(self, base: Path, *, clock: Callable[[], float] = time.time) -> Iterator[Source]:
        """The table; connections are made as they are needed. Raises CannotRun."""
        engine = engine_at(self.address(base))
        try:
            yield _Table(self, engine, clock)
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class _Position:
    """Behind which row reading goes on: behind this pair, without a key behind this time; and
    which of the rows there were brought. `number` counts documents."""

    number: int = 0
    changed: Any = None
    key: Any = None
    seen: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, written: str) -> "_Position":
        """Raises CannotRun for what another kind of source wrote."""
        if not written:
            return cls()
        try:
            said = json.loads(written)
            digests = base64.b64decode(said["seen"])
            return cls(
                number=int(said["number"]),
                changed=unpacked(said["changed"]),
                key=unpacked(said["key"]),
                seen=frozenset(
                    digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST)
                ),
            )
        except (ValueError, TypeError, KeyError, ArithmeticError):
            told = "所记位置不是数据库表的，请核对 adapters.toml 中的 source"
            raise CannotRun(told) from None

    def written(self) -> str:
        said = {
            "number": self.number,
            "changed": packed(self.changed),
            "key": packed(self.key),
            "seen": base64.b64encode(b"".join(sorted(self.seen))).decode(),
        }
        return json.dumps(said, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row read: its pair, and what it is known by."""

    changed: Any
    key: Any
    digest: bytes


class _Table:
    """The source."""

    def __init__(self, settings: SqlSettings, engine: Engine, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._changed: ColumnElement[Any] = column(settings.changed)
        self._key: ColumnElement[Any] = column(settings.key)
        columns = [self._changed, self._key, *map(column, settings.columns)]
        self._table = table(settings.table, schema=settings.owner)
        self._rows: Select[Any] = (
            select(*columns).select_from(self._table).order_by(self._changed, self._key)
        )

    def bring(self, position: str, into: Path) -> Brought | None:
        before = _Position.of(position)
        with self._reading() as connection:
            if not position:
                self._refuse_nulls(connection)
            after = self._page(connection, before, into)
        if after is None:
            return None
        return Brought(f"{shown(self._settings.table)}-{after.number}.ndjson", after.written())

    def finished(self, name: str, outcome: Outcome) -> None:
        """The table is not told."""

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that reads and changes nothing. Raises Away, CannotRun."""
        database = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and not Path(database or "").is_file():
            raise Away("数据库文件不在")
        session = self._settings.session
        if session is None:
            session = _SESSION.get(self._engine.dialect.name, ())
        try:
            with self._connected() as connection:
                for statement in session:
                    milliseconds = int(self._settings.timeout * 1_000)
                    connection.exec_driver_sql(statement.format(milliseconds=milliseconds))
                yield connection
                connection.rollback()
        except DBAPIError as error:
            raise told(error, "查询") from None

    def _connected(self) -> Connection:
        try:
            return self._engine.connect()
        except OSError as error:
            # Of drivers that do not wrap it.
            raise Away(f"数据库暂不可用（{type(error).__name__}）") from None

    def _refuse_nulls(self, connection: Connection) -> None:
        nulls = or_(self._changed.is_(None), self._key.is_(None))
        some = select(self._key).select_from(self._table).where(nulls).limit(1)
        if connection.execute(some).first() is not None:
            pair = f"{self._settings.changed}、{self._settings.key}"
            raise CannotRun(f"列 {pair} 中有空值，这些行无法按序读取，请在视图中补上或排除")

    def _page(self, connection: Connection, before: _Position, into: Path) -> _Position | None:
        """Write the rows of the next document, if there are any; the position behind them."""
        most = self._settings.batch
        query = self._rows.where(*self._behind(before)).limit(most + len(before.seen) + 1)
        read: list[_Row] = []
        brought = 0
        try:
            with new_file(into) as document:
                for row, written in self._read(connection, query):
                    if read:
                        self._refuse_unordered(read[-1], row)
                    if brought == most or self._is_ahead(row, brought):
                        beyond = before.seen.difference(row.digest for row in read)
                        break
                    read.append(row)
                    if row.digest not in before.seen:
                        document.write(written)
                        brought += 1
                else:
                    beyond = frozenset()
                if not brought:
                    raise _NothingNew
        except _NothingNew:
            return None
        return self._after(before, read, beyond)

    def _read(self, connection: Connection, query: Select[Any]) -> Iterator[tuple[_Row, bytes]]:
        names = self._settings.columns
        streamed = connection.execution_options(stream_results=True, max_row_buffer=500)
        for changed, key, *values in streamed.execute(query):
            cells = dict(zip(names, values, strict=True))
            if not PLAIN.issuperset(map(type, values)):
                cells = {name: cell(name, value) for name, value in cells.items()}
            written = msgspec.json.encode(cells) + b"\n"
            pair = msgspec.json.encode((packed(changed), packed(key)))
            yield _Row(changed, key, hashlib.sha256(pair + written).digest()[:_DIGEST]), written

    def _behind(self, position: _Position) -> tuple[ColumnElement[bool], ...]:
        if position.changed is None:
            return ()
        changed = _bound(position.changed)
        later = self._changed > changed
        if position.key is None:
            return (later,)
        same = and_(self._changed == changed, self._key > _bound(position.key))
        return (or_(later, same),)

    def _after(self, before: _Position, read: list[_Row], beyond: frozenset[bytes]) -> _Position:
        """Behind rows that were read; `beyond` stand further on, and were brought as well."""
        last = read[-1]
        floor = self._again_from(last.changed)
        if floor is None:
            changed, key = last.changed, last.key
            # A time that the driver has cut short comes once more.
            again = [row for row in read if row.changed == last.changed]
        elif before.changed is None or floor > before.changed:
            changed, key = floor, None
            again = [row for row in read if row.changed > floor]
        else:
            changed, key = before.changed, before.key
            again = read
        too_many = len(again) + len(beyond) - _MOST_SEEN
        if too_many > 0:
            if floor is not None:
                changed, key = again[too_many - 1].changed, again[too_many - 1].key
            again = again[too_many:]
        seen = beyond.union(row.digest for row in again)
        return _Position(before.number + 1, changed, key, seen)

    def _again_from(self, changed: Any) -> Any:
        """Behind which time or number to read again; None where nothing is committed any more."""
        overlap, moment = self._settings.overlap, moment_of(changed)
        if not overlap or (moment is not None and self._clock() - moment > overlap + FAR_AHEAD):
            return None
        return earlier(changed, overlap)

    def _is_ahead(self, row: _Row, brought: int) -> bool:
        """Whether reading must end before the row: behind its time none of today's would come."""
        moment = moment_of(row.changed)
        if moment is None or moment <= self._clock() + FAR_AHEAD:
            return False
        if not brought:
            told = "中有将来的时间，其后的变更无法按序读取，请改正这些行或在视图中排除"
            raise CannotRun(f"列 {self._settings.changed} {told}")
        return True

    def _refuse_unordered(self, last: _Row, row: _Row) -> None:
        pair = f"{self._settings.changed}、{self._settings.key}"
        if type(last.changed) is not type(row.changed) or type(last.key) is not type(row.key):
            raise CannotRun(f"列 {pair} 中混有不同类型的值，无法按序读取，请在视图中统一")
        if (last.changed, last.key) == (row.changed, row.key):
            raise CannotRun(f"列 {pair} 合起来不唯一，无法按序读取，请另选 key")


class _NothingNew(Exception):
    """Every row there is was brought."""


def _bound(value: Any) -> ColumnElement[Any]:
    """A value in a query; a time with a zone keeps it."""
    zoned = isinstance(value, datetime) and value.tzinfo is not None
    return literal(value, DateTime(timezone=True)) if zoned else literal(value)
