"""Doors that are topics of Kafka: an agency's own producer, and the answers that it gets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from deploy.local.kafka import KafkaCluster
from tests.kafka import admin_of, ask, for_confluent
from tests.running import PATIENCE, STRUCTURED

Headers = Sequence[tuple[str, bytes | None]]
DOCUMENT: Headers = [("content-type", STRUCTURED.encode())]


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


@dataclass
class Doors:
    """Topics `intake.<agency>`, of two partitions, and `rejected.<agency>` where there is one."""

    cluster: KafkaCluster
    producer: Producer
    answers: Consumer
    _read: dict[Place, list[Message]] = field(default_factory=dict)

    def send(
        self,
        agency: str,
        value: bytes | None,
        headers: Headers = DOCUMENT,
        *,
        key: bytes | None = None,
        partition: int = 0,
    ) -> Place:
        """Write a record; where it stands once the brokers have it."""
        (place,) = self.send_all(agency, [value], headers, key=key, partition=partition)
        return place

    def publish(self, agency: str, *events: Mapping[str, Any], partition: int = 0) -> list[Place]:
        """Write events, a structured record each."""
        documents = [json.dumps(event, ensure_ascii=False).encode() for event in events]
        return self.send_all(agency, documents, DOCUMENT, partition=partition)

    def send_all(
        self,
        agency: str,
        values: Sequence[bytes | None],
        headers: Headers,
        *,
        key: bytes | None = None,
        partition: int = 0,
    ) -> list[Place]:
        """Write records, one after another."""
        places: list[Place] = []

        def delivered(error: object, message: Message) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None and offset is not None
            places.append(Place(str(message.topic()), partition, offset))

        for value in values:
            self.producer.produce(
                f"intake.{agency}",
                value,
                key,
                partition,
                on_delivery=delivered,
                headers=[*headers],
            )
        assert self.producer.flush(PATIENCE) == 0
        assert len(places) == len(values)
        return sorted(places)

    def answer_to(self, place: Place) -> Message:
        """The first answer to a record, once it is there."""
        while place not in self._read:
            message = self.answers.poll(PATIENCE)
            assert message is not None and message.error() is None, "no answer came"
            told: dict[str, Any] = dict(message.headers() or ())
            of = Place(told["topic"].decode(), int(told["partition"]), int(told["offset"]))
            self._read.setdefault(of, []).append(message)
        return self._read[place][0]

    def result_of(self, place: Place) -> dict[str, Any]:
        """What the answer to a record says."""
        result: dict[str, Any] = json.loads(self.answer_to(place).value() or b"")
        return result


@contextmanager
def doors(cluster: KafkaCluster, *agencies: str, strangers: Sequence[str] = ()) -> Iterator[Doors]:
    """The doors of agencies, and of strangers who have no topic for answers; gone afterwards."""
    common = for_confluent(cluster, admin_of(cluster))
    intake = [NewTopic(f"intake.{agency}", 2, 1) for agency in (*agencies, *strangers)]
    rejected = [f"rejected.{agency}" for agency in agencies]
    made = [*intake, *(NewTopic(topic, 1, 1) for topic in rejected)]
    ask(cluster, lambda admin: admin.create_topics(made))
    answers = Consumer({**common, "group.id": "of no account"})
    answers.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in rejected])
    try:
        yield Doors(cluster, Producer({**common, "linger.ms": 5}), answers)
    finally:
        answers.close()
        ask(cluster, lambda admin: admin.delete_topics([topic.topic for topic in made]))
