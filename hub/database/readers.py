"""Reading off the event loop: each work sees one snapshot of the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Readers:
    """A few threads, a connection each."""

    def __init__(self, engine: Engine, *, threads: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="reader")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` on a connection whose transaction is one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)

    def stop(self) -> None:
        """Let the running works end. Blocks."""
        self._threads.shutdown()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)
