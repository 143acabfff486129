"""The statements about what was read."""

from dataclasses import astuple, dataclass
from typing import Final

from hub.database.connection import Connection


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A page's reading as it is kept."""

    subscription: int
    agency: str
    subscription_id: str
    token: int
    channel: str
    policy: int
    read_at: int
    first: int
    last: int
    outcomes: bytes


_ROW: Final = ", ".join(ReadRow.__slots__)


def append_read(connection: Connection, row: ReadRow) -> None:
    """Record a page's reading."""
    connection.exec_driver_sql(
        f"INSERT INTO reads ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(row)
    )


def reads_over(
    connection: Connection,
    position: int,
    *,
    agency: str | None = None,
    after: int = 0,
    most: int = 10_000,
) -> list[tuple[int, ReadRow]]:
    """The readings whose stretch of a feed a position lies in, numbered, the oldest first."""
    # The plus keeps SQLite to the index by position: an agency may have read a million pages.
    rows = connection.exec_driver_sql(
        f"SELECT number, {_ROW} FROM reads WHERE last >= ? AND first <= ? AND +number > ?"
        " AND (? IS NULL OR +agency = ?) ORDER BY number LIMIT ?",
        (position, position, after, agency, agency, most),
    )
    return [(row[0], ReadRow(*row[1:])) for row in rows]


def reads_by(
    connection: Connection, agency: str, *, after: int, since: int, until: int, most: int
) -> list[tuple[int, ReadRow]]:
    """An agency's readings in a time, numbered, the oldest first."""
    rows = connection.exec_driver_sql(
        f"SELECT number, {_ROW} FROM reads WHERE agency = ? AND number > ?"
        " AND read_at >= ? AND read_at < ? ORDER BY number LIMIT ?",
        (agency, after, since, until, most),
    )
    return [(row[0], ReadRow(*row[1:])) for row in rows]
