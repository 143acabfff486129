"""Tallies on a real database: every event once, whatever is interrupted; and feeds read cheaply."""

from array import array
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.tables import journal
from hub.errors import StorageFailed
from hub.journal.sql import append_feeds, insert_subscription
from hub.watch import sql
from hub.watch.rhythm import Turnout
from hub.watch.silence import KEPT_HOURS, Absence, Silence
from hub.watch.sql import HOUR, Tallied, Tally, Unread
from tests.sample import CITY, COUNTY, PETITION

WEEK = 7 * 24


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    """An empty database."""
    with closing(open_sqlite(tmp_path_factory.mktemp("tallies"), readers=1)) as made:
        yield made


@pytest.fixture
def connection(database: SqliteDatabase) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with database.writer.connect() as made:
        yield made


def register(connection: Connection, *events: tuple[int, str, int]) -> None:
    """Put events in the journal: position, publisher, hubtime; the rest of them is empty."""
    empty = {c.name: b"" if c.type.python_type is bytes else 0 for c in journal.columns}
    rows = [
        {**empty, "position": position, "publisher": publisher, "hubtime": hubtime}
        for position, publisher, hubtime in events
    ]
    if rows:
        connection.execute(insert(journal), rows)


def tally(connection: Connection, *, most: int) -> int:
    """One step of the watch; how many events it tallied."""
    since = sql.tallied(connection, 0)
    tallies, until = sql.untallied(connection, since, most=most)
    if tallies:
        sql.add(connection, tallies, since=since, until=until, keep=KEPT_HOURS)
    return sum(found.events for found in tallies)


def kept(connection: Connection) -> list[tuple[Any, ...]]:
    """All tallies."""
    rows = connection.exec_driver_sql("SELECT agency, hour, events, last FROM tallies")
    return [tuple(row) for row in rows]


def test_events_are_tallied_by_agency_and_hour_step_by_step(connection: Connection) -> None:
    register(
        connection,
        (1, PETITION, 5 * HOUR),
        (2, CITY, 5 * HOUR + 1),
        (3, PETITION, 6 * HOUR - 1),
        (4, PETITION, 6 * HOUR),
        # Positions that retention has removed are no end.
        (9, PETITION, 6 * HOUR + 7),
    )
    assert [tally(connection, most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert kept(connection) == [
        (CITY, 5, 1, 5 * HOUR + 1),
        (PETITION, 5, 2, 6 * HOUR - 1),
        (PETITION, 6, 2, 6 * HOUR + 7),
    ]
    assert sql.tallied(connection, 0) == Tallied(shard=0, position=9, hubtime=6 * HOUR + 7)
    assert list(sql.newest_tallies(connection, [PETITION, COUNTY, CITY], since=6)) == [
        (PETITION, 6 * HOUR + 7, 2),
        (CITY, 5 * HOUR + 1, 0),
    ]


def test_what_was_found_before_somebody_else_added_it_is_not_added_twice(
    connection: Connection,
) -> None:
    register(connection, (1, PETITION, HOUR), (2, PETITION, HOUR))
    since = sql.tallied(connection, 0)
    tallies, until = sql.untallied(connection, since, most=10)
    assert tallies == [Tally(PETITION, 1, 2, HOUR)]
    assert tally(connection, most=1) == 1
    with pytest.raises(StorageFailed):
        sql.add(connection, tallies, since=since, until=until, keep=KEPT_HOURS)
    assert kept(connection) == [(PETITION, 1, 1, HOUR)]
    assert tally(connection, most=10) == 1
    assert kept(connection) == [(PETITION, 1, 2, HOUR)]


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from([PETITION, CITY, COUNTY]), st.integers(0, 3))),
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1),
)
def test_steps_that_are_interrupted_change_nothing_in_the_sum(
    database: SqliteDatabase, events: list[tuple[str, int]], steps: list[tuple[int, bool]]
) -> None:
    times = sorted(hour * HOUR for _, hour in events)
    rows = [
        (n, agency, t)
        for n, ((agency, _), t) in enumerate(zip(events, times, strict=True), start=1)
    ]
    with database.writer.connect() as connection:
        register(connection, *rows)
        for most, lost in steps:
            # A kill loses the transaction of a step, whole.
            connection.exec_driver_sql("SAVEPOINT step")
            tally(connection, most=most)
            if lost:
                connection.exec_driver_sql("ROLLBACK TO step")
        while tally(connection, most=3):
            pass
        counted = {(agency, hour): events for agency, hour, events, _ in kept(connection)}
    expected: dict[tuple[str, int], int] = {}
    for _, agency, moment in rows:
        expected[agency, moment // HOUR] = expected.get((agency, moment // HOUR), 0) + 1
    assert counted == expected


def test_of_each_agency_nine_weeks_before_its_newest_hour_are_kept(connection: Connection) -> None:
    hours = [0, WEEK, 2 * WEEK, 9 * WEEK, 11 * WEEK]
    register(connection, (1, CITY, 0), *((n + 2, PETITION, h * HOUR) for n, h in enumerate(hours)))
    while tally(connection, most=1):
        pass
    left = {agency: hour for agency, hour, _, _ in kept(connection)}
    assert [hour for agency, hour, _, _ in kept(connection) if agency == PETITION] == [
        2 * WEEK,
        9 * WEEK,
        11 * WEEK,
    ]
    assert left[CITY] == 0


def plant(connection: Connection, agency: str, *, until: int) -> None:
    """Nine weeks in which the agency spoke each hour of each day, up to a Beijing day's end."""
    connection.exec_driver_sql(
        "INSERT INTO tallies VALUES (?, ?, 3, 0)",
        [(agency, day * 24 - 8 + h) for day in range(until - 63, until + 1) for h in range(24)],
    )


def spoke(connection: Connection, *agencies: str) -> dict[str, int]:
    """When agencies last spoke, at the beginning of that hour."""
    rows = connection.exec_driver_sql("SELECT agency, max(hour) FROM tallies GROUP BY agency")
    return {agency: hour * HOUR for agency, hour in rows if agency in agencies}


def test_agencies_of_a_province_that_are_away_together_are_told_as_one(
    connection: Connection,
) -> None:
    today, away = 20_000, [f"5101{n:02}.petition" for n in range(10)]
    for agency in away:
        plant(connection, agency, until=today - 6)
    # One has been silent for longer, one goes on, and another province knows of nothing.
    plant(connection, "510300.petition", until=today - 20)
    plant(connection, "510400.petition", until=today)
    plant(connection, "110000.petition", until=today - 6)
    now = (today * 24 - 8 + 12) * HOUR
    silence = Silence()
    agencies = [*away, "510300.petition", "510400.petition", "110000.petition"]
    found = silence.rhythms(connection, spoke(connection, *agencies), now=now)
    assert {agency for agency, rhythm in found.items() if rhythm.silent} == {
        "510300.petition",
        "110000.petition",
    }
    assert found.keys() == set(agencies)
    turnout = Turnout(spoke=1, usual=12)
    assert silence.absences(connection, now=now) == (Absence("510000", today, turnout),)
    # At night, when nobody has spoken yet, it is still told of the day before.
    night = (today * 24 - 8) * HOUR
    assert silence.absences(connection, now=night) == (Absence("510000", today - 1, turnout),)


def subscribe(connection: Connection, number: int, agency: str, *, committed: int) -> None:
    """A subscription whose cursor stands at a position."""
    names = ("start", "filled", "fill_until", "created_at")
    values = {"number": number, "agency": agency, "id": f"s{number}", "body": "{}", "pins": "{}"}
    insert_subscription(connection, {**values, "committed": committed, **dict.fromkeys(names, 0)})


def test_what_is_unread_is_counted_from_the_cursor_on_and_never_beyond_a_bound(
    connection: Connection,
) -> None:
    cursors = [(1, CITY, 0), (2, CITY, 12), (3, COUNTY, 20), (4, COUNTY, 21), (5, COUNTY, 99)]
    for number, agency, committed in cursors:
        subscribe(connection, number, agency, committed=committed)
        for positions in ([10, 11, 12, 15], [20], [21, 22], [30]):
            append_feeds(connection, {number: array("q", positions)})
    subscribe(connection, 6, PETITION, committed=0)
    assert sql.unread(connection, [CITY, COUNTY, PETITION], most=100) == [
        Unread(CITY, 8, True, 10),
        Unread(CITY, 5, True, 15),
        Unread(PETITION, 0, True, None),
        Unread(COUNTY, 3, True, 21),
        Unread(COUNTY, 2, True, 22),
        Unread(COUNTY, 0, True, None),
    ]
    # Two rows each at most, besides the one in which the cursor stands.
    assert sql.unread(connection, [CITY], most=2) == [
        Unread(CITY, 5, False, 10),
        Unread(CITY, 4, False, 15),
    ]
