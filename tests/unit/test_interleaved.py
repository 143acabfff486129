"""Works that are under way at once on one thread, on PostgreSQL."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.connection import Connection, alone
from hub.database.interleaved import Interleaved
from hub.database.postgres import PAGES_AT_ONCE, PostgresDatabase, open_postgres
from hub.database.readers import Readers
from hub.errors import StorageFailed
from hub.event import Marking
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies

LOCK = 0x7E57
PATIENCE = 20.0


@contextmanager
def pages(url: str) -> Iterator[Interleaved]:
    works = PostgresDatabase(make_url(url)).pages()
    assert isinstance(works, Interleaved)
    try:
        yield works
    finally:
        works.stop()


@contextmanager
def barrier(url: str) -> Iterator[None]:
    """Whoever asks for the lock waits until the block ends."""
    with closing(PostgresDatabase(make_url(url)).writing()) as transactions:
        held, over = threading.Event(), threading.Event()

        def hold(connection: Connection) -> None:
            wait(connection)
            held.set()
            while not over.wait(0.5):
                connection.exec_driver_sql("SELECT 1")

        holding = threading.Thread(target=transactions.run, args=(hold,))
        holding.start()
        held.wait()
        try:
            yield
        finally:
            over.set()
            holding.join()


def wait(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (LOCK,))


def here(connection: Connection) -> tuple[int, int]:
    """Whose connection, on which thread."""
    process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return process, threading.get_ident()


def waited(connection: Connection) -> tuple[int, int]:
    wait(connection)
    return here(connection)


def test_a_work_that_waits_keeps_the_thread_for_nobody(postgres_database: str) -> None:
    with pages(postgres_database) as works:
        with barrier(postgres_database):
            waiting = [works.submit(waited) for _ in range(PAGES_AT_ONCE - 1)]
            others = [works.submit(here).result(PATIENCE) for _ in range(3)]
            assert not any(each.done() for each in waiting)
        ended = [each.result(PATIENCE) for each in waiting]
    assert len({thread for _, thread in ended + others}) == 1
    assert len({process for process, _ in ended + others}) == PAGES_AT_ONCE


def test_a_work_is_alone_while_it_reads_what_others_want_too(postgres_database: str) -> None:
    turns: list[str] = []

    def read(name: str) -> None:
        def work(connection: Connection) -> None:
            with alone(connection):
                turns.append(f"{name} begins")
                for _ in range(3):
                    here(connection)
                turns.append(f"{name} ends")

        futures.append(works.submit(work))

    futures: list[Future[None]] = []
    with pages(postgres_database) as works:
        for name in "abcdef":
            read(name)
        for future in futures:
            future.result(PATIENCE)
    names = [turn[0] for turn in turns[::2]]
    assert sorted(names) == [*"abcdef"]
    assert turns == [f"{name} {what}" for name in names for what in ("begins", "ends")]


def test_whoever_waits_too_long_for_a_turn_goes_on_without_it(postgres_database: str) -> None:
    def first(connection: Connection) -> None:
        with alone(connection):
            wait(connection)

    def second(connection: Connection) -> int:
        with alone(connection):
            return here(connection)[1]

    with pages(postgres_database) as works:
        with barrier(postgres_database):
            waiting = works.submit(first)
            assert works.submit(second).result(PATIENCE)
            assert not waiting.done()
        waiting.result(PATIENCE)
        # The turn is not lost with it.
        assert works.submit(second).result(PATIENCE)


def test_works_of_one_thread_ask_together_for_a_policy_that_none_has_yet(
    postgres_database: str,
) -> None:
    works = open_postgres(postgres_database).pages()
    for _ in range(10):
        policies = Policies(
            catalogue=load_catalogue(),
            regions=load_regions(),
            marks=PartyMarks(b"key"),
            ceiling=Marking.internal,
        )
        asked = [works.submit(policies.seen_by) for _ in range(PAGES_AT_ONCE)]
        first, *others = (each.result(PATIENCE) for each in asked)
        assert all(other is first for other in others)
    # Not reached where they keep each other waiting: they would not stop either.
    works.stop()


def test_a_work_that_nobody_waits_for_any_more_is_not_begun(postgres_database: str) -> None:
    with pages(postgres_database) as works:
        with barrier(postgres_database):
            running = [works.submit(waited) for _ in range(PAGES_AT_ONCE)]
            given_up, wanted = works.submit(lambda _: pytest.fail("begun")), works.submit(here)
            assert given_up.cancel()
        assert wanted.result(PATIENCE)[0] in {each.result(PATIENCE)[0] for each in running}


def test_all_that_was_submitted_ends_before_the_thread_does(postgres_database: str) -> None:
    with pages(postgres_database) as works:
        submitted = [works.submit(here) for _ in range(10)]
    assert len({future.result(0) for future in submitted}) <= PAGES_AT_ONCE
    assert not any(thread.name == "interleaved" for thread in threading.enumerate())


async def test_what_a_work_raises_is_raised_and_storage_is_told_of(postgres_database: str) -> None:
    told: list[type[BaseException]] = []
    done: list[None] = []
    with pages(postgres_database) as works:
        readers = Readers(
            works, failed=lambda error: told.append(type(error)), read=lambda: done.append(None)
        )
        process, _ = await readers.run(here)
        with pytest.raises(ZeroDivisionError):
            await readers.run(lambda _: 1 // 0)
        with pytest.raises(StorageFailed):
            await readers.run(lambda c: c.exec_driver_sql("SELECT 1 / 0").scalar())
        # Cut off in the midst of a transaction, the session goes on with another connection.
        with pytest.raises(StorageFailed):
            await readers.run(
                lambda c: c.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
            )
        again = await asyncio.gather(*(readers.run(here) for _ in range(PAGES_AT_ONCE)))
    assert [issubclass(error, DBAPIError) for error in told] == [True, True]
    assert (len(done), len({thread for _, thread in again})) == (1 + PAGES_AT_ONCE, 1)
    assert process
