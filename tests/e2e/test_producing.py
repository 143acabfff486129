"""Producing on a real broker that stands still: whoever waits is told, whatever becomes of it."""

import asyncio
from functools import partial

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.kafka import KafkaCluster
from hub.backbone.kafka.producing import Producing
from hub.backbone.records import Outgoing
from hub.errors import BackboneAway
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


def test_whoever_waits_behind_a_batch_that_is_given_up_is_told_so(kafka: KafkaCluster) -> None:
    async def ask(topic: str) -> list[type | None]:
        make = partial(AIOKafkaProducer, bootstrap_servers=kafka.bootstrap, acks="all")
        begun = asyncio.Event()
        producing = Producing(
            make=make,
            patience=PATIENCE,
            rest=partial(asyncio.sleep, 0),
            watch=watch(begun),
        )
        return await told(producing, begun, kafka, topic)

    with fresh_topics(kafka, {"t": 1}) as topics:
        assert asyncio.run(ask(topics["t"])) == [BackboneAway, BackboneAway]
