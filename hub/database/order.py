"""The order in which processes on one database wait for each other's locks.

A transaction that waited out of order could wait for one that waits for it, and PostgreSQL would
end either. So a work that takes locks tells at the door of the writer which, all of them; where it
shares a transaction with others, theirs and its own are had before the first of them runs, by
rank. A work takes them itself as well: alone it needs no order but its own, which is the same.
Rows under no lock are new ones, or are passed over where another has them. On SQLite, which has
one writing transaction at a time, taking is nothing.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from hub.database.access import change_access
from hub.database.connection import Connection, is_sqlite

_SUBSCRIPTIONS: Final = 0x67756175
_DEAD_LETTERS: Final = 0x67756176


class Lock(NamedTuple):
    """What one transaction has at a time until it ends; those of lower rank come first."""

    rank: int
    take: Callable[[Connection], None]


def take_in_order(connection: Connection, locks: Iterable[Lock]) -> None:
    """Have all of them."""
    for lock in sorted(set(locks), key=lambda lock: lock.rank):
        lock.take(connection)


def change_subscriptions(connection: Connection) -> None:
    """Be the only one that changes rows of subscriptions, their cursors above all."""
    _lock(connection, _SUBSCRIPTIONS)


def change_dead_letters(connection: Connection) -> None:
    """Be the only one that changes dead letters, or takes away what they belong to."""
    _lock(connection, _DEAD_LETTERS)


def _lock(connection: Connection, number: int) -> None:
    if not is_sqlite(connection):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (number,))


ACCESS: Final = Lock(1, change_access)
# 2 is the turn at the shard: `hub.journal.register.TURN`.
SUBSCRIPTIONS: Final = Lock(3, change_subscriptions)
DEAD_LETTERS: Final = Lock(4, change_dead_letters)
# 5 is the probe's row: `hub.database.readiness`.
