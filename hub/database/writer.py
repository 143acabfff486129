"""The one writing thread: everything that writes goes through `submit`.

Whatever waited during the last commit goes into the next transaction together (group commit, no
timer), each work in its own savepoint: one that fails takes nothing else with it. Works of one kind
that stand beside each other may be done at once. A commit that fails fails all of them, and says
that a retry helps. A future resolves only after the commit, so what was answered is on the disk.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.database.transactions import Transactions
from hub.errors import HubError, Overloaded, Stopping, StorageFailed

T = TypeVar("T")
Work = Callable[[Connection], T]

MOST_WORKS_A_GROUP: Final = 512


class Observer(Protocol):
    """Told by the writing thread, for metrics and the log; must not block."""

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


_Together = Callable[[Connection, Sequence[Any]], Sequence[Any] | None]


class Joint(Struct, frozen=True):
    """How a work is done at once with others of its kind, whose `together` is the same.

    `together` is given the items of all, in order, and answers with their results; with None, or
    by raising, it says that each must be done alone.
    """

    together: _Together
    item: Any


class _Job(Struct, frozen=True):
    work: Work[Any]
    joint: Joint | None
    weight: int
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


_Result = tuple[_Job, Any, Exception | None]


class Writer:
    """Group commit over one connection. `capacity` bounds the bytes of the works that wait."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        capacity: int,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._transactions = transactions
        self._capacity = capacity
        self._observer = observer
        self._clock = clock
        self._waiting: deque[_Job] = deque()
        self._weight = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # The loop that will wake the thread, at the end of its turn, for what waits.
        self._announcing: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many works wait."""
        return len(self._waiting)

    @property
    def weight(self) -> int:
        """How many bytes wait."""
        return self._weight

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(
        self, work: Work[T], *, weight: int = 1024, joint: Joint | None = None
    ) -> asyncio.Future[T]:
        """Have `work` run in the next transaction; the future holds its result once committed.

        With `joint` it may be done at once with those before and after it, to the same effect.
        The future raises what the work raised (its savepoint is rolled back); StorageFailed where
        the database was at fault, and a retry may help.
        Raises Overloaded when `weight` bytes more would pass the capacity, Stopping after `stop`.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(work=work, joint=joint, weight=weight, future=future, loop=loop)
        with self._lock:
            if self._stopping:
                raise Stopping(retry_after=1)
            if self._waiting and self._weight + weight > self._capacity:
                raise Overloaded(retry_after=1)
            self._waiting.append(job)
            self._weight += weight
            if self._announcing is not loop:
                self._announcing = loop
                loop.call_soon(self._announce)
        return future

    def stop(self) -> None:
        """Take no more work, finish what waits, end the thread. Blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _announce(self) -> None:
        """Wake the thread for all that one turn of a loop has submitted."""
        with self._lock:
            self._announcing = None
            self._changed.notify()

    def _run(self) -> None:
        while group := self._next_group():
            self._transact(group)
        self._transactions.close()

    def _next_group(self) -> list[_Job]:
        """The works that wait; an empty list once stopped and drained."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            group = [
                self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_WORKS_A_GROUP))
            ]
            self._weight -= sum(job.weight for job in group)
            return group

    def _transact(self, group: list[_Job]) -> None:
        started = self._clock()
        try:
            results = self._transactions.run(partial(self._carry_out_all, group=group))
        except Exception as error:
            self._observer.failed(works=len(group), error=error)
            failure = StorageFailed(retry_after=1)
            results = [(job, None, failure) for job in group]
        else:
            self._observer.committed(works=len(group), seconds=self._clock() - started)
        _settle(results)

    def _carry_out_all(self, connection: Connection, group: list[_Job]) -> list[_Result]:
        results: list[_Result] = []
        for together, run in groupby(group, key=_together):
            results.extend(self._carry_out(connection, together, list(run)))
        return results

    def _carry_out(
        self, connection: Connection, together: _Together | None, jobs: list[_Job]
    ) -> Iterable[_Result]:
        """Do jobs of one kind at once, or else each alone."""
        if together is not None and len(jobs) > 1:
            items = [job.joint.item for job in jobs if job.joint is not None]
            done, _ = _in_savepoint(connection, lambda c: together(c, items))
            if done is not None:
                return [(job, result, None) for job, result in zip(jobs, done, strict=True)]
        return [self._alone(connection, job) for job in jobs]

    def _alone(self, connection: Connection, job: _Job) -> _Result:
        result, error = _in_savepoint(connection, job.work)
        if error is None or isinstance(error, HubError):
            return job, result, error
        self._observer.failed(works=1, error=error)
        storage = isinstance(error, DBAPIError)
        return job, None, StorageFailed(retry_after=1) if storage else error


def _together(job: _Job) -> _Together | None:
    return None if job.joint is None else job.joint.together


def _in_savepoint(connection: Connection, work: Work[T]) -> tuple[T | None, Exception | None]:
    """The result of a work, or the error that it raised and that undid it."""
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        result = work(connection)
    except Exception as error:
        # A full disk ends the whole transaction in SQLite: then this raises, and all fail.
        connection.exec_driver_sql("ROLLBACK TO work")
        connection.exec_driver_sql("RELEASE work")
        return None, error
    connection.exec_driver_sql("RELEASE work")
    return result, None


def _settle(results: list[_Result]) -> None:
    """Hand the results to the loops that wait for them, one call for each loop."""
    for loop in {job.loop for job, _, _ in results}:
        mine = [result for result in results if result[0].loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(results: list[_Result]) -> None:
    for job, result, error in results:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
