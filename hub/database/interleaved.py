"""Works on one thread, some of them under way at once, a connection each: while one waits for the
server another computes.

Threads would take the interpreter lock from each other in the midst of what they compute; and a
server on another machine keeps each work waiting several times.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import uvloop
from sqlalchemy import Connection

from hub.database.session import Session

T = TypeVar("T")


class Interleaved:
    """As many works at once as there are sessions; the others wait, in order."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        self._loop = uvloop.new_event_loop()
        self._waiting: asyncio.Queue[tuple[Callable[[Connection], Any], Future[Any]] | None]
        self._waiting = asyncio.Queue()
        self._thread = threading.Thread(target=self._run, name="interleaved", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        future: Future[T] = Future()
        self._loop.call_soon_threadsafe(self._waiting.put_nowait, (work, future))
        return future

    def stop(self) -> None:
        for _ in self._sessions:
            self._loop.call_soon_threadsafe(self._waiting.put_nowait, None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve_all())
        finally:
            self._loop.close()

    async def _serve_all(self) -> None:
        await asyncio.gather(*(self._serve(session) for session in self._sessions))

    async def _serve(self, session: Session) -> None:
        """Do works on a session until there are to be no more."""
        while (given := await self._waiting.get()) is not None:
            work, future = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = await session.run(work)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        await session.close()
