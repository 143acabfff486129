"""A topic: what every source promises, and what becomes of records of all kinds."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from pydantic import ValidationError

from adapters.kit.port import Away, Brought, CannotRun, Record, Source, Unreadable
from adapters.kit.readers.opening import opened
from adapters.kit.sources.kafka import KafkaSettings
from adapters.kit.wanted import Wanted
from deploy.local.kafka import KafkaCluster
from tests.adapters.sources.conformance import *  # noqa: F403
from tests.adapters.sources.stands import CLEAN, Stand, written
from tests.kafka import admin_of, ask, for_confluent, fresh_topics, fresh_user

pytestmark = [pytest.mark.backend("kafka"), pytest.mark.timeout(300)]


@dataclass
class Topic:
    """A topic of the test's own."""

    base: Path
    cluster: KafkaCluster
    name: str

    def opened(self, **settings: Any) -> AbstractContextManager[Source]:
        asked = {"brokers": self.cluster.bootstrap, "topic": self.name, "batch": 1, **settings}
        return KafkaSettings(**asked).opened(self.base)

    def put(self, mark: str) -> None:
        self.send(json.dumps({"mark": mark}).encode())

    def send(self, *values: bytes | None, partition: int = 0) -> None:
        """Records that the broker has when this returns."""
        producer = Producer(for_confluent(self.cluster))
        for value in values:
            producer.produce(self.name, value, partition=partition)
        assert producer.flush(60) == 0


@pytest.fixture
def topic(kafka: KafkaCluster, tmp_path: Path) -> Iterator[Topic]:
    base = tmp_path / "base"
    base.mkdir()
    with fresh_topics(kafka, {"xfj": 1}) as names:
        yield Topic(base, kafka, names["xfj"])


@pytest.fixture
def stand(topic: Topic) -> Stand:
    return topic


def lines(source: Source, raw: Path, position: str = "") -> tuple[list[Any], str]:
    """What the lines of all documents say, and the position behind them."""
    said: list[Any] = []
    while (document := source.bring(position, raw)) is not None:
        said += [json.loads(line) for line in raw.read_text(encoding="utf-8").splitlines()]
        raw.unlink()
        source.finished(document.name, CLEAN)
        position = document.position
    return said, position


def test_records_are_lines_and_what_is_no_object_is_no_record(topic: Topic, raw: Path) -> None:
    topic.send(
        b'{"id": 510104198001011234,\r\n "amount": 0.10, "name": "\xe5\xbc\xa0"}',
        b'\xef\xbb\xbf{"bom": 1}',
        b"[1]",
        b"\xff\xfe no text",
        None,
        b"",
    )
    with topic.opened(batch=100) as source:
        brought = source.bring("", raw)
    assert brought is not None
    assert brought == Brought(
        f"{topic.name}-1.ndjson", json.dumps({"number": 1, "offsets": {"0": 6}})
    )
    assert raw.read_text(encoding="utf-8").splitlines() == [
        '{"id": 510104198001011234,   "amount": 0.10, "name": "张"}',
        '{"bom": 1}',
        '"WzFd"',
        '"//4gbm8gdGV4dA=="',
        '""',
    ]
    wanted = Wanted(titles={"name": "name"}, required=frozenset(), ignored=frozenset())
    with opened(raw, brought.name, wanted) as reader:
        read = [type(record) for record in reader.read()]
    assert read == [Record, Record, Unreadable, Unreadable, Unreadable]


def test_documents_have_no_more_records_and_bytes_than_asked_for(topic: Topic, raw: Path) -> None:
    topic.send(*(json.dumps({"n": n, "x": "x" * 1_000}).encode() for n in range(10)))
    for bound, most in (({"batch": 4}, 4), ({"batch": 10, "batch_bytes": 2_000}, 2)):
        with topic.opened(**bound) as source:
            source.bring("", raw)
        assert len(raw.read_bytes().splitlines()) == most
        raw.unlink()


def test_partitions_are_all_read_and_new_ones_from_their_beginning(topic: Topic, raw: Path) -> None:
    def grow(admin: AdminClient) -> Any:
        return admin.create_partitions([NewPartitions(topic.name, 3)])

    topic.send(b'{"n": 1}')
    with topic.opened() as source:
        said, position = lines(source, raw)
        assert said == [{"n": 1}]
        ask(topic.cluster, grow)
        topic.send(b'{"n": 2}', partition=2)
        topic.send(b'{"n": 3}', partition=1)
        while len(said) < 3:
            more, position = lines(source, raw, position)
            said += more
    assert sorted(record["n"] for record in said) == [1, 2, 3]
    with topic.opened() as source:
        assert lines(source, raw, position) == ([], position)


def test_how_far_it_is_shows_in_kafka_and_counts_for_nothing(topic: Topic, raw: Path) -> None:
    topic.send(b'{"n": 1}', b'{"n": 2}')
    with topic.opened(group=topic.name, batch=2) as source:
        lines(source, raw)
    asked = {**for_confluent(topic.cluster), "group.id": topic.name}
    consumer = Consumer(asked)
    (place,) = consumer.committed([TopicPartition(topic.name, 0)], timeout=60)
    consumer.close()
    assert place.offset == 2
    with topic.opened(group=topic.name) as source:
        assert lines(source, raw)[0] == [{"n": 1}, {"n": 2}]


def test_records_that_kafka_removed_are_told_and_passed_over_only_when_asked(
    topic: Topic, raw: Path
) -> None:
    topic.send(b'{"n": 1}', b'{"n": 2}', b'{"n": 3}')
    with topic.opened() as source:
        first = source.bring("", raw)
        assert first is not None
    ask(topic.cluster, lambda admin: admin.delete_records([TopicPartition(topic.name, 0, 2)]))
    with topic.opened() as source, pytest.raises(CannotRun, match="accept_loss"):
        source.bring(first.position, raw)
    raw.unlink()
    with topic.opened(accept_loss=True) as source:
        assert lines(source, raw, first.position)[0] == [{"n": 3}]


def test_brokers_that_do_not_answer_are_away(topic: Topic, raw: Path) -> None:
    topic.send(b'{"n": 1}')
    with topic.opened(patience=1) as source:
        position = lines(source, raw)[1]
        topic.cluster.brokers[0].pause()
        try:
            with pytest.raises(Away, match="Kafka"):
                source.bring(position, raw)
        finally:
            topic.cluster.brokers[0].resume()
    topic.send(b'{"n": 2}')
    with topic.opened() as source:
        assert lines(source, raw, position)[0] == [{"n": 2}]


def test_a_topic_that_is_not_there_is_told(topic: Topic, raw: Path) -> None:
    with topic.opened(topic="nowhere") as source, pytest.raises(CannotRun, match="没有该主题"):
        source.bring("", raw)


def test_a_certificate_that_is_not_there_is_told(topic: Topic) -> None:
    with pytest.raises(CannotRun, match="ca"), topic.opened(ca=Path("nothing.pem")):
        pass


def test_a_position_of_another_kind_of_source_is_told(topic: Topic, raw: Path) -> None:
    with topic.opened() as source, pytest.raises(CannotRun, match="位置"):
        source.bring("17", raw)


def test_a_user_reads_what_is_allowed_and_nobody_else_does(
    secured_kafka: KafkaCluster, tmp_path: Path, raw: Path
) -> None:
    login = fresh_user(secured_kafka)
    admin = admin_of(secured_kafka)
    assert admin is not None
    with fresh_topics(secured_kafka, {"xfj": 1}) as names:

        def bring(user: str, password: str) -> Brought | None:
            settings = KafkaSettings(
                brokers=secured_kafka.bootstrap,
                topic=names["xfj"],
                user=user,
                password_file=written(tmp_path / "password", password),
                patience=3,
            )
            with settings.opened(tmp_path) as source:
                return source.bring("", raw)

        assert bring(admin.name, admin.password) is None
        for user, password in ((login.name, login.password), (login.name, "wr0ng")):
            with pytest.raises(CannotRun, match="请核对") as raised:
                bring(user, password)
            assert login.name not in str(raised.value)
            assert password not in str(raised.value)


def test_user_and_password_go_together() -> None:
    with pytest.raises(ValidationError):
        KafkaSettings(brokers="host:9092", topic="xfj", user="somebody")
    with pytest.raises(ValidationError):
        KafkaSettings(brokers="host", topic="xfj")
