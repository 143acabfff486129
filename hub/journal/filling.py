"""Filling feeds with what is older than their subscription, chunk by chunk through the writer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import HubError, Stopping
from hub.journal import sql
from hub.journal.feeds import fill_step
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
        announce: Callable[[Iterable[int]], None],
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._policies = policies
        self._announce = announce
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Go on with every backfill that is not complete."""
        rows = await self._readers.run(sql.unfilled_subscriptions)
        for row in rows:
            self.begin(from_row(row))

    def begin(self, subscription: Subscription) -> None:
        """Fill the feed of a subscription in the background, if it needs it."""
        if subscription.filling:
            task = asyncio.create_task(self._fill(subscription))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop; what is filled stays filled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fill(self, subscription: Subscription) -> None:
        step = partial(
            fill_step, policies=self._policies, agency=subscription.agency, id_=subscription.id
        )
        standing: Subscription | None = subscription
        while standing is not None and standing.filling:
            try:
                standing = await self._writer.submit(step)
            except Stopping:
                return
            except HubError:
                # The writer is full or the disk is: the feed waits behind this, so it goes on.
                await self._pause()
                continue
            self._announce([subscription.number])
