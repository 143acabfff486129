"""The journal's statements. The hot ones are driver SQL: their cost is the journal's cost."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from secrets import randbits
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from hub.database.connection import Spoken, at, fetched, numbers, rows_of, spoken
from hub.database.tables import refusals, subscription_changes, subscriptions
from hub.event import Entry, Record

_HEADER: Final = (
    "position, hubtime, receipt, type, version, publisher, region, key, "
    "addressed_to, copied_to, audience, marking, expires, caveats, origins, parties,"
    " attributes"
)
_NO_DATA: Final[tuple[bytes, ...]] = (b"",)
_NO_BODY: Final[tuple[bytes, ...]] = (b"", b"")
_PROOF: Final = "source, event_id, correlation, digest, about"
_RECORD: Final = f"{_HEADER}, data, {_PROOF}"
# So many rows of a feed are read at first, then eight times as many: one may hold a thousand
# entries or a single one, and whoever is far behind has thousands of rows before him.
_FEED_ROWS: Final = 4
_MORE: Final = 8
# Whoever is further behind reads all subscriptions anew.
CHANGES_KEPT: Final = 10_000


def claimed_by(connection: Connection, slot: int) -> int | None:
    """The position that a slot points to."""
    found = connection.exec_driver_sql("SELECT position FROM dedup WHERE slot = ?", (slot,))
    position: int | None = found.scalar_one_or_none()
    return position


def any_claimed(connection: Connection, slots: Iterable[int]) -> bool:
    """Whether a position stands at any of the slots."""
    those = numbers(connection, slots)
    found = connection.exec_driver_sql(
        f"SELECT EXISTS (SELECT 1 FROM dedup WHERE slot {those.among})", (those.values,)
    )
    return bool(found.scalar_one())


def entries(
    connection: Connection, positions: Sequence[int]
) -> Iterator[tuple[Entry, bytes, bytes]]:
    """The journal rows at `positions`, in order: without their attributes and data, and these."""
    there, values = at(connection, positions)
    asked = f"SELECT {_HEADER}, data FROM held WHERE {there} ORDER BY position"
    for row in fetched(connection, asked, values):
        yield Entry(*row[:-2], *_NO_BODY), row[-2], row[-1]


def times(connection: Connection, positions: Sequence[int], *, since: int) -> tuple[int, int]:
    """How many journal rows there still are at `positions`, and the sum of their times `since`."""
    there, values = at(connection, positions)
    asked = "SELECT count(*), CAST(coalesce(sum(hubtime - ?), 0) AS bigint) FROM held"
    ((count, total),) = fetched(connection, f"{asked} WHERE {there}", (since, *values))
    return count, total


def record(connection: Connection, position: int) -> Record:
    """The journal row at a position that is known to be there."""
    row = connection.exec_driver_sql(
        f"SELECT {_RECORD} FROM held WHERE position = ?", (position,)
    ).one()
    return Record(*row)


def records(connection: Connection, positions: Sequence[int]) -> list[Record]:
    """The journal rows at `positions` that there still are, in order."""
    there, values = at(connection, positions)
    rows = connection.exec_driver_sql(
        f"SELECT {_RECORD} FROM held WHERE {there} ORDER BY position", values
    )
    return [Record(*row) for row in rows]


def outlines(connection: Connection, positions: Sequence[int]) -> list[Record]:
    """The journal rows at `positions` that there still are, in order, without their data."""
    there, values = at(connection, positions)
    rows = connection.exec_driver_sql(
        f"SELECT {_HEADER}, {_PROOF} FROM held WHERE {there} ORDER BY position", values
    )
    return [Record(*row[:-5], *_NO_DATA, *row[-5:]) for row in rows]


def headers(connection: Connection, *, after: int, until: int, most: int) -> list[Entry]:
    """Journal rows without their data, for matching past events."""
    rows = connection.exec_driver_sql(
        f"SELECT {_HEADER} FROM held"
        " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
        (after, until, most),
    )
    return [Entry(*row, *_NO_DATA) for row in rows]


def headers_before(connection: Connection, *, before: int, most: int) -> list[Entry]:
    """Journal rows without their data, the newest first."""
    rows = connection.exec_driver_sql(
        f"SELECT {_HEADER} FROM held WHERE position < ? ORDER BY position DESC LIMIT ?",
        (before, most),
    )
    return [Entry(*row, *_NO_DATA) for row in rows]


def append_feeds(connection: Connection, feeds: "dict[int, array[int]]") -> None:
    """Write the entries of one registration: subscription number → positions, in order."""
    put_feed_rows(connection, sorted(feeds.items()))


_PUT_FEED_ROWS: Final[Spoken] = {
    "sqlite": "INSERT INTO feed (subscription, first, last, positions) VALUES (?, ?, ?, ?)",
    "postgresql": "INSERT INTO feed (subscription, first, last, positions) SELECT * FROM"
    " unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bytea[]))",
}


def put_feed_rows(connection: Connection, feeds: "Sequence[tuple[int, array[int]]]") -> None:
    """Write rows of feeds, some at least: subscription number and positions, in order."""
    rows = [(number, p[0], p[-1], p.tobytes()) for number, p in feeds]
    connection.exec_driver_sql(spoken(connection, _PUT_FEED_ROWS), rows_of(connection, rows))


_FEED_AFTER: Final = (
    "SELECT positions, last FROM feed"
    " WHERE subscription = ? AND first <= ? AND last > ? AND first >="
    " (SELECT coalesce(max(first), 0) FROM feed WHERE subscription = ? AND first <= ?)"
    " ORDER BY first LIMIT ?"
)


def feed_after(
    connection: Connection, subscription: int, *, after: int, until: int, most: int
) -> list[int]:
    """At most `most` feed entries with `after` < position <= `until`, in order."""
    found, reached, most_rows = array("q"), after, _FEED_ROWS
    while True:
        wanted = min(most_rows, most - len(found))
        values = (subscription, until, reached, subscription, reached, wanted)
        rows = list(fetched(connection, _FEED_AFTER, values))
        for packed, _ in rows:
            positions = array("q", packed)
            found += positions[bisect_right(positions, reached) : bisect_right(positions, until)]
        if len(found) >= most or len(rows) < wanted:
            return found[:most].tolist()
        (_, reached), most_rows = rows[-1], most_rows * _MORE


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription as it is kept; `body` and `pins` are JSON."""

    number: int
    agency: str
    id: str
    body: str
    pins: str
    start: int
    committed: int
    filled: int
    fill_until: int
    created_at: int
    expired: int


_SUBSCRIPTION = tuple(subscriptions.c[name] for name in SubscriptionRow.__slots__)
_SUBSCRIPTION_OF: Final = (
    f"SELECT {', '.join(SubscriptionRow.__slots__)} FROM subscriptions WHERE agency = ? AND id = ?"
)
_STANDING: Final = (
    f"SELECT {', '.join(f'subscriptions.{name}' for name in SubscriptionRow.__slots__)},"
    " version, changed_at,"
    " EXISTS (SELECT 1 FROM expired WHERE subscription = subscriptions.number)"
    " FROM subscriptions, policies WHERE agency = ? AND id = ? ORDER BY version DESC LIMIT 1"
)


def all_subscriptions(connection: Connection) -> list[SubscriptionRow]:
    """Every subscription, by number."""
    rows = connection.execute(select(*_SUBSCRIPTION).order_by(subscriptions.c.number))
    return [SubscriptionRow(*row) for row in rows]


def unfilled_subscriptions(connection: Connection) -> list[SubscriptionRow]:
    """The subscriptions whose feed is still being filled with what is older."""
    where = subscriptions.c.filled < subscriptions.c.fill_until
    rows = connection.execute(select(*_SUBSCRIPTION).where(where).order_by(subscriptions.c.number))
    return [SubscriptionRow(*row) for row in rows]


def subscriptions_of(
    connection: Connection, agency: str, *, after: str, most: int
) -> list[SubscriptionRow]:
    """A page of an agency's subscriptions, by id."""
    where = (subscriptions.c.agency == agency) & (subscriptions.c.id > after)
    rows = connection.execute(
        select(*_SUBSCRIPTION).where(where).order_by(subscriptions.c.id).limit(most)
    )
    return [SubscriptionRow(*row) for row in rows]


def count_subscriptions(connection: Connection, agency: str) -> int:
    """How many subscriptions an agency has."""
    where = subscriptions.c.agency == agency
    return connection.execute(select(func.count()).where(where)).scalar_one()


def subscription(connection: Connection, agency: str, id_: str) -> SubscriptionRow | None:
    """One subscription of an agency."""
    row = connection.exec_driver_sql(_SUBSCRIPTION_OF, (agency, id_)).one_or_none()
    return None if row is None else SubscriptionRow(*row)


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription, the identity of the policy in force, and whether of its feed anything has
    expired.
    """

    row: SubscriptionRow
    policy: tuple[int, int]
    expired: bool


def standing(connection: Connection, agency: str, id_: str) -> Standing | None:
    """One subscription of an agency with what its reader must know, by one question."""
    rows = list(fetched(connection, _STANDING, (agency, id_)))
    if not rows:
        return None
    ((*columns, version, changed_at, expired),) = rows
    return Standing(SubscriptionRow(*columns), (version, changed_at), bool(expired))


def fed_by_kafka(connection: Connection, *, after: int, most: int) -> list[SubscriptionRow]:
    """A page of the subscriptions that are fed by Kafka, by number."""
    # Nowhere else in a body may such a text stand: quotes in what is asked for are escaped there.
    fed = subscriptions.c.body.contains('"delivery":{"channel":"kafka"}', autoescape=True)
    where = (subscriptions.c.number > after) & fed
    rows = connection.execute(
        select(*_SUBSCRIPTION).where(where).order_by(subscriptions.c.number).limit(most)
    )
    return [SubscriptionRow(*row) for row in rows]


def newest_subscription(connection: Connection) -> int:
    """The number of the newest subscription that there is; 0 for none."""
    newest: int = connection.execute(
        select(func.coalesce(func.max(subscriptions.c.number), 0))
    ).scalar_one()
    return newest


def subscription_numbered(connection: Connection, number: int) -> SubscriptionRow | None:
    """The subscription of that number."""
    where = subscriptions.c.number == number
    row = connection.execute(select(*_SUBSCRIPTION).where(where)).one_or_none()
    return None if row is None else SubscriptionRow(*row)


def changed_since(connection: Connection, revision: int) -> list[int] | None:
    """The numbers of subscriptions that were changed after `revision`, None if it is not known."""
    found = connection.exec_driver_sql(
        "SELECT number FROM subscription_changes WHERE revision = ?", (revision,)
    ).scalar_one_or_none()
    if found is None:
        return None
    rows = connection.exec_driver_sql(
        "SELECT DISTINCT subscription FROM subscription_changes WHERE number > ?", (found,)
    )
    return [subscription for (subscription,) in rows]


def insert_subscription(connection: Connection, values: dict[str, Any]) -> None:
    """Keep a new subscription."""
    made = insert(subscriptions).values(**values).returning(subscriptions.c.number)
    _log_change(connection, connection.execute(made).scalar_one())


def change_subscription(connection: Connection, number: int, **values: Any) -> None:
    """Change what matching reads of a subscription."""
    connection.execute(
        update(subscriptions).where(subscriptions.c.number == number).values(**values)
    )
    _log_change(connection, number)


def delete_subscription(connection: Connection, number: int) -> None:
    """Remove a subscription, its feed and what is known of it."""
    connection.execute(delete(subscriptions).where(subscriptions.c.number == number))
    connection.exec_driver_sql("DELETE FROM feed WHERE subscription = ?", (number,))
    connection.exec_driver_sql("DELETE FROM expired WHERE subscription = ?", (number,))
    connection.exec_driver_sql("DELETE FROM dead_letters WHERE subscription = ?", (number,))
    _log_change(connection, number)


def commit_cursor(connection: Connection, number: int, position: int) -> None:
    """Move the committed cursor on; never back."""
    connection.exec_driver_sql(
        "UPDATE subscriptions SET committed = ? WHERE number = ? AND committed < ?",
        (position, number, position),
    )


def set_cursor(connection: Connection, number: int, position: int) -> None:
    """Put the committed cursor somewhere, also back."""
    connection.exec_driver_sql(
        "UPDATE subscriptions SET committed = ? WHERE number = ?", (position, number)
    )


def move_cursor(connection: Connection, number: int, *, after: int, position: int) -> bool:
    """Move the committed cursor from exactly where it was; whether it stood there."""
    moved = connection.exec_driver_sql(
        "UPDATE subscriptions SET committed = ? WHERE number = ? AND committed = ?"
        " RETURNING number",
        (position, number, after),
    )
    return moved.scalar_one_or_none() is not None


def mark_filled(connection: Connection, number: int, position: int) -> None:
    """Say how far the backfill of a feed has come."""
    connection.exec_driver_sql(
        "UPDATE subscriptions SET filled = ? WHERE number = ?", (position, number)
    )


def append_refusals(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Record refusals."""
    connection.execute(insert(refusals), rows)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands, and whose it is; `claimed`, if the slot that was asked for has it."""

    position: int
    receipt: bytes
    publisher: str
    claimed: bool


def place(connection: Connection, slot: int, *, otherwise: int) -> Place | None:
    """What a dedup slot points to; if nothing, the first event held at `otherwise` or later."""
    row = connection.exec_driver_sql(
        "SELECT position, receipt, publisher, EXISTS (SELECT 1 FROM dedup WHERE slot = ?)"
        " FROM held WHERE position >= coalesce((SELECT position FROM dedup WHERE slot = ?), ?)"
        " ORDER BY position LIMIT 1",
        (slot, slot, otherwise),
    ).one_or_none()
    return None if row is None else Place(row[0], row[1], row[2], bool(row[3]))


def feed_holds(connection: Connection, subscription: int, position: int) -> bool:
    """Whether a feed has an entry at a position."""
    return feed_after(connection, subscription, after=position - 1, until=position, most=1) == [
        position
    ]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fault of a refused event."""

    code: str
    pointer: str
    refused_at: int


_REFUSALS_OF: Final[Spoken] = {
    # The plus keeps SQLite to the index by event: it would walk through the numbers instead.
    "sqlite": "SELECT code, pointer, refused_at FROM refusals WHERE event_id = ? AND source = ?"
    " AND (? IS NULL OR +caller = ?) ORDER BY +number DESC LIMIT ?",
    # So does zero for PostgreSQL.
    "postgresql": "SELECT code, pointer, refused_at FROM refusals WHERE event_id = ? AND source = ?"
    " AND (CAST(? AS text) IS NULL OR caller = ?) ORDER BY number + 0 DESC LIMIT ?",
}


def refusals_of(
    connection: Connection, *, caller: str | None, source: str, event_id: str, most: int
) -> list[Refusal]:
    """Why an event was refused, the newest first; `caller` None: whoever sent it."""
    rows = connection.exec_driver_sql(
        spoken(connection, _REFUSALS_OF), (event_id, source, caller, caller, most)
    )
    return [Refusal(*row) for row in rows]


def of_case(connection: Connection, key: str, *, since: int, until: int) -> list[int]:
    """The positions of a case's events in a stretch of the journal, both ends included."""
    rows = connection.exec_driver_sql(
        "SELECT position FROM held WHERE position >= ? AND position <= ? AND key = ?"
        " ORDER BY position",
        (since, until, key),
    )
    return [row[0] for row in rows]


def _log_change(connection: Connection, subscription: int) -> None:
    """Say that a subscription was made, changed or ended, under a new revision."""
    # Random, not counted: a count would come back after a failed commit, for other content.
    revision = randbits(62)
    # First: where writers are several, its lock lets them change subscriptions one by one.
    connection.exec_driver_sql(
        "UPDATE revisions SET revision = ? WHERE name = 'subscriptions'", (revision,)
    )
    logged = insert(subscription_changes).values(revision=revision, subscription=subscription)
    number = connection.execute(logged.returning(subscription_changes.c.number)).scalar_one()
    connection.exec_driver_sql(
        "DELETE FROM subscription_changes WHERE number <= ?", (number - CHANGES_KEPT,)
    )
