"""A Kafka that tests share, topics that are theirs alone, and what they ask it."""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import KafkaCluster, running


@contextmanager
def shared_cluster() -> Iterator[KafkaCluster]:
    """One broker that asks for no password, in a folder of its own that is gone afterwards."""
    with (
        TemporaryDirectory(prefix="guantong-kafka-") as folder,
        running(Path(folder), session_timeout_ms=3_000) as cluster,
    ):
        yield cluster


@asynccontextmanager
async def administrator(
    cluster: KafkaCluster, **security: Any
) -> AsyncIterator[AIOKafkaAdminClient]:
    """Who makes topics."""
    client = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap, **security)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def fresh_topics(
    cluster: KafkaCluster, partitions: Mapping[str, int], *, replicas: int = 1
) -> AsyncIterator[Mapping[str, str]]:
    """Topics under names of their own, by the names that a test knows; gone with the block."""
    mark = secrets.token_hex(4)
    names = {name: f"test-{mark}.{name}" for name in partitions}
    async with administrator(cluster) as admin:
        answer = await admin.create_topics(
            [NewTopic(names[name], count, replicas) for name, count in partitions.items()]
        )
        refused = [error for error in answer.topic_errors if error[1]]
        assert refused == []
        try:
            yield names
        finally:
            await admin.delete_topics(list(names.values()))
