"""Questions about one event or agency among very many: by which index, and with how much work."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.event import Accepted, Marking
from hub.evidence import account, reads, seen, sql
from hub.evidence.reads import EXPIRED, Reading
from hub.evidence.seen import READINGS_AT_ONCE, Place
from hub.journal import sql as journal
from hub.journal.register import Registrar
from hub.journal.sought import own_record, sought
from hub.policy import sql as policy_sql
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from tests.sample import CITY, COUNTY, PETITION, admitted, policy

POLICIES = Policies(
    catalogue=load_catalogue(),
    regions=load_regions(),
    marks=PartyMarks(b"key"),
    ceiling=Marking.internal,
)
# All of the classes, nothing masked; and a denial.
SHOWN, DENIED = 0x1F, EXPIRED
EVENTS = [admitted(f"e{number}") for number in range(1, 11)]
UNKNOWN = [admitted(f"unknown-{number}") for number in range(20)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    """A database with a city's policy in force, and ten events."""
    document = msgjson.encode(policy()).decode()
    with closing(open_sqlite(tmp_path_factory.mktemp("lookups"), readers=4)) as made:
        with made.writer.begin() as connection:
            policy_sql.append_version(
                connection, version=1, document=document, by="test", reason="test", now=1
            )
            registered = Registrar(policies=POLICIES, clock=lambda: 1).register(
                connection, EVENTS, atomic=False
            )
            assert [type(outcome) for outcome in registered.outcomes] == [Accepted] * len(EVENTS)
        yield made


@pytest.fixture
def connection(database: SqliteDatabase) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with database.writer.connect() as made:
        made.begin()
        yield made


def read(connection: Connection, agency: str, outcomes: dict[int, int]) -> None:
    """Keep a reading: position → what was decided."""
    reading = Reading(1, agency, "s", 1, "pull", 1, 7, list(outcomes), bytes(outcomes.values()))
    assert reads.keep(connection, reading)


@contextmanager
def heard(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run on a connection within the block."""
    statements: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        statements.append((statement, parameters))

    sqlalchemy.event.listen(connection, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        sqlalchemy.event.remove(connection, "before_cursor_execute", hear)


# --- indexes --------------------------------------------------------------------------------------

PLANS: dict[str, tuple[Callable[[Connection], object], list[str]]] = {
    "the readings of an agency over a position": (
        lambda connection: sql.reads_of(connection, CITY, 5, most=100),
        [
            "SEARCH reads USING INTEGER PRIMARY KEY (rowid=?)",
            "LIST SUBQUERY 1",
            "SEARCH reads USING COVERING INDEX reads_of_agency_over (agency=?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "anybody's readings over a position": (
        lambda connection: list(sql.reads_over(connection, 5, after=0)),
        [
            "SEARCH reads USING INTEGER PRIMARY KEY (rowid=?)",
            "LIST SUBQUERY 1",
            "SEARCH reads USING COVERING INDEX reads_of_position (last>?)",
        ],
    ),
    "the readings of an agency": (
        lambda connection: sql.reads_by(connection, CITY, after=0, since=0, until=9, most=100),
        ["SEARCH reads USING INDEX reads_of_agency (agency=? AND number>?)"],
    ),
    "an agency's refusals of an event": (
        lambda connection: journal.refusals_of(
            connection, caller=CITY, source="/x", event_id="1", most=20
        ),
        [
            "SEARCH refusals USING INDEX refusals_of_event (event_id=? AND source=?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "a subscription's dead letters that wait": (
        lambda connection: sql.dead_letters(connection, 1, after=5, most=20),
        [
            "SEARCH dead_letters USING INDEX dead_letters_of_subscription"
            " (subscription=? AND delivered=? AND position>?)",
        ],
    ),
    "where an event stands": (
        lambda connection: journal.place(connection, 1, otherwise=5),
        [
            "SEARCH journal USING INTEGER PRIMARY KEY (rowid>?)",
            "SCALAR SUBQUERY 2",
            "SEARCH dedup USING INTEGER PRIMARY KEY (rowid=?)",
            "SCALAR SUBQUERY 1",
            "SEARCH dedup USING INTEGER PRIMARY KEY (rowid=?)",
        ],
    ),
}


@pytest.mark.parametrize("what", PLANS)
def test_what_is_asked_of_one_is_found_by_an_index(connection: Connection, what: str) -> None:
    ask, plan = PLANS[what]
    with heard(connection) as statements:
        ask(connection)
    ((statement, parameters),) = statements
    explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    assert [step for *_, step in explained] == plan


def test_the_last_readings_over_a_position_are_told_in_their_order(connection: Connection) -> None:
    for first in (1, 3, 5, 2):
        read(connection, CITY, {first: SHOWN, first + 2: SHOWN})
    read(connection, COUNTY, {1: SHOWN, 9: SHOWN})
    assert [n for n, _ in sql.reads_of(connection, CITY, 4, most=100)] == [2, 4]
    assert [n for n, _ in sql.reads_of(connection, CITY, 3, most=2)] == [2, 4]
    assert [n for n, _ in sql.reads_of(connection, CITY, 3, most=1)] == [4]
    assert [n for n, _ in sql.reads_of(connection, CITY, 8, most=100)] == []
    assert [n for n, _ in sql.reads_over(connection, 3, after=0)] == [1, 2, 4, 5]
    assert [n for n, _ in sql.reads_over(connection, 3, after=2)] == [4, 5]


# --- the same work --------------------------------------------------------------------------------


def work(connection: Connection, ask: Callable[[Connection], object]) -> list[str]:
    """The statements that a denial takes."""
    with heard(connection) as statements:
        assert ask(connection) is None
    return [statement for statement, _ in statements]


def test_what_was_not_delivered_is_denied_by_the_same_statements_as_what_is_unknown(
    connection: Connection,
) -> None:
    read(connection, COUNTY, {1: DENIED, 3: SHOWN, 9: DENIED})
    asked = [event for n, event in enumerate(EVENTS, start=1) if n != 3] + UNKNOWN
    took = [
        work(connection, partial(account.delivered_to, receipt=event.receipt, agency=COUNTY))
        for event in asked
    ]
    assert len(took[0]) == 3
    assert took == [took[0]] * len(asked)
    assert not any("data" in statement for statement in took[0])
    delivered = account.delivered_to(connection, EVENTS[2].receipt, COUNTY)
    assert delivered is not None
    assert delivered[0].id == "e3"
    assert account.delivered_to(connection, EVENTS[2].receipt, CITY) is None


def test_a_receipt_of_others_is_denied_by_the_same_statements_as_an_unknown_one(
    connection: Connection,
) -> None:
    took = [
        work(connection, partial(own_record, receipt=event.receipt, publisher=CITY))
        for event in EVENTS + UNKNOWN
    ]
    assert len(took[0]) == 2
    assert took == [took[0]] * len(took)
    assert not any("data" in statement for statement in took[0])
    own = [own_record(connection, event.receipt, PETITION) for event in EVENTS]
    assert [record and record.id for record in own] == [event.id for event in EVENTS]


def test_instead_of_an_unknown_event_any_other_is_looked_at_and_always_the_same(
    connection: Connection,
) -> None:
    places = [sought(connection, event.receipt) for event in UNKNOWN]
    assert places == [sought(connection, event.receipt) for event in UNKNOWN]
    positions = {place.position for place in places if place and not place.claimed}
    assert len(positions) > 5
    assert positions <= set(range(1, 11))


def test_in_an_empty_journal_nothing_is_looked_at(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with (
        closing(open_sqlite(tmp_path_factory.mktemp("empty"), readers=1)) as made,
        made.readers.connect() as connection,
    ):
        assert sought(connection, UNKNOWN[0].receipt) is None
        assert account.delivered_to(connection, UNKNOWN[0].receipt, CITY) is None
        assert own_record(connection, UNKNOWN[0].receipt, PETITION) is None


# --- bounds ---------------------------------------------------------------------------------------


def test_what_an_agency_has_seen_is_looked_for_in_some_readings_at_a_time(
    connection: Connection,
) -> None:
    for _ in range(READINGS_AT_ONCE + 5):
        read(connection, CITY, {1: DENIED, 2: DENIED})
    read(connection, CITY, {3: SHOWN, 4: SHOWN})
    look = partial(seen.of_agency, connection, CITY, since=0, until=9, most=1, policies=POLICIES)
    nothing_yet = look(after=Place())
    assert nothing_yet.items == []
    assert nothing_yet.next == Place(0, READINGS_AT_ONCE + 1)
    first = look(after=nothing_yet.next)
    assert [s.position for s in first.items] == [3]
    assert first.next == Place(3, READINGS_AT_ONCE + 6)
    second = look(after=first.next)
    assert ([s.position for s in second.items], second.next) == ([4], None)


def test_a_delivery_among_the_last_readings_is_told_and_the_look_is_bounded(
    connection: Connection,
) -> None:
    read(connection, COUNTY, {1: SHOWN})
    for _ in range(account.MOST_READINGS - 1):
        read(connection, COUNTY, {1: DENIED})
    assert account.delivered_to(connection, EVENTS[0].receipt, COUNTY) is not None
    read(connection, COUNTY, {1: DENIED})
    assert account.delivered_to(connection, EVENTS[0].receipt, COUNTY) is None


def test_what_is_handed_over_is_kept_under_the_policy_in_force_alone(
    connection: Connection,
) -> None:
    shown, denied = bytes([1]), bytes([0x80])
    kept = [
        reads.keep(connection, Reading(1, PETITION, "s", 1, "pull", policy, 7, [1], outcomes))
        for policy in (1, 2)
        for outcomes in (shown, denied)
    ]
    found = connection.exec_driver_sql("SELECT policy, outcomes FROM reads ORDER BY number")
    assert kept == [True, True, False, True]
    assert [(policy, reads.unpacked(1, blob)) for policy, blob in found] == [
        (1, {1: 1}),
        (1, {1: 0x80}),
        (2, {1: 0x80}),
    ]
