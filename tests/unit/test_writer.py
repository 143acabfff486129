"""The one writing thread, on a real SQLite file.

Works that are submitted before the thread starts are waiting together, so they make one group.
"""

import asyncio
import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.writer import MOST_WORKS_A_GROUP, Joint, Writer
from hub.errors import NotFound, Overloaded, Stopping, StorageFailed
from tests.running import PATIENCE

CAPACITY = 100_000


@dataclass
class Heard:
    """What the writer told its observer: sizes of what was committed, sizes and causes of faults.

    A transaction takes one second, by the writer's clock.
    """

    committed: list[tuple[int, float]] = field(default_factory=list)
    failed: list[tuple[int, type[BaseException]]] = field(default_factory=list)


class Observer:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = Heard()

    def committed(self, *, works: int, seconds: float) -> None:
        self.heard.committed.append((works, seconds))

    def failed(self, *, works: int, error: BaseException) -> None:
        self.heard.failed.append((works, type(error)))


class Bench:
    """A writer that is started by hand, and a look at the file from outside."""

    def __init__(self, directory: Path, database: SqliteDatabase) -> None:
        self._file = directory / "hub.db"
        self._observer = Observer()
        self.writer = Writer(
            database.writing(),
            capacity=CAPACITY,
            observer=self._observer,
            clock=partial(next, itertools.count(0.0)),
        )

    @property
    def heard(self) -> Heard:
        return self._observer.heard

    def notes(self) -> list[str]:
        """The committed notes, as another connection sees them."""
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as other:
            return [text for (text,) in other.execute("SELECT text FROM notes ORDER BY rowid")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with closing(open_sqlite(tmp_path, readers=1)) as database:
        with database.writer.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (text TEXT PRIMARY KEY)")
            connection.exec_driver_sql("CREATE TABLE parents (number INTEGER PRIMARY KEY)")
            connection.exec_driver_sql(
                "CREATE TABLE children"
                " (parent INTEGER REFERENCES parents (number) DEFERRABLE INITIALLY DEFERRED)"
            )
        made = Bench(tmp_path, database)
        yield made
        if made.writer.alive:
            made.writer.stop()


def note(connection: Connection, text: str) -> str:
    """Write a note."""
    connection.exec_driver_sql("INSERT INTO notes VALUES (?)", (text,))
    return f"noted {text}"


def noting(text: str) -> Callable[[Connection], str]:
    """The work that writes a note."""
    return partial(note, text=text)


def noting_in_vain(text: str, error: Exception) -> Callable[[Connection], str]:
    """The work that writes a note and then fails."""

    def work(connection: Connection) -> str:
        note(connection, text)
        raise error

    return work


def orphan(connection: Connection) -> None:
    """Write what only the commit finds fault with."""
    connection.exec_driver_sql("INSERT INTO children VALUES (7)")


async def outcome_of(future: asyncio.Future[Any]) -> Any:
    """The result of a future, or the type of what it raises."""
    try:
        return await asyncio.wait_for(future, timeout=PATIENCE)
    except Exception as error:
        return type(error)


async def test_works_that_wait_together_are_committed_in_one_transaction_in_their_order(
    bench: Bench,
) -> None:
    futures = [bench.writer.submit(noting(f"{n}")) for n in range(5)]
    assert bench.writer.depth == 5
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == [f"noted {n}" for n in range(5)]
    assert bench.notes() == ["0", "1", "2", "3", "4"]
    assert bench.heard == Heard(committed=[(5, 1.0)])
    assert bench.writer.depth == 0


async def test_a_group_takes_so_many_works_and_the_next_transaction_the_others(
    bench: Bench,
) -> None:
    count = 2 * MOST_WORKS_A_GROUP + 3
    futures = [bench.writer.submit(noting(f"{n}"), weight=1) for n in range(count)]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == [f"noted {n}" for n in range(count)]
    sizes = (MOST_WORKS_A_GROUP, MOST_WORKS_A_GROUP, 3)
    assert bench.heard == Heard(committed=[(size, 1.0) for size in sizes])


async def test_a_work_that_is_refused_is_rolled_back_alone(bench: Bench) -> None:
    works = [noting("a"), noting_in_vain("b", NotFound()), noting("c")]
    futures = [bench.writer.submit(work) for work in works]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == ["noted a", NotFound, "noted c"]
    assert bench.notes() == ["a", "c"]
    # A refusal is an answer, not a failure.
    assert bench.heard == Heard(committed=[(3, 1.0)])


async def test_a_fault_of_the_database_fails_its_work_alone_and_says_that_a_retry_may_help(
    bench: Bench,
) -> None:
    works = [noting("a"), noting("a"), noting("b")]
    futures = [bench.writer.submit(work) for work in works]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == ["noted a", StorageFailed, "noted b"]
    failure = futures[1].exception()
    assert isinstance(failure, StorageFailed)
    assert (failure.status, failure.retryable, failure.retry_after) == (503, True, 1)
    assert bench.notes() == ["a", "b"]
    assert bench.heard == Heard(committed=[(3, 1.0)], failed=[(1, IntegrityError)])


async def test_a_fault_of_a_work_reaches_its_submitter_as_it_is(bench: Bench) -> None:
    works = [noting("a"), noting_in_vain("b", ZeroDivisionError()), noting("c")]
    futures = [bench.writer.submit(work) for work in works]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == ["noted a", ZeroDivisionError, "noted c"]
    assert bench.notes() == ["a", "c"]
    assert bench.heard == Heard(committed=[(3, 1.0)], failed=[(1, ZeroDivisionError)])


async def test_a_work_alone_in_its_transaction_is_undone_where_it_fails(bench: Bench) -> None:
    bench.writer.start()
    works = [noting_in_vain("a", NotFound()), noting_in_vain("a", ZeroDivisionError()), noting("a")]
    outcomes = [await outcome_of(bench.writer.submit(work)) for work in [*works, noting("a")]]

    assert outcomes == [NotFound, ZeroDivisionError, "noted a", StorageFailed]
    assert bench.notes() == ["a"]
    assert bench.heard.failed == [(1, ZeroDivisionError), (1, IntegrityError)]


async def test_a_commit_that_fails_fails_all_and_the_writer_goes_on(bench: Bench) -> None:
    works = [noting("a"), orphan, noting_in_vain("b", NotFound()), noting("c")]
    futures = [bench.writer.submit(work) for work in works]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == [StorageFailed] * 4
    assert bench.notes() == []
    assert bench.heard == Heard(failed=[(4, IntegrityError)])
    assert await outcome_of(bench.writer.submit(noting("a"))) == "noted a"
    assert bench.notes() == ["a"]


async def test_a_work_that_loses_the_whole_transaction_fails_all_and_the_writer_goes_on(
    bench: Bench,
) -> None:
    # SQLite itself rolls back like this when the disk is full.
    def lose(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    futures = [bench.writer.submit(work) for work in (noting("a"), lose, noting("b"))]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == [StorageFailed] * 3
    assert bench.notes() == []
    assert bench.heard == Heard(failed=[(3, OperationalError)])
    assert await outcome_of(bench.writer.submit(noting("a"))) == "noted a"


async def test_a_result_is_told_only_once_others_can_see_it(bench: Bench) -> None:
    entered, released = threading.Event(), threading.Event()

    def hold(connection: Connection) -> str:
        entered.set()
        assert released.wait(10)
        return note(connection, "held")

    quick, held = bench.writer.submit(noting("quick")), bench.writer.submit(hold)
    seen: list[list[str]] = []
    quick.add_done_callback(lambda _: seen.append(bench.notes()))
    bench.writer.start()
    assert await asyncio.to_thread(entered.wait, 10)

    # The first work has run, but is not committed: it is neither seen nor told.
    assert (bench.notes(), quick.done(), held.done()) == ([], False, False)
    released.set()
    assert await outcome_of(quick) == "noted quick"
    assert await outcome_of(held) == "noted held"
    assert seen == [["quick", "held"]]


async def test_what_comes_during_a_transaction_goes_into_the_next_one_together(
    bench: Bench,
) -> None:
    entered, released = threading.Event(), threading.Event()

    def hold(connection: Connection) -> str:
        entered.set()
        assert released.wait(10)
        return note(connection, "held")

    bench.writer.start()
    held = bench.writer.submit(hold)
    assert await asyncio.to_thread(entered.wait, 10)
    later = [bench.writer.submit(noting(f"{n}")) for n in range(3)]
    released.set()

    assert [await outcome_of(f) for f in (held, *later)] == [
        "noted held",
        *(f"noted {n}" for n in range(3)),
    ]
    assert bench.heard == Heard(committed=[(1, 1.0), (3, 1.0)])


async def test_beyond_its_capacity_it_is_overloaded_until_it_has_caught_up(bench: Bench) -> None:
    waiting = [
        bench.writer.submit(noting("a"), weight=60_000),
        bench.writer.submit(noting("b"), weight=40_000),
    ]
    with pytest.raises(Overloaded) as overloaded:
        bench.writer.submit(noting("c"), weight=1)
    assert (overloaded.value.status, overloaded.value.retry_after) == (503, 1)
    bench.writer.start()

    assert [await outcome_of(f) for f in waiting] == ["noted a", "noted b"]
    assert await outcome_of(bench.writer.submit(noting("c"), weight=CAPACITY)) == "noted c"
    assert bench.notes() == ["a", "b", "c"]


async def test_a_work_heavier_than_the_capacity_is_taken_where_nothing_waits(bench: Bench) -> None:
    heavy = bench.writer.submit(noting("heavy"), weight=10 * CAPACITY)
    bench.writer.start()
    assert await outcome_of(heavy) == "noted heavy"


async def test_a_stop_finishes_what_waits_and_takes_nothing_more(bench: Bench) -> None:
    futures = [bench.writer.submit(noting(f"{n}"), weight=1) for n in range(700)]
    bench.writer.start()
    await asyncio.to_thread(bench.writer.stop)

    assert len(bench.notes()) == 700
    with pytest.raises(Stopping):
        bench.writer.submit(noting("late"))
    assert not bench.writer.alive
    assert [await outcome_of(f) for f in futures] == [f"noted {n}" for n in range(700)]


async def test_a_stop_with_nothing_to_do_ends_the_thread(bench: Bench) -> None:
    bench.writer.start()
    assert bench.writer.alive
    await asyncio.to_thread(bench.writer.stop)
    assert not bench.writer.alive
    assert bench.heard == Heard()


async def test_a_submitter_that_no_longer_waits_does_no_harm(bench: Bench) -> None:
    futures = [bench.writer.submit(noting(text)) for text in "abc"]
    futures.append(bench.writer.submit(noting_in_vain("d", NotFound())))
    futures[1].cancel()
    futures[3].cancel()
    bench.writer.start()

    assert [await outcome_of(f) for f in (futures[0], futures[2])] == ["noted a", "noted c"]
    assert (futures[1].cancelled(), futures[3].cancelled()) == (True, True)
    # It was submitted, so it is done, whoever still wants to know.
    assert bench.notes() == ["a", "b", "c"]
    assert await outcome_of(bench.writer.submit(noting("e"))) == "noted e"


async def test_a_submitter_whose_loop_is_gone_does_no_harm(bench: Bench) -> None:
    async def submit_and_leave() -> None:
        bench.writer.submit(noting("left"))

    await asyncio.to_thread(asyncio.run, submit_and_leave())
    staying = bench.writer.submit(noting("staying"))
    bench.writer.start()

    assert await outcome_of(staying) == "noted staying"
    assert bench.notes() == ["left", "staying"]


async def test_each_result_goes_to_the_loop_that_waits_for_it(bench: Bench) -> None:
    submitted = threading.Barrier(4, timeout=PATIENCE)

    async def submit_and_wait(name: str) -> Any:
        future = bench.writer.submit(noting(name))
        submitted.wait()
        return await outcome_of(future)

    elsewhere = [asyncio.to_thread(asyncio.run, submit_and_wait(name)) for name in ("a", "b", "c")]
    waiting = asyncio.gather(*elsewhere)
    await asyncio.to_thread(submitted.wait)
    bench.writer.start()

    assert await waiting == ["noted a", "noted b", "noted c"]
    assert bench.heard == Heard(committed=[(3, 1.0)])


# --- works that are done at once ------------------------------------------------------------------


@dataclass
class Notebook:
    """Writes several notes at once, unless one of them is too long; keeps what it was given."""

    given: list[list[str]] = field(default_factory=list)

    def together(self, connection: Connection, texts: Sequence[str]) -> list[str] | None:
        self.given.append([*texts])
        if any(len(text) > 3 for text in texts):
            return None
        return [f"together {note(connection, text)}" for text in texts]

    def submit(self, bench: Bench, text: str) -> asyncio.Future[str]:
        return bench.writer.submit(noting(text), joint=Joint(self.together, text))


async def test_works_of_one_kind_beside_each_other_are_done_at_once_in_their_order(
    bench: Bench,
) -> None:
    book, other = Notebook(), Notebook()
    futures = [
        book.submit(bench, "a"),
        book.submit(bench, "b"),
        bench.writer.submit(noting("c")),
        book.submit(bench, "d"),
        other.submit(bench, "e"),
        other.submit(bench, "f"),
    ]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == [
        "together noted a",
        "together noted b",
        "noted c",
        "noted d",
        "together noted e",
        "together noted f",
    ]
    assert (book.given, other.given) == ([["a", "b"]], [["e", "f"]])
    assert bench.notes() == [*"abcdef"]
    assert bench.heard == Heard(committed=[(6, 1.0)])


async def test_works_that_cannot_be_done_at_once_are_done_each_alone(bench: Bench) -> None:
    book = Notebook()
    futures = [book.submit(bench, text) for text in ("a", "long", "b")]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == ["noted a", "noted long", "noted b"]
    assert book.given == [["a", "long", "b"]]
    assert bench.notes() == ["a", "long", "b"]


async def test_a_work_that_fails_among_those_done_at_once_fails_alone(bench: Bench) -> None:
    book = Notebook()
    futures = [book.submit(bench, text) for text in ("a", "a", "b")]
    bench.writer.start()

    assert [await outcome_of(f) for f in futures] == ["noted a", StorageFailed, "noted b"]
    assert bench.notes() == ["a", "b"]
    assert bench.heard == Heard(committed=[(3, 1.0)], failed=[(1, IntegrityError)])
