"""Reading off the event loop: each work sees one snapshot of the database."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.database.patience import Patience
from hub.database.transactions import Transactions, Works
from hub.errors import StorageFailed

T = TypeVar("T")


class OnThreads:
    """Works on a few threads, a connection each."""

    def __init__(self, reading: Callable[[], Transactions], *, threads: int) -> None:
        self._reading = reading
        self._of_thread = threading.local()
        self._all: list[Transactions] = []
        self._threads = ThreadPoolExecutor(
            max_workers=threads, thread_name_prefix="reader", initializer=self._begin
        )

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        return self._threads.submit(self._read, work)

    def stop(self) -> None:
        self._threads.shutdown()
        for transactions in self._all:
            transactions.close()

    def _begin(self) -> None:
        self._of_thread.transactions = transactions = self._reading()
        self._all.append(transactions)

    def _read(self, work: Callable[[Connection], T]) -> T:
        transactions: Transactions = self._of_thread.transactions
        return transactions.run(work)


class Readers:
    """Those who read. On the thread of the works `failed` is told what storage met, `read` that a
    work was done.
    """

    def __init__(
        self,
        works: Works,
        *,
        failed: Callable[[BaseException], None],
        read: Callable[[], None] = lambda: None,
    ) -> None:
        self._works = works
        self._failed = failed
        self._done = read
        self._seconds: float | None = None

    def within(self, seconds: float | None) -> "Readers":
        """The same, for those who wait for an answer so long at most, their turn included."""
        these = copy(self)
        these._seconds = seconds
        return these

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` on a connection whose transaction is one snapshot.

        Raises what the work raised; StorageFailed where the database was at fault, and a retry may
        help. A work that nobody waits for any more is not begun.
        """
        reading = self._works.submit(work)
        reading.add_done_callback(self._tell)
        try:
            return await Patience(self._seconds).answer(asyncio.wrap_future(reading))
        except DBAPIError as error:
            raise StorageFailed(retry_after=1) from error

    def stop(self) -> None:
        """Let the running works end. Blocks; no event loop runs on the caller's thread."""
        self._works.stop()

    def _tell(self, reading: Future[T]) -> None:
        if reading.cancelled():
            return
        error = reading.exception()
        if error is None:
            self._done()
        elif isinstance(error, DBAPIError):
            self._failed(error)
