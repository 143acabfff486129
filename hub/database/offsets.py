"""How far the topics of the backbone are registered, on PostgreSQL: the statements.

An offset moves in the transaction that registers what lies before it, from exactly what that
process knew; so what a process does that has been replaced meanwhile is undone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Final, NamedTuple

from hub.database.connection import Connection, rows_of


class Lane(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Move:
    """A lane's next record, before and after."""

    topic: str
    partition: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that could not be read, and why not. `headers` are packed as its reader tells."""

    topic: str
    partition: int
    place: int
    key: bytes
    headers: bytes
    value: bytes
    reason: str
    at: int


_BEGIN: Final = (
    "INSERT INTO offsets (topic, partition, next) SELECT lane.*, 0 FROM"
    " unnest(CAST(? AS text[]), CAST(? AS integer[])) AS lane ON CONFLICT DO NOTHING"
)
_NEXT: Final = (
    "SELECT topic, partition, next FROM offsets JOIN"
    " unnest(CAST(? AS text[]), CAST(? AS integer[])) AS lane (topic, partition)"
    " USING (topic, partition)"
)


def begin(connection: Connection, lanes: Iterable[Lane]) -> dict[Lane, int]:
    """The next record of lanes, of one that nobody has read from its first on."""
    columns = rows_of(connection, sorted(lanes))
    connection.exec_driver_sql(_BEGIN, columns)
    rows = connection.exec_driver_sql(_NEXT, columns)
    return {Lane(topic, partition): next_ for topic, partition, next_ in rows}


_MOVE: Final = (
    "UPDATE offsets SET next = move.after FROM"
    " unnest(CAST(? AS text[]), CAST(? AS integer[]), CAST(? AS bigint[]), CAST(? AS bigint[]))"
    " AS move (topic, partition, before, after)"
    " WHERE (offsets.topic, offsets.partition, next) = (move.topic, move.partition, before)"
)


def move(connection: Connection, moves: Sequence[Move]) -> bool:
    """Move lanes on, some at least; whether all stood where they should."""
    columns = rows_of(connection, [astuple(each) for each in moves])
    return connection.exec_driver_sql(_MOVE, columns).rowcount == len(moves)


_KEEP: Final = (
    "INSERT INTO unread_records (topic, partition, place, key, headers, value, reason, at)"
    " SELECT * FROM unnest(CAST(? AS text[]), CAST(? AS integer[]), CAST(? AS bigint[]),"
    " CAST(? AS bytea[]), CAST(? AS bytea[]), CAST(? AS bytea[]), CAST(? AS text[]),"
    " CAST(? AS bigint[]))"
)


def keep_unread(connection: Connection, records: Sequence[Unread]) -> None:
    """Keep records, some at least, that could not be read."""
    connection.exec_driver_sql(_KEEP, rows_of(connection, [astuple(each) for each in records]))


def registered(connection: Connection) -> dict[Lane, int]:
    """The next record of each lane that has been read."""
    rows = connection.exec_driver_sql("SELECT topic, partition, next FROM offsets")
    return {Lane(topic, partition): next_ for topic, partition, next_ in rows}
