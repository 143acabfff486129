"""The Kafka of `deploy.local`: it keeps what it has acknowledged and leaves nothing behind."""

import stat

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from deploy.local.kafka import KafkaCluster
from tests.kafka import Login, ask, fresh_topics, fresh_user, received, send


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
        assert await received(kafka, topics["kept"], 2) == [b"one", b"two"]
    assert broker.pid != before


async def test_a_user_may_write_what_an_acl_allows_and_nothing_else(
    secured_kafka: KafkaCluster,
) -> None:
    async with fresh_topics(secured_kafka, {"own": 1, "other": 1}) as topics:
        login = fresh_user(secured_kafka)
        with pytest.raises(TopicAuthorizationFailedError):
            await send(secured_kafka, topics["own"], b"refused", login=login)
        allow_to_write(secured_kafka, login, topics["own"])
        await send(secured_kafka, topics["own"], b"allowed", login=login)
        with pytest.raises(TopicAuthorizationFailedError):
            await send(secured_kafka, topics["other"], b"refused", login=login)


async def test_only_who_knows_the_password_comes_in(secured_kafka: KafkaCluster) -> None:
    assert stat.filemode(secured_kafka.password_file.stat().st_mode) == "-rw-------"
    for login in (Login("admin", "wrong"), None):
        with pytest.raises(KafkaConnectionError):
            await send(secured_kafka, "any", b"refused", login=login)


def allow_to_write(cluster: KafkaCluster, login: Login, topic: str) -> None:
    """An ACL for one user and one topic."""
    acl = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{login.name}",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    ask(cluster, lambda admin: admin.create_acls([acl]))
