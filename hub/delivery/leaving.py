"""Pages that are made at one time leave together, so that their readings share one commit."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Whoever waits here waits for the pages of so many others less one, at most.
MOST: Final = 8


class Leaving:
    """Lets finished pages go when no other is being made, or when `most` are finished.

    Lives on one event loop. Those that are let go run in one turn of it.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._making = 0
        self._finished = 0
        self._gate = asyncio.Event()

    @contextmanager
    def making(self) -> Iterator[None]:
        """A page is being made in this block."""
        self._making += 1
        try:
            yield
        finally:
            self._making -= 1
            if not self._making:
                self._open()

    async def together(self) -> None:
        """Wait with a finished page for others."""
        self._finished += 1
        if not self._making or self._finished >= self._most:
            self._open()
            return
        await self._gate.wait()

    def _open(self) -> None:
        """Let go who waits; whoever finishes later waits anew."""
        self._gate.set()
        self._gate = asyncio.Event()
        self._finished = 0
