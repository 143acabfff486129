"""The way out: the feed is read, each event entitled at this moment, viewed, and handed over."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from contracts.conversion import Inconvertible
from hub.database.connection import Connection
from hub.delivery.version import in_version
from hub.delivery.view import View, view_of
from hub.errors import Forbidden
from hub.event import Entry
from hub.evidence.reads import EXPIRED, FILTERED, OTHER_VERSION, PARKED, outcome_of
from hub.journal import sql
from hub.journal.feeds import ready_until
from hub.journal.subscriptions import Subscription, passes
from hub.policy.entitle import Decisions, Denied
from hub.policy.policy import Policy

PAGE_BYTES: Final = 8 * 1024 * 1024
# A page looks at no more entries than this, so that one whose feed is all denied stays bounded.
MOST_EXAMINED: Final = 5_000
STRETCH: Final = 200
# What keeps an event back before and after the five steps of the decision.
BEFORE: Final = 0
AFTER: Final = 6
_HandedOver = tuple[int, View | int | None]


@dataclass(slots=True)
class Page:
    """What one reading of a feed hands over; filled by `read_page`, then only looked at.

    `body` is a JSON array, of so many `events`. `positions` are the entries examined, `outcomes`
    what was decided on each (by `hub.evidence.reads`) under the policy version `policy` at
    `read_at`. `denied` counts what was not handed over, by step (also `BEFORE` and `AFTER` them),
    `views` the events that had fields withheld; `last` is the position of the last event, `more`
    says that the feed had not come to its end.
    """

    policy: int
    read_at: int
    body: bytes = b"[]"
    events: int = 0
    positions: list[int] = field(default_factory=list)
    outcomes: bytearray = field(default_factory=bytearray)
    denied: Counter[int] = field(default_factory=Counter)
    views: int = 0
    last: int = 0
    more: bool = True


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
    page = Page(policy.version, now)
    hand_over = partial(
        _hand_over,
        decisions=Decisions(agency, policy=policy, now=now),
        subscription=subscription,
        policy=policy,
        now=now,
    )
    read = _fill(page, connection, subscription, after=after, limit=limit, hand_over=hand_over)
    # In one piece: a thousand that lie about until the record is kept cost more to be taken up
    # again than to be copied now.
    page.body = b"[%b]" % b",".join(read)
    return page


def _fill(
    page: Page,
    connection: Connection,
    subscription: Subscription,
    *,
    after: int,
    limit: int,
    hand_over: Callable[[Entry], _HandedOver],
) -> Iterator[bytes]:
    """The documents that a page hands over; what else there is to say of them goes on the page."""
    size, cursor, until = 0, after, ready_until(subscription)
    while page.events < limit and len(page.positions) < MOST_EXAMINED:
        # A good stretch at least: of a feed that is mostly denied, few are handed over.
        wanted = max(limit - page.events, STRETCH)
        positions = sql.feed_after(
            connection, subscription.number, after=cursor, until=until, most=wanted
        )
        for entry in sql.entries(connection, positions):
            if page.events == limit:
                return
            outcome, view = hand_over(entry)
            if view is None:
                pass
            elif isinstance(view, int):
                page.denied[view] += 1
            elif size + len(view.document) > PAGE_BYTES and page.events:
                return
            else:
                yield view.document
                size += len(view.document)
                page.events += 1
                page.views += bool(view.withheld)
                page.last = entry.position
            page.positions.append(entry.position)
            page.outcomes.append(outcome)
        if len(positions) < wanted:
            page.more = False
            return
        # Past all of them, also past what a damaged journal may lack.
        cursor = positions[-1]


def _hand_over(
    entry: Entry, *, decisions: Decisions, subscription: Subscription, policy: Policy, now: int
) -> _HandedOver:
    """The outcome's byte, and the event's view, or the step that kept it back.

    Before the decision it has expired (0); after it the pinned version cannot be made of it (6).
    None for what the subscription's filters leave out: they are asked of what is allowed alone.
    """
    if entry.expires is not None and entry.expires <= now:
        return EXPIRED, BEFORE
    decision = decisions.on(entry)
    if isinstance(decision, Denied):
        return outcome_of(decision), decision.step
    if not passes(subscription.body.filters, entry.attributes):
        return FILTERED, None
    contract = policy.catalogue.find(entry.type, entry.version)
    assert contract is not None, "an unknown contract is denied at step 1"
    pinned = subscription.pins.get(entry.type, entry.version)
    if pinned == entry.version:
        return outcome_of(decision), view_of(entry, contract, decision)
    try:
        carried, target = in_version(
            entry, contract, pinned, catalogue=policy.catalogue, codes=policy.codes
        )
    except Inconvertible:
        return PARKED, AFTER
    return outcome_of(decision) | OTHER_VERSION, view_of(carried, target, decision)
