"""Kafka between the doors and the journal, against its bare client on the same servers."""

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter, time_ns
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faststream.kafka import KafkaBroker

from deploy.local.kafka import running as running_kafka
from deploy.local.postgres import running as running_postgres
from hub.app.overkafka import APART_SECONDS
from hub.backbone.kafka.consuming import MOST_RECORDS, Consuming
from hub.backbone.kafka.producing import BATCH_BYTES, Producing
from hub.backbone.records import Outgoing, Record, outgoing
from hub.backbone.stretches import Stretch, Stretches
from hub.database import offsets
from hub.database.offsets import Lane
from hub.journal.register import REGISTERING, Registrar, Registration
from tests.bench.journal import Journal, admitted
from tests.bench.measure import report
from tests.bench.postgres import journal_on
from tests.kafka import make_topics, watch

PARTITIONS = 1
ROUNDS = 7
REQUESTS = 160
EACH = 100
CONNECTIONS = 16
TOPIC = "share.petition"


@dataclass
class Bare:
    """aiokafka's client: batches as large as they may be, to each partition one after another."""

    producer: AIOKafkaProducer

    async def produce(self, records: Sequence[Outgoing]) -> None:
        lanes: dict[int, list[Outgoing]] = {}
        for record in records:
            lanes.setdefault(record.partition, []).append(record)
        await asyncio.gather(*(self._produce(n, lane) for n, lane in lanes.items()))

    async def _produce(self, partition: int, records: Sequence[Outgoing]) -> None:
        builder = self.producer.create_batch()
        for record in records:
            if not _put(record, builder):
                await self._send(builder, partition)
                builder = self.producer.create_batch()
                _put(record, builder)
        await self._send(builder, partition)

    async def _send(self, builder: Any, partition: int) -> None:
        builder.close()
        await (await self.producer.send_batch(builder, TOPIC, partition=partition))


def _put(record: Outgoing, builder: Any) -> Any:
    return builder.append(
        key=record.key, value=record.value, timestamp=None, headers=record.headers
    )


@asynccontextmanager
async def bare(bootstrap: str) -> AsyncIterator[Bare]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    await producer.start()
    try:
        yield Bare(producer)
    finally:
        await producer.stop()


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[Producing]:
    """The hub's own, once it is let in."""
    made = Producing(
        make=partial(
            AIOKafkaProducer,
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
        ),
        patience=60.0,
        rest=partial(asyncio.sleep, 0.1),
        watch=watch(begun := asyncio.Event()),
    )
    task = asyncio.create_task(made.run())
    await begun.wait()
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait({task})


async def produced(bootstrap: str) -> bool:
    """Events of 160 requests, 16 under way at a time, against their records in full batches."""
    figures: list[tuple[float, float]] = []
    async with bare(bootstrap) as reference, producing(bootstrap) as ours:

        async def publish(requests: Sequence[Sequence[Any]]) -> None:
            for events in requests:
                await ours.produce([outgoing(e, partitions=PARTITIONS) for e in events])

        for number in range(ROUNDS + 1):
            events = admitted(range(REQUESTS * EACH), series=f"p{number}")
            requests = [events[n : n + EACH] for n in range(0, len(events), EACH)]
            records = [outgoing(e, partitions=PARTITIONS) for e in events]
            started = perf_counter()
            await asyncio.gather(*(publish(requests[n::CONNECTIONS]) for n in range(CONNECTIONS)))
            halfway = perf_counter()
            await reference.produce(records)
            ended = perf_counter()
            figures.append((len(events) / (halfway - started), len(events) / (ended - halfway)))
    return report(
        "events of requests of 100 produced / their records by bare send_batch",
        ours=[own for own, _ in figures[1:]],
        reference=[alone for _, alone in figures[1:]],
        goal=0.85,
        unit="events/s",
    )


@dataclass
class Counted:
    """How many events were registered, and when those that are waited for are."""

    events: int = 0
    wanted: int = 0
    there: asyncio.Event = field(default_factory=asyncio.Event)

    def registered(self, registration: Registration) -> None:
        self.events += len(registration.outcomes)
        if self.events >= self.wanted:
            self.there.set()

    async def all_of(self, count: int) -> None:
        self.wanted += count
        if self.events < self.wanted:
            self.there.clear()
            await self.there.wait()


def stretches_of(on: Journal) -> Stretches:
    return Stretches(
        registrar=Registrar(policies=on.policies, clock=lambda: time_ns() // 1000),
        failed=on.watch.errors.append,
        clock=lambda: time_ns() // 1000,
    )


@asynccontextmanager
async def registrar(bootstrap: str, on: Journal, lanes: Sequence[Lane]) -> AsyncIterator[Counted]:
    """The hub's own registrar on a journal; what it has registered."""
    counted = Counted()
    consuming = Consuming(
        broker=partial(
            KafkaBroker,
            bootstrap,
            apply_types=False,
            consumer_only=True,
            allow_auto_create_topics=False,
        ),
        lanes=lanes,
        writer=on.writer,
        stretches=stretches_of(on),
        registered=counted.registered,
        watch=watch(asyncio.Event()),
        rest=partial(asyncio.sleep, 1),
        apart=partial(asyncio.sleep, APART_SECONDS),
    )
    task = asyncio.create_task(consuming.run())
    try:
        yield counted
    finally:
        task.cancel()
        await asyncio.wait({task})


async def by_getmany(
    consumer: AIOKafkaConsumer,
    on: Journal,
    stretches: Stretches,
    next_: dict[Lane, int],
    least: int,
) -> int:
    """So many of the same records, by the bare client to the same writer; how many it were."""
    count = 0
    while count < least:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=MOST_RECORDS)
        if not fetched:
            continue
        read = [
            Stretch(
                Lane(*lane),
                next_[Lane(*lane)],
                [Record(r.offset, r.key, r.value, r.headers) for r in records],
            )
            for lane, records in fetched.items()
        ]
        done = await on.writer.submit(
            partial(stretches.register, stretches=read), locks=REGISTERING
        )
        next_ |= done.next
        count += sum(len(each.records) for each in read)
    return count


async def registered(bootstrap: str, ours: Journal, other: Journal) -> bool:
    """What waits in the topic, registered by the hub's consumer and by bare `getmany`."""
    lanes = [Lane(TOPIC, n) for n in range(PARTITIONS)]
    figures: list[tuple[float, float]] = []
    count = REQUESTS * EACH
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(bare(bootstrap))
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        consumer.assign([TopicPartition(*lane) for lane in lanes])
        ends = await consumer.end_offsets([TopicPartition(*lane) for lane in lanes])
        next_ = {Lane(*lane): end for lane, end in ends.items()}
        for lane, end in ends.items():
            consumer.seek(lane, end)
        for on in (ours, other):
            await on.writer.submit(partial(_begin_at, next_=next_))
        stretches = stretches_of(other)
        for number in range(ROUNDS + 1):
            events = admitted(range(count), series=f"r{number}")
            await producer.produce([outgoing(e, partitions=PARTITIONS) for e in events])
            async with registrar(bootstrap, ours, lanes) as counted:
                # From the first that it registers on: to be let in is not what is measured.
                await counted.all_of(1)
                first, started = counted.events, perf_counter()
                await counted.all_of(count - 1)
                own = (count - first) / (perf_counter() - started)
            first = await by_getmany(consumer, other, stretches, next_, 1)
            started = perf_counter()
            await by_getmany(consumer, other, stretches, next_, count - first)
            figures.append((own, (count - first) / (perf_counter() - started)))
    assert not ours.watch.errors + other.watch.errors
    return report(
        "events registered from Kafka / by bare getmany and the same writer",
        ours=[own for own, _ in figures[1:]],
        reference=[alone for _, alone in figures[1:]],
        goal=0.9,
        unit="events/s",
    )


def _begin_at(connection: Any, next_: dict[Lane, int]) -> None:
    offsets.begin(connection, next_)
    offsets.move(connection, [offsets.Move(*lane, 0, end) for lane, end in next_.items() if end])


def run() -> bool:
    gc.freeze()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_postgres(folder / "postgres"))
        kafka = stack.enter_context(running_kafka(folder / "kafka"))
        bootstrap = kafka.bootstrap
        asyncio.run(make_topics(bootstrap, partitions=PARTITIONS))
        quick = asyncio.run(produced(bootstrap))
        ours = stack.enter_context(journal_on(server, "ours"))
        other = stack.enter_context(journal_on(server, "other"))
        return asyncio.run(registered(bootstrap, ours, other)) and quick
