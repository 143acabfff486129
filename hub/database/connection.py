"""What a work is given: a connection inside one transaction, or one snapshot.

Stages hand it on to their `sql.py`, which alone speaks SQL. Its statements write `?` for a value.
Where SQLite and PostgreSQL must be told differently, both stand side by side, by name; a list of
values is a table on both.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

import sqlalchemy

Connection = sqlalchemy.Connection
Spoken = Mapping[str, str]
# An option of a statement: its rows are fetched as they are asked for, not all at once.
STREAMED: Final = {"stream_results": True}
PART: Final = 1_000
# Where a row holds a whole event: what is in memory at once stays below some ten megabytes.
PART_OF_EVENTS: Final = 50

_LISTED: Final[Spoken] = {
    "sqlite": "json_each(?)",
    "postgresql": "unnest(CAST(? AS {type}[])) AS listed (value)",
}
_AMONG: Final[Spoken] = {
    "sqlite": "IN (SELECT value FROM json_each(?))",
    # In one walk through an index, where a join would descend it for each of them.
    "postgresql": "= ANY (CAST(? AS {type}[]))",
}

# Of positions without a gap, as a feed of all there is has them: the driver would look at each.
_WITHIN: Final = "position BETWEEN ? AND ?"
_AT: Final[Spoken] = {
    "sqlite": "position IN (SELECT value FROM json_each(?))",
    # Both ends, so that only the partitions between them are looked into.
    "postgresql": "position = ANY (CAST(? AS bigint[])) AND position BETWEEN ? AND ?",
}


class Listed(NamedTuple):
    """A table with the column `value`, `among` after what must be in it; the value of their `?`."""

    table: str
    among: str
    values: Any


def numbers(connection: Connection, values: Iterable[int]) -> Listed:
    """Whole numbers as a table."""
    return _listed(connection, values, "bigint")


def words(connection: Connection, values: Iterable[str]) -> Listed:
    """Texts as a table."""
    return _listed(connection, values, "text")


def at(connection: Connection, positions: Sequence[int]) -> tuple[str, tuple[Any, ...]]:
    """A condition that a row of the journal stands at one of `positions`; the values of its `?`."""
    listed, condition = list(positions), spoken(connection, _AT)
    least, most = min(listed, default=0), max(listed, default=-1)
    if listed == list(range(least, least + len(listed))):
        return _WITHIN, (least, most)
    if is_sqlite(connection):
        return condition, (json.dumps(listed),)
    return condition, (listed, least, most)


def is_sqlite(connection: Connection) -> bool:
    """Whether the database is a file of this machine's."""
    return connection.dialect.name == "sqlite"


def spoken(connection: Connection, statement: Spoken) -> str:
    """The statement as this connection's database is told it."""
    return statement[connection.dialect.name]


def rows_of(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> Any:
    """Rows for a statement that SQLite runs for each of them, PostgreSQL once, on its columns."""
    return rows if is_sqlite(connection) else tuple(map(list, zip(*rows, strict=True)))


def copy_in(
    connection: Connection, table: str, columns: Iterable[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows by PostgreSQL's COPY. Raises as a statement does."""
    # Whoever has SQLite need not load another driver.
    from hub.database.session import copied

    copied(connection, table, list(columns), rows)


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Apart from the works that are under way on this thread too: whoever is about to read what
    another one is reading has only to wait for it. A second at most, then not apart.
    """
    turn = connection.get_execution_options().get("turn")
    if turn is None:
        yield
        return
    from hub.database.session import had

    with had(turn):
        yield


def fetched(connection: Connection, statement: str, values: tuple[Any, ...]) -> Iterable[Any]:
    """The rows of a hot statement as the driver has them, the way there past SQLAlchemy too where
    it takes as long as the driver's. Raises as a statement does.
    """
    if is_sqlite(connection):
        return cast(Iterable[Any], connection.exec_driver_sql(statement, values).cursor)
    from hub.database.session import fetched as fetched_there

    return fetched_there(connection, statement, values)


def plain(rows: sqlalchemy.CursorResult[Any], *, part: int = PART) -> Iterator[Any]:
    """The rows as the driver has them, a part at a time: there may be millions."""
    # Its strategy, not the cursor: a streamed result has already fetched its first row.
    strategy = rows.cursor_strategy
    while (cursor := rows.cursor) is not None and (
        fetched := strategy.fetchmany(rows, cursor, part)
    ):
        yield from fetched


def _listed(connection: Connection, values: Iterable[Any], type_: str) -> Listed:
    listed = list(values)
    table, among = (spoken(connection, s).format(type=type_) for s in (_LISTED, _AMONG))
    return Listed(table, among, json.dumps(listed) if is_sqlite(connection) else listed)
