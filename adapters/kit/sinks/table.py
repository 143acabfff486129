"""Rows in a table of the agency's own database, of any dialect that SQLAlchemy speaks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from adapters.kit.port import CannotRun, Sink
from adapters.kit.present import Plain, said
from adapters.kit.sinks.columns import (
    WITHHELD,
    Column,
    Description,
    Event,
    Kept,
    changes,
    check_columns,
    described,
    key_of,
    rows_of,
)
from adapters.kit.sinks.taken import receipt_of
from adapters.kit.sources.database import Database, engine_at, told

TAKEN: Final = "gt_taken"
_BEIJING: Final = timezone(timedelta(hours=8))
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x20\x7f\"'`.;]+$")]


class TableColumn(Column):
    """A column of a table: `title` is its name there. `longest`: characters of a text, if it is to
    be created; what may be longer has none."""

    title: Name
    longest: Annotated[int, Field(ge=1, le=4_000)] | None = None

    @model_validator(mode="after")
    def _filled_once(self) -> "TableColumn":
        if self.filled_by != 1 or self.shows == "number":
            raise ValueError('pointer、attribute、shows = "state" 须有且只有一个')
        return self


class TableForm(Description):
    """A table: `key` is the name of the column that names the case, and then a case is one row;
    without it every event is a row of its own."""

    table: Name
    db_schema: Annotated[Name | None, Field(alias="schema")] = None
    key: Name | None = None
    events: Annotated[Mapping[str, Kept], Field(min_length=1)]
    columns: Annotated[tuple[TableColumn, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _columns(self) -> "TableForm":
        check_columns(self.columns, self.events)
        if any(len(kept.key) > 1 for kept in self.events.values()):
            raise ValueError("表的 key 只能是一个指针")
        if self.key and not any(c.title == self.key and c.pointer for c in self.columns):
            raise ValueError(f"没有名为“{self.key}”且有 pointer 的列")
        return self


class TableSettings(Database):
    """`table`: the description, in the adapter's folder. `create`: make what is not there."""

    type: Literal["table"]
    table: Path = Path("table.toml")
    create: bool = False

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a description or an address that cannot be used."""
        form = described(folder / self.table, TableForm)
        url = self.address(base)
        engine = engine_at(url)
        if self.create and url.get_backend_name() == "sqlite" and url.database:
            os.close(os.open(url.database, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            yield TableSink(engine, form, create=self.create)
        finally:
            engine.dispose()


class TableSink:
    """Takes events into a table, a page in one transaction together with their receipts.

    What is withheld is NULL; money is in yuan, times are Beijing's. A row is found by its key in a
    table that people may read at any time, and write if they leave these columns alone.
    """

    def __init__(self, engine: sa.Engine, form: TableForm, *, create: bool) -> None:
        self._engine = engine
        self._form = form
        self._create = create
        self._tables: tuple[sa.Table, sa.Table] | None = None

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        kept = [(event, self._form.events.get(event["type"])) for event in events]
        wanted = [(event, how) for event, how in kept if how is not None]
        if not wanted:
            return
        try:
            table, taken = self._tables or self._found()
            with self._engine.begin() as connection:
                for event, how in wanted:
                    if self._is_new(connection, taken, event):
                        for row in rows_of(how, event):
                            self._enter(connection, table, row, how)
        except DBAPIError as error:
            refused = f"写表 {self._form.table}"
            raise told(error, refused, "各列的类型、约束和权限") from None

    def _found(self) -> tuple[sa.Table, sa.Table]:
        """The tables as they are, made before if that is asked for. Raises CannotRun."""
        if self._create:
            _tables_of(self._form).create_all(self._engine)
        metadata = sa.MetaData(schema=self._form.db_schema)
        try:
            table = sa.Table(self._form.table, metadata, autoload_with=self._engine)
            taken = sa.Table(TAKEN, metadata, autoload_with=self._engine)
        except NoSuchTableError as error:
            named = (t for t in _tables_of(self._form).sorted_tables if t.name == str(error))
            wanted = sa.schema.CreateTable(next(named))
            ddl = " ".join(str(wanted.compile(self._engine)).split())
            raise CannotRun(
                f"数据库中没有表 {error}：请设 create = true，或由管理员建表：{ddl}"
            ) from None
        missing = [c.title for c in self._form.columns if c.title not in table.columns]
        if missing:
            raise CannotRun(f"表 {table.name} 缺少列 {'、'.join(missing)}：请增加，或改描述文件")
        self._tables = table, taken
        return self._tables

    def _is_new(self, connection: sa.Connection, taken: sa.Table, event: Event) -> bool:
        place = {"sink": self._form.table, "receipt": receipt_of(event)}
        if connection.execute(sa.select(taken).filter_by(**place)).first():
            return False
        connection.execute(sa.insert(taken).values(place))
        return True

    def _enter(self, connection: sa.Connection, table: sa.Table, event: Event, how: Kept) -> None:
        if self._form.key is None:
            changed = changes(self._form.columns, (), event, how.state)
            connection.execute(sa.insert(table).values(_bound(table, changed)))
            return
        (key,) = key_of(how, event)
        mine = table.columns[self._form.key] == _bound(table, {self._form.key: key})[self._form.key]
        row = connection.execute(sa.select(table).where(mine)).mappings().first()
        held = [name for name, value in (row or {}).items() if value is not None]
        changed = {**changes(self._form.columns, held, event, how.state), self._form.key: key}
        values = _bound(table, changed)
        if row is None:
            connection.execute(sa.insert(table).values(values))
        else:
            connection.execute(sa.update(table).where(mine).values(values))


def _tables_of(form: TableForm) -> sa.MetaData:
    """The tables as they would be created."""
    metadata = sa.MetaData(schema=form.db_schema)
    columns = (
        sa.Column(c.title, _type_of(c, form.key), primary_key=c.title == form.key)
        for c in form.columns
    )
    sa.Table(form.table, metadata, *columns)
    sa.Table(
        TAKEN,
        metadata,
        sa.Column("sink", sa.String(60), primary_key=True),
        sa.Column("receipt", sa.String(32), primary_key=True),
    )
    return metadata


def _type_of(column: TableColumn, key: str | None) -> sa.types.TypeEngine[Any]:
    match column.reads:
        case "date":
            return sa.Date()
        case "time":
            return sa.DateTime()
        case "money":
            # SQLite has no decimals; a text loses nothing.
            return sa.Numeric(24, 4).with_variant(sa.Text(), "sqlite")
        case "number":
            return sa.BigInteger()
        case "flag":
            return sa.Boolean()
    if column.title == key:
        return sa.String(column.longest or 128)
    return sa.String(column.longest) if column.longest else sa.Text()


def _bound(table: sa.Table, changed: Mapping[str, Plain | None]) -> dict[str, Any]:
    """The values as the columns of the table take them. Raises CannotRun for one that does not."""
    return {name: _value(table.columns[name], value) for name, value in changed.items()}


def _value(column: sa.Column[Any], value: Plain | None) -> Any:
    if value is None or value == WITHHELD:
        return None
    try:
        match column.type:
            case sa.DateTime():
                moment = datetime.fromisoformat(str(value))
                return moment.replace(tzinfo=_BEIJING) if column.type.timezone else moment
            case sa.Date():
                return date.fromisoformat(str(value)[: len("2026-11-01")])
            case sa.Boolean():
                return {"是": True, "否": False}[said(value)]
            case sa.Integer():
                return int(value)
            case sa.Numeric():
                return Decimal(value) if column.type.asdecimal else float(value)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise CannotRun(f"列 {column.name} 的类型与内容不符：请核对描述文件中的 as") from error
    text = said(value) if isinstance(value, bool) else str(value)
    longest = getattr(column.type, "length", None)
    if longest is not None and len(text) > longest:
        raise CannotRun(f"列 {column.name} 只容 {longest} 字，内容有 {len(text)} 字：请加宽该列")
    return text
