"""Producing: records acknowledged by all brokers that must have them, in order in each partition.

Whatever waited while a partition's last batch was under way goes into its next together: a lone
record waits for nobody, many share a batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from hub.backbone.kafka.watch import Watch
from hub.backbone.records import Outgoing
from hub.database.offsets import Lane
from hub.errors import BackboneAway

# Of a batch: what a broker takes at once.
BATCH_BYTES: Final = 1_000_000
# What the client gives up by itself, milliseconds; a leader that died is replaced by then.
REQUEST_MS: Final = 10_000
_CLOSING_SECONDS: Final = 2.0
# A topic that was not made, or not for us, is no fault of the producer's.
_OF_THE_LANE: Final = (UnknownTopicOrPartitionError, TopicAuthorizationFailedError)


class Producing:
    """Produces as long as it runs, through a producer that is made anew when it fails.

    `make` gives a producer that is not started. A request waits `patience` seconds; then the
    brokers count as away, for as long again, to those that come after it.
    """

    def __init__(
        self,
        *,
        make: Callable[[], AIOKafkaProducer],
        patience: float,
        rest: Callable[[], Awaitable[None]],
        watch: Watch,
    ) -> None:
        self._make = make
        self._patience = patience
        self._rest = rest
        self._watch = watch
        self._lanes: _Lanes | None = None
        self._let_in = asyncio.Event()
        self._failed = asyncio.Event()
        self._away_until = 0.0

    @property
    def connected(self) -> bool:
        """Whether the brokers have let this process in."""
        return self._lanes is not None

    @property
    def away(self) -> bool:
        """Whether a request that comes now would wait in vain, as far as is known."""
        return self._lanes is None or asyncio.get_running_loop().time() < self._away_until

    async def produce(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged.

        Raises BackboneAway when that is not known in time: some may have been produced, or may yet
        be.
        """
        lanes = self._lanes
        if lanes is None or self.away:
            raise BackboneAway(retry_after=1)
        await self._acknowledged(records, lanes, within=self._patience)

    async def deliver(self, records: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged, however long the brokers are away.

        Raises BackboneAway when that will not be known: they are to be delivered again.
        """
        while (lanes := self._lanes) is None:
            await self._let_in.wait()
        await self._acknowledged(records, lanes, within=None)

    async def _acknowledged(
        self, records: Sequence[Outgoing], lanes: "_Lanes", *, within: float | None
    ) -> None:
        request, loop = lanes.add(records), asyncio.get_running_loop()
        late = None if within is None else loop.call_later(within, request.end)
        try:
            await request.ended
        finally:
            if late is not None:
                late.cancel()
        if request.under_way or request.lost:
            if not self.away:
                self._watch.unacknowledged(len(records), reasons=sorted(request.reasons))
            self._away_until = loop.time() + self._patience
            raise BackboneAway(retry_after=1)

    async def run(self) -> None:
        """Have a producer, until cancelled."""
        while True:
            producer = self._make()
            try:
                await producer.start()
                self._failed.clear()
                self._lanes = _Lanes(producer, failed=self._fail, watch=self._watch)
                self._let_in.set()
                self._watch.begun("producer")
                await self._failed.wait()
            except (KafkaError, OSError) as error:
                await self._watch.ended("producer", error)
            finally:
                self._let_in.clear()
                self._lanes, lanes = None, self._lanes
                if lanes is not None:
                    lanes.end()
                await _closed(producer)
            await self._rest()

    def _fail(self, error: BaseException) -> None:
        """A batch is lost to its producer, which may not be trusted with the next."""
        if not self._failed.is_set():
            self._watch.replaced(error)
            self._failed.set()


class _Lanes:
    """The lanes of one producer."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        *,
        failed: Callable[[BaseException], None],
        watch: Watch,
    ) -> None:
        self._producer = producer
        self._failed = failed
        self._watch = watch
        self._lanes: dict[tuple[str, int], _Lane] = {}

    def add(self, records: Sequence[Outgoing]) -> "_Request":
        """Have records under way."""
        request = _Request()
        for record in records:
            # A lane is equal to its parts, and these are quicker made.
            found = self._lanes.get((record.topic, record.partition))
            if found is None:
                lane = Lane(record.topic, record.partition)
                found = self._lanes[lane] = _Lane(
                    lane, self._producer, failed=self._failed, watch=self._watch
                )
            found.add(record, request)
        return request

    def end(self) -> None:
        """Let go who waits."""
        for lane in self._lanes.values():
            lane.end()


class _Request:
    """Records for whose acknowledgement somebody waits until `ended` is done: how many batches with
    some of them are `under_way` still, whether one is `lost`, and the reasons where there are any.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.under_way = 0
        self.lost = False
        self.reasons: set[str] = set()

    def acknowledged(self) -> None:
        """A batch is."""
        self.under_way -= 1
        if not self.under_way:
            self.end()

    def give_up(self, why: BaseException | None) -> None:
        """Of a batch nothing will be known."""
        self.lost = True
        if why is not None:
            self.reasons.add(type(why).__name__)
        self.acknowledged()

    def end(self) -> None:
        """Nobody waits any longer."""
        if not self.ended.done():
            self.ended.set_result(None)


class _Batch:
    def __init__(self, builder: BatchBuilder) -> None:
        self.builder = builder
        self.requests: list[_Request] = []

    def holds_some_of(self, request: _Request) -> None:
        """The record that was put into it last is a request's, as those before it may be."""
        if not self.requests or self.requests[-1] is not request:
            self.requests.append(request)
            request.under_way += 1

    def acknowledged(self) -> None:
        """Tell who waits."""
        for request in self.requests:
            request.acknowledged()

    def give_up(self, why: BaseException | None = None) -> None:
        """Tell who waits that nothing is known."""
        for request in self.requests:
            request.give_up(why)


class _Lane:
    """One partition's batches, one after the other."""

    def __init__(
        self,
        lane: Lane,
        producer: AIOKafkaProducer,
        *,
        failed: Callable[[BaseException], None],
        watch: Watch,
    ) -> None:
        self._lane = lane
        self._producer = producer
        self._failed = failed
        self._watch = watch
        self._waiting: deque[_Batch] = deque()
        self._sending: asyncio.Task[None] | None = None

    def add(self, record: Outgoing, request: _Request) -> None:
        if not self._waiting or not _put(record, self._waiting[-1].builder):
            self._waiting.append(_Batch(self._producer.create_batch()))
            if not _put(record, self._waiting[-1].builder):
                raise ValueError("a record larger than a batch")
        self._waiting[-1].holds_some_of(request)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    def end(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        for batch in self._waiting:
            batch.give_up()

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self._acknowledged(self._waiting.popleft())
        finally:
            self._sending = None

    async def _acknowledged(self, batch: _Batch) -> None:
        try:
            batch.builder.close()
            topic, partition = self._lane
            delivery = await self._producer.send_batch(batch.builder, topic, partition=partition)
            await delivery
            self._watch.produced(topic, batch.builder.record_count())
        except BaseException as error:
            batch.give_up(error)
            if not isinstance(error, Exception):
                raise
            if not isinstance(error, _OF_THE_LANE):
                self._failed(error)
        else:
            if self._waiting:
                # Those who waited have much to do: the next batch is to be with the brokers first.
                asyncio.get_running_loop().call_soon(batch.acknowledged)
            else:
                batch.acknowledged()


def _put(record: Outgoing, builder: BatchBuilder) -> Any:
    """Put a record into a batch, if there is room."""
    return builder.append(
        key=record.key, value=record.value, timestamp=None, headers=record.headers
    )


async def _closed(producer: AIOKafkaProducer) -> None:
    """Close it; what it still holds has been given up."""
    with suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(_CLOSING_SECONDS):
            await producer.stop()
