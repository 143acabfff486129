"""The one writing thread: everything that writes goes through `submit`.

Whatever waited during the last commit goes into the next transaction together (group commit, no
timer), each work in its own savepoint: one that fails takes nothing else with it. Works of one kind
that stand beside each other may be done at once; a group that is done at once needs no savepoint.
A commit that fails fails all of them, and says that a retry helps. A future resolves only after the
commit, so what was answered is on the disk.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.database.order import Lock, take_in_order
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
    locks: Sequence[Lock]
    weight: int
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


_Result = tuple[_Job, Any, Exception | None]
# Does several jobs: the result of each; None where each must be done alone.
_AtOnce = Work[Sequence[Any] | None]


class _Undone(Exception):
    """Rolls back the transaction of what was done at once; `error` is what it raised, if it did."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error


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
        self,
        work: Work[T],
        *,
        weight: int = 1024,
        joint: Joint | None = None,
        locks: Sequence[Lock] = (),
    ) -> asyncio.Future[T]:
        """Have `work` run in the next transaction; the future holds its result once committed.

        With `joint` it may be done at once with those before and after it, to the same effect.
        `locks` are all that it may take, for their order (`hub.database.order`).
        The future raises what the work raised (its savepoint is rolled back); StorageFailed where
        the database was at fault, and a retry may help.
        Raises Overloaded when `weight` bytes more would pass the capacity, Stopping after `stop`.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(work=work, joint=joint, locks=locks, weight=weight, future=future, loop=loop)
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
            results = self._carry_out(group)
        except Exception as error:
            self._observer.failed(works=len(group), error=error)
            failure = StorageFailed(retry_after=1)
            results = [(job, None, failure) for job in group]
        else:
            self._observer.committed(works=len(group), seconds=self._clock() - started)
        _settle(results)

    def _carry_out(self, group: list[_Job]) -> list[_Result]:
        """Do a group; where it is more than one work, one that fails takes nothing else with it."""
        work = _at_once(group)
        if work is None:
            runs = [list(run) for _, run in groupby(group, key=_together)]
            return self._transactions.run(partial(self._by_runs, runs=runs))
        try:
            return _done(group, self._transactions.run(partial(_whole, work=work)))
        except _Undone as undone:
            if len(group) > 1:
                return self._transactions.run(partial(self._by_runs, runs=[[j] for j in group]))
            assert undone.error is not None, "a work that stands alone answers or raises"
            if isinstance(undone.error, DBAPIError):
                raise undone.error from None
            return [self._failed(group[0], undone.error)]

    def _by_runs(self, connection: Connection, runs: list[list[_Job]]) -> list[_Result]:
        """Do the works of each run at once, if they can be, or else each alone."""
        take_in_order(connection, (lock for run in runs for job in run for lock in job.locks))
        results: list[_Result] = []
        for run in runs:
            work = _at_once(run) if len(run) > 1 else None
            done = None if work is None else in_savepoint(connection, work)[0]
            if done is None:
                results += [self._alone(connection, job) for job in run]
            else:
                results += _done(run, done)
        return results

    def _alone(self, connection: Connection, job: _Job) -> _Result:
        result, error = in_savepoint(connection, job.work)
        return (job, result, None) if error is None else self._failed(job, error)

    def _failed(self, job: _Job, error: Exception) -> _Result:
        if isinstance(error, HubError):
            return job, None, error
        self._observer.failed(works=1, error=error)
        storage = isinstance(error, DBAPIError)
        return job, None, StorageFailed(retry_after=1) if storage else error


def _together(job: _Job) -> _Together | None:
    return None if job.joint is None else job.joint.together


def _at_once(jobs: list[_Job]) -> _AtOnce | None:
    """The work that does all the jobs, if there is one."""
    if len(jobs) == 1:
        return lambda connection: [jobs[0].work(connection)]
    together = _together(jobs[0])
    if together is None or any(_together(job) != together for job in jobs):
        return None
    items = [job.joint.item for job in jobs if job.joint is not None]
    return lambda connection: together(connection, items)


def _done(jobs: list[_Job], results: Sequence[Any]) -> list[_Result]:
    return [(job, result, None) for job, result in zip(jobs, results, strict=True)]


def _attempt(connection: Connection, work: Work[T]) -> tuple[T | None, Exception | None]:
    """The result of a work, or the error that it raised."""
    try:
        return work(connection), None
    except Exception as error:
        return None, error


def _whole(connection: Connection, work: _AtOnce) -> Sequence[Any]:
    """What is done at once, in a transaction that is its savepoint. Raises _Undone."""
    done, error = _attempt(connection, work)
    if done is None:
        raise _Undone(error)
    return done


def in_savepoint(connection: Connection, work: Work[T]) -> tuple[T | None, Exception | None]:
    """The result of a work, or the error that it raised and that undid it, and it alone."""
    connection.exec_driver_sql("SAVEPOINT work")
    result, error = _attempt(connection, work)
    if error is not None:
        # A full disk ends the whole transaction in SQLite: then this raises, and all fail.
        connection.exec_driver_sql("ROLLBACK TO work")
    connection.exec_driver_sql("RELEASE work")
    return result, error


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
