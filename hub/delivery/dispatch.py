"""The way out: the feed is read, each event entitled at this moment, viewed, and handed over."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from hub.database.connection import Connection
from hub.delivery.view import view_of
from hub.errors import Forbidden
from hub.event import Entry
from hub.journal import sql
from hub.journal.feeds import ready_until
from hub.journal.subscriptions import Subscription
from hub.policy.entitle import Decisions, Denied
from hub.policy.policy import Policy

PAGE_BYTES: Final = 8 * 1024 * 1024
# A page looks at no more entries than this, so that one whose feed is all denied stays bounded.
MOST_EXAMINED: Final = 5_000
STRETCH: Final = 200
EXPIRED: Final = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading of a feed hands over. `denied` counts what it did not, by step (0: expired).

    `cursor` is the position of the last entry examined; `views` how many events had fields
    withheld; `more` says that the feed had not come to its end.
    """

    events: list[bytes]
    cursor: int
    views: int
    denied: Counter[int]
    more: bool


def read_page(
    connection: Connection,
    subscription: Subscription,
    *,
    after: int,
    limit: int,
    policy: Policy,
    now: int,
) -> Page:
    """The next events of a feed, in order, at most `limit` of them and 8 MiB.

    The connection's snapshot is the moment: feed and policy are both read in it. Raises Forbidden
    when the subscriber is no agency in force.
    """
    agency = policy.agency(subscription.agency)
    if agency is None or not agency.takes_part(now):
        raise Forbidden("机构未登记或已停用 / the agency is not registered or not in force")
    decisions = Decisions(agency, policy=policy, now=now)
    events: list[bytes] = []
    denied: Counter[int] = Counter()
    size = views = examined = 0
    cursor = after
    until = ready_until(subscription)
    while len(events) < limit and examined < MOST_EXAMINED:
        # A good stretch at least: of a feed that is mostly denied, few are handed over.
        wanted = max(limit - len(events), STRETCH)
        positions = sql.feed_after(
            connection, subscription.number, after=cursor, until=until, most=wanted
        )
        for entry in sql.entries(connection, positions):
            if len(events) == limit:
                return Page(events, cursor, views, denied, more=True)
            examined += 1
            document, partial, step = _hand_over(entry, decisions, policy=policy, now=now)
            if document is None:
                denied[step] += 1
            elif size + len(document) > PAGE_BYTES and events:
                return Page(events, cursor, views, denied, more=True)
            else:
                events.append(document)
                size += len(document)
                views += partial
            cursor = entry.position
        if len(positions) < wanted:
            return Page(events, cursor, views, denied, more=False)
    return Page(events, cursor, views, denied, more=True)


def _hand_over(
    entry: Entry, decisions: Decisions, *, policy: Policy, now: int
) -> tuple[bytes | None, bool, int]:
    """The event's document and whether it is partial; or None and the step that denied it."""
    if entry.expires is not None and entry.expires <= now:
        return None, False, EXPIRED
    decision = decisions.on(entry)
    if isinstance(decision, Denied):
        return None, False, decision.step
    contract = policy.catalogue.find(entry.type, entry.version)
    assert contract is not None, "an unknown contract is denied at step 1"
    view = view_of(entry, contract, decision)
    return view.document, bool(view.withheld), 0
