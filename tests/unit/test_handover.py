"""The hand-over between a door and the writer: what is said on the way, and what becomes of it."""

import asyncio
import hashlib
import re
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import json as msgjson
from msgspec import structs
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError
from structlog import get_logger

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.backbone.handover import MOST_WAITING, HandOver
from hub.backbone.parcels import (
    SET_ASIDE,
    UNREGISTRABLE,
    Newer,
    Told,
    Unreadable,
    packed_events,
    packed_outcomes,
    unpacked_events,
    unpacked_outcomes,
)
from hub.backbone.receipts import own_receipt
from hub.backbone.registering import PASSED, Registering
from hub.backbone.rounds import Rounds
from hub.database import intake, shards
from hub.database.background import Background
from hub.database.connection import Connection
from hub.database.intake import Handed
from hub.database.news import ANYTHING, NOTHING, News
from hub.database.patience import Patience
from hub.database.postgres import open_postgres
from hub.database.readers import OnThreads, Readers
from hub.database.shards import Held, Taken
from hub.database.signals import Signals
from hub.database.transactions import Transactions
from hub.database.writer import Writer
from hub.errors import IntakeNewer, Overloaded, StorageFailed, Superseded, Unauthenticated
from hub.event import (
    Accepted,
    Duplicate,
    Event,
    Marking,
    Outcome,
    Receipt,
    Rejected,
    receipt_for,
    receipt_unregistered,
)
from hub.evidence.reads import EXPIRED, Reading, keep, keep_together
from hub.journal.register import ID_REUSED, SHARD, BatchRefused, Registrar
from hub.metrics import Metrics
from hub.policy.issuing import first_admin
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.sql import append_version, insert_token, revoke_token
from tests.sample import CITY, PETITION, admitted, policy

NOW = 1_000
RUNBOOKS = Path(__file__).parents[2] / "deploy" / "monitoring" / "runbooks"
# Seconds that a door waits for what becomes of a batch.
SHORT = 2.0
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


def test_a_parcel_is_known_by_its_format_and_its_checksum() -> None:
    """Whoever changes these bytes counts `FORMAT` up, and goes on reading them."""
    event = admitted("f-1")
    packed = packed_events([event])
    assert (packed[0], hashlib.sha256(packed).hexdigest()[:16]) == (1, "5a654ce2a33284d4")
    read = {unread(damaged) for damaged in damages(packed)}
    assert read == {(Unreadable, "checksum")}
    assert unread(sealed(b"\xc1", format_=1)) == (Unreadable, "DecodeError")
    assert unread(sealed(b"\x91\x01", format_=1)) == (Unreadable, "ValidationError")
    assert unread(sealed(b"\x91\x01", format_=2)) == (Newer, "format 2")


def damages(packed: bytes) -> Iterator[bytes]:
    """What is left of a parcel that was cut, or of which a bit was turned."""
    yield from (packed[:length] for length in range(len(packed)))
    yield from (
        bytes([*packed[:n], packed[n] ^ 1 << n % 8, *packed[n + 1 :]]) for n in range(len(packed))
    )


def sealed(packed: bytes, *, format_: int) -> bytes:
    """Bytes as a program that packs in some format seals them."""
    head = bytes([format_])
    return head + zlib.crc32(head + packed).to_bytes(4, "big") + packed


def unread(packed: bytes) -> tuple[type[Exception], str]:
    """Why events cannot be read."""
    with pytest.raises(Unreadable) as error:
        unpacked_events(packed)
    return type(error.value), str(error.value)


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


def put_policy(connection: Connection) -> None:
    """Put a policy in force."""
    document = msgjson.encode(policy()).decode()
    append_version(connection, version=1, document=document, by="t", reason="t", now=1)


@pytest.fixture
def transactions(postgres_database: str) -> Iterator[Transactions]:
    """Transactions on PostgreSQL, with a policy in force."""
    with (
        closing(open_postgres(postgres_database)) as database,
        closing(database.writing()) as made,
    ):
        made.run(put_policy)
        yield made


def handed(batch: int, *events: Event, atomic: bool = False) -> Handed:
    """A batch of the door 1."""
    packed = packed_events(events)
    receipts = b"".join(event.receipt for event in events)
    return Handed(1, batch, int(atomic), PETITION, packed, receipts, len(packed), NOW)


def policies() -> Policies:
    """What gives the policy in force."""
    return Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )


def rounds(failed: list[str], *, epoch: int = 0) -> Rounds:
    """What registers under an epoch; what failed is noted by name."""
    return Rounds(
        registrar=Registrar(policies=policies(), clock=lambda: NOW, epoch=lambda: epoch),
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


def test_a_round_goes_no_further_than_it_is_told(transactions: Transactions) -> None:
    given = [handed(n, admitted(f"l-{n}")) for n in range(1, 4)]
    transactions.run(partial(intake.hand_over, batches=given))
    _, second, _ = transactions.run(partial(intake.waiting, most=9, size=10**6))
    register = partial(rounds([]).register, until=second.number)
    done = transactions.run(register)
    assert done is not None
    assert [each.batch for each in done.settled] == [1, 2]
    assert transactions.run(register) is None
    (left,) = transactions.run(partial(intake.waiting, most=9, size=10**6))
    assert left.batch == 3


def test_a_batch_that_cannot_be_read_is_set_aside_and_the_others_are_registered(
    transactions: Transactions,
) -> None:
    lost = [admitted("u-2"), admitted("u-3")]
    batches = [handed(1, admitted("u-1")), handed(2, *lost), handed(3, *lost, atomic=True)]
    batches[1:] = [replace(each, events=each.events[:-1]) for each in batches[1:]]
    transactions.run(partial(intake.hand_over, batches=[*batches, handed(4, admitted("u-4"))]))
    done = transactions.run(rounds([]).register)

    assert done is not None
    assert [(aside.reason, aside.at) for aside in done.aside] == [("checksum", NOW)] * 2
    told = {each.batch: each.outcomes for each in done.settled}
    assert {n: outcomes_of(told[n], lost) for n in (2, 3)} == {
        n: [Rejected(event.source, event.id, (SET_ASIDE,)) for event in lost] for n in (2, 3)
    }
    assert [unpacked_outcomes(told[n], [admitted(f"u-{n}")]) for n in (1, 4)] == [
        [Accepted(receipt_for(admitted("u-1"), 1, NOW))],
        [Accepted(receipt_for(admitted("u-4"), 2, NOW))],
    ]
    standing = transactions.run(partial(intake.standing, shard=SHARD))
    assert (standing.waits_since, standing.aside) == (None, 2)
    receipt = lost[0].receipt
    asked = [
        transactions.run(partial(own_receipt, receipt=receipt, publisher=who))
        for who in (PETITION, CITY)
    ]
    assert asked == [
        Told(Receipt(receipt.hex(), "refused", "", "", "", b"", None, None), (SET_ASIDE,)),
        None,
    ]
    # Sent again, it is new.
    transactions.run(partial(intake.hand_over, batches=[handed(5, *lost)]))
    transactions.run(rounds([]).register)
    registered = transactions.run(partial(own_receipt, receipt=receipt, publisher=PETITION))
    assert registered == Told(receipt_for(lost[0], 3, NOW), ())


def test_since_when_batches_wait_and_no_writer_was_seen_is_told(transactions: Transactions) -> None:
    given = [replace(handed(n, admitted(f"since-{n}")), at=NOW + n) for n in (1, 2)]
    transactions.run(partial(intake.hand_over, batches=given))
    beat = "UPDATE shards SET beat = extract(epoch FROM clock_timestamp()) * 1000 - 20000"
    transactions.run(lambda connection: connection.exec_driver_sql(beat).rowcount)
    standing = transactions.run(partial(intake.standing, shard=SHARD))
    assert (standing.waits_since, standing.aside) == (NOW + 1, 0)
    assert standing.silence is not None and standing.silence >= 20
    transactions.run(partial(shards.take, shard=SHARD, writer="one", silence=0))
    taken = transactions.run(partial(intake.standing, shard=SHARD))
    assert taken.silence is not None and taken.silence < standing.silence


def test_what_was_set_aside_can_be_put_back(transactions: Transactions) -> None:
    """As the page of its alert says, once it can be read."""
    whole, cut = handed(1, admitted("p-1")), handed(1, admitted("p-1"))
    cut = replace(cut, events=cut.events[:-1])
    transactions.run(partial(intake.hand_over, batches=[cut]))
    done = transactions.run(rounds([]).register)
    assert done is not None
    page = (RUNBOOKS / "GuantongSetAside.md").read_text(encoding="utf-8")
    back = re.findall(r"`(WITH back AS (?:.|\n)*?);`", page)[0].replace("批次", "?")
    number = done.aside[0].number
    mend = "UPDATE set_aside SET events = ?"
    transactions.run(lambda c: c.exec_driver_sql(mend, (whole.events,)).rowcount)
    assert transactions.run(lambda c: c.exec_driver_sql(back, (number,)).rowcount) == 1
    again = transactions.run(rounds([]).register)
    assert again is not None
    assert unpacked_outcomes(again.settled[0].outcomes, [admitted("p-1")]) == [
        Accepted(receipt_for(admitted("p-1"), 1, NOW))
    ]
    assert transactions.run(partial(intake.standing, shard=SHARD)).aside == 0


def test_what_a_newer_program_handed_over_waits_for_it_and_is_not_overtaken(
    transactions: Transactions,
) -> None:
    newer = replace(handed(2, admitted("n-2")), events=sealed(b"\x91\x01", format_=2))
    given = [handed(1, admitted("n-1")), newer, handed(3, admitted("n-3"))]
    transactions.run(partial(intake.hand_over, batches=given))
    done = transactions.run(rounds([]).register)
    assert done is not None
    assert ([each.batch for each in done.settled], done.aside) == ([1], [])
    with pytest.raises(IntakeNewer, match="format 2"):
        transactions.run(rounds([]).register)
    waiting = transactions.run(partial(intake.waiting, most=9, size=10**6))
    assert [each.batch for each in waiting] == [2, 3]


def test_where_nothing_can_be_registered_nothing_is_refused(transactions: Transactions) -> None:
    """A fault of the hub, here a head that stands before its journal, costs no event."""
    first, second = handed(1, admitted("a-1")), handed(2, admitted("a-2"))
    transactions.run(partial(intake.hand_over, batches=[first]))
    failed: list[str] = []
    assert transactions.run(rounds(failed).register) is not None
    back = "UPDATE shards SET next_number = 1"
    transactions.run(lambda connection: connection.exec_driver_sql(back).rowcount)
    transactions.run(partial(intake.hand_over, batches=[second]))
    with pytest.raises(IntegrityError):
        transactions.run(rounds(failed).register)
    forth = "UPDATE shards SET next_number = 2"
    transactions.run(lambda connection: connection.exec_driver_sql(forth).rowcount)
    done = transactions.run(rounds(failed).register)
    assert done is not None
    assert [each.batch for each in done.settled] == [2]
    (told,) = unpacked_outcomes(done.settled[0].outcomes, [admitted("a-2")])
    assert told == Accepted(receipt_for(admitted("a-2"), 2, NOW))
    assert failed == []


def test_news_that_are_too_long_leave_the_outcomes_to_be_looked_for() -> None:
    news = News(settled={1: ((1, b"a"),)}, look=frozenset({3}), subscriptions=frozenset({4}))
    shortened = News(look=frozenset({1, 3}), subscriptions=frozenset({4}))
    assert news.shortened() == shortened


@pytest.mark.parametrize(
    ("address", "given"),
    [
        (
            "postgresql+asyncpg://u:p@h:5433/d?ssl=require&prepared_statement_cache_size=0",
            {"host": "h", "port": 5433, "user": "u", "password": "p", "database": "d"}
            | {"ssl": "require"},
        ),
        (
            "postgresql+asyncpg://u:p@/d?host=a:5432&host=b:5433&command_timeout=5",
            {"host": ["a", "b"], "port": [5432, 5433], "user": "u", "password": "p"}
            | {"database": "d"},
        ),
    ],
)
def test_signals_go_to_the_address_that_the_works_go_to(
    address: str, given: dict[str, Any]
) -> None:
    async def rest() -> None: ...

    signals = Signals(make_url(address), rest=rest, log=get_logger())
    assert signals.address == given


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
        partial(insert_token, digest=b"d", agency=CITY, roles="", now=1, expires=NOW + 1)
    )
    reading = Reading(1, CITY, "s", token, "pull", 1, NOW, [1, 2], bytes([1, 1]))
    denied = replace(reading, outcomes=bytes([EXPIRED, EXPIRED]))
    assert transactions.run(partial(keep, reading=reading))
    assert not transactions.run(partial(keep, reading=replace(reading, policy=0)))
    stale = replace(reading, policy=0)
    together = partial(keep_together, readings=[reading, stale, reading])
    assert transactions.run(together) == [True, False, True]
    # Another has taken its place, which may be sooner than its end was to be.
    late = replace(reading, read_at=NOW + 1)
    with pytest.raises(Unauthenticated):
        transactions.run(partial(keep, reading=late))
    with pytest.raises(Unauthenticated):
        transactions.run(partial(keep_together, readings=[reading, late]))
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
    # One that has ended is none.
    assert transactions.run(partial(first_admin, now=again.expires, seconds=60)) is not None


class Quiet:
    """What a writer tells is not looked at."""

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


@asynccontextmanager
async def door_on(url: str) -> AsyncIterator[tuple[HandOver, Writer]]:
    """A door where nobody registers, and its writer, which has its connection."""
    database = await asyncio.to_thread(open_postgres, url)
    writer = Writer(database.writing(), capacity=10**9, observer=Quiet(), clock=lambda: 0.0)
    readers = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)
    writer.start()
    await writer.submit(intake.any_waits)
    try:
        yield (
            HandOver(
                door=1,
                writer=writer,
                readers=readers,
                registrar=Registrar(policies=policies(), clock=lambda: NOW),
                handed=lambda: None,
                weighed=lambda _: None,
                background=Background(metrics=Metrics(version="", sqlite=""), log=get_logger()),
                clock=lambda: NOW,
            ),
            writer,
        )
    finally:
        for stop in (writer.stop, readers.stop):
            await asyncio.to_thread(stop)


async def test_what_is_not_registered_in_time_is_accepted_or_to_be_sent_again(
    postgres_database: str,
) -> None:
    async with door_on(postgres_database) as (door, writer):
        outcomes = await door.append([admitted("t-1")], atomic=False, patience=Patience(SHORT))
        assert outcomes == [Accepted(receipt_unregistered(admitted("t-1"), "accepted"))]
        with pytest.raises(StorageFailed):
            await door.append([admitted("t-2")], atomic=True, patience=Patience(SHORT))
        waiting = await writer.submit(partial(intake.waiting, most=9, size=10**6))
        assert [(w.door, w.batch, w.atomic) for w in waiting] == [(1, 1, False), (1, 2, True)]
        told = [
            await writer.submit(partial(own_receipt, receipt=admitted(id_).receipt, publisher=who))
            for id_, who in (("t-2", PETITION), ("t-2", CITY), ("t-3", PETITION))
        ]
        assert told == [Told(receipt_unregistered(admitted("t-2"), "accepted"), ()), None, None]


async def test_no_more_is_taken_in_than_may_wait(postgres_database: str) -> None:
    async with door_on(postgres_database) as (door, writer):
        most = replace(handed(1, admitted("m-1")), weight=MOST_WAITING)
        await writer.submit(partial(intake.hand_over, batches=[most]))
        assert await door.weigh()
        await door.append([admitted("m-2")], atomic=False, patience=Patience(SHORT))
        assert await door.weigh()
        with pytest.raises(Overloaded):
            await door.append([admitted("m-3")], atomic=False, patience=Patience(SHORT))


_BEARS_TWO = (
    """
    CREATE FUNCTION bear_two() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT count(*) FROM new) > 2 THEN RAISE USING ERRCODE = '53400'; END IF; RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER bear_two AFTER INSERT ON settled REFERENCING NEW TABLE AS new"
    " FOR EACH STATEMENT EXECUTE FUNCTION bear_two()",
)


async def test_a_round_that_storage_does_not_bear_is_halved_until_it_does(
    postgres_database: str,
) -> None:
    count = 2 * PASSED + 6
    given = [handed(n, admitted(f"h-{n}")) for n in range(count)]
    sizes: list[int] = []
    whole, failures = asyncio.Event(), 0

    def settled(batches: Sequence[intake.Settled]) -> None:
        sizes.append(len(batches))
        if sum(sizes) == count:
            whole.set()

    async def rest() -> None:
        nonlocal failures
        failures += 1

    database = await asyncio.to_thread(open_postgres, postgres_database)
    readers = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)

    def prepare(connection: Connection) -> None:
        put_policy(connection)
        for statement in _BEARS_TWO:
            connection.exec_driver_sql(statement)
        intake.hand_over(connection, given)

    async with door_on(postgres_database) as (_, writer):
        await writer.submit(prepare)
        registering = Registering(
            writer=writer,
            readers=readers,
            rounds=rounds([]),
            registered=lambda _: None,
            settled=settled,
            aside=lambda _: None,
            background=Background(metrics=Metrics(version="", sqlite=""), log=get_logger()),
            rest=rest,
            clock=lambda: NOW,
        )
        running = asyncio.create_task(registering.run())
        await whole.wait()
        running.cancel()
    await asyncio.to_thread(readers.stop)
    # 512 are halved eight times; twice as many are tried again once, in vain.
    assert (sizes, failures) == ([2] * (count // 2), 8 + 1)


async def test_news_that_were_lost_are_looked_for(postgres_database: str) -> None:
    events = [admitted("l-1"), admitted("l-2")]
    outcomes = [Accepted(receipt_for(event, n, NOW)) for n, event in enumerate(events, start=1)]
    packed = [packed_outcomes([outcome], refused=False) for outcome in outcomes]
    async with door_on(postgres_database) as (door, writer):
        looking = asyncio.create_task(door.run())
        asked = [
            asyncio.create_task(door.append([event], atomic=True, patience=Patience(None)))
            for event in events
        ]
        waiting: list[intake.Waiting] = []
        while len(waiting) < len(events):
            waiting = await writer.submit(partial(intake.waiting, most=9, size=10**6))
        kept = [intake.Settled(1, n, told, NOW) for n, told in enumerate(packed, start=1)]
        await writer.submit(
            partial(intake.settle, settlements=kept, of=[w.number for w in waiting])
        )
        # Of the second alone there is news; the first is found in the table.
        door.settled([(2, packed[1])])
        assert [await each for each in asked] == [[outcome] for outcome in outcomes]
        looking.cancel()
