"""The hand-over between a door and the writer: what is said on the way, and what becomes of it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest
from msgspec import json as msgjson
from msgspec import structs

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.backbone.parcels import (
    UNREGISTRABLE,
    packed_events,
    packed_outcomes,
    unpacked_events,
    unpacked_outcomes,
)
from hub.backbone.rounds import Rounds
from hub.database import intake, shards
from hub.database.intake import Handed
from hub.database.news import ANYTHING, NOTHING, News
from hub.database.postgres import open_postgres
from hub.database.shards import Held, Taken
from hub.database.transactions import Transactions
from hub.errors import Superseded, Unauthenticated
from hub.event import Accepted, Duplicate, Event, Marking, Outcome, Rejected, receipt_for
from hub.evidence.reads import EXPIRED, Reading, keep
from hub.journal.register import ID_REUSED, SHARD, BatchRefused, Registrar
from hub.policy.issuing import first_admin
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.sql import append_version, insert_token, revoke_token
from tests.sample import CITY, PETITION, admitted, policy

NOW = 1_000
EVENTS = [admitted("e-1"), admitted("e-2"), admitted("e-3", cc="x", refers=True, opening="0" * 32)]
OUTCOMES: list[Outcome] = [
    Accepted(receipt_for(EVENTS[0], 7, NOW)),
    Duplicate(receipt_for(admitted("e-2", data=b'{"value": 0}'), 3, 900)),
    Rejected(EVENTS[2].source, EVENTS[2].id, (ID_REUSED, UNREGISTRABLE)),
]
REFUSED: list[Outcome | None] = [None, *OUTCOMES[1:]]


def test_events_arrive_at_the_writer_as_the_door_admitted_them() -> None:
    assert unpacked_events(packed_events(EVENTS)) == EVENTS


def test_outcomes_arrive_at_the_door_as_registration_made_them() -> None:
    told = unpacked_outcomes(packed_outcomes(OUTCOMES, refused=False), EVENTS)
    assert told == OUTCOMES
    with pytest.raises(BatchRefused) as refused:
        unpacked_outcomes(packed_outcomes(REFUSED, refused=True), EVENTS)
    assert refused.value.outcomes == REFUSED


def test_news_of_two_moments_are_told_at_once() -> None:
    first = News(intake=True, settled={1: ((1, b"a"),)}, subscriptions=frozenset({4}))
    second = News(settled={1: ((2, b"b"),), 2: ((9, b"c"),)}, subscriptions=frozenset({5}))
    assert first.and_also(second) == News(
        intake=True,
        settled={1: ((1, b"a"), (2, b"b")), 2: ((9, b"c"),)},
        subscriptions=frozenset({4, 5}),
    )
    assert NOTHING.and_also(ANYTHING) == ANYTHING
    assert msgjson.decode(msgjson.encode(first), type=News) == first


@pytest.fixture
def transactions(postgres_database: str) -> Iterator[Transactions]:
    """Transactions on PostgreSQL, with a policy in force."""
    document = msgjson.encode(policy()).decode()
    put = partial(append_version, version=1, document=document, by="t", reason="t", now=1)
    with (
        closing(open_postgres(postgres_database)) as database,
        closing(database.writing()) as made,
    ):
        made.run(put)
        yield made


def handed(batch: int, *events: Event, atomic: bool = False) -> Handed:
    """A batch of the door 1."""
    packed = packed_events(events)
    receipts = b"".join(event.receipt for event in events)
    return Handed(1, batch, int(atomic), PETITION, packed, receipts, len(packed), NOW)


def rounds(failed: list[str], *, epoch: int = 0) -> Rounds:
    """What registers under an epoch; what failed is noted by name."""
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    return Rounds(
        registrar=Registrar(policies=policies, clock=lambda: NOW, epoch=lambda: epoch),
        failed=lambda error: failed.append(type(error).__name__),
        clock=lambda: NOW,
    )


def outcomes_of(packed: bytes, events: Sequence[Event]) -> list[Outcome | None]:
    """What a door is told of a batch, also of one that was refused as a whole."""
    try:
        return [*unpacked_outcomes(packed, events)]
    except BatchRefused as refused:
        return refused.outcomes


def test_a_batch_that_cannot_be_registered_does_not_hold_up_the_others(
    transactions: Transactions,
) -> None:
    other = admitted("a-1", data=b'{"value":1}')
    batches = {
        1: [admitted("a-1"), admitted("a-2")],
        2: [admitted("a-3"), other],
        # A text that PostgreSQL cannot keep; no door lets it in.
        3: [structs.replace(admitted("a-4"), correlation="\x00")],
        4: [admitted("a-1"), admitted("a-5")],
    }
    given = [handed(n, *events, atomic=n == 2) for n, events in batches.items()]
    transactions.run(partial(intake.hand_over, batches=given))
    failed: list[str] = []
    done = transactions.run(rounds(failed).register)

    assert done is not None
    told = {each.batch: outcomes_of(each.outcomes, batches[each.batch]) for each in done.settled}
    first = Accepted(receipt_for(batches[1][0], 1, NOW))
    assert told == {
        1: [first, Accepted(receipt_for(batches[1][1], 2, NOW))],
        2: [None, Rejected(other.source, other.id, (ID_REUSED,))],
        3: [Rejected(batches[3][0].source, "a-4", (UNREGISTRABLE,))],
        4: [Duplicate(first.receipt), Accepted(receipt_for(batches[4][1], 3, NOW))],
    }
    assert failed == ["DBAPIError"]
    kept = transactions.run(partial(intake.settled, door=1, after=2))
    assert kept == [(each.batch, each.outcomes) for each in done.settled[2:]]
    assert transactions.run(rounds(failed).register) is None
    transactions.run(partial(intake.forget_settled, door=1, until=3))
    assert [n for n, _ in transactions.run(partial(intake.settled, door=1, after=0))] == [4]


def test_a_round_takes_batches_in_order_until_they_weigh_enough(transactions: Transactions) -> None:
    given = [handed(n, admitted(f"w-{n}")) for n in range(5)]
    transactions.run(partial(intake.hand_over, batches=given))
    weight = given[0].weight
    taken = {
        (most, size): [
            batch.batch for batch in transactions.run(partial(intake.waiting, most=most, size=size))
        ]
        for most, size in ((9, 1), (9, 2 * weight), (9, 2 * weight + 1), (3, 9 * weight))
    }
    assert taken == {
        (9, 1): [0],
        (9, 2 * weight): [0, 1],
        (9, 2 * weight + 1): [0, 1, 2],
        (3, 9 * weight): [0, 1, 2],
    }
    assert transactions.run(intake.weight) == 5 * weight


def test_whoever_has_lost_the_shard_registers_nothing(transactions: Transactions) -> None:
    take = partial(shards.take, shard=SHARD, silence=60_000)
    assert transactions.run(partial(take, writer="one")) == Taken(1)
    transactions.run(partial(intake.hand_over, batches=[handed(1, admitted("s-1"))]))
    assert transactions.run(partial(take, writer="two")) == Held("one")
    # Silent for longer than no time at all.
    late = partial(shards.take, shard=SHARD, silence=-60_000)
    assert transactions.run(partial(late, writer="two")) == Taken(2)

    with pytest.raises(Superseded):
        transactions.run(rounds([], epoch=1).register)
    beats = [transactions.run(partial(shards.beat, shard=SHARD, epoch=epoch)) for epoch in (1, 2)]
    assert beats == [False, True]
    assert transactions.run(intake.any_waits)
    assert transactions.run(rounds([], epoch=2).register) is not None

    transactions.run(partial(shards.give_back, shard=SHARD, epoch=1))
    assert transactions.run(partial(take, writer="three")) == Held("two")
    transactions.run(partial(shards.give_back, shard=SHARD, epoch=2))
    assert transactions.run(partial(take, writer="three")) == Taken(3)


def test_nothing_is_read_by_a_token_that_was_revoked_meanwhile(transactions: Transactions) -> None:
    token = transactions.run(
        partial(insert_token, digest=b"d", agency=CITY, roles="", now=1, expires=NOW)
    )
    reading = Reading(1, CITY, "s", token, "pull", 1, NOW, [1, 2], bytes([1, 1]))
    denied = replace(reading, outcomes=bytes([EXPIRED, EXPIRED]))
    assert transactions.run(partial(keep, reading=reading))
    assert not transactions.run(partial(keep, reading=replace(reading, policy=0)))
    transactions.run(partial(revoke_token, number=token, now=2))
    with pytest.raises(Unauthenticated):
        transactions.run(partial(keep, reading=reading))
    # That nothing was handed over is kept all the same.
    assert transactions.run(partial(keep, reading=denied))


def test_the_first_administrator_is_the_only_one(transactions: Transactions) -> None:
    first = transactions.run(partial(first_admin, now=NOW, seconds=60))
    assert first is not None
    assert transactions.run(partial(first_admin, now=NOW, seconds=60)) is None
    transactions.run(partial(revoke_token, number=first.number, now=NOW))
    again = transactions.run(partial(first_admin, now=NOW, seconds=60))
    assert again is not None
    assert again.number > first.number
