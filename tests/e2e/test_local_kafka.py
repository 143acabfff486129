"""The Kafka of `deploy.local`: it keeps what it has acknowledged and leaves nothing behind."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.kafka import KafkaCluster
from tests.kafka import fresh_topics


async def test_a_killed_broker_comes_back_with_what_it_has_acknowledged(
    kafka: KafkaCluster,
) -> None:
    (broker,) = kafka.brokers
    async with fresh_topics(kafka, {"kept": 1}) as topics:
        await send(kafka, topics["kept"], b"one")
        before = broker.pid
        broker.kill()
        broker.start()
        await send(kafka, topics["kept"], b"two")
        assert await records(kafka, topics["kept"], 2) == [b"one", b"two"]
    assert broker.pid != before


async def send(cluster: KafkaCluster, topic: str, value: bytes) -> None:
    """Write a record that every replica in sync has when this returns."""
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def records(cluster: KafkaCluster, topic: str, count: int) -> list[bytes | None]:
    """The first records of a topic."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]
