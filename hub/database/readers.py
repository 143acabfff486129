"""Reading off the event loop: each work sees one snapshot of the database."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hub.database.patience import Patience
from hub.database.transactions import Transactions
from hub.errors import StorageFailed

T = TypeVar("T")


class Readers:
    """A few threads, a connection each. On such a thread `failed` is told what storage met, `read`
    that a work was done.
    """

    def __init__(
        self,
        reading: Callable[[], Transactions],
        *,
        threads: int,
        failed: Callable[[BaseException], None],
        read: Callable[[], None] = lambda: None,
    ) -> None:
        self._reading = reading
        self._failed = failed
        self._done = read
        self._seconds: float | None = None
        self._of_thread = threading.local()
        self._all: list[Transactions] = []
        self._threads = ThreadPoolExecutor(
            max_workers=threads, thread_name_prefix="reader", initializer=self._begin
        )

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
        reading = asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        return await Patience(self._seconds).answer(reading)

    def stop(self) -> None:
        """Let the running works end. Blocks; no event loop runs on the caller's thread."""
        self._threads.shutdown()
        for transactions in self._all:
            transactions.close()

    def _begin(self) -> None:
        self._of_thread.transactions = transactions = self._reading()
        self._all.append(transactions)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            transactions: Transactions = self._of_thread.transactions
            result = transactions.run(work)
        except DBAPIError as error:
            self._failed(error)
            raise StorageFailed(retry_after=1) from error
        self._done()
        return result
