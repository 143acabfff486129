"""Feeds by Kafka: whatever subscriptions of that channel have is written to their topics.

One process does it, that has the shard. One that was replaced without its knowing may write what is
written: readers tell that by its position. It moves no cursor that another has moved.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, assert_never

from structlog.typing import FilteringBoundLogger

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.delivery.arrivals import Arrivals
from hub.delivery.feeding import Fed, Feeding, Gone, Waits, topic_is_there
from hub.delivery.kafkatopics import Topics, producer_of
from hub.delivery.rota import Feed, Rota
from hub.errors import Forbidden
from hub.journal import sql
from hub.kafka import Sessions, running
from hub.logs import places_of
from hub.metrics import Metrics

# Feeds that have a turn at once: each holds a page at most.
ABREAST: Final = 8
# A topic that was made is found within this, and so it is that the brokers are gone.
LOOK_SECONDS: Final = 5.0
RECALL_SECONDS: Final = 0.5
MOST_AT_ONCE: Final = 1_000


class KafkaFeeds:
    """Keeps feeds going. `access` is how aiokafka's clients reach the brokers; `explained` is asked
    whether an error is one that is told of the brokers themselves.
    """

    def __init__(
        self,
        access: Mapping[str, Any],
        *,
        feeding: Feeding,
        arrivals: Arrivals,
        readers: Readers,
        metrics: Metrics,
        log: FilteringBoundLogger,
        explained: Callable[[BaseException], Awaitable[bool]],
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
    ) -> None:
        self._access = access
        self._feeding = feeding
        self._arrivals = arrivals
        self._readers = readers
        self._metrics = metrics
        self._log = log
        self._sleep = sleep
        self._monotonic = monotonic
        self._sessions = Sessions(
            "feeds",
            found=lambda away: metrics.kafka.feeds_found(away=away),
            explained=explained,
            log=log,
            sleep=sleep,
        )
        self._runs = False

    @property
    def away(self) -> bool:
        """Whether it is to feed, and cannot reach the brokers."""
        return self._runs and not self._sessions.connected

    async def run(self) -> None:
        """Feed, until cancelled."""
        self._runs = True
        try:
            await self._sessions.run(self._session)
        finally:
            self._runs = False
            self._metrics.kafka.feeds_found(away=False)
            self._metrics.kafka.feeds_wait(0)

    async def _session(self) -> None:
        rota = Rota(monotonic=self._monotonic)
        async with running(producer_of(self._access)) as producer:
            topics = Topics(producer)
            await topics.look()
            self._sessions.entered()
            self._log.info("feeds.connected")
            with self._arrivals.followed(rota):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._look_after(topics, rota))
                    group.create_task(self._recall(rota))
                    group.create_task(self._get_to_know(rota))
                    for _ in range(ABREAST):
                        group.create_task(self._take_turns(topics, rota))

    async def _look_after(self, topics: Topics, rota: Rota) -> None:
        """See which topics there are. Raises as `Topics.look` does."""
        while True:
            await self._sleep(LOOK_SECONDS)
            await topics.look()
            rota.recall(over=partial(topic_is_there, topics=topics))

    async def _recall(self, rota: Rota) -> None:
        """Try again what waits."""
        while True:
            self._metrics.kafka.feeds_wait(rota.waiting(but=Forbidden.code))
            await self._sleep(RECALL_SECONDS)
            rota.recall()

    async def _get_to_know(self, rota: Rota) -> None:
        """Tell the rota of feeds that it does not know."""
        while True:
            await rota.strangers()
            feeds, newest = await self._readers.run(partial(_feeds, after=rota.newest))
            rota.know(feeds, newest=newest)

    async def _take_turns(self, topics: Topics, rota: Rota) -> None:
        while True:
            feed = await rota.next()
            turn = self._feeding.feed(feed, topics)
            (ended,) = await asyncio.gather(turn, return_exceptions=True)
            names = {"caller": feed.agency, "subscription": feed.id}
            match ended:
                case Fed(more):
                    if rota.fed(feed, more=more):
                        self._log.info("feed.goes_on", **names)
                case Gone():
                    rota.forget(feed)
                case Waits(reason):
                    if rota.put_off(feed, reason):
                        self._log.warning("feed.waits", **names, reason=reason)
                case BaseException():
                    reason = type(ended).__name__
                    self._metrics.erred()
                    if rota.put_off(feed, reason):
                        self._log.error("feed.failed", **names, reason=reason, at=places_of(ended))
                case _:
                    assert_never(ended)


def _feeds(connection: Connection, *, after: int) -> tuple[list[Feed], int]:
    """The feeds among the subscriptions that are numbered higher, and the highest number."""
    newest, feeds = sql.newest_subscription(connection), list[Feed]()
    while rows := sql.fed_by_kafka(connection, after=after, most=MOST_AT_ONCE):
        after = rows[-1].number
        feeds += (Feed(row.number, row.agency, row.id) for row in rows)
    return feeds, newest
