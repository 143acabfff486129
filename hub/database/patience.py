"""How long a request may wait for storage, whatever it waits for: one measure for all its waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.errors import StorageFailed

T = TypeVar("T")


class Patience:
    """So many seconds in all, None for as long as it takes.

    Waiting alone uses it up: what the hub computes meanwhile, for this request or for others that
    have their turn, is not storage's silence.
    """

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds

    async def answer(self, awaited: Awaitable[T]) -> T:
        """What is awaited. When patience ends before, it is cancelled and StorageFailed is raised;
        what the writer has been given goes on all the same.
        """
        if self._left is None:
            return await awaited
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._left):
                return await awaited
        except TimeoutError as late:
            raise StorageFailed(retry_after=1) from late
        finally:
            self._left -= loop.time() - began

    async def result(
        self, awaited: asyncio.Future[T], *, late: Callable[[asyncio.Future[T]], None]
    ) -> T:
        """What is awaited. When patience ends before, it goes on, `late` is told once it is done,
        and StorageFailed is raised.
        """
        if self._left is None:
            return await awaited
        if not await self.sees(awaited):
            awaited.add_done_callback(late)
            raise StorageFailed(retry_after=1)
        return awaited.result()

    async def sees(self, awaited: asyncio.Future[T]) -> bool:
        """Whether it is done before patience ends. It goes on in any case."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.wait({awaited}, timeout=self._left)
        if self._left is not None:
            self._left -= loop.time() - began
        return awaited.done()
