"""What three brokers say of themselves, and a producer of an agency's own that sends to them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from deploy.local.kafka import Broker, KafkaCluster
from hub.app.brokers import topics
from hub.backbone.records import topic_of
from hub.database.offsets import Lane
from hub.intake.kafkasessions import GROUP
from tests.doors import DOCUMENT
from tests.faults.parcels import Parcel
from tests.kafka import ask, for_confluent
from tests.running import PATIENCE
from tests.sample import PETITION

PARTITIONS: Final = 2
# What is published here comes there.
SHARED: Final = topic_of("petition")
SENT: Final = f"intake.{PETITION}"
ANSWERS: Final = f"rejected.{PETITION}"
TOPICS: Final = {topic: PARTITIONS for topic in (*topics(), SENT)} | {ANSWERS: 1}


@dataclass(frozen=True)
class Brokers:
    """The brokers, with the topics that a hub needs."""

    kafka: KafkaCluster

    def make_topics(self) -> None:
        """As the hub's administrator would."""
        made = [NewTopic(topic, count, len(self.kafka.brokers)) for topic, count in TOPICS.items()]
        ask(self.kafka, lambda admin: admin.create_topics(made))

    def leader(self, partition: int, *, told_by: Broker) -> Broker | None:
        """Who leads a partition of what is shared, as a broker tells; None while nobody does."""
        number = self._metadata(told_by).topics[SHARED].partitions[partition].leader
        return next((each for each in self.kafka.brokers if each.number == number), None)

    def others(self, broker: Broker) -> list[Broker]:
        """All but one."""
        return [each for each in self.kafka.brokers if each is not broker]

    def are_whole(self) -> bool:
        """Whether all brokers tell that every partition is led, and all of them have it."""
        told = [self._metadata(broker).topics for broker in self.kafka.brokers]
        return all(
            partition.leader > 0 and len(partition.isrs) == len(self.kafka.brokers)
            for found in told
            for topic in TOPICS
            for partition in found[topic].partitions.values()
        )

    def ends(self) -> dict[Lane, int]:
        """How far the hub's own topics reach."""
        return {lane: end for lane, end in self._ends(topics()).items() if end}

    def have_admitted(self) -> bool:
        """Whether the doors are through with all that was sent."""
        (group,) = ask(
            self.kafka,
            lambda admin: admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)]),
        )
        done = {Lane(each.topic, each.partition): each.offset for each in group.topic_partitions}
        return all(done.get(lane, 0) >= end for lane, end in self._ends([SENT]).items())

    def _ends(self, of: Iterable[str]) -> dict[Lane, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, n): latest for topic in of for n in range(PARTITIONS)}
        found = ask(self.kafka, lambda admin: admin.list_offsets(asked))
        return {
            Lane(each.topic, each.partition): end.offset
            for each, end in zip(asked, found, strict=True)
        }

    def _metadata(self, told_by: Broker) -> Any:
        reached = {**for_confluent(self.kafka), "bootstrap.servers": told_by.address}
        return AdminClient(reached).list_topics(timeout=PATIENCE)


@dataclass
class Agency:
    """An agency's producer, and what it is told of what was refused."""

    producer: Producer
    answers: Consumer
    _refused: set[str] = field(default_factory=set)

    def send(self, parcel: Parcel) -> None:
        """Return when the brokers have all of it."""
        errors: list[object] = []

        def delivered(error: object, _message: Message) -> None:
            if error is not None:
                errors.append(error)

        for event in parcel.events:
            document = json.dumps(event, ensure_ascii=False).encode()
            key = event["data"]["petitionid"].encode()
            self.producer.produce(SENT, document, key, on_delivery=delivered, headers=[*DOCUMENT])
        assert self.producer.flush(PATIENCE) == 0, f"not taken within {PATIENCE} s"
        assert not errors, errors

    def refused(self) -> set[str]:
        """The events that it has been told of so far, by id."""
        whole = TopicPartition(ANSWERS, 0)
        _, end = self.answers.get_watermark_offsets(whole, timeout=PATIENCE)
        while self._next() < end:
            for message in self.answers.consume(1000, timeout=1):
                assert message.error() is None, message.error()
                self._refused.add(json.loads(message.value() or b"")["id"])
        return self._refused

    def _next(self) -> int:
        (place,) = self.answers.position([TopicPartition(ANSWERS, 0)])
        return max(0, place.offset)

    def close(self) -> None:
        """It sends and reads no more."""
        self.answers.close()


def agency(kafka: KafkaCluster) -> Agency:
    """An agency that waits for its brokers as long as need be."""
    reached = for_confluent(kafka)
    producer = Producer(
        {
            **reached,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.timeout.ms": PATIENCE * 1000,
            # By itself it waits a minute for a broker that has fallen silent.
            "socket.timeout.ms": 10_000,
            "reconnect.backoff.max.ms": 500,
        }
    )
    answers = Consumer({**reached, "group.id": f"{PETITION}:refusals"})
    answers.assign([TopicPartition(ANSWERS, 0, OFFSET_BEGINNING)])
    return Agency(producer, answers)
