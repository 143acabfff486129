"""The way out: the feed is read, each event entitled at this moment, viewed, and handed over."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, assert_never

from contracts.contract import Contract
from contracts.conversion import Inconvertible
from hub.database.connection import Connection
from hub.delivery.recent import Recent, Row
from hub.delivery.version import in_version, no_form
from hub.delivery.view import Sight, View, sight_of, view_of
from hub.errors import Forbidden
from hub.event import Entry
from hub.evidence.reads import DENIED, EXPIRED, FILTERED, OTHER_VERSION, PARKED, Parked, outcome_of
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

    `documents` are the events, in CloudEvents' JSON format; if there are any, an array of them has
    `size` bytes. `positions` are the entries examined, `outcomes` what was decided on each (by
    `hub.evidence.reads`) under the policy version `policy` at `read_at`. `denied` counts what was
    not handed over, by step (also `BEFORE` and `AFTER` them), `parked` are those `AFTER` them,
    `views` counts the events that had fields withheld; `last` is the position of the last event,
    or of the last parked one, `more` says that the feed had not come to its end.
    """

    policy: int
    read_at: int
    documents: list[bytes] = field(default_factory=list)
    size: int = len(b"[")
    parked: list[Parked] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    outcomes: bytearray = field(default_factory=bytearray)
    denied: Counter[int] = field(default_factory=Counter)
    views: int = 0
    last: int = 0
    more: bool = True

    @property
    def events(self) -> int:
        """How many are handed over."""
        return len(self.documents)

    @property
    def delivered(self) -> list[int]:
        """The positions of what is handed over."""
        decided = zip(self.positions, self.outcomes, strict=True)
        return [position for position, outcome in decided if outcome < DENIED]

    def hand_over(self, position: int, outcome: int, view: View) -> None:
        """Say that the next entry is handed over."""
        self.positions.append(position)
        self.outcomes.append(outcome)
        self.documents.append(view.document)
        # With the comma or the bracket behind it.
        self.size += len(view.document) + 1
        if view.withheld:
            self.views += 1
        self.last = position

    def keep_back(self, position: int, found: Parked | KeptBack) -> None:
        """Say that the next entry is not handed over."""
        self.positions.append(position)
        match found:
            case Parked():
                self.outcomes.append(PARKED)
                self.parked.append(found)
                self.denied[AFTER] += 1
                self.last = position
            case KeptBack(outcome, step):
                self.outcomes.append(outcome)
                if step is not None:
                    self.denied[step] += 1
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
    recent: Recent,
) -> Page:
    """The next events of a feed, in order, at most `limit` of them and 8 MiB.

    The connection's snapshot is the moment: feed and policy are both read in it. Raises Forbidden
    when the subscriber is no agency in force.
    """
    page, steps = Page(policy.version, now), Steps(subscription, policy=policy, now=now)
    _fill(page, connection, subscription, steps, recent, after=after, limit=limit)
    return page


def read_entry(
    connection: Connection,
    subscription: Subscription,
    position: int,
    *,
    policy: Policy,
    now: int,
    recent: Recent,
) -> Page:
    """A page of the one event at a position of a feed. Raises as `read_page` does."""
    page, steps = Page(policy.version, now), Steps(subscription, policy=policy, now=now)
    for row in chain.from_iterable(recent.rows(connection, [position])):
        outcome, found = steps.take(row, recent, steps.concern([row]))
        if isinstance(found, View):
            page.hand_over(position, outcome, found)
        else:
            page.keep_back(position, found)
    return page


@dataclass(frozen=True, slots=True)
class Way:
    """How far the events of the same circumstances may be handed over, and in which version.

    `sight`: of the version that was published. `outcome` is the byte of its outcome, if the event
    has a form in the pinned one.
    """

    allowed: Allowed
    contract: Contract
    sight: Sight
    pinned: str
    outcome: int


_EXPIRED: Final = KeptBack(EXPIRED, BEFORE)
_FILTERED: Final = KeptBack(FILTERED, None)


class Steps:
    """What becomes of the entries of one subscription, at one moment, under one policy."""

    def __init__(self, subscription: Subscription, *, policy: Policy, now: int) -> None:
        """Raises Forbidden when the subscriber is no agency in force."""
        agency = policy.agency(subscription.agency)
        if agency is None or not agency.takes_part(now):
            raise Forbidden("机构未登记或已停用 / the agency is not registered or not in force")
        decisions = Decisions(agency, policy=policy, now=now)
        self._decisions = decisions
        self._pins = subscription.pins
        self._filters = subscription.body.filters
        self._catalogue = policy.catalogue
        self._now = now
        self._ways: dict[Hashable, Way | KeptBack] = {}

    def concern(self, rows: Iterable[Row]) -> bool:
        """Whether any of the rows may be kept back by step 4; as a rule none."""
        return self._decisions.may_exclude(b"".join([row.entry.parties for row in rows]))

    def allow(self, entry: Entry, known: Hashable, concerned: bool) -> Way | KeptBack:
        """Whether an entry in such circumstances may be handed over, and how far. Its data is not
        looked at.

        `concerned`: step 4 may keep it back.
        """
        if entry.expires is not None and entry.expires <= self._now:
            return _EXPIRED
        way = self._ways.get(known)
        if way is None:
            way = self._ways[known] = self._way(entry)
        if isinstance(way, KeptBack):
            return way
        if concerned and (excluded := self._decisions.exclusion(entry)) is not None:
            return _kept_back(Denied(excluded.step, excluded.code))
        return way

    def leaves_out(self, attributes: bytes) -> bool:
        """Whether the subscription's filters leave out an event with these attributes. Asked of
        what is allowed alone.
        """
        return bool(self._filters) and not passes(self._filters, attributes)

    def take(
        self, row: Row, recent: Recent, concerned: bool
    ) -> tuple[int, View | Parked | KeptBack]:
        """The outcome's byte, and the event as it is handed over, or what keeps it from being."""
        entry = row.entry
        way = self.allow(entry, row.circumstances, concerned)
        if isinstance(way, KeptBack):
            return way.outcome, way
        if self._filters and self.leaves_out(row.attributes):
            return FILTERED, _FILTERED
        if way.pinned == entry.version:
            return way.outcome, row.whole if way.sight.whole else recent.view(row, way.sight)
        try:
            carried, target = in_version(
                row.full(), way.contract, way.pinned, catalogue=self._catalogue
            )
        except Inconvertible as inconvertible:
            wanted = self._catalogue.find(entry.type, way.pinned)
            reason = no_form(wanted, inconvertible.fault, way.allowed)
            return PARKED, Parked(entry.position, way.pinned, reason)
        sight = sight_of(target, way.allowed, caveats=entry.caveats)
        return way.outcome, view_of(carried, sight)

    def _way(self, entry: Entry) -> Way | KeptBack:
        standing = self._decisions.standing(entry)
        if isinstance(standing, Denied):
            return _kept_back(standing)
        contract = self._catalogue.find(entry.type, entry.version)
        assert contract is not None, "an unknown contract is denied at step 1"
        pinned = self._pins.get(entry.type, entry.version)
        other = 0 if pinned == entry.version else OTHER_VERSION
        sight = sight_of(contract, standing, caveats=entry.caveats)
        return Way(standing, contract, sight, pinned, outcome_of(standing) | other)


def _kept_back(denied: Denied) -> KeptBack:
    return KeptBack(outcome_of(denied), denied.step)


def _fill(
    page: Page,
    connection: Connection,
    subscription: Subscription,
    steps: Steps,
    recent: Recent,
    *,
    after: int,
    limit: int,
) -> None:
    """Read on until the page is full."""
    room, cursor, until = limit, after, ready_until(subscription)
    while room and len(page.positions) < MOST_EXAMINED:
        # A good stretch at least: of a feed that is mostly denied, few are handed over.
        wanted = max(room, STRETCH)
        positions = sql.feed_after(
            connection, subscription.number, after=cursor, until=until, most=wanted
        )
        for rows in recent.rows(connection, positions):
            concerned = steps.concern(rows)
            for row in rows:
                if not room:
                    return
                outcome, found = steps.take(row, recent, concerned)
                if isinstance(found, View):
                    if page.size + len(found.document) >= PAGE_BYTES and page.documents:
                        return
                    page.hand_over(row.entry.position, outcome, found)
                    room -= 1
                else:
                    page.keep_back(row.entry.position, found)
                    room = room if len(page.parked) < MOST_PARKED else 0
        if len(positions) < wanted:
            page.more = False
            return
        # Past all of them, also past what a damaged journal may lack.
        cursor = positions[-1]
