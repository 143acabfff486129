"""The pull channel: pages by cursor, waiting for news where there is none (long poll)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.delivery.arrivals import Arrivals
from hub.delivery.dispatch import Page, read_page
from hub.errors import NotFound
from hub.journal import sql
from hub.journal.cursors import Cursors
from hub.journal.subscriptions import from_row
from hub.policy.policy import Policies


@dataclass(frozen=True, slots=True)
class Pulled:
    """A page, the cursor token after it, the number of its subscription, the time reading took."""

    page: Page
    cursor: str
    number: int
    seconds: float


class Pull:
    """Serves any subscription's reader; holds nothing of theirs between calls."""

    def __init__(
        self,
        *,
        readers: Readers,
        policies: Policies,
        cursors: Cursors,
        arrivals: Arrivals,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._readers = readers
        self._policies = policies
        self._cursors = cursors
        self._arrivals = arrivals
        self._clock = clock
        self._monotonic = monotonic
        self._stopping = False

    async def pull(
        self, agency: str, id_: str, *, cursor: str | None, limit: int, wait: float
    ) -> Pulled:
        """The next page after `cursor`, or after the committed one; waits up to `wait` seconds.

        Raises NotFound for no such subscription of the agency, CursorInvalid, Forbidden.
        """
        deadline = self._monotonic() + wait
        read = partial(self._read, agency=agency, id_=id_, limit=limit)
        pulled = await self._readers.run(partial(read, cursor=cursor))
        while not pulled.page.events and not self._stopping:
            # What was examined and denied is not examined again, but counted.
            denied, read_on = pulled.page.denied, partial(read, cursor=pulled.cursor)
            spent = pulled.seconds
            left = deadline - self._monotonic()
            if pulled.page.more:
                pulled = await self._readers.run(read_on)
            elif left <= 0:
                break
            else:
                with self._arrivals.expect(pulled.number) as expected:
                    # News may have come since the last look.
                    pulled = await self._readers.run(read_on)
                    if not pulled.page.events and not pulled.page.more:
                        await expected.news(seconds=left)
            pulled.page.denied.update(denied)
            pulled = replace(pulled, seconds=pulled.seconds + spent)
        return pulled

    def wake(self, number: int) -> None:
        """Let those who wait for a subscription look again: it has been changed or ended."""
        self._arrivals.announce([number])

    def stop(self) -> None:
        """Let waiting readers go with what there is."""
        self._stopping = True
        self._arrivals.announce_all()

    def _read(
        self, connection: Connection, *, agency: str, id_: str, cursor: str | None, limit: int
    ) -> Pulled:
        started = self._monotonic()
        row = sql.subscription(connection, agency, id_)
        if row is None:
            raise NotFound
        subscription = from_row(row)
        after = subscription.committed
        if cursor is not None:
            after = self._cursors.position(subscription.number, cursor)
        page = read_page(
            connection,
            subscription,
            after=after,
            limit=limit,
            policy=self._policies.seen_by(connection),
            now=self._clock(),
        )
        token = self._cursors.token(subscription.number, page.cursor)
        return Pulled(page, token, subscription.number, self._monotonic() - started)
