"""Pages that are made at one time leave together, so that their readings share one commit."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# A page waits for so many others less one, at most.
MOST: Final = 16


class Leaving:
    """Lets finished pages go when they are as many as are still being made, or `most`.

    So the reading thread has work while they are written down and sent, and a page that is made
    alone waits for nobody. Lives on one event loop; those that are let go run in one turn of it.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._making = 0
        self._finished = 0
        self._gate = asyncio.Event()

    @contextmanager
    def making(self) -> Iterator[None]:
        """A page is being made in this block, or waits to be."""
        self._making += 1
        try:
            yield
        finally:
            self._making -= 1
            # Whoever made it waits with it by then, if it is one that waits.
            asyncio.get_running_loop().call_soon(self._let_go)

    async def together(self) -> None:
        """Wait with a finished page for others."""
        self._finished += 1
        gate = self._gate
        self._let_go()
        await gate.wait()

    def _let_go(self) -> None:
        """Open the gate if it is time; whoever finishes later waits anew."""
        if self._finished >= min(self._making, self._most):
            self._gate.set()
            self._gate = asyncio.Event()
            self._finished = 0
