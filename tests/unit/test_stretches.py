"""Records of Kafka, registered in one transaction with how far they go, on PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.backbone.records import ADMITTED, Record, outgoing
from hub.backbone.stretches import Behind, Stretch, Stretched, Stretches
from hub.database import offsets
from hub.database.connection import Connection
from hub.database.offsets import Lane
from hub.database.postgres import open_postgres
from hub.database.transactions import Transactions
from hub.errors import IntakeNewer
from hub.event import Accepted, Duplicate, Event, Marking, Outcome, Rejected
from hub.journal.register import ID_REUSED, Registrar
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from tests.sample import admitted
from tests.unit.test_handover import put_policy, sealed

NOW = 1_790_000_000_000_000
ONE, TWO = Lane("share.petition", 0), Lane("share.petition", 1)
LEFT = (
    "SELECT position, event_id FROM journal ORDER BY position",
    "SELECT topic, partition, next FROM offsets ORDER BY topic, partition",
    "SELECT event_id, code FROM refusals ORDER BY number",
    "SELECT partition, place, reason FROM unread_records ORDER BY partition, place",
)


@pytest.fixture
def transactions(postgres_database: str) -> Iterator[Transactions]:
    """Transactions on PostgreSQL with a policy in force, and two lanes that begin."""
    with (
        closing(open_postgres(postgres_database)) as database,
        closing(database.writing()) as made,
    ):
        made.run(put_policy)
        begun = made.run(partial(offsets.begin, lanes=[TWO, ONE]))
        assert begun == {ONE: 0, TWO: 0}
        yield made


def register(transactions: Transactions, *stretches: Stretch) -> Stretched:
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"k" * 32),
        ceiling=Marking.internal,
    )
    made = Stretches(
        registrar=Registrar(policies=policies, clock=lambda: NOW),
        failed=_raise,
        clock=lambda: NOW,
    )
    return transactions.run(partial(made.register, stretches=stretches))


def _raise(error: BaseException) -> None:
    raise error


def stretch(lane: Lane, next_: int, *events: Event | Record) -> Stretch:
    """Events, or records, one after the other from an offset on."""
    records = [
        Record(n, e.key, e.value, e.headers) if isinstance(e, Record) else record(n, e)
        for n, e in enumerate(events, start=next_)
    ]
    return Stretch(lane, next_, records)


def record(offset: int, event: Event) -> Record:
    sent = outgoing(event, partitions=2)
    return Record(offset, sent.key, sent.value, sent.headers)


def left(connection: Connection) -> list[list[tuple[Any, ...]]]:
    return [[tuple(row) for row in connection.exec_driver_sql(asked)] for asked in LEFT]


def outcomes(done: Stretched) -> list[tuple[type[Outcome], str | None]]:
    return [
        (type(o), o.id if isinstance(o, Rejected) else o.receipt.event_id)
        for registration in done.registrations
        for o in registration.outcomes
    ]


def test_what_lies_in_several_lanes_is_registered_with_how_far_it_goes(
    transactions: Transactions,
) -> None:
    one = [admitted(f"a-{n}") for n in range(3)]
    done = register(transactions, stretch(TWO, 0, admitted("b-0")), stretch(ONE, 0, *one))
    assert (done.next, done.unread) == ({ONE: 3, TWO: 1}, [])
    assert transactions.run(left) == [
        [(1, "b-0"), (2, "a-0"), (3, "a-1"), (4, "a-2")],
        [("share.petition", 0, 3), ("share.petition", 1, 1)],
        [],
        [],
    ]


def test_what_somebody_else_has_registered_meanwhile_is_not_registered_again(
    transactions: Transactions,
) -> None:
    first = stretch(ONE, 0, admitted("a-0"), admitted("a-1"))
    register(transactions, first)
    before = transactions.run(left)
    # It woke up, and has another lane that nobody has read.
    with pytest.raises(Behind):
        register(transactions, stretch(TWO, 0, admitted("b-0")), first)
    assert transactions.run(left) == before


def test_the_same_event_in_two_lanes_is_registered_once(transactions: Transactions) -> None:
    event = admitted("a-0")
    other = admitted("a-0", data=b'{"value":1}')
    done = register(
        transactions, stretch(ONE, 0, event, event), stretch(TWO, 0, other, admitted("b-0"))
    )
    assert outcomes(done) == [
        (Accepted, "a-0"),
        (Duplicate, "a-0"),
        (Rejected, "a-0"),
        (Accepted, "b-0"),
    ]
    assert transactions.run(left) == [
        [(1, "a-0"), (2, "b-0")],
        [("share.petition", 0, 2), ("share.petition", 1, 2)],
        [("a-0", ID_REUSED.code)],
        [],
    ]


def test_what_cannot_be_read_is_kept_apart_and_holds_up_nobody(transactions: Transactions) -> None:
    bad = Record(0, b"\xff", b"\x00", [("other", b"\xff"), ("other", b"")])
    done = register(transactions, stretch(ONE, 0, admitted("a-0"), bad, admitted("a-1")))
    assert done.next == {ONE: 3}
    assert [(u.place, u.reason, u.key, u.value) for u in done.unread] == [
        (1, "0 headers hub_admitted", b"\xff", b"\x00")
    ]
    assert transactions.run(left) == [
        [(1, "a-0"), (2, "a-1")],
        [("share.petition", 0, 3), ("share.petition", 1, 0)],
        [],
        [(0, 1, "0 headers hub_admitted")],
    ]


def test_what_a_newer_program_produced_waits_for_it_and_is_not_overtaken(
    transactions: Transactions,
) -> None:
    newer = Record(0, b"k", b"{}", [(ADMITTED, sealed(b"\x91\x01", format_=2))])
    given: list[Event | Record] = [admitted("a-0"), newer, admitted("a-1")]
    assert register(transactions, stretch(ONE, 0, *given)).next == {ONE: 1}
    before = transactions.run(left)
    with pytest.raises(IntakeNewer, match="format 2"):
        register(transactions, stretch(ONE, 1, *given[1:]))
    assert transactions.run(left) == before


def test_a_place_that_holds_nothing_any_more_is_passed(transactions: Transactions) -> None:
    records = [record(5, admitted("a-5")), record(6, admitted("a-6"))]
    assert register(transactions, Stretch(ONE, 0, records)).next == {ONE: 7}
    assert transactions.run(left)[1] == [("share.petition", 0, 7), ("share.petition", 1, 0)]
