"""Two processes on one PostgreSQL database: neither waits for one that waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event as Signal
from typing import Any

import pytest
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.faults import Fault
from contracts.region import load_regions
from hub.backbone.parcels import packed_events
from hub.backbone.rounds import Rounds
from hub.database import intake
from hub.database.connection import Connection
from hub.database.intake import Handed
from hub.database.order import ACCESS, Lock
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.readiness import PROBE, probe
from hub.database.writer import Work, Writer
from hub.event import Marking
from hub.evidence import sql as evidence
from hub.evidence.reads import PARKED, Parked, Reading, keep
from hub.journal import subscribing
from hub.journal.register import REGISTERING, Registrar
from hub.journal.retention.purge import Sweep, next_chunk, purge
from hub.journal.subscriptions import Body
from hub.policy.acts import Actor
from hub.policy.issuing import revoke
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.sql import append_version, insert_token, note_uses
from hub.policy.tokens import ROLES, Caller
from tests.sample import CITY, PETITION, admitted, policy

NOW = 1_000
CALLER = Caller(token=99, agency=None, roles=ROLES)
Asked = tuple[Work[Any], Sequence[Lock]]


@dataclass
class Noting:
    """Notes what a writer could not do."""

    errors: list[str] = field(default_factory=list)

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None:
        self.errors.append(str(error))


@dataclass
class Process:
    """A process's writer, and what it met."""

    writer: Writer
    met: Noting

    def submit(self, works: Sequence[Asked]) -> list[asyncio.Future[Any]]:
        """Have works be done together, in one transaction."""
        return [self.writer.submit(work, locks=locks) for work, locks in works]


@asynccontextmanager
async def process(database: PostgresDatabase) -> AsyncIterator[Process]:
    met = Noting()
    writer = Writer(database.writing(), capacity=10**9, observer=met, clock=lambda: 0.0)
    writer.start()
    try:
        yield Process(writer, met)
    finally:
        await asyncio.to_thread(writer.stop)


def until_another_waits(connection: Connection, begun: Signal) -> None:
    """Go on when another transaction waits for this one."""
    begun.set()
    while not another_waits(connection):
        pass


def another_waits(connection: Connection) -> bool:
    """Whether another transaction waits for this one."""
    waits = (
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted"
        " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
    )
    return bool(connection.exec_driver_sql(waits).scalar_one())


def made(connection: Connection, id_: str, *, types: tuple[str, ...] = ("petition.*",)) -> int:
    """A new subscription's number."""
    subscription, _ = subscribing.create(
        connection,
        CITY,
        Body(id=id_, types=types),
        catalogue=load_catalogue(),
        regions=load_regions(),
        by=Actor(CITY, 1),
        now=NOW,
        most=100,
    )
    return subscription.number


def making(id_: str) -> Asked:
    return partial(made, id_=id_), subscribing.CHANGING


def committing(id_: str, number: int) -> Asked:
    commit = partial(subscribing.commit, agency=CITY, id_=id_, number=number, position=0)
    return commit, subscribing.MOVING


def ending(id_: str) -> Asked:
    end = partial(subscribing.end, agency=CITY, id_=id_, by=Actor(CITY, 1), now=NOW)
    return end, subscribing.CHANGING


def revoking(token: int) -> Asked:
    return partial(revoke, number=token, caller=CALLER, now=NOW), (ACCESS,)


def using(*tokens: int) -> Asked:
    return partial(note_uses, uses=dict.fromkeys(tokens, NOW)), ()


PROBING: Asked = probe, (PROBE,)


def registering() -> Asked:
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    rounds = Rounds(
        registrar=Registrar(policies=policies, clock=lambda: NOW),
        failed=lambda error: None,
        clock=lambda: NOW,
    )
    return rounds.register, REGISTERING


@dataclass(frozen=True)
class Standing:
    """Two subscriptions of one agency, which any event pins, and two tokens, by number."""

    first: int
    second: int
    one: int
    two: int


def standing(connection: Connection) -> Standing:
    document = msgjson.encode(policy()).decode()
    append_version(connection, version=1, document=document, by="t", reason="t", now=1)
    numbers = [made(connection, id_) for id_ in ("first", "second")]
    # As if the catalogue had known no type when they were made.
    connection.exec_driver_sql("UPDATE subscriptions SET pins = '{}'")
    tokens = [
        insert_token(connection, digest=digest, agency=CITY, roles="", now=1, expires=10**9)
        for digest in (b"1", b"2")
    ]
    event = admitted("pinning")
    handed = Handed(1, 1, 0, PETITION, packed_events([event]), event.receipt, 1, NOW)
    intake.hand_over(connection, [handed])
    return Standing(*numbers, *tokens)


Groups = tuple[list[Asked], list[Asked]]
CASES: dict[str, Callable[[Standing], Groups]] = {
    "a cursor and a new subscription, a registration that pins a type": lambda s: (
        [committing("first", s.first), making("new")],
        [registering()],
    ),
    "tokens and subscriptions": lambda s: (
        [revoking(s.one), making("new")],
        [making("other"), revoking(s.two)],
    ),
    "two cursors": lambda s: (
        [committing("first", s.first), committing("second", s.second)],
        [committing("second", s.second), committing("first", s.first)],
    ),
    "a cursor and the end of another": lambda s: (
        [committing("first", s.first), committing("second", s.second)],
        [ending("second"), ending("first")],
    ),
    "tokens that are used and that end": lambda s: (
        [using(s.one), PROBING],
        [PROBING, revoking(s.one)],
    ),
    "tokens that are used": lambda s: (
        [using(s.one), using(s.two)],
        [PROBING, using(s.two, s.one), revoking(s.one)],
    ),
    "readiness and subscriptions": lambda s: (
        [PROBING, making("new")],
        [making("other"), PROBING],
    ),
    "readiness and a registration": lambda s: (
        [PROBING, making("new")],
        [registering(), PROBING],
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_two_processes_do_their_works_whatever_they_have_in_common(
    postgres_database: str, case: str
) -> None:
    database = await asyncio.to_thread(open_postgres, postgres_database)
    async with process(database) as first, process(database) as second:
        (one, *more), others = CASES[case](await first.writer.submit(standing))
        begun = Signal()
        gate: Asked = partial(until_another_waits, begun=begun), ()
        works = first.submit([one, gate, *more])
        await asyncio.to_thread(begun.wait)
        await asyncio.gather(*works, *second.submit(others))
        assert (first.met.errors, second.met.errors) == ([], [])


def parking(subscription: int) -> Work[bool]:
    """A page that parks the one event there is."""
    parked = Parked(1, "1.0", Fault("inconvertible", "", "没有这一版本", "no such form"))
    reading = Reading(
        subscription, CITY, "first", 99, "pull", 1, NOW, [1], bytes([PARKED]), (parked,)
    )
    return partial(keep, reading=reading)


def purging(connection: Connection) -> None:
    sweep = Sweep((("petition.case_transferred", "1.0"),), after=0, until=1)
    purge(connection, next_chunk(connection, sweep), now=NOW)


ENDS: dict[str, Work[Any]] = {"its subscription": ending("first")[0], "its event": purging}


@pytest.mark.parametrize("what", ENDS)
async def test_a_dead_letter_that_comes_as_what_it_belongs_to_ends_is_none(
    postgres_database: str, what: str
) -> None:
    database = await asyncio.to_thread(open_postgres, postgres_database)
    begun, parked = Signal(), Signal()

    def end(connection: Connection) -> None:
        ENDS[what](connection)
        begun.set()
        while not parked.is_set() and not another_waits(connection):
            pass

    async with process(database) as first, process(database) as second:
        there = await first.writer.submit(standing)
        await first.writer.submit(registering()[0])
        ended = first.writer.submit(end, locks=subscribing.CHANGING)
        await asyncio.to_thread(begun.wait)
        kept = second.writer.submit(parking(there.first))
        kept.add_done_callback(lambda _: parked.set())
        assert (await asyncio.gather(ended, kept))[1]
        left = await first.writer.submit(
            lambda connection: evidence.dead_letters(connection, there.first, after=0, most=9)
        )
        assert left == []
