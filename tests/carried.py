"""Brokers for hubs whose events travel over Kafka: each has one for itself as long as it lasts."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic, OffsetSpec

from contracts.catalogue import load_catalogue
from deploy.local.kafka import KafkaCluster
from tests.kafka import ask, shared_cluster
from tests.postgres import connected


@dataclass
class Brokers:
    """Single brokers that hold the topics of the backbone, of one partition each."""

    _running: ExitStack
    _free: list[tuple[KafkaCluster, Path]] = field(default_factory=list)

    def take(self, directory: Path) -> tuple[KafkaCluster, bool]:
        """One that no hub has, for the hub of a directory; whether it is another than before."""
        for place, (broker, last) in enumerate(self._free):
            if last == directory:
                del self._free[place]
                return broker, False
        if self._free:
            return self._free.pop()[0], True
        made = self._running.enter_context(shared_cluster())
        wanted = [NewTopic(topic, 1, 1) for topic in topics()]
        ask(made, lambda admin: admin.create_topics(wanted))
        return made, True

    def give_back(self, broker: KafkaCluster, directory: Path) -> None:
        """The hub of a directory has ended; its broker is free for another."""
        self._free.append((broker, directory))


def topics() -> list[str]:
    """Those of the backbone."""
    return sorted({f"share.{contract.family}" for contract in load_catalogue()})


@contextmanager
def brokers() -> Iterator[Brokers]:
    """Brokers that are started when they are needed, and stopped with the block."""
    with ExitStack() as running:
        yield Brokers(running)


def begin_here(broker: KafkaCluster, database: str) -> None:
    """Have a new hub register what is written from now on: its topics were another's before."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    lanes = {TopicPartition(topic, 0): latest for topic in topics()}
    found = ask(broker, lambda admin: admin.list_offsets(lanes))
    ends = [(lane.topic, 0, end.offset) for lane, end in zip(lanes, found, strict=True)]

    async def write() -> None:
        async with connected(database) as connection:
            await connection.executemany(
                "INSERT INTO offsets VALUES ($1, $2, $3)"
                " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next",
                ends,
            )

    asyncio.run(write())
