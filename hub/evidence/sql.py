"""The statements about what was read."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from operator import attrgetter
from typing import Final

from hub.database.connection import (
    STREAMED,
    Connection,
    Spoken,
    fetched,
    numbers,
    rows_of,
    spoken,
)


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

_IF_IN_FORCE: Final = (
    " WHERE NOT ? OR (? = (SELECT version FROM policies ORDER BY version DESC LIMIT 1)"
    " AND NOT EXISTS (SELECT 1 FROM tokens WHERE number = ?"
    " AND (revoked_at IS NOT NULL OR expires_at <= ?)))"
    " RETURNING EXISTS (SELECT 1 FROM dead_letters WHERE subscription = ?"
    " AND delivered IS NULL AND position >= ? AND position <= ?)"
)
_READ_IN_FORCE: Final[Spoken] = {
    "sqlite": f"INSERT INTO reads ({_ROW}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?{_IF_IN_FORCE}",
    "postgresql": f"INSERT INTO reads ({_ROW}) SELECT CAST(? AS bigint), CAST(? AS text),"
    " CAST(? AS text), CAST(? AS bigint), CAST(? AS varchar), CAST(? AS bigint),"
    f" CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bytea){_IF_IN_FORCE}",
}


def append_read(connection: Connection, row: ReadRow, *, in_force: bool) -> bool | None:
    """Record a page's reading; with `in_force` only if its policy is the newest and its token has
    not ended, else None.

    Whether dead letters of the subscription wait in its stretch.
    One statement: each takes the interpreter's lock from whoever reads the next page.
    """
    conditions = (in_force, row.policy, row.token, row.read_at)
    stretch = (row.subscription, row.first, row.last)
    values = (*_values(row), *conditions, *stretch)
    told = list(fetched(connection, spoken(connection, _READ_IN_FORCE), values))
    return bool(told[0][0]) if told else None


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead letter as it is kept: the last attempt's reason, and how many there were."""

    position: int
    wanted: str
    code: str
    pointer: str
    message: str
    message_en: str
    attempts: int
    first: int
    last: int


_DEAD_LETTER: Final = ", ".join(DeadLetterRow.__slots__)
_TRIED: Final = (
    "WHERE EXISTS (SELECT 1 FROM held WHERE held.position = tried.position)"
    " AND EXISTS (SELECT 1 FROM subscriptions WHERE number = tried.subscription)"
    " ON CONFLICT (position, subscription) DO UPDATE SET wanted = excluded.wanted,"
    " code = excluded.code, pointer = excluded.pointer, message = excluded.message,"
    " message_en = excluded.message_en, attempts = dead_letters.attempts + excluded.attempts,"
    " last = excluded.last, delivered = NULL"
)
_ADD_DEAD_LETTERS: Final[Spoken] = {
    "sqlite": f"INSERT INTO dead_letters (subscription, {_DEAD_LETTER}) SELECT * FROM"
    " (SELECT ? AS subscription, ? AS position, ?, ?, ?, ?, ?, ?, ?, ?) AS tried"
    f" {_TRIED}",
    "postgresql": f"INSERT INTO dead_letters (subscription, {_DEAD_LETTER}) SELECT * FROM"
    " unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS text[]),"
    " CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]),"
    f" CAST(? AS bigint[]), CAST(? AS bigint[])) AS tried (subscription, position) {_TRIED}",
}


def add_dead_letters(
    connection: Connection, subscription: int, rows: Sequence[DeadLetterRow]
) -> None:
    """Add attempts to a subscription's dead letters, those that wait no more among them.

    What was purged, and a subscription that was ended while the page was read, have none.
    """
    values = rows_of(connection, [(subscription, *astuple(row)) for row in rows])
    connection.exec_driver_sql(spoken(connection, _ADD_DEAD_LETTERS), values)


def settle_dead_letters(
    connection: Connection, subscription: int, positions: Sequence[int], *, delivered: int
) -> None:
    """Of the subscription's dead letters, those at `positions` wait no more."""
    those = numbers(connection, positions)
    connection.exec_driver_sql(
        "UPDATE dead_letters SET delivered = ? WHERE subscription = ? AND delivered IS NULL"
        f" AND position {those.among}",
        (delivered, subscription, those.values),
    )


def dead_letters(
    connection: Connection, subscription: int, *, after: int, most: int
) -> list[DeadLetterRow]:
    """A subscription's dead letters that wait, by position."""
    rows = connection.exec_driver_sql(
        f"SELECT {_DEAD_LETTER} FROM dead_letters WHERE subscription = ? AND delivered IS NULL"
        " AND position > ? ORDER BY position LIMIT ?",
        (subscription, after, most),
    )
    return [DeadLetterRow(*row) for row in rows]


def is_dead_letter(connection: Connection, subscription: int, position: int) -> bool:
    """Whether a subscription has, or had before it was delivered, a dead letter at a position."""
    found = connection.exec_driver_sql(
        "SELECT 1 FROM dead_letters WHERE position = ? AND subscription = ?",
        (position, subscription),
    )
    return found.one_or_none() is not None


def has_ended(connection: Connection, token: int, *, at: int) -> bool:
    """Whether a token was revoked, or has expired at a time."""
    found = connection.exec_driver_sql(
        "SELECT 1 FROM tokens WHERE number = ? AND (revoked_at IS NOT NULL OR expires_at <= ?)",
        (token, at),
    )
    return found.scalar_one_or_none() is not None


_READS_OVER: Final[Spoken] = {
    # Numbers are found by the index and sorted; each row is fetched when its turn comes.
    "sqlite": f"SELECT number, {_ROW} FROM reads WHERE number IN (SELECT number FROM reads"
    " INDEXED BY reads_of_position WHERE last >= ? AND first <= ? AND +number > ?)"
    " ORDER BY number",
    # Zero keeps PostgreSQL's plan for whatever values from walking through all numbers.
    "postgresql": f"SELECT number, {_ROW} FROM reads"
    " WHERE last >= ? AND first <= ? AND number + 0 > ? ORDER BY number + 0",
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
