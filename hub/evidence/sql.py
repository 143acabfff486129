"""The statements about what was read."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from hub.database.connection import STREAMED, Connection, Spoken, spoken


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
# `astuple` would copy each value deeply.
_values: Final = attrgetter(*ReadRow.__slots__)

_READ_IN_FORCE: Final[Spoken] = {
    "sqlite": f"INSERT INTO reads ({_ROW}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT ?"
    " OR ? = (SELECT version FROM policies ORDER BY version DESC LIMIT 1)",
    "postgresql": f"INSERT INTO reads ({_ROW}) SELECT CAST(? AS bigint), CAST(? AS text),"
    " CAST(? AS text), CAST(? AS bigint), CAST(? AS varchar), CAST(? AS bigint),"
    " CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bytea) WHERE NOT ?"
    " OR ? = (SELECT version FROM policies ORDER BY version DESC LIMIT 1)",
}


def append_read(connection: Connection, row: ReadRow, *, in_force: bool) -> bool:
    """Record a page's reading; with `in_force` only if its policy is the newest. Whether it was.

    One statement: each takes the interpreter's lock from whoever reads the next page.
    """
    kept = connection.exec_driver_sql(
        spoken(connection, _READ_IN_FORCE), (*_values(row), in_force, row.policy)
    )
    return kept.rowcount == 1


_READS_OVER: Final[Spoken] = {
    # Numbers are found by the index and sorted; each row is fetched when its turn comes.
    "sqlite": f"SELECT number, {_ROW} FROM reads WHERE number IN (SELECT number FROM reads"
    " INDEXED BY reads_of_position WHERE last >= ? AND first <= ? AND +number > ?)"
    " ORDER BY number",
    "postgresql": f"SELECT number, {_ROW} FROM reads"
    " WHERE last >= ? AND first <= ? AND number > ? ORDER BY number",
}


def reads_over(
    connection: Connection, position: int, *, after: int
) -> Iterator[tuple[int, ReadRow]]:
    """The readings whose stretch of a feed a position lies in, numbered, the oldest first."""
    rows = connection.exec_driver_sql(
        spoken(connection, _READS_OVER), (position, position, after), execution_options=STREAMED
    )
    return ((row[0], ReadRow(*row[1:])) for row in rows)


_READS_OF: Final[Spoken] = {
    # One sum, so that SQLite goes through all of the agency's entries in the index, and compares
    # twice at each: if it went to the position's, what is old would take longer than what is new.
    "sqlite": f"SELECT number, {_ROW} FROM reads WHERE number IN (SELECT number FROM reads"
    " INDEXED BY reads_of_agency_over WHERE agency = ? AND (last >= ?) + (first <= ?) = 2"
    " ORDER BY +number DESC LIMIT ?) ORDER BY number",
    "postgresql": f"SELECT number, {_ROW} FROM reads WHERE number IN (SELECT number FROM reads"
    " WHERE agency = ? AND CAST(last >= ? AS int) + CAST(first <= ? AS int) = 2"
    " ORDER BY number + 0 DESC LIMIT ?) ORDER BY number",
}


def reads_of(
    connection: Connection, agency: str, position: int, *, most: int
) -> list[tuple[int, ReadRow]]:
    """An agency's last readings whose stretch a position lies in, numbered, the oldest first.

    It costs the same for every position, but for the rows that are found.
    """
    rows = connection.exec_driver_sql(
        spoken(connection, _READS_OF), (agency, position, position, most)
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


def pages_of(
    connection: Connection, agency: str, subscription: int, *, since: int
) -> tuple[int, int | None]:
    """How many pages a subscription has been handed since then, and when the last one was."""
    pages, last = connection.exec_driver_sql(
        "SELECT count(*), max(read_at) FROM reads"
        " WHERE agency = ? AND subscription = ? AND read_at >= ?",
        (agency, subscription, since),
    ).one()
    return int(pages), last
