"""What doors hand to the shard's writer and what it answers, on PostgreSQL: the statements."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from hub.database.connection import Connection, Spoken, rows_of, spoken
from hub.database.glances import Glances
from hub.database.shards import THIS_MOMENT

EACH: Final = 0
WHOLE: Final = 1
UNHEARD: Final = 2


@dataclass(frozen=True, slots=True)
class Handed:
    """A batch as a door hands it over; `at` is microseconds UTC.

    `atomic` is `EACH`, or for all or none `WHOLE`, or `UNHEARD` if its door does not wait to hear
    what becomes of it.
    """

    door: int
    batch: int
    atomic: int
    publisher: str
    events: bytes
    receipts: bytes
    weight: int
    at: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that waits to be registered; `unheard` if its door will not hear of it."""

    number: int
    door: int
    batch: int
    atomic: bool
    unheard: bool
    events: bytes
    receipts: bytes


@dataclass(frozen=True, slots=True)
class Aside:
    """A batch that cannot be read, by its number, and why not."""

    number: int
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a door's batch."""

    door: int
    batch: int
    outcomes: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that registration refused, and what its publisher is told."""

    receipt: bytes
    publisher: str
    told: bytes
    at: int


# No batch's number is larger.
LAST: Final = 2**63 - 1


def _columns(connection: Connection, values: Sequence[Handed | Aside | Settled | Refused]) -> Any:
    """Values of one kind, as a statement takes them that is run once for all."""
    return rows_of(connection, [astuple(value) for value in values])


_HAND_OVER: Final = (
    "INSERT INTO intake (door, batch, atomic, publisher, events, receipts, weight, at)"
    " SELECT * FROM unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS smallint[]),"
    " CAST(? AS text[]), CAST(? AS bytea[]), CAST(? AS bytea[]), CAST(? AS bigint[]),"
    " CAST(? AS bigint[]))"
)


def hand_over(connection: Connection, batches: Sequence[Handed]) -> None:
    """Have batches wait, in their order."""
    connection.exec_driver_sql(_HAND_OVER, _columns(connection, batches))


def forget_settled(connection: Connection, door: int, *, until: int) -> None:
    """Remove what a door has read."""
    connection.exec_driver_sql("DELETE FROM settled WHERE door = ? AND batch <= ?", (door, until))


def settled(connection: Connection, door: int, *, after: int) -> list[tuple[int, bytes]]:
    """The batches of a door that are settled and come after one, in order, with the outcomes."""
    rows = connection.exec_driver_sql(
        "SELECT batch, outcomes FROM settled WHERE door = ? AND batch > ? ORDER BY batch",
        (door, after),
    )
    return [(batch, outcomes) for batch, outcomes in rows]


def weight(connection: Connection) -> int:
    """How many bytes wait."""
    found = connection.exec_driver_sql("SELECT coalesce(sum(weight), 0) FROM intake")
    return int(found.scalar_one())


def waiting(
    connection: Connection, *, most: int, size: int, until: int | None = None
) -> list[Waiting]:
    """The first batches that wait, in order, at least one; no more once `size` bytes are passed,
    nor any beyond the number `until`.
    """
    rows = connection.exec_driver_sql(
        "SELECT number, door, batch, atomic, events, receipts FROM intake WHERE number IN"
        " (SELECT number FROM (SELECT number, weight, sum(weight) OVER (ORDER BY number) AS total"
        " FROM intake WHERE number <= ? ORDER BY number LIMIT ?) AS first"
        " WHERE total - weight < ?) ORDER BY number",
        (LAST if until is None else until, most, size),
    )
    return [
        Waiting(row[0], row[1], row[2], row[3] != EACH, row[3] == UNHEARD, row[4], row[5])
        for row in rows
    ]


def any_waits(connection: Connection) -> bool:
    """Whether a batch waits."""
    found = connection.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM intake)")
    return bool(found.scalar_one())


def last(connection: Connection, *, most: int) -> int:
    """The number of the last of the first batches that wait; 0 where none does."""
    found = connection.exec_driver_sql(
        "SELECT coalesce(max(number), 0) FROM"
        " (SELECT number FROM intake ORDER BY number LIMIT ?) AS first",
        (most,),
    )
    return int(found.scalar_one())


_GLANCE: Final = (
    "SELECT EXISTS (SELECT 1 FROM intake), ARRAY(SELECT slot FROM dedup WHERE slot = ANY($1))"
)


async def glance(glances: Glances, slots: Iterable[int]) -> tuple[bool, list[int]]:
    """Whether a batch waits, and at which of the dedup slots a position stands."""
    waits, claimed = await glances.ask(_GLANCE, list(slots))
    return waits, claimed


_SET_ASIDE: Final = (
    "INSERT INTO set_aside"
    " SELECT number, publisher, atomic, events, receipts, weight, at, reason, aside_at FROM intake"
    " JOIN unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bigint[]))"
    " AS aside (number, reason, aside_at) USING (number)"
)


def set_aside(connection: Connection, batches: Sequence[Aside]) -> None:
    """Keep batches, some at least, apart from those that wait; `settle` then removes them there."""
    connection.exec_driver_sql(_SET_ASIDE, _columns(connection, batches))


# One statement: whoever waits for the answers waits for each.
_SETTLE: Final = (
    "WITH gone AS (DELETE FROM intake WHERE number = ANY(CAST(? AS bigint[])))"
    " INSERT INTO settled (door, batch, outcomes, at) SELECT * FROM"
    " unnest(CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bytea[]), CAST(? AS bigint[]))"
)


def settle(connection: Connection, settlements: Sequence[Settled], *, of: Iterable[int]) -> None:
    """Answer the doors, and remove the batches of these numbers."""
    connection.exec_driver_sql(_SETTLE, (list(of), *_columns(connection, settlements)))


def remove(connection: Connection, numbers: Iterable[int]) -> None:
    """Remove batches that need no answer."""
    connection.exec_driver_sql("DELETE FROM intake WHERE number = ANY(?)", (list(numbers),))


_REFUSE: Final = (
    "INSERT INTO refused (receipt, publisher, told, at) SELECT * FROM unnest(CAST(? AS bytea[]),"
    " CAST(? AS text[]), CAST(? AS bytea[]), CAST(? AS bigint[])) ON CONFLICT (receipt)"
    " DO UPDATE SET publisher = excluded.publisher, told = excluded.told, at = excluded.at"
)


def refuse(connection: Connection, refused: Sequence[Refused]) -> None:
    """Keep what is told of events, each once, instead of what was told of them before."""
    connection.exec_driver_sql(_REFUSE, _columns(connection, refused))


_HOLDS: Final[Spoken] = {
    "sqlite": "SELECT events FROM {table} WHERE publisher = ? AND instr(receipts, ?) > 0"
    " ORDER BY number",
    "postgresql": "SELECT events FROM {table} WHERE publisher = ?"
    " AND position(CAST(? AS bytea) IN receipts) > 0 ORDER BY number",
}


def waiting_with(connection: Connection, publisher: str, receipt: bytes) -> list[bytes]:
    """The events of an agency's waiting batches among whose receipts these bytes are."""
    return _holding(connection, "intake", publisher, receipt)


def is_aside(connection: Connection, publisher: str, receipt: bytes) -> bool:
    """Whether an event of an agency is in a batch that was set aside."""
    return bool(_holding(connection, "set_aside", publisher, receipt))


def _holding(connection: Connection, table: str, publisher: str, receipt: bytes) -> list[bytes]:
    statement = spoken(connection, _HOLDS).format(table=table)
    found = connection.exec_driver_sql(statement, (publisher, receipt))
    return [events for (events,) in found]


def refusal(connection: Connection, publisher: str, receipt: bytes) -> bytes | None:
    """What an agency is told of an event of its own that was refused."""
    found = connection.exec_driver_sql(
        "SELECT told FROM refused WHERE receipt = ? AND publisher = ?", (receipt, publisher)
    )
    told: bytes | None = found.scalar_one_or_none()
    return told


# One whose door comes for it at this moment is the door's.
_FORGET_LEFT: Final[Spoken] = {
    "sqlite": "DELETE FROM settled WHERE at < ?",
    "postgresql": "DELETE FROM settled WHERE (door, batch) IN"
    " (SELECT door, batch FROM settled WHERE at < ? FOR UPDATE SKIP LOCKED)",
}


def forget_left(connection: Connection, *, before: int) -> None:
    """Remove answers, older than a time, whose doors have not come for them."""
    connection.exec_driver_sql(spoken(connection, _FORGET_LEFT), (before,))


@dataclass(frozen=True, slots=True)
class Standing:
    """How the hand-over goes: since when the oldest batch waits, None if none does; how many wait;
    how many were set aside, and how many `unread` records of Kafka's; for how many seconds no
    writer has shown itself, None where there is one alone.
    """

    waits_since: int | None
    batches: int
    aside: int
    unread: int
    silence: float | None


_COUNTED: Final = (
    "(SELECT count(*) FROM intake), (SELECT count(*) FROM set_aside),"
    " (SELECT count(*) FROM unread_records)"
)
_STANDING: Final[Spoken] = {
    "sqlite": f"SELECT (SELECT min(at) FROM intake), {_COUNTED}, NULL FROM shards WHERE shard = ?",
    "postgresql": "SELECT (SELECT at FROM intake ORDER BY number LIMIT 1),"
    f" {_COUNTED}, CAST(greatest({THIS_MOMENT} - beat, 0) AS double precision) / 1000"
    " FROM shards WHERE shard = ?",
}


def standing(connection: Connection, shard: int) -> Standing:
    """How it goes at the moment."""
    row = connection.exec_driver_sql(spoken(connection, _STANDING), (shard,)).one()
    return Standing(*row)
