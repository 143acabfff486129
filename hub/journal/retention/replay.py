"""Reading where something has expired: how much is told, or that it cannot go on from there."""

from dataclasses import dataclass

from hub.database import appending
from hub.database.connection import Connection
from hub.errors import CursorExpired
from hub.event import rfc3339
from hub.journal.feeds import ready_until
from hub.journal.register import SHARD
from hub.journal.retention import sql
from hub.journal.retention.places import place_before
from hub.journal.retention.sql import Place
from hub.journal.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Passed:
    """How many entries expired on the way, and the position that was come to."""

    expired: int
    cursor: int


def passed(
    connection: Connection, subscription: Subscription, *, after: int, cursor: int, more: bool
) -> Passed:
    """What expired between `after` and the end of a page that was read up to `cursor`.

    A page that came to the feed's end (`more` is false) passes what expired there as well. Raises
    CursorExpired when something expired between `after` and the oldest entry that the feed holds.
    """
    number = subscription.number
    until = cursor if more else ready_until(subscription)
    expired, last = sql.expired_between(connection, number, after=after, until=until)
    if expired:
        oldest, before = _oldest(connection, subscription)
        lost = sql.last_expired(connection, number, until=before)
        if lost is not None and after < lost.position:
            raise _too_old(connection, oldest, lost)
    return Passed(expired, max(cursor, last))


def place_since(connection: Connection, subscription: Subscription, hubtime: int) -> int:
    """The cursor from which a feed is read again since a time; never before the feed's start.

    Raises CursorExpired when something of that time or later expired before the oldest entry that
    the feed holds; that entry's own time is good, whatever of the same time has expired.
    """
    place = place_before(connection, hubtime)
    gone = sql.expired_from(connection, subscription.number, hubtime=hubtime)
    if gone is not None:
        oldest, before = _oldest(connection, subscription)
        if gone.position > before:
            place = min(place, gone.position - 1)
        elif oldest is not None and oldest.hubtime == hubtime:
            place = before
        else:
            lost = sql.last_expired(connection, subscription.number, until=before)
            raise _too_old(connection, oldest, lost or gone)
    return max(place, subscription.start)


def _oldest(connection: Connection, subscription: Subscription) -> tuple[Place | None, int]:
    """The oldest entry that a feed holds, and the position below which it holds none."""
    ready = ready_until(subscription)
    oldest = sql.oldest_of_feed(connection, subscription.number, until=ready)
    return oldest, ready if oldest is None else oldest.position - 1


def _too_old(connection: Connection, oldest: Place | None, lost: Place) -> CursorExpired:
    """What is there still: from the oldest entry, or from just after all that expired."""
    begin = lost.hubtime + 1 if oldest is None else oldest.hubtime
    end = max(begin, appending.head(connection, SHARD).hubtime)
    return CursorExpired(from_=rfc3339(begin), to=rfc3339(end))
