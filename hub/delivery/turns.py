"""Turns at the reading thread, so that an agency that asks for many pages delays its own alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `most` works of an agency go on at once; its others wait for them, in order.

    Lives on one event loop.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, agency: str) -> AsyncIterator[None]:
        """Wait for one of the agency's turns, and have it until the block ends."""
        line = self._lines.setdefault(agency, _Line(self._most))
        line.length += 1
        try:
            async with line.turns:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[agency]


class _Line:
    def __init__(self, most: int) -> None:
        self.turns = asyncio.Semaphore(most)
        self.length = 0
