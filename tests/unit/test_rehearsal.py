"""A replay on a real database: how far it goes back, in which steps, and one at a time."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.connection import Connection
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.errors import Overloaded
from hub.event import Entry, Marking
from hub.journal import sql, subscribing
from hub.journal.register import Registrar
from hub.journal.rehearsal import (
    MOST_DECISIONS,
    MOST_EVENTS,
    STEP_DECISIONS,
    STEP_EVENTS,
    Rehearsal,
    Replay,
    Replays,
    Tally,
)
from hub.journal.subscriptions import Body, from_row
from hub.policy.acts import Actor
from hub.policy.document import PolicyDocument, parse
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from tests.sample import CITY, COUNTY, OTHER_COUNTY, PROVINCE, admitted, policy

TYPE = "petition.case_transferred"
OFFICES = (CITY, COUNTY, PROVINCE)
EARLY, LATE, NOW = 1_000_000, 2_000_000, 9_000_000
FEW, MANY = 250, 2 * STEP_EVENTS + 50
END = 2**62
POLICIES = Policies(
    catalogue=load_catalogue(),
    regions=load_regions(),
    marks=PartyMarks(b"key"),
    ceiling=Marking.internal,
)


def compiled(*, without: str = "") -> Policy:
    """The city's policy, if wanted without what an agency was granted."""
    base = policy()
    base["grants"] = [g for g in base["grants"] if g["agency"] != without]
    document = parse(msgjson.encode(base))
    assert isinstance(document, PolicyDocument)
    return POLICIES.compile(1, document)


STANDING, PROPOSED = compiled(), compiled(without=CITY)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    """`FEW` events of an early and `MANY` of a late moment.

    Three offices subscribe to all of them, a fourth from after the early ones on.
    """
    directory: Path = tmp_path_factory.mktemp("rehearsal")
    with closing(open_sqlite(directory, readers=2)) as made:
        with made.writer.begin() as connection:
            for office in OFFICES:
                subscribe(connection, office, start="earliest")
            register(connection, EARLY, FEW)
            subscribe(connection, OTHER_COUNTY, start="now")
            register(connection, LATE, MANY)
        yield made


def subscribe(connection: Connection, office: str, *, start: Literal["now", "earliest"]) -> None:
    subscribing.create(
        connection,
        office,
        Body(id="all", start=start, region="510000"),
        catalogue=load_catalogue(),
        regions=load_regions(),
        by=Actor(office, 1),
        now=1,
        most=10,
    )


def register(connection: Connection, moment: int, count: int) -> None:
    """Register events at a moment of the hub's clock."""
    registrar = Registrar(policies=POLICIES, clock=partial(int, moment))
    events = [admitted(f"{moment}-{n}", region="510104") for n in range(count)]
    registrar.register(connection, events, atomic=False)


@pytest.fixture
def readers(database: SqliteDatabase) -> Iterator[Readers]:
    made = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)
    yield made
    made.stop()


async def no_pause() -> None:
    """Go on at once."""


def newest_first(database: SqliteDatabase) -> list[Entry]:
    with database.readers.connect() as connection:
        return sql.headers_before(connection, before=END, most=10_000)


def rehearsal(database: SqliteDatabase) -> Rehearsal:
    with database.readers.connect() as connection:
        subscriptions = [from_row(row) for row in sql.all_subscriptions(connection)]
    return Rehearsal(STANDING, PROPOSED, subscriptions, now=NOW)


@pytest.mark.parametrize(
    ("since", "events"), [(EARLY, FEW + MANY), (EARLY + 1, MANY), (LATE, MANY), (LATE + 1, 0)]
)
async def test_a_replay_goes_back_to_just_the_time_that_was_asked_for(
    database: SqliteDatabase, readers: Readers, since: int, events: int
) -> None:
    replays = Replays(readers=readers, pause=no_pause)
    replay = await replays.run(STANDING, PROPOSED, since=since, now=NOW)
    newest = newest_first(database)[0].receipt.hex()
    tallies = {(CITY, TYPE): Tally(example=newest, denied=events)} if events else {}
    assert (replay.events, replay.complete, replay.changes) == (events, True, tallies)
    # Two policies decide for each office that has an event in its feed.
    early = max(0, events - MANY)
    assert replay.decisions == 8 * (events - early) + 6 * early


async def test_a_replay_on_no_events_at_all_is_complete(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path, readers=1)) as empty:
        readers = Readers(OnThreads(empty.reading, threads=1), failed=lambda _: None)
        replays = Replays(readers=readers, pause=no_pause)
        replay = await replays.run(STANDING, PROPOSED, since=0, now=NOW)
        readers.stop()
    assert (replay.events, replay.decisions, replay.complete) == (0, 0, True)


def test_a_step_ends_with_its_share_of_decisions_and_the_next_goes_on_there(
    database: SqliteDatabase,
) -> None:
    compared, replay, steps = rehearsal(database), Replay(since=0), []
    events = newest_first(database)
    while replay.events < len(events):
        left = [entry for entry in events if entry.position < replay.before]
        before = replay.decisions
        compared.compare(left, replay)
        steps.append(replay.decisions - before)
    assert len(steps) == -(-sum(steps) // STEP_DECISIONS)
    assert all(STEP_DECISIONS <= step < STEP_DECISIONS + 8 for step in steps[:-1])
    assert sum(steps) == 8 * MANY + 6 * FEW
    assert replay.changes[CITY, TYPE].denied == FEW + MANY


@pytest.mark.parametrize(
    "spent",
    [
        Replay(since=0, events=MOST_EVENTS - 100),
        Replay(since=0, decisions=MOST_DECISIONS - 800),
    ],
    ids=["events", "decisions"],
)
def test_a_replay_that_has_cost_enough_ends_and_says_how_far_it_came(
    database: SqliteDatabase, spent: Replay
) -> None:
    events = newest_first(database)
    rehearsal(database).compare(events, spent)
    assert (spent.ended, spent.complete) == (True, False)
    assert (spent.before, spent.reached) == (events[99].position, events[99].hubtime)
    assert spent.changes[CITY, TYPE].denied == 100


async def test_one_replay_runs_at_a_time_and_the_next_one_after_it(readers: Readers) -> None:
    pausing, go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        pausing.set()
        await go_on.wait()

    replays = Replays(readers=readers, pause=pause)
    running = asyncio.create_task(replays.run(STANDING, PROPOSED, since=0, now=NOW))
    await pausing.wait()
    with pytest.raises(Overloaded):
        await replays.run(STANDING, PROPOSED, since=0, now=NOW)
    go_on.set()
    found = [await running, await replays.run(STANDING, PROPOSED, since=0, now=NOW)]
    assert [(replay.events, replay.complete) for replay in found] == [(FEW + MANY, True)] * 2
