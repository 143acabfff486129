"""Filling feeds with what is older than their subscription, chunk by chunk through the writer."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from hub.database.background import Background
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.journal import sql
from hub.journal.feeds import fill_step
from hub.journal.register import REGISTERING
from hub.journal.subscriptions import Subscription, from_row
from hub.policy.policy import Policies


class Filler:
    """Runs the backfills; one that was interrupted goes on at the next start."""

    def __init__(
        self,
        *,
        writer: Writer,
        readers: Readers,
        policies: Policies,
        announce: Callable[[Collection[int]], None],
        background: Background,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._policies = policies
        self._announce = announce
        self._background = background
        self._pause = pause
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def resume(self) -> None:
        """Go on with every backfill that is not complete, whichever process has begun it."""
        rows = await self._readers.run(sql.unfilled_subscriptions)
        for row in rows:
            self.begin(from_row(row))

    def begin(self, subscription: Subscription) -> None:
        """Fill the feed of a subscription in the background, if it needs it."""
        if subscription.filling and subscription.number not in self._tasks:
            # The feed waits behind what a turn could not do, so the next one goes on with it.
            turns = self._background.again(
                "fill", partial(self._fill, subscription), rest=self._pause
            )
            task = self._tasks[subscription.number] = asyncio.create_task(turns)
            task.add_done_callback(lambda _: self._tasks.pop(subscription.number))

    async def stop(self) -> None:
        """Stop; what is filled stays filled."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self, subscription: Subscription) -> bool:
        """Fill a feed to its end."""
        step = partial(
            fill_step, policies=self._policies, agency=subscription.agency, id_=subscription.id
        )
        standing: Subscription | None = subscription
        while standing is not None and standing.filling:
            standing = await self._writer.submit(step, locks=REGISTERING)
            self._announce([subscription.number])
        return False
