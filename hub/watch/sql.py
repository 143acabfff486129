"""The watch's statements: tallies, and what operators are told. All but `add` only read."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hub.database.connection import Spoken, numbers, spoken, words
from hub.errors import StorageFailed
from hub.event import pack

HOUR: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Tallied:
    """How far a shard is tallied: the last position, and its hubtime."""

    shard: int
    position: int
    hubtime: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of one agency in one hour. `last`: the hubtime of the newest of them."""

    agency: str
    hour: int
    events: int
    last: int


def tallied(connection: Connection, shard: int) -> Tallied:
    """How far a shard is tallied."""
    statement = "SELECT shard, position, hubtime FROM tallied WHERE shard = ?"
    return Tallied(*connection.exec_driver_sql(statement, (shard,)).one())


def untallied(connection: Connection, since: Tallied, *, most: int) -> tuple[list[Tally], Tallied]:
    """The tallies of the next `most` events after `since`, and how far they go."""
    rows = connection.exec_driver_sql(
        "SELECT publisher, hubtime / ?, count(*), max(hubtime), max(position) FROM"
        " (SELECT publisher, hubtime, position FROM held"
        " WHERE position > ? AND position < ? ORDER BY position LIMIT ?) AS step"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        (HOUR, since.position, pack(since.shard + 1, 0), most),
    ).all()
    if not rows:
        return [], since
    newest = max(row[4] for row in rows), max(row[3] for row in rows)
    return [Tally(*row[:4]) for row in rows], Tallied(since.shard, *newest)


def add(
    connection: Connection, tallies: Sequence[Tally], *, since: Tallied, until: Tallied, keep: int
) -> None:
    """Add what was found between two positions, and drop an agency's rows older than `keep` hours.

    Raises StorageFailed when somebody else has added it already.
    """
    moved = connection.exec_driver_sql(
        "UPDATE tallied SET position = ?, hubtime = ? WHERE shard = ? AND position = ?",
        (until.position, until.hubtime, since.shard, since.position),
    )
    if moved.rowcount != 1:
        raise StorageFailed("another watch has tallied these events")
    connection.exec_driver_sql(
        "INSERT INTO tallies (agency, hour, events, last) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (agency, hour) DO UPDATE SET events = tallies.events + excluded.events,"
        " last = CASE WHEN excluded.last > tallies.last THEN excluded.last ELSE tallies.last END",
        [(t.agency, t.hour, t.events, t.last) for t in tallies],
    )
    newest = {tally.agency: tally.hour for tally in tallies}
    connection.exec_driver_sql(
        "DELETE FROM tallies WHERE agency = ? AND hour < ?",
        [(agency, hour - keep) for agency, hour in newest.items()],
    )


def tallies_of(connection: Connection, agency: str) -> dict[int, int]:
    """An agency's events by hour."""
    statement = "SELECT hour, events FROM tallies WHERE agency = ?"
    return {hour: events for hour, events in connection.exec_driver_sql(statement, (agency,))}


def newest_tallies(
    connection: Connection, agencies: Sequence[str], *, since: int
) -> Iterator[tuple[str, int, int]]:
    """Of agencies that ever spoke: when last, and how many events since the hour `since`."""
    those = words(connection, agencies)
    rows = connection.exec_driver_sql(
        "SELECT agency, last, events FROM (SELECT value AS agency,"
        " (SELECT last FROM tallies WHERE agency = value ORDER BY hour DESC LIMIT 1) AS last,"
        " (SELECT coalesce(sum(events), 0) FROM tallies WHERE agency = value AND hour >= ?)"
        f" AS events FROM {those.table}) AS heard WHERE last IS NOT NULL",
        (since, those.values),
    )
    return ((agency, last, int(events)) for agency, last, events in rows)


def speakers(
    connection: Connection, *, since: int, before: int, ahead: int
) -> Iterator[tuple[str, int, int]]:
    """By province and day, how many agencies spoke before that hour of the day.

    `ahead`: how many hours the day's clock is ahead of UTC. `since`: an hour since 1970 UTC.
    """
    rows = connection.exec_driver_sql(
        "SELECT substr(agency, 1, 2), day, count(*) FROM ("
        " SELECT DISTINCT agency, (hour + ?) / 24 AS day FROM tallies"
        " WHERE hour >= ? AND (hour + ?) % 24 < ?) AS spoke GROUP BY 1, 2",
        (ahead, since, ahead, before),
    )
    return ((province, day, count) for province, day, count in rows)


@dataclass(frozen=True, slots=True)
class Unread:
    """What one subscription has before it.

    `complete`: whether `entries` are all of them. `oldest`: the position of the first.
    """

    agency: str
    entries: int
    complete: bool
    oldest: int | None


def count_subscriptions(connection: Connection, agencies: Sequence[str]) -> int:
    """How many subscriptions the agencies have."""
    those = words(connection, agencies)
    counted: int = connection.exec_driver_sql(
        f"SELECT count(*) FROM subscriptions WHERE agency {those.among}",
        (those.values,),
    ).scalar_one()
    return counted


def unread(connection: Connection, agencies: Sequence[str], *, most: int) -> list[Unread]:
    """What stands after the committed cursor of each subscription of the agencies.

    Looks at `most` rows of each feed, and of a row at its length alone; only the row in which a
    cursor stands is looked into.
    """
    those = words(connection, agencies)
    found = []
    statement = _UNREAD.format(among=those.among)
    for row in connection.exec_driver_sql(statement, (most, most + 1, those.values)):
        agency, committed, straddling, first, size, rows = row
        begun = [p for p in array("q", straddling or b"") if p > committed]
        oldest = begun[0] if begun else first
        found.append(Unread(agency, len(begun) + int(size) // 8, rows <= most, oldest))
    return found


_UNREAD: Final = """
SELECT s.agency, s.committed,
  (SELECT CASE WHEN last > s.committed THEN positions END FROM feed
    WHERE subscription = s.number AND first <= s.committed ORDER BY first DESC LIMIT 1),
  (SELECT min(first) FROM feed WHERE subscription = s.number AND first > s.committed),
  (SELECT coalesce(sum(size), 0) FROM (SELECT length(positions) AS size FROM feed
    WHERE subscription = s.number AND first > s.committed ORDER BY first LIMIT ?) AS counted),
  (SELECT count(*) FROM (SELECT first FROM feed
    WHERE subscription = s.number AND first > s.committed LIMIT ?) AS met)
FROM subscriptions AS s WHERE s.agency {among}
ORDER BY s.agency, s.number
"""


def registered_at(connection: Connection, positions: Iterable[int]) -> dict[int, int]:
    """When the events at `positions`, or the first after each that is still held, were taken."""
    those = numbers(connection, sorted(set(positions)))
    rows = connection.exec_driver_sql(
        "SELECT value, (SELECT hubtime FROM held WHERE position >= value ORDER BY position"
        f" LIMIT 1) FROM {those.table}",
        (those.values,),
    )
    return {position: hubtime for position, hubtime in rows if hubtime is not None}


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused events of one caller, by their first error: of today, and of the whole time asked."""

    caller: str
    code: str
    today: int
    events: int


def refused(connection: Connection, *, since: int, midnight: int, most: int) -> list[Refused]:
    """The refused events since a time, the newest `most` of them."""
    rows = connection.exec_driver_sql(
        "SELECT caller, code, count(*) FILTER (WHERE refused_at >= ?), count(*) FROM"
        " (SELECT caller, code, refused_at FROM refusals"
        " WHERE nth = 0 AND refused_at >= ? ORDER BY refused_at DESC LIMIT ?) AS newest"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        (midnight, since, most),
    )
    return [Refused(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Extent:
    """The journal: its newest position's number, its oldest position, the bytes of the database."""

    registered: int
    oldest: int | None
    size: int


_EXTENT: Final[Spoken] = {
    "sqlite": "SELECT next_number - 1, (SELECT min(position) FROM held),"
    " (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())"
    " FROM shards WHERE shard = ?",
    "postgresql": "SELECT next_number - 1, (SELECT min(position) FROM held),"
    " pg_database_size(current_database()) FROM shards WHERE shard = ?",
}


def extent(connection: Connection, shard: int) -> Extent:
    """How far the journal reaches and what it takes."""
    row = connection.exec_driver_sql(spoken(connection, _EXTENT), (shard,)).one()
    return Extent(*row)


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much the journal holds. Positions are packed, 0 when it is empty; `known` events."""

    oldest: int
    newest: int
    hubtime: int
    known: int
    refusals: int


def holdings(connection: Connection, shard: int) -> Holdings:
    """Where the journal begins and ends. Only counting `known` costs more the more there is."""
    row = connection.exec_driver_sql(
        "SELECT (SELECT coalesce(min(position), 0) FROM held), s.next_number - 1, s.hubtime,"
        " (SELECT count(*) FROM dedup),"
        # Numbers are given without gaps, and only the oldest rows are ever removed.
        " (SELECT coalesce(max(number) - min(number) + 1, 0) FROM refusals)"
        " FROM shards s WHERE s.shard = ?",
        (shard,),
    ).one()
    return Holdings(row[0], pack(shard, row[1]), *row[2:])
