"""Feeds: reading the entries of a subscription, and filling them with what is older than it."""

from array import array
from typing import Final

from hub.database import appending
from hub.database.connection import Connection
from hub.database.order import change_subscriptions
from hub.event import pack
from hub.journal import sql
from hub.journal.matching import Matcher
from hub.journal.register import SHARD
from hub.journal.subscriptions import Subscription, from_row
from hub.policy.policy import Policies

FILL_CHUNK: Final = 2_000
_END: Final = 2**63 - 1


def ready_until(subscription: Subscription) -> int:
    """The position up to which the feed may be read: never past one still to be filled in."""
    return subscription.filled if subscription.filling else _END


def end_of(connection: Connection, subscription: Subscription) -> int:
    """The position up to which a feed has been read by whoever came to its end."""
    if subscription.filling:
        return subscription.filled
    return pack(SHARD, appending.head(connection, SHARD).next_number - 1)


def fill_step(
    connection: Connection, *, policies: Policies, agency: str, id_: str
) -> Subscription | None:
    """Match the next chunk of past events for a subscription. None when it has been deleted."""
    appending.take_turn(connection, SHARD)
    change_subscriptions(connection)
    row = sql.subscription(connection, agency, id_)
    if row is None:
        return None
    subscription = from_row(row)
    if not subscription.filling:
        return subscription
    past = sql.headers(
        connection, after=subscription.filled, until=subscription.fill_until, most=FILL_CHUNK
    )
    matcher = Matcher([subscription], policy=policies.seen_by(connection))
    found = array("q", (e.position for e in past if matcher.matches(e, audience=e.audience)))
    if found:
        sql.append_feeds(connection, {subscription.number: found})
    filled = past[-1].position if len(past) == FILL_CHUNK else subscription.fill_until
    sql.mark_filled(connection, subscription.number, filled)
    return from_row(sql.subscription(connection, agency, id_) or row)
