"""Registration: the one transaction that makes events part of the journal.

It settles what is known already, checks replies against their openings, gives gap-free positions,
and writes dedup, journal and feed rows; its caller's commit makes all of it true at once.
"""

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple

from contracts.faults import Fault
from hub.database import appending
from hub.database.connection import Connection
from hub.database.order import DEAD_LETTERS, SUBSCRIPTIONS, Lock, change_subscriptions
from hub.database.partitions import QUARTERLY, Cut
from hub.errors import HubError, StorageFailed, Superseded
from hub.event import (
    Accepted,
    Duplicate,
    Event,
    Outcome,
    Receipt,
    Record,
    Rejected,
    Sent,
    pack,
    receipt_for,
    slot_of,
)
from hub.journal import refusals, sql
from hub.journal.duplicates import is_same
from hub.journal.matchers import Matchers
from hub.journal.matching import Matcher
from hub.journal.openings import NOT_A_REPLY, Answered, Find, answer, concern, record_of
from hub.journal.subscriptions import Subscription
from hub.policy.policy import Policies, Policy

SHARD: Final = 0
TURN: Final = Lock(2, partial(appending.take_turn, shard=SHARD))
# What a registration may take: it pins types, in rows of subscriptions.
REGISTERING: Final = (TURN, SUBSCRIPTIONS)
# And whoever removes events or subscriptions.
REMOVING: Final = (*REGISTERING, DEAD_LETTERS)
# The epoch of a database that only one process can have.
ALONE: Final = 0
# How many of an event's fields, from the first, the journal keeps as they are.
KEPT: Final = Event.__struct_fields__.index("parties")
SMALL: Final = 100
ID_REUSED: Final = Fault(
    "id_reused",
    "/id",
    "该编号已用于内容不同的事件；更正请用新编号并填写 supersedes",
    "this id stands for another event: correct under a new id, with supersedes",
)

BATCH_REFUSED: Final = Fault(
    "batch_refused",
    "",
    "同批其他事件有错，按 mode=all 整批未收；请改正后重发",
    "another event of this batch was refused, so none was stored (mode=all)",
)


class BatchRefused(HubError):
    """批次中有事件被拒绝，整批未收 / an event of the batch was refused, so none was stored"""

    # `outcomes`: what became of each event; None for one that would have been stored.

    code = "batch_refused"
    status = 422

    def __init__(self, outcomes: list[Outcome | None]) -> None:
        super().__init__()
        self.outcomes = outcomes


class Registration(Struct, frozen=True):
    """What became of each event, in order, and which subscriptions (by number) have news.

    `strangers` counts, by family, the parties of the new events that no registered agency is.
    """

    outcomes: list[Outcome]
    touched: tuple[int, ...] = ()
    strangers: Mapping[str, int] = {}


def may_join(events: Sequence[Event]) -> bool:
    """Whether a batch is worth registering at once with others.

    A statement costs more than a row, so small ones are; but replies look for their openings
    first, which is done batch by batch.
    """
    return len(events) <= SMALL and not any(event.refers for event in events)


class _New(Struct, frozen=True, gc=False):
    """An event to be registered, its dedup slot and what it answers."""

    event: Event
    slot: int
    answered: Answered = NOT_A_REPLY


class Registrar:
    """Registers events on the writing thread, matched by the newest subscriptions.

    `epoch` tells the one under which this process may write. Under any other of the shard's it
    registers nothing, and raises Superseded. `cut` tells how the journal is partitioned.
    """

    def __init__(
        self,
        *,
        policies: Policies,
        clock: Callable[[], int],
        epoch: Callable[[], int] = lambda: ALONE,
        cut: Cut = QUARTERLY,
    ) -> None:
        self._policies = policies
        self._clock = clock
        self._epoch = epoch
        self._cut = cut
        self._matchers = Matchers()

    def load(self, connection: Connection) -> None:
        """Make the policy and the matcher ready, before the first registration has to wait."""
        head = appending.head(connection, SHARD)
        policy = self._policies.identified(connection, head.policy)
        revision = head.subscriptions_revision
        self._matchers.seen_by(connection, revision=revision, policy=policy)

    def register(
        self, connection: Connection, events: Sequence[Event], *, atomic: bool
    ) -> Registration:
        """Register a batch. With `atomic`, raises BatchRefused when an event is refused."""
        head = self.turn(connection)
        policy = self._policies.identified(connection, head.policy)
        first = pack(SHARD, head.next_number)
        now = max(self._clock(), head.hubtime)
        outcomes: list[Outcome]
        new = _unless_known(events)
        if new and self._append(connection, new, head, now=now):
            outcomes = [Accepted(receipt_for(e, first + n, now)) for n, e in enumerate(events)]
        else:
            new, outcomes = self._settle(connection, events, first=first, policy=policy, now=now)
            if atomic and any(isinstance(outcome, Rejected) for outcome in outcomes):
                raise BatchRefused([_unless_stored(outcome, first) for outcome in outcomes])
            _record_refusals(connection, events, outcomes, now=now)
            if not new:
                return Registration(outcomes)
            if not self._append(connection, new, head, now=now):
                raise StorageFailed("a slot was taken that was free")
        touched = self._into_feeds(connection, new, head, policy=policy)
        return Registration(outcomes, touched, _strangers(new, policy))

    def register_together(
        self, connection: Connection, batches: Sequence[Sequence[Event]]
    ) -> list[Registration] | None:
        """Register several batches at once, with the rows of one. None unless all is new."""
        head = self.turn(connection)
        policy = self._policies.identified(connection, head.policy)
        first = pack(SHARD, head.next_number)
        now = max(self._clock(), head.hubtime)
        new = _unless_known([*chain.from_iterable(batches)])
        if not new or not self._append(connection, new, head, now=now):
            return None
        touched = self._into_feeds(connection, new, head, policy=policy)
        outcomes = (Accepted(receipt_for(n.event, p, now)) for p, n in enumerate(new, start=first))
        stored = iter(new)
        return [
            Registration(
                [*islice(outcomes, len(batch))],
                touched,
                _strangers(islice(stored, len(batch)), policy),
            )
            for batch in batches
        ]

    def find(self, connection: Connection, events: Sequence[Event]) -> list[Outcome | None]:
        """What would become of events, storing none; None for one that would be stored."""
        slots = slots_if_new(events)
        if slots and not sql.any_claimed(connection, slots):
            return [None] * len(events)
        head = appending.head(connection, SHARD)
        first = pack(SHARD, head.next_number)
        policy = self._policies.identified(connection, head.policy)
        now = max(self._clock(), head.hubtime)
        _, outcomes = self._settle(connection, events, first=first, policy=policy, now=now)
        return [_unless_stored(outcome, first) for outcome in outcomes]

    def turn(self, connection: Connection) -> appending.Head:
        """Where the shard stands, and will until this transaction ends. Raises Superseded."""
        appending.take_turn(connection, SHARD)
        head = appending.head(connection, SHARD)
        if head.epoch != self._epoch():
            raise Superseded(retry_after=1)
        return head

    def _append(
        self, connection: Connection, new: Sequence[_New], head: appending.Head, *, now: int
    ) -> bool:
        """Make them part of the journal, or none of them if one has been before."""
        first = pack(SHARD, head.next_number)
        slots = sorted((n.slot, first + i) for i, n in enumerate(new))
        rows = [_row(n, first + i, now) for i, n in enumerate(new)]
        return appending.append(connection, head, slots, rows, hubtime=now, cut=self._cut)

    def _into_feeds(
        self, connection: Connection, new: Sequence[_New], head: appending.Head, *, policy: Policy
    ) -> tuple[int, ...]:
        """Write what is new to the feeds; the subscriptions that have news."""
        revision = head.subscriptions_revision
        matcher = self._matchers.seen_by(connection, revision=revision, policy=policy)
        return _feed(connection, new, first=pack(SHARD, head.next_number), matcher=matcher)

    def _settle(
        self,
        connection: Connection,
        events: Sequence[Event],
        *,
        first: int,
        policy: Policy,
        now: int,
    ) -> tuple[list[_New], list[Outcome]]:
        """Decide event by event: known, refused, or new."""
        new: list[_New] = []
        places: dict[bytes, int] = {}
        slots: set[int] = set()
        outcomes: list[Outcome] = []

        def earlier(receipt: bytes) -> Record | None:
            """An event of the journal, or that stands before this one in its batch."""
            place = places.get(receipt)
            if place is None:
                return record_of(connection, receipt)
            return _record(new[place], first + place, now)

        for event in events:
            place = places.get(event.receipt)
            if place is not None:
                first_receipt = receipt_for(new[place].event, first + place, now)
                outcomes.append(_against(event, new[place].event, first_receipt))
                continue
            slot, known = _known(connection, event, taken=slots)
            if known is None:
                answered = _answered(earlier, event, policy=policy, now=now)
                if isinstance(answered, tuple):
                    known = Rejected(event.source, event.id, answered)
                else:
                    known = Accepted(receipt_for(event, first + len(new), now))
                    places[event.receipt] = len(new)
                    new.append(_New(event, slot, answered))
                    slots.add(slot)
            outcomes.append(known)
        return new, outcomes


def slots_if_new(events: Sequence[Event]) -> set[int]:
    """The dedup slots of events that are all new if none of these is taken. None where that would
    not tell: one of them answers another event, or two have one slot.
    """
    slots = {n.slot for n in _unless_known(events)}
    return slots if len(slots) == len(events) else set()


def _unless_known(events: Sequence[Event]) -> list[_New]:
    """The events as if all were new, as nearly always they are; none, where one is a reply.

    A reply looks for its opening first.
    """
    if any(event.refers for event in events):
        return []
    return [_New(event, slot_of(event.receipt)) for event in events]


def _record_refusals(
    connection: Connection, events: Sequence[Event], outcomes: Sequence[Outcome], *, now: int
) -> None:
    """Keep what registration itself refused, under the publisher."""
    refused = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    if refused:
        # One request has one caller.
        refusals.record(connection, refused, caller=events[0].publisher, now=now)


def _unless_stored(outcome: Outcome, first: int) -> Outcome | None:
    """The outcome, but None where it speaks of an event of this very batch."""
    if isinstance(outcome, Rejected):
        return outcome
    position = outcome.receipt.position
    return None if position is None or position >= first else outcome


def known(connection: Connection, sent: Sequence[Sent]) -> list[Duplicate | None]:
    """The first receipts of what is registered already and the same; None for all else."""
    found = (_known(connection, each)[1] for each in sent)
    return [outcome if isinstance(outcome, Duplicate) else None for outcome in found]


def _known(
    connection: Connection, event: Event | Sent, *, taken: Collection[int] = ()
) -> tuple[int, Outcome | None]:
    """The event's dedup slot, and what is known of it; two events may hash to one slot."""
    slot = slot_of(event.receipt)
    while True:
        if slot not in taken:
            position = sql.claimed_by(connection, slot)
            if position is None:
                return slot, None
            record = sql.record(connection, position)
            if (record.source, record.id) == (event.source, event.id):
                return slot, _against(event, record, receipt_of_record(record))
        slot += 1


def _against(event: Event | Sent, known: Event | Record, receipt: Receipt) -> Outcome:
    if is_same(event, known):
        return Duplicate(receipt)
    return Rejected(event.source, event.id, (ID_REUSED,))


def _answered(
    find: Find, event: Event, *, policy: Policy, now: int
) -> Answered | tuple[Fault, ...]:
    contract = policy.catalogue.find(event.type, event.version) if event.refers else None
    if contract is None:
        return NOT_A_REPLY
    if contract.about is not None:
        return concern(find, event, policy=policy, now=now)
    return answer(find, event, contract=contract, policy=policy, now=now)


def _feed(
    connection: Connection, new: Sequence[_New], *, first: int, matcher: Matcher
) -> tuple[int, ...]:
    """Write the feed entries of new events, and pin types that a wildcard meets first."""
    if matcher.is_empty:
        return ()
    feeds: dict[int, array[int]] = {}
    unpinned: dict[int, tuple[Subscription, dict[str, str]]] = {}
    for n, registered in enumerate(new):
        event = registered.event
        for subscription in matcher.matches(event, audience=registered.answered.audience):
            positions = feeds.get(subscription.number)
            if positions is None:
                feeds[subscription.number] = positions = array("q")
            positions.append(first + n)
            if event.type not in subscription.pins:
                pins = unpinned.setdefault(subscription.number, (subscription, {}))[1]
                pins.setdefault(event.type, event.version)
    if feeds:
        sql.append_feeds(connection, feeds)
    if unpinned:
        change_subscriptions(connection)
    for subscription, pins in unpinned.values():
        sql.change_subscription(
            connection, subscription.number, pins=json.dumps({**subscription.pins, **pins})
        )
    return tuple(feeds)


def _strangers(new: Iterable[_New], policy: Policy) -> dict[str, int]:
    found: dict[str, int] = {}
    for registered in new:
        parties = registered.event.parties
        if parties and (count := policy.registry.strangers(parties)):
            family = registered.event.type.partition(".")[0]
            found[family] = found.get(family, 0) + count
    return found


def _row(new: _New, position: int, hubtime: int) -> tuple[Any, ...]:
    """As `appending.append` wants it."""
    event, answered = new.event, new.answered
    parties = event.parties + answered.parties
    taken_over = (answered.audience, answered.origins, parties)
    return (position, hubtime, *taken_over, *astuple(event)[:KEPT])


def _record(new: _New, position: int, hubtime: int) -> Record:
    """As it will be read from the journal."""
    event, answered = new.event, new.answered
    return Record(
        position=position,
        hubtime=hubtime,
        audience=answered.audience,
        origins=answered.origins,
        parties=event.parties + answered.parties,
        **{name: getattr(event, name) for name in Event.__struct_fields__[:KEPT]},
    )


def receipt_of_record(record: Record) -> Receipt:
    """The receipt of a registered event."""
    return receipt_for(record, record.position, record.hubtime)
