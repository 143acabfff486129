"""When each token was last used: remembered, and written once in a while, all together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from hub.errors import HubError


class Uses:
    """Notes uses in memory; `write` keeps those of a minute in one work. A crash loses them."""

    def __init__(
        self,
        *,
        write: Callable[[Mapping[int, int]], Awaitable[None]],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._write = write
        self._pause = pause
        self._noted: dict[int, int] = {}
        self._writing: asyncio.Task[None] | None = None

    def note(self, token: int, at: int) -> None:
        """A token, by number, was used."""
        self._noted[token] = at
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def stop(self) -> None:
        """Write what is noted, and end."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._write_once()

    async def _write_all(self) -> None:
        """Until nobody uses a token any more, so that a hub at rest writes nothing."""
        await self._pause()
        while self._noted:
            await self._write_once()
            await self._pause()
        self._writing = None

    async def _write_once(self) -> None:
        noted, self._noted = self._noted, {}
        try:
            if noted:
                await self._write(noted)
        except HubError:
            # No room at the moment: they go with the next, under what was noted since.
            self._noted = noted | self._noted
