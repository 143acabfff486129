"""Reading off the event loop: each work sees one snapshot of the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from hub.errors import StorageFailed

T = TypeVar("T")


class Readers:
    """A few threads, a connection each. `failed`, on such a thread, is told what storage met."""

    def __init__(
        self, engine: Engine, *, threads: int, failed: Callable[[BaseException], None]
    ) -> None:
        self._engine = engine
        self._failed = failed
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="reader")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` on a connection whose transaction is one snapshot.

        Raises what the work raised; StorageFailed where the database was at fault, and a retry may
        help.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)

    def stop(self) -> None:
        """Let the running works end. Blocks."""
        self._threads.shutdown()

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            self._failed(error)
            raise StorageFailed(retry_after=1) from error
