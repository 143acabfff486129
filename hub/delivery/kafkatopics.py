"""The topics of feeds, as the brokers have them: which there are, and writing to them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from hub.delivery.kafka import FEEDS, PARTITION, FeedRecord

# What goes at once, if one record does not take more: less than a topic takes.
BATCH_BYTES: Final = 512 * 1024
ANSWER_MS: Final = 10_000
_NO_LEADER: Final = (None, -1)
_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)


@dataclass(frozen=True, slots=True)
class Written:
    """So many records, from the first, are acknowledged; the next is larger than its topic takes,
    or the brokers refused it, for `refused`, or did not answer in time.
    """

    count: int
    too_large: bool = False
    refused: str | None = None


class Topics:
    """The topics of one session's producer, which is running."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._there: frozenset[str] = frozenset()
        self._broken: BaseException | None = None

    async def look(self) -> None:
        """See which there are. Raises KafkaError or TimeoutError when no broker tells, and what has
        broken the producer.
        """
        if self._broken is not None:
            raise self._broken
        client = self._producer.client
        async with asyncio.timeout(ANSWER_MS / 1000):
            # All of them: to ask for one by its name may make it, where brokers are set to do so.
            found = await client.fetch_all_metadata()
            there = frozenset(
                topic
                for topic in found.topics()
                if topic.startswith(FEEDS)
                and found.leader_for_partition(TopicPartition(topic, PARTITION)) not in _NO_LEADER
            )
            if there - self._there:
                # At once: else each that is written to for the first time is looked up alone.
                await client.set_topics(there)
        self._there = there

    def has(self, topic: str) -> bool:
        """Whether a topic was there, and could be written to, at the last look."""
        return topic in self._there

    async def write(self, topic: str, records: Sequence[FeedRecord]) -> Written:
        """Write records in order, each after those before it are acknowledged by all replicas that
        must have them.
        """
        count, most = 0, len(records)
        while count < len(records):
            builder = self._producer.create_batch()
            size = _fill(builder, records[count : count + most])
            (error,) = await asyncio.gather(self._send(builder, topic), return_exceptions=True)
            match error:
                case None:
                    count += size
                case _ if isinstance(error, _TOO_LARGE):
                    if size == 1:
                        return Written(count, too_large=True)
                    most = 1
                case _:
                    if not isinstance(error, KafkaError):
                        self._broken = error
                    return Written(count, refused=type(error).__name__)
        return Written(count)

    async def _send(self, builder: BatchBuilder, topic: str) -> None:
        acknowledged = await self._producer.send_batch(builder, topic, partition=PARTITION)
        # What becomes of it once nobody waits any more is no news.
        acknowledged.add_done_callback(_hear)
        await asyncio.wait({acknowledged})
        acknowledged.result()


def producer_of(access: Mapping[str, Any]) -> AIOKafkaProducer:
    """A producer that is not started. What it sends twice is told apart by its position."""
    return AIOKafkaProducer(
        **access,
        acks="all",
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=ANSWER_MS,
        metadata_max_age_ms=60_000,
    )


def _hear(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()


def _fill(builder: BatchBuilder, records: Sequence[FeedRecord]) -> int:
    """Put records into a batch until it is full, one at least; how many."""
    for count, each in enumerate(records):
        put = builder.append(timestamp=None, key=each.key, value=each.value, headers=each.headers)
        if put is None:
            return count
    return len(records)
