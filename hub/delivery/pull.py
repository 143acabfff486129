"""Pages of feeds by cursor, waiting for news where there is none (long poll), and dead letters one
by one; for whoever pulls, and for what the hub itself feeds.

A page leaves when its reading has been kept; if the policy changed in between, it is read anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.delivery.arrivals import Arrivals
from hub.delivery.dispatch import Page, read_entry, read_page
from hub.delivery.leaving import Leaving
from hub.delivery.recent import Recent
from hub.delivery.turns import Turns
from hub.errors import NotFound
from hub.evidence import sql as evidence_sql
from hub.evidence.reads import Reading
from hub.journal import sql
from hub.journal.cursors import Cursors
from hub.journal.feeds import end_of
from hub.journal.retention.replay import Passed, passed
from hub.journal.subscriptions import Channel, Subscription, from_row
from hub.policy.policy import Policies

Keep = Callable[[Reading], Awaitable[bool]]
# One that is read, and one that follows at once: more would only stand in the others' way.
PAGES_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose page is asked for: a caller's subscription, after a cursor or the committed one.

    `channel`: by which it is handed over, whatever the subscription's own is.
    """

    agency: str
    token: int
    id: str
    cursor: str | None
    limit: int
    channel: Channel = "pull"


@dataclass(frozen=True, slots=True)
class Redrive:
    """Which dead letter is asked for again: the event at a position of a caller's feed."""

    agency: str
    token: int
    id: str
    position: int
    channel: Channel = "pull"


@dataclass(frozen=True, slots=True)
class Pulled:
    """A page, the cursor token after it, the time reading took, and whose page it is.

    `reached` is the position of that cursor. `expired` entries stood between the cursor that it was
    read from and the page's end, and have been purged.
    """

    page: Page
    cursor: str
    reached: int
    subscription: Subscription
    seconds: float
    expired: int


class Pull:
    """Serves any subscription's reader; holds nothing of theirs between calls.

    `newest` tells the newest policy version that was acknowledged. `keep` keeps a reading, or says
    that its policy is no longer in force.
    """

    def __init__(
        self,
        *,
        readers: Readers,
        policies: Policies,
        newest: Callable[[], int],
        cursors: Cursors,
        arrivals: Arrivals,
        keep: Keep,
        recent: Recent,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._readers = readers
        self._policies = policies
        self._newest = newest
        self._cursors = cursors
        self._arrivals = arrivals
        self._keep = keep
        self._recent = recent
        self._clock = clock
        self._monotonic = monotonic
        self._turns = Turns(most=PAGES_AT_ONCE)
        self._leaving = Leaving()
        self._aside: set[asyncio.Future[bool]] = set()
        self._stopping = False

    async def pull(
        self, asked: Asked, *, wait: float, still: Callable[[], Awaitable[object]]
    ) -> Pulled:
        """The next page; waits up to `wait` seconds for one with events.

        `still` raises when the caller may not read any more: its token may have been revoked, or
        have expired, while the poll waited. And what leaves after a change of the policy was
        acknowledged is read under it. Raises as `_waited` does.
        """
        pulled = await self._waited(asked, wait=wait)
        await still()
        while pulled.page.policy < self._newest():
            pulled = await self._waited(asked, wait=0)
            await still()
        return pulled

    async def page(self, asked: Asked) -> Pulled:
        """The next page, whatever it holds, under the newest policy; its reading is on record.

        Raises as `pull` does.
        """
        read = partial(self._read, asked=asked)
        pulled = await self._kept(asked, read, aside=False)
        while pulled.page.policy < self._newest():
            pulled = await self._kept(asked, read, aside=False)
        return pulled

    async def redrive(self, asked: Redrive, *, still: Callable[[], Awaitable[object]]) -> Pulled:
        """A page of the event of a dead letter, as its subscriber may have it now.

        It parks the event again when that has no form in the pinned version still. One that was
        given is given again, since an answer may be lost; the cursor stays. `still` and the policy
        are minded as in `pull`. Raises NotFound where there is none, also of what may not be told,
        Forbidden, and what keeps the reading from being kept.
        """
        read = partial(self._read_dead_letter, asked=asked)
        pulled = await self._kept(asked, read)
        await still()
        while pulled.page.policy < self._newest():
            pulled = await self._kept(asked, read)
            await still()
        if not pulled.page.events and not pulled.page.parked:
            raise NotFound
        return pulled

    async def _waited(self, asked: Asked, *, wait: float) -> Pulled:
        """A page with events, or what there is after `wait` seconds.

        Raises NotFound for no such subscription of the agency, CursorInvalid, Forbidden,
        CursorExpired as `passed` does, and what keeps the reading from being kept.
        """
        deadline = self._monotonic() + wait
        pulled = await self._kept(asked, partial(self._read, asked=asked))
        while not pulled.page.events and not self._stopping:
            # What was examined and denied is not examined again, but counted.
            denied, spent = pulled.page.denied, pulled.seconds
            read_on, expired = replace(asked, cursor=pulled.cursor), pulled.expired
            read = partial(self._read, asked=read_on)
            left = deadline - self._monotonic()
            if pulled.page.more:
                pulled = await self._kept(read_on, read)
            elif left <= 0:
                break
            else:
                with self._arrivals.expect(pulled.subscription.number) as expected:
                    # News may have come since the last look.
                    pulled = await self._kept(read_on, read)
                    if not pulled.page.events and not pulled.page.more:
                        await expected.news(seconds=left)
            pulled.page.denied.update(denied)
            pulled = replace(
                pulled, seconds=pulled.seconds + spent, expired=pulled.expired + expired
            )
        return pulled

    def wake(self, number: int) -> None:
        """Let those who wait for a subscription look again: it has been changed or ended."""
        self._arrivals.announce([number])

    def stop(self) -> None:
        """Let waiting readers go with what there is."""
        self._stopping = True
        self._arrivals.wake_all()

    async def _kept(
        self,
        asked: Asked | Redrive,
        read: Callable[[Connection], Pulled],
        *,
        aside: bool = True,
    ) -> Pulled:
        """A page whose reading is on record; one that examined nothing needs no record.

        With `aside` one that hands nothing over is not waited for.
        """
        while True:
            with self._leaving.making():
                async with self._turns.take(asked.agency):
                    pulled = await self._readers.run(read)
            page = pulled.page
            if not page.positions:
                return pulled
            # What is parked is told, so its record comes first too.
            if aside and not page.events and not page.parked:
                # Nobody may learn from its time that something was kept back.
                self._keep_aside(asked, pulled)
                return pulled
            await self._leaving.together()
            if await self._keep(_reading(asked, pulled)):
                return pulled

    def _keep_aside(self, asked: Asked | Redrive, pulled: Pulled) -> None:
        keeping = asyncio.ensure_future(self._keep(_reading(asked, pulled)))
        self._aside.add(keeping)
        keeping.add_done_callback(self._forget)

    def _forget(self, keeping: asyncio.Future[bool]) -> None:
        """Its failure is the writer's to tell: nothing was handed over that needs proof."""
        self._aside.discard(keeping)
        if not keeping.cancelled():
            keeping.exception()

    def _read(self, connection: Connection, *, asked: Asked) -> Pulled:
        started = self._monotonic()
        standing = _standing(connection, asked)
        subscription = from_row(standing.row)
        after = subscription.committed
        if asked.cursor is not None:
            after = self._cursors.position(subscription.number, asked.cursor)
        page = read_page(
            connection,
            subscription,
            after=after,
            limit=asked.limit,
            policy=self._policies.identified(connection, standing.policy),
            now=self._clock(),
            recent=self._recent,
        )
        reached = _reached(connection, subscription, page, after=after)
        on_the_way = Passed(0, reached)
        if standing.expired:
            on_the_way = passed(
                connection, subscription, after=after, cursor=reached, more=page.more
            )
        token = self._cursors.token(subscription.number, on_the_way.cursor)
        return Pulled(
            page=page,
            cursor=token,
            reached=on_the_way.cursor,
            subscription=subscription,
            seconds=self._monotonic() - started,
            expired=on_the_way.expired,
        )

    def _read_dead_letter(self, connection: Connection, *, asked: Redrive) -> Pulled:
        started = self._monotonic()
        standing = _standing(connection, asked)
        subscription = from_row(standing.row)
        if not evidence_sql.is_dead_letter(connection, subscription.number, asked.position):
            raise NotFound
        page = read_entry(
            connection,
            subscription,
            asked.position,
            policy=self._policies.identified(connection, standing.policy),
            now=self._clock(),
            recent=self._recent,
        )
        token = self._cursors.token(subscription.number, subscription.committed)
        return Pulled(
            page=page,
            cursor=token,
            reached=subscription.committed,
            subscription=subscription,
            seconds=self._monotonic() - started,
            expired=0,
        )


def _standing(connection: Connection, asked: Asked | Redrive) -> sql.Standing:
    standing = sql.standing(connection, asked.agency, asked.id)
    if standing is None:
        raise NotFound
    return standing


def _reading(asked: Asked | Redrive, pulled: Pulled) -> Reading:
    page = pulled.page
    return Reading(
        subscription=pulled.subscription.number,
        agency=asked.agency,
        subscription_id=asked.id,
        token=asked.token,
        channel=asked.channel,
        policy=page.policy,
        read_at=page.read_at,
        positions=page.positions,
        outcomes=bytes(page.outcomes),
        parked=page.parked,
    )


def _reached(connection: Connection, subscription: Subscription, page: Page, *, after: int) -> int:
    """The position of the cursor after a page.

    Nothing that was kept back must move it: it is the last event's, or where the journal stands.
    """
    if not page.more:
        return max(after, end_of(connection, subscription))
    return page.last or page.positions[-1]
