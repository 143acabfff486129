"""What a process does about what the others on its database change."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from hub.app.ground import microseconds_now
from hub.app.parts import Hub
from hub.database.news import News
from hub.policy import sql
from hub.policy.sql import Marks

# Whether the policy or tokens have changed is looked at so often, whatever signals come, seconds.
LOOKS: Final = 0.5


class Neighbours:
    """Hears the news. `more` acts on what only this kind of process has to do."""

    def __init__(self, hub: Hub, *, more: Callable[[News], None]) -> None:
        self._hub = hub
        self._more = more
        self._known: Marks | None = None
        self._told = asyncio.Event()

    def hear(self, news: News) -> None:
        """Act on what another process tells."""
        self._more(news)
        self._hub.arrivals.wake(news.subscriptions)
        if news.policy or news.anything:
            self._hub.current.doubt()
            self._hub.arrivals.wake_all()
        if news.tokens or news.anything:
            self._told.set()

    async def run(self) -> None:
        """Look whether something has changed, until cancelled."""
        await self._hub.ground.background.again("look", self._look, rest=self._until_told)

    async def _look(self) -> bool:
        self._told.clear()
        marks = await self._hub.ground.readers.run(sql.marks)
        known = self._known
        if known is None or marks.tokens != known.tokens:
            await self._hub.known.load(now=microseconds_now())
        if known is None or marks.policy != known.policy:
            self._hub.current.doubt()
            self._hub.arrivals.wake_all()
        # Only now: what storage kept from being done is due again.
        self._known = marks
        return True

    async def _until_told(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKS):
                await self._told.wait()
