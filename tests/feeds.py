"""Feeds that are topics of Kafka, and an agency's own client that reads them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from deploy.local.kafka import KafkaCluster
from tests.kafka import admin_of, ask, for_confluent
from tests.running import PATIENCE


@dataclass(frozen=True)
class Read:
    """A record as it was read: its key, the attributes that its headers are, its value."""

    key: bytes | None
    attributes: Mapping[str, str]
    media: str
    value: bytes

    @property
    def id(self) -> str:
        return self.attributes["id"]

    @property
    def position(self) -> int:
        """The number of its place in the journal."""
        return int(self.attributes["hubposition"].rpartition("-")[2])

    @property
    def data(self) -> Any:
        return json.loads(self.value)


@dataclass
class Feeds:
    """Topics `feed.<agency>.<subscription>`, one partition each."""

    cluster: KafkaCluster
    _made: set[str] = field(default_factory=set)

    def make(self, agency: str, *ids: str, **settings: str) -> None:
        """Make topics, which are gone afterwards."""
        named = {name.replace("_", "."): value for name, value in settings.items()}
        topics = [f"feed.{agency}.{id_}" for id_ in ids]
        new = [NewTopic(topic, 1, 1, config=named) for topic in topics]
        ask(self.cluster, lambda admin: admin.create_topics(new))
        self._made.update(topics)

    def read(self, agency: str, id_: str, enough: Callable[[Sequence[Read]], bool]) -> list[Read]:
        """The records of a topic from its beginning, as soon as they are enough."""
        login = for_confluent(self.cluster, admin_of(self.cluster))
        consumer = Consumer({**login, "group.id": f"{agency}:test", "enable.auto.commit": False})
        consumer.assign([TopicPartition(f"feed.{agency}.{id_}", 0, OFFSET_BEGINNING)])
        found: list[Read] = []
        try:
            while not enough(found):
                message = consumer.poll(PATIENCE)
                assert message is not None and message.error() is None, f"{len(found)}, no more"
                headers: dict[str, Any] = dict(message.headers() or ())
                media = headers.pop("content-type").decode()
                attributes = {n.removeprefix("ce_"): v.decode() for n, v in headers.items()}
                found.append(Read(message.key(), attributes, media, message.value() or b""))
        finally:
            consumer.close()
        return found

    def read_until(self, agency: str, id_: str, last: str) -> list[Read]:
        """The records of a topic from its beginning, up to the first of an event."""
        return self.read(agency, id_, lambda found: bool(found) and found[-1].id == last)

    def ids(self, agency: str, id_: str, *, until: str) -> list[str]:
        """Their events' ids."""
        return [record.id for record in self.read_until(agency, id_, until)]

    def forget(self) -> None:
        """Delete the topics."""
        if self._made:
            ask(self.cluster, lambda admin: admin.delete_topics(list(self._made)))


@contextmanager
def feeds(cluster: KafkaCluster) -> Iterator[Feeds]:
    """Feeds of a cluster, whose topics are gone afterwards."""
    made = Feeds(cluster)
    try:
        yield made
    finally:
        made.forget()


def first_occurrences(read: Sequence[Read]) -> list[str]:
    """The ids of what was read, each where it came first."""
    return list(dict.fromkeys(record.id for record in read))
