"""The way out: the feed is read, each event entitled at this moment, viewed, and handed over."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, assert_never

from contracts.conversion import Inconvertible
from hub.database.connection import Connection
from hub.delivery.version import in_version, no_form
from hub.delivery.view import View, view_of
from hub.errors import Forbidden
from hub.event import Entry
from hub.evidence.reads import EXPIRED, FILTERED, OTHER_VERSION, PARKED, Parked, outcome_of
from hub.journal import sql
from hub.journal.feeds import ready_until
from hub.journal.subscriptions import Subscription, passes
from hub.policy.entitle import Allowed, Decisions, Denied
from hub.policy.policy import Policy

PAGE_BYTES: Final = 8 * 1024 * 1024
# A page looks at no more entries than this, so that one whose feed is all denied stays bounded.
MOST_EXAMINED: Final = 5_000
STRETCH: Final = 200
# Each is written down with the page: the writing thread is everybody's.
MOST_PARKED: Final = 500
# What keeps an event back before and after the five steps of the decision.
BEFORE: Final = 0
AFTER: Final = 6


@dataclass(frozen=True, slots=True)
class KeptBack:
    """An entry that is not handed over: the byte of its outcome, and the step that said so.

    No step for what the subscription's filters leave out.
    """

    outcome: int
    step: int | None


@dataclass(slots=True)
class Page:
    """What one reading of a feed hands over; filled by who reads, then only looked at.

    `body` is a JSON array, of so many `events`. `positions` are the entries examined, `outcomes`
    what was decided on each (by `hub.evidence.reads`) under the policy version `policy` at
    `read_at`. `denied` counts what was not handed over, by step (also `BEFORE` and `AFTER` them),
    `parked` are those `AFTER` them, `views` counts the events that had fields withheld; `last` is
    the position of the last event, or of the last parked one, `more` says that the feed had not
    come to its end.
    """

    policy: int
    read_at: int
    body: bytes = b"[]"
    events: int = 0
    parked: list[Parked] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    outcomes: bytearray = field(default_factory=bytearray)
    denied: Counter[int] = field(default_factory=Counter)
    views: int = 0
    last: int = 0
    more: bool = True

    def add(self, position: int, outcome: int, found: View | Parked | KeptBack) -> None:
        """Say what became of the next entry."""
        self.positions.append(position)
        self.outcomes.append(outcome)
        match found:
            case View():
                self.events += 1
                self.views += bool(found.withheld)
                self.last = position
            case Parked():
                self.parked.append(found)
                self.denied[AFTER] += 1
                self.last = position
            case KeptBack():
                if found.step is not None:
                    self.denied[found.step] += 1
            case _:
                assert_never(found)


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
    page, steps = Page(policy.version, now), Steps(subscription, policy=policy, now=now)
    page.body = _array(_fill(page, connection, subscription, steps, after=after, limit=limit))
    return page


def read_entry(
    connection: Connection, subscription: Subscription, position: int, *, policy: Policy, now: int
) -> Page:
    """A page of the one event at a position of a feed. Raises as `read_page` does."""
    page, steps = Page(policy.version, now), Steps(subscription, policy=policy, now=now)
    for entry in sql.entries(connection, [position]):
        outcome, found = steps.take(entry)
        page.add(position, outcome, found)
        if isinstance(found, View):
            page.body = _array([found.document])
    return page


class Steps:
    """What becomes of the entries of one subscription, at one moment, under one policy."""

    def __init__(self, subscription: Subscription, *, policy: Policy, now: int) -> None:
        """Raises Forbidden when the subscriber is no agency in force."""
        agency = policy.agency(subscription.agency)
        if agency is None or not agency.takes_part(now):
            raise Forbidden("机构未登记或已停用 / the agency is not registered or not in force")
        self._decisions = Decisions(agency, policy=policy, now=now)
        self._subscription = subscription
        self._policy = policy
        self._now = now

    def allow(self, entry: Entry) -> Allowed | KeptBack:
        """Whether an entry may be handed over, and how much of it. Its data is not looked at.

        The subscription's filters are asked of what is allowed alone.
        """
        if entry.expires is not None and entry.expires <= self._now:
            return KeptBack(EXPIRED, BEFORE)
        decision = self._decisions.on(entry)
        if isinstance(decision, Denied):
            return KeptBack(outcome_of(decision), decision.step)
        if not passes(self._subscription.body.filters, entry.attributes):
            return KeptBack(FILTERED, None)
        return decision

    def take(self, entry: Entry) -> tuple[int, View | Parked | KeptBack]:
        """The outcome's byte, and the event as it is handed over, or what keeps it from being."""
        allowed = self.allow(entry)
        if isinstance(allowed, KeptBack):
            return allowed.outcome, allowed
        policy = self._policy
        contract = policy.catalogue.find(entry.type, entry.version)
        assert contract is not None, "an unknown contract is denied at step 1"
        pinned = self._subscription.pins.get(entry.type, entry.version)
        if pinned == entry.version:
            return outcome_of(allowed), view_of(entry, contract, allowed)
        try:
            carried, target = in_version(entry, contract, pinned, catalogue=policy.catalogue)
        except Inconvertible as inconvertible:
            wanted = policy.catalogue.find(entry.type, pinned)
            reason = no_form(wanted, inconvertible.fault, allowed)
            return PARKED, Parked(entry.position, pinned, reason)
        return outcome_of(allowed) | OTHER_VERSION, view_of(carried, target, allowed)


def _fill(
    page: Page,
    connection: Connection,
    subscription: Subscription,
    steps: Steps,
    *,
    after: int,
    limit: int,
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
            if page.events == limit or len(page.parked) == MOST_PARKED:
                return
            outcome, found = steps.take(entry)
            if isinstance(found, View):
                if size + len(found.document) > PAGE_BYTES and page.events:
                    return
                size += len(found.document)
                yield found.document
            page.add(entry.position, outcome, found)
        if len(positions) < wanted:
            page.more = False
            return
        # Past all of them, also past what a damaged journal may lack.
        cursor = positions[-1]


def _array(documents: Iterable[bytes]) -> bytes:
    """In one piece: a thousand that lie about until the record is kept cost more to be taken up
    again than to be copied now.
    """
    return b"[%b]" % b",".join(documents)
