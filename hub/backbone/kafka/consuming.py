"""Consuming: what doors have produced is registered, stretch by stretch, by whoever has the shard.

Where to go on says the database. The group's offsets follow it, for those who watch it with Kafka's
tools, and for where a reader begins that has not asked yet.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka import TopicPartition as Partition
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from hub.backbone.kafka.reading import Reading
from hub.backbone.kafka.watch import Watch
from hub.backbone.records import Record
from hub.backbone.stretches import Behind, Stretch, Stretched, Stretches
from hub.database import offsets
from hub.database.offsets import Lane
from hub.database.writer import Writer
from hub.errors import HubError
from hub.journal.register import REGISTERING, Registration

GROUP: Final = "guantong.registrars"
# Of one round.
MOST_RECORDS: Final = 1_000
# A broker that has fallen silent is given up after that, milliseconds.
FETCH_MS: Final = 3_000
# One that has nothing new says so after that, milliseconds: until then it is not asked for what it
# has begun to lead.
NEWS_MS: Final = 100
# aiokafka tells no types.
Raw = Any


class Consuming:
    """Registers as long as it runs. `registered` is told of each registration once it is
    committed. A round takes as long as `apart` at least, since what waits meanwhile makes the next
    one no dearer.
    """

    def __init__(
        self,
        *,
        broker: Callable[..., KafkaBroker],
        lanes: Sequence[Lane],
        writer: Writer,
        stretches: Stretches,
        registered: Callable[[Registration], None],
        watch: Watch,
        rest: Callable[[], Awaitable[None]],
        apart: Callable[[], Awaitable[None]],
    ) -> None:
        self._broker = broker
        self._lanes = lanes
        self._writer = writer
        self._stretches = stretches
        self._registered = registered
        self._watch = watch
        self._rest = rest
        self._apart = apart
        self._next: dict[Lane, int] = {}
        self._sought: dict[Lane, int] = {}

    async def run(self) -> None:
        """Register what is there and what comes, until cancelled."""
        while True:
            heard = _Heard()
            broker = self._broker(logger=heard)
            subscriber = self._subscribe(broker)
            try:
                await broker.connect()
                self._read_past_all(broker)
                await broker.start()
                self._watch.begun("registrar")
                await self._follow(subscriber.consumer, heard)
            except (KafkaError, OSError) as error:
                await self._watch.ended("registrar", error)
            finally:
                await broker.stop()
            await self._rest()

    async def _follow(self, consumer: AIOKafkaConsumer, heard: "_Heard") -> None:
        """Let the group's offsets follow what is registered. Raises what keeps it from reading."""
        told: dict[Lane, int] = {}
        while True:
            await self._rest()
            if heard.error is not None:
                raise heard.error
            news = dict(self._next.items() - told.items())
            with suppress(KafkaError):
                if news:
                    await consumer.commit({TopicPartition(*lane): n for lane, n in news.items()})
                    told |= news

    def _read_past_all(self, broker: KafkaBroker) -> None:
        """Have a broker that has connected make consumers that no record stops."""
        config = broker.config.broker_config
        made: Any = config.builder
        failed = partial(self._watch.ended, "registrar")
        config.builder = partial(Reading, failed=failed, **made.keywords)

    def _subscribe(self, broker: KafkaBroker) -> BatchSubscriber:
        subscriber = broker.subscriber(
            partitions=[Partition(*lane, declare=False) for lane in self._lanes],
            group_id=GROUP,
            batch=True,
            max_records=MOST_RECORDS,
            fetch_max_wait_ms=NEWS_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            parser=_parsed,
            decoder=_decoded,
        )

        # It may take the message alone, and must not raise: nobody would hear of that.
        async def handle(message: KafkaMessage) -> None:
            round_ = self._take(_records(message), of=subscriber.consumer)
            await asyncio.gather(round_, self._apart())

        subscriber(handle)
        return subscriber

    async def _take(self, records: Mapping[Lane, Sequence[Raw]], *, of: AIOKafkaConsumer) -> None:
        """Register records, or have them fetched anew from where the database says."""
        while True:
            try:
                stretches = await self._stretched(records, of=of)
                if stretches:
                    self._tell(stretches, await self._register(stretches))
                return
            except Behind:
                self._watch.behind()
                self._next.clear()
            except HubError:
                await self._rest()
            except Exception as error:
                # Nobody else would tell; and what is not registered must not be passed over.
                self._watch.failed(error)
                await self._rest()

    async def _stretched(
        self, records: Mapping[Lane, Sequence[Raw]], *, of: AIOKafkaConsumer
    ) -> list[Stretch]:
        """What of the records is not registered yet."""
        new = [lane for lane in records if lane not in self._next]
        if new:
            self._next |= await self._writer.submit(partial(offsets.begin, lanes=new))
        stretches = []
        for lane, raw in records.items():
            next_ = self._next[lane]
            if raw[0].offset > next_ and self._sought.get(lane) != next_:
                # Where nothing is nearer still after that, nothing is there any more.
                self._sought[lane] = next_
                of.seek(TopicPartition(*lane), next_)
                continue
            fresh = [_record(each) for each in raw if each.offset >= next_]
            if not fresh:
                continue
            if missed := fresh[0].offset - next_:
                self._watch.lost(lane, missed, first=next_)
            stretches.append(Stretch(lane, next_, fresh))
        return stretches

    async def _register(self, stretches: Sequence[Stretch]) -> Stretched:
        work = partial(self._stretches.register, stretches=stretches)
        return await self._writer.submit(work, locks=REGISTERING)

    def _tell(self, stretches: Sequence[Stretch], done: Stretched) -> None:
        self._next |= done.next
        for registration in done.registrations:
            self._registered(registration)
        self._watch.settled(stretches, done)


class _Heard:
    """A log of FastStream's, for it tells nobody else why it gets nothing: a right that was taken
    away, say. It would go on by itself, but with five seconds' rest for each partition.
    """

    def __init__(self) -> None:
        self.error: KafkaError | None = None

    def log(
        self,
        _level: int,
        _message: Any,
        /,
        *,
        exc_info: Any = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(exc_info, KafkaError):
            self.error = exc_info


async def _parsed(records: tuple[Raw, ...]) -> KafkaMessage:
    """The records as they are: a header may hold anything."""
    first, last = records[0], records[-1]
    return KafkaMessage(
        raw_message=records,
        body=b"",
        message_id=f"{first.topic}-{first.offset}-{last.offset}",
        consumer=None,  # type: ignore[arg-type]
    )


async def _decoded(message: KafkaMessage) -> KafkaMessage:
    return message


def _records(message: KafkaMessage) -> dict[Lane, list[Raw]]:
    """By their lane, in order."""
    raw: Sequence[Raw] = message.raw_message
    by_lane: dict[Lane, list[Raw]] = defaultdict(list)
    for each in raw:
        by_lane[Lane(each.topic, each.partition)].append(each)
    return by_lane


def _record(raw: Raw) -> Record:
    return Record(raw.offset, raw.key or b"", raw.value or b"", raw.headers)
