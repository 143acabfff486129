"""Feeding: the next page of one subscription is written to its topic, and its cursor moved.

The reading is on record before anything leaves, and whether and how far each event may is decided
as for any reader, anew at each try. The cursor moves from where the page was read to what the
brokers have acknowledged: so nothing is passed over, and what was not committed comes again.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from contracts.catalogue import Catalogue
from contracts.envelope import moment_of
from hub.database.writer import Writer
from hub.delivery.accounts import Accounts
from hub.delivery.kafka import TOO_LARGE, FeedRecord, records_of, topic_of
from hub.delivery.kafkatopics import Topics, Written
from hub.delivery.pull import Asked, Keep, Pull, Pulled
from hub.delivery.rota import Feed
from hub.errors import CursorExpired, HubError, NotFound
from hub.event import microseconds
from hub.evidence import reads
from hub.evidence.reads import Parked, Reading
from hub.journal import subscribing
from hub.policy.tokens import NO_TOKEN

PAGE: Final = 500
NO_TOPIC: Final = "no_topic"
CHANNEL: Final = "kafka"


@dataclass(frozen=True, slots=True)
class Fed:
    """What there was has been written; there may be `more`."""

    more: bool


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing more can be written at the moment."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The subscription has been ended."""


def topic_is_there(feed: Feed, reason: str, topics: Topics) -> bool:
    """Whether a feed waited for its topic, which is there now."""
    return reason == NO_TOPIC and topics.has(topic_of(feed.agency, feed.id))


class Feeding:
    """Writes pages to topics. `keep` keeps a reading, as for `Pull`."""

    def __init__(
        self,
        *,
        pull: Pull,
        keep: Keep,
        writer: Writer,
        catalogue: Catalogue,
        accounts: Accounts,
    ) -> None:
        self._pull = pull
        self._keep = keep
        self._writer = writer
        self._catalogue = catalogue
        self._accounts = accounts

    async def feed(self, feed: Feed, topics: Topics) -> Fed | Waits | Gone:
        """Write the next page of a feed, if its topic can be written to."""
        topic = topic_of(feed.agency, feed.id)
        if not topics.has(topic):
            return Waits(NO_TOPIC)
        try:
            pulled = await self._pull.page(
                Asked(feed.agency, NO_TOKEN, feed.id, cursor=None, limit=PAGE, channel=CHANNEL)
            )
            if pulled.subscription.number != feed.number:
                return Gone()
            return await self._write(pulled, topic, topics)
        except NotFound:
            return Gone()
        except CursorExpired as expired:
            return await self._pass_over(feed, expired)
        except HubError as error:
            return Waits(error.code)

    async def _write(self, pulled: Pulled, topic: str, topics: Topics) -> Fed | Waits:
        page, subscription = pulled.page, pulled.subscription
        records = records_of(page, self._catalogue)
        written = await topics.write(topic, records)
        self._account_for(pulled, records[: written.count])
        reached = await self._reached(pulled, records, written)
        if reached > subscription.committed:
            advance = partial(
                subscribing.advance,
                number=subscription.number,
                after=subscription.committed,
                position=reached,
            )
            if not await self._writer.submit(advance, locks=subscribing.MOVING):
                return Fed(more=True)
        if written.refused is not None:
            return Waits(written.refused)
        return Fed(more=page.more or written.too_large)

    async def _reached(self, pulled: Pulled, records: list[FeedRecord], written: Written) -> int:
        """The position up to which everything is written or, being too large, parked."""
        if written.too_large and await self._park(pulled, records[written.count]):
            return records[written.count].position
        if written.count == len(records):
            # Of a feed without anything new the cursor may stay.
            moves = pulled.page.positions or pulled.expired
            return pulled.reached if moves else pulled.subscription.committed
        return records[written.count - 1].position if written.count else 0

    async def _park(self, pulled: Pulled, record: FeedRecord) -> bool:
        """Keep one event as a dead letter; False where the policy has changed meanwhile."""
        page, subscription = pulled.page, pulled.subscription
        kept = await self._keep(
            Reading(
                subscription=subscription.number,
                agency=subscription.agency,
                subscription_id=subscription.id,
                token=NO_TOKEN,
                channel=CHANNEL,
                policy=page.policy,
                read_at=page.read_at,
                positions=[record.position],
                outcomes=bytes([reads.TOO_LARGE]),
                parked=[Parked(record.position, record.version, TOO_LARGE)],
            )
        )
        if kept:
            self._accounts.parked(subscription, record.position, channel=CHANNEL)
        return kept

    async def _pass_over(self, feed: Feed, expired: CursorExpired) -> Fed | Waits:
        """Go on with the oldest that there is: what expired unread is counted, and told."""
        oldest = microseconds(moment_of(expired.members()["available"]["from"]))
        replay = partial(subscribing.replay, agency=feed.agency, id_=feed.id, since=oldest)
        try:
            await self._writer.submit(replay, locks=subscribing.MOVING)
        except HubError as error:
            return Waits(error.code)
        return Fed(more=True)

    def _account_for(self, pulled: Pulled, written: list[FeedRecord]) -> None:
        views = sum(record.withheld for record in written)
        self._accounts.note(
            pulled, channel=CHANNEL, token=NO_TOKEN, delivered=len(written), views=views
        )
        self._accounts.retiring(pulled, channel=CHANNEL)
