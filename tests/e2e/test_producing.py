"""Producing on a real broker that stands still: whoever waits is told, whatever becomes of it; and
what a client of the brokers asks beside.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.kafka import KafkaCluster
from hub.backbone.kafka.producing import Producing
from hub.backbone.kafka.reading import Reading
from hub.backbone.records import Outgoing
from hub.errors import BackboneAway
from hub.kafka import ask_beside, running
from tests.kafka import fresh_topics, watch
from tests.running import PATIENCE

pytestmark = [pytest.mark.backend("kafka"), pytest.mark.timeout(300)]


async def told(
    producing: Producing, begun: asyncio.Event, kafka: KafkaCluster, topic: str
) -> list[type | None]:
    """What those are told that wait when the producer is given up: one's record is under way, the
    other's waits behind it.
    """
    running = asyncio.create_task(producing.run())
    await begun.wait()
    record = Outgoing(topic, 0, b"k", b"{}", [])
    await producing.produce([record])
    kafka.brokers[0].pause()
    try:
        under_way = asyncio.create_task(producing.produce([record]))
        # The lane has taken it up before the next one comes.
        for _ in range(20):
            await asyncio.sleep(0)
        behind = asyncio.create_task(producing.produce([record]))
        await asyncio.sleep(0)
        running.cancel()
        results = await asyncio.gather(under_way, behind, return_exceptions=True)
    finally:
        kafka.brokers[0].resume()
    await asyncio.gather(running, return_exceptions=True)
    return [type(result) for result in results]


def producing_to(kafka: KafkaCluster, begun: asyncio.Event, *, patience: float) -> Producing:
    return Producing(
        make=partial(AIOKafkaProducer, bootstrap_servers=kafka.bootstrap, acks="all"),
        patience=patience,
        rest=partial(asyncio.sleep, 0),
        watch=watch(begun),
    )


def test_whoever_waits_behind_a_batch_that_is_given_up_is_told_so(kafka: KafkaCluster) -> None:
    async def ask(topic: str) -> list[type | None]:
        begun = asyncio.Event()
        producing = producing_to(kafka, begun, patience=PATIENCE)
        return await told(producing, begun, kafka, topic)

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(ask(topics["t"])) == [BackboneAway, BackboneAway]


def test_what_is_delivered_waits_for_brokers_for_which_nobody_else_does(
    kafka: KafkaCluster,
) -> None:
    async def ask(topic: str) -> bool:
        begun = asyncio.Event()
        producing = producing_to(kafka, begun, patience=0)
        record = Outgoing(topic, 0, b"k", b"{}", [])
        # Before the brokers have let anybody in, too.
        first = asyncio.create_task(producing.deliver([record]))
        await asyncio.sleep(0)
        running = asyncio.create_task(producing.run())
        await first
        kafka.brokers[0].pause()
        try:
            delivery = asyncio.create_task(producing.deliver([record]))
            with pytest.raises(BackboneAway):
                await producing.produce([record])
            waits = not delivery.done()
        finally:
            kafka.brokers[0].resume()
        await delivery
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return waits

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(asyncio.wait_for(ask(topics["t"]), PATIENCE))


def test_who_leads_is_told_while_a_fetch_waits_for_news(kafka: KafkaCluster) -> None:
    """On the connection of the fetch the broker would answer that first."""
    ask_beside(partial(asyncio.sleep, 0))

    async def ask(topic: str) -> bool:
        consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, fetch_max_wait_ms=5_000)
        async with running(consumer):
            consumer.assign([TopicPartition(topic, 0)])
            # Nothing is there, so the fetch after the place is known waits.
            await consumer.position(TopicPartition(topic, 0))
            for _ in range(20):
                await asyncio.sleep(0)
            (fetch,) = consumer._fetcher._pending_tasks
            assert await consumer._client.force_metadata_update()
            return not fetch.done()

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(ask(topics["t"]))


@asynccontextmanager
async def both_ends(
    kafka: KafkaCluster, partition: TopicPartition
) -> AsyncIterator[tuple[Reading, AIOKafkaProducer]]:
    """A reader at the beginning of a partition, and who writes to it."""

    async def unheard(_: BaseException) -> None:
        raise AssertionError

    reading = Reading(failed=unheard, bootstrap_servers=kafka.bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    async with running(reading), running(producer):
        reading.assign([partition])
        await reading.position(partition)
        yield reading, producer


def test_a_reader_is_given_something_and_not_told_that_there_is_nothing(
    kafka: KafkaCluster,
) -> None:
    async def ask(topic: str) -> list[bytes]:
        partition = TopicPartition(topic, 0)
        async with both_ends(kafka, partition) as (reading, producer):
            given = asyncio.create_task(reading.getmany(timeout_ms=1))
            # It is told nothing once a fetch came back empty, too.
            await reading._client.force_metadata_update()
            assert not given.done()
            await producer.send_and_wait(topic, b"there", partition=0)
            return [record.value for record in (await given)[partition]]

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(ask(topics["t"])) == [b"there"]


def test_what_comes_while_a_reader_works_is_there_at_once(kafka: KafkaCluster) -> None:
    """A fetch of what came first would keep the rest for a third one."""

    async def ask(topic: str) -> list[list[bytes]]:
        partition = TopicPartition(topic, 0)
        async with both_ends(kafka, partition) as (reading, producer):
            given = []
            for meanwhile in ([b"1"], [b"2", b"3", b"4"]):
                for value in meanwhile:
                    await producer.send_and_wait(topic, value, partition=0)
                given.append([r.value for r in (await reading.getmany(timeout_ms=1))[partition]])
            return given

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(ask(topics["t"])) == [[b"1"], [b"2", b"3", b"4"]]
