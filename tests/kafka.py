"""Kafkas that tests share, topics and users that are theirs alone, and what they ask."""

import asyncio
import io
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin import NewTopic as Topic
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from structlog import PrintLogger, wrap_logger
from structlog.processors import JSONRenderer
from structlog.typing import EventDict

from deploy.local.kafka import ADMIN, SCRAM, KafkaCluster, running
from hub.app.brokers import topics
from hub.backbone.kafka.watch import Watch
from hub.metrics import Metrics

PROTOCOL = "SASL_PLAINTEXT"
ITERATIONS = 4096


@dataclass(frozen=True)
class Login:
    """A user of a secured cluster."""

    name: str
    password: str


@contextmanager
def shared_cluster(*, secured: bool = False) -> Iterator[KafkaCluster]:
    """One broker in a folder of its own that is gone afterwards."""
    with (
        TemporaryDirectory(prefix="guantong-kafka-") as folder,
        running(Path(folder), secured=secured) as cluster,
    ):
        yield cluster


def watch(begun: asyncio.Event) -> Watch:
    """Of clients: tells nobody anything but that one was let in."""

    def hear(_: object, __: str, said: EventDict) -> EventDict:
        begun.set()
        return said

    async def unexplained(_: BaseException) -> bool:
        return False

    log = wrap_logger(PrintLogger(io.StringIO()), processors=[hear, JSONRenderer()])
    return Watch(metrics=Metrics(version="", sqlite="").kafka, log=log, explained=unexplained)


async def make_topics(bootstrap: str, *, partitions: int) -> None:
    """The backbone's topics, on one broker that anybody may ask."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([Topic(topic, partitions, 1) for topic in topics()])
    await admin.close()


@contextmanager
def fresh_topics(
    cluster: KafkaCluster, partitions: Mapping[str, int]
) -> Iterator[Mapping[str, str]]:
    """Topics on every broker under names of their own, by the names that a test knows.

    They are gone after the block.
    """
    mark = secrets.token_hex(4)
    names = {name: f"test-{mark}.{name}" for name in partitions}
    wanted = [
        NewTopic(names[name], count, len(cluster.brokers)) for name, count in partitions.items()
    ]
    ask(cluster, lambda admin: admin.create_topics(wanted))
    try:
        yield names
    finally:
        ask(cluster, lambda admin: admin.delete_topics(list(names.values())))


def fresh_user(cluster: KafkaCluster) -> Login:
    """A new user of a secured cluster, to whom nothing is allowed."""
    login = Login(f"test-{secrets.token_hex(4)}", secrets.token_urlsafe(16))
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    change = UserScramCredentialUpsertion(login.name, scram, login.password.encode())
    ask(cluster, lambda admin: admin.alter_user_scram_credentials([change]))
    return login


def ask(cluster: KafkaCluster, what: Callable[[AdminClient], Mapping[Any, Any]]) -> list[Any]:
    """What the cluster answers its administrator, also where aiokafka cannot ask.

    Raises KafkaException.
    """
    admin = AdminClient(for_confluent(cluster, admin_of(cluster)))
    return [answer.result() for answer in what(admin).values()]


def leader_of(cluster: KafkaCluster, topic: str) -> int:
    """The number of the broker that leads the topic's first partition."""
    metadata = AdminClient(for_confluent(cluster, admin_of(cluster))).list_topics(topic)
    return int(metadata.topics[topic].partitions[0].leader)


def admin_of(cluster: KafkaCluster) -> Login | None:
    """The first user; None where nobody logs in."""
    return Login(ADMIN, cluster.password) if cluster.password_file.exists() else None


def for_aiokafka(cluster: KafkaCluster, login: Login | None = None) -> dict[str, Any]:
    """What aiokafka's clients are told, to be the user."""
    reached = {"bootstrap_servers": cluster.bootstrap}
    if login is None:
        return reached
    return {
        **reached,
        "security_protocol": PROTOCOL,
        "sasl_mechanism": SCRAM,
        "sasl_plain_username": login.name,
        "sasl_plain_password": login.password,
    }


def for_confluent(cluster: KafkaCluster, login: Login | None = None) -> dict[str, Any]:
    """What confluent-kafka's clients are told, to be the user."""
    # Brokers that are away are no news to who took them away.
    reached = {"bootstrap.servers": cluster.bootstrap, "log_level": 2}
    if login is None:
        return reached
    return {
        **reached,
        "security.protocol": PROTOCOL,
        "sasl.mechanism": SCRAM,
        "sasl.username": login.name,
        "sasl.password": login.password,
    }


async def send(
    cluster: KafkaCluster, topic: str, *values: bytes, login: Login | None = None
) -> None:
    """Write records, one after the other, that the replicas in sync have when this returns."""
    async with AIOKafkaProducer(**for_aiokafka(cluster, login), acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def received(cluster: KafkaCluster, topic: str, count: int) -> list[bytes | None]:
    """The values of a topic's first records, as soon as they are so many."""
    async with AIOKafkaConsumer(
        topic, **for_aiokafka(cluster), auto_offset_reset="earliest"
    ) as consumer:
        return [(await consumer.getone()).value for _ in range(count)]
