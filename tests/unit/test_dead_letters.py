"""Dead letters: what is written with a reading, and how much of a reason is told."""

from collections.abc import Iterator
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from contracts.catalogue import load_catalogue
from contracts.classes import FieldClass
from contracts.faults import Fault
from contracts.fields import Field
from hub.database import appending
from hub.database.connection import Connection
from hub.database.sqlite import open_sqlite
from hub.delivery.version import no_form
from hub.delivery.view import sees
from hub.evidence import sql
from hub.evidence.reads import PARKED, Parked, Reading, keep
from hub.evidence.sql import DeadLetterRow
from hub.journal import sql as journal
from hub.journal.register import SHARD
from hub.journal.retention import sql as retention
from hub.policy.entitle import OPEN, Allowed

SHOWN = 0x1F
WHY = Fault("lead_missing", "/data/persons/-/lead", "缺", "missing")
AGENCY = "510100.discipline"
SUBSCRIPTION = {
    "agency": AGENCY,
    "body": "{}",
    "pins": "{}",
    "start": 0,
    "committed": 0,
    "filled": 0,
    "fill_until": 0,
    "created_at": 0,
}
ALLOWED = [
    Allowed(frozenset(classes), masked)
    for count in range(1, len(FieldClass) + 1)
    for classes in combinations(FieldClass, count)
    for masked in (False, True)
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A database with two subscriptions and ten events at the positions 1 to 10."""
    with closing(open_sqlite(tmp_path, readers=1)) as made, made.writer.begin() as writing:
        for id_ in ("one", "two"):
            journal.insert_subscription(writing, {**SUBSCRIPTION, "id": id_})
        row = (0, "", "", b"", b"", "t", "1.0", "p", "r", "k", "", "", 0, None, b"{}", b"{}")
        rows = [(n, *row, "/s", f"{n}", "", b"", 0, b"") for n in range(1, 11)]
        slots = [(n, n) for n in range(1, 11)]
        assert appending.append(writing, appending.head(writing, 0), slots, rows, hubtime=0)
        yield writing


def read(
    connection: Connection, outcomes: dict[int, int], *, at: int, number: int = 1, policy: int = 0
) -> bool:
    """Keep a reading; whether it was."""
    reading = Reading(
        subscription=number,
        agency=AGENCY,
        subscription_id="one",
        token=1,
        channel="pull",
        policy=policy,
        read_at=at,
        positions=list(outcomes),
        outcomes=bytes(outcomes.values()),
        parked=[Parked(n, "2.0", WHY) for n, outcome in outcomes.items() if outcome == PARKED],
    )
    return keep(connection, reading)


def waiting(connection: Connection, number: int = 1) -> dict[int, tuple[int, int, int]]:
    """What waits of a subscription: position → attempts, first, last."""
    rows = sql.dead_letters(connection, number, after=0, most=100)
    assert rows == [
        DeadLetterRow(
            row.position,
            "2.0",
            WHY.code,
            WHY.pointer,
            WHY.message,
            WHY.message_en,
            row.attempts,
            row.first,
            row.last,
        )
        for row in rows
    ]
    return {row.position: (row.attempts, row.first, row.last) for row in rows}


def test_attempts_are_counted_and_what_is_handed_over_waits_no_more(
    connection: Connection,
) -> None:
    assert read(connection, {1: SHOWN, 2: PARKED, 3: PARKED}, at=7)
    assert read(connection, {2: PARKED}, at=8)
    assert read(connection, {3: PARKED}, at=8, number=2)
    assert waiting(connection) == {2: (2, 7, 8), 3: (1, 7, 7)}
    assert read(connection, {1: SHOWN, 2: SHOWN, 3: 0x80}, at=9)
    assert (waiting(connection), waiting(connection, 2)) == ({3: (1, 7, 7)}, {3: (1, 8, 8)})
    assert sql.is_dead_letter(connection, 1, 2) and not sql.is_dead_letter(connection, 1, 1)
    assert read(connection, {2: PARKED}, at=10)
    assert waiting(connection) == {2: (3, 7, 10), 3: (1, 7, 7)}


def test_what_is_parked_under_a_policy_that_was_replaced_is_not_kept(
    connection: Connection,
) -> None:
    assert not read(connection, {1: PARKED}, at=7, policy=5)
    assert waiting(connection) == {}
    assert list(sql.reads_over(connection, 1, after=0)) == []


def test_what_was_purged_or_ended_while_a_page_was_read_leaves_no_dead_letter(
    connection: Connection,
) -> None:
    assert read(connection, {1: PARKED, 2: PARKED, 3: PARKED}, at=7)
    assert read(connection, {1: PARKED, 3: PARKED}, at=7, number=2)
    retention.remove_entries(connection, SHARD, [1, 4], until=4)
    journal.delete_subscription(connection, 2)
    assert (waiting(connection), waiting(connection, 2)) == (
        {2: (1, 7, 7), 3: (1, 7, 7)},
        {},
    )
    assert read(connection, {1: PARKED, 2: PARKED, 4: PARKED}, at=8)
    assert read(connection, {5: PARKED}, at=8, number=2)
    assert (waiting(connection), waiting(connection, 2)) == (
        {2: (2, 7, 8), 3: (1, 7, 7)},
        {},
    )


def visible(
    fields: tuple[Field, ...], allowed: Allowed, *, above: str = "/data", reached: bool = True
) -> Iterator[tuple[str, bool]]:
    """Whether all that a field holds is shown: the whole path to it is, and so is what is in it."""
    for field in fields:
        named = field.field_class in OPEN or field.in_summary
        shown = reached and field.field_class in allowed.classes and (named or not allowed.masked)
        pointer = f"{above}/{field.name}"
        inside = dict(
            visible(
                field.parts,
                allowed,
                above=f"{pointer}/-" if field.many else pointer,
                reached=shown,
            )
        )
        yield pointer, shown and all(inside.values())
        yield from inside.items()


@pytest.mark.parametrize("type_", ["clue.transferred", "petition.case_transferred"])
def test_a_pointer_is_told_to_whoever_sees_all_that_it_points_at(type_: str) -> None:
    contract = load_catalogue().versions(type_)[-1]
    for allowed in ALLOWED:
        expected = dict(visible(contract.fields, allowed))
        told = {pointer: sees(contract, pointer, allowed) for pointer in expected}
        assert told == expected
        assert sees(contract, "/data", allowed) == all(told.values())


def test_a_reason_is_told_without_the_numbers_of_items() -> None:
    contract = load_catalogue().find("clue.transferred", "2.0")
    assert contract is not None
    every = Allowed(frozenset(FieldClass))
    why = Fault("type", "/data/persons/12/lead/name", "应为文本", "must be a string")
    at = "/data/persons/-/lead/name"
    assert no_form(contract, why, every) == Fault("type", at, why.message, why.message_en)
    generic = Fault(
        "inconvertible",
        "",
        "该事件在所定的契约版本中没有对应形式",
        "the event has no form in the version that was pinned",
    )
    assert no_form(contract, why, Allowed(OPEN)) == generic
    assert no_form(contract, None, every) == no_form(None, why, every) == generic
