"""A hub logs in to Kafka, and needs no other rights there than these."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic
from pydantic import SecretStr

from deploy.local.kafka import KafkaCluster, running
from hub.app.kafka import access_of
from hub.errors import KafkaLogin
from hub.settings import Settings
from tests.cluster import until
from tests.doors import DOCUMENT
from tests.running import PATIENCE, running_hub
from tests.sample import DISCIPLINE, PETITION, petition, policy

HUB = "guantong"
# Passwords of users who are there for the test alone.
PASSWORDS = {HUB: "of-the-hub", PETITION: "of-the-bureau"}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """A broker where who logs in may do what is allowed, with a door for the bureau."""
    with running(tmp_path_factory.mktemp("kafka"), secured=True) as cluster:
        admin = AdminClient(login(cluster, "admin", cluster.password))
        wait(admin.create_topics([NewTopic(f"intake.{PETITION}", 1, 1)]))
        wait(admin.alter_user_scram_credentials([*map(credentials, PASSWORDS)]))
        wait(admin.create_acls(rights()))
        yield cluster


def login(cluster: KafkaCluster, user: str, password: str) -> dict[str, Any]:
    """How a client of librdkafka's logs in."""
    return {
        "bootstrap.servers": cluster.bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
    }


def credentials(user: str) -> UserScramCredentialUpsertion:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    return UserScramCredentialUpsertion(user, info, PASSWORDS[user].encode())


def rights() -> list[AclBinding]:
    """What a hub and an agency may do."""
    topic, group = ResourceType.TOPIC, ResourceType.GROUP
    return [
        right(topic, "intake.", HUB, AclOperation.READ),
        right(topic, "rejected.", HUB, AclOperation.WRITE),
        right(group, "guantong.", HUB, AclOperation.READ),
        right(topic, f"intake.{PETITION}", PETITION, AclOperation.WRITE),
    ]


def right(kind: ResourceType, prefix: str, user: str, operation: AclOperation) -> AclBinding:
    pattern, allow = ResourcePatternType.PREFIXED, AclPermissionType.ALLOW
    return AclBinding(kind, prefix, pattern, f"User:{user}", "*", operation, allow)


def wait(futures: dict[Any, Any]) -> None:
    """Until all is done."""
    for future in futures.values():
        future.result()


def test_a_hub_that_logs_in_reads_what_an_agency_writes(
    secured: KafkaCluster, tmp_path: Path
) -> None:
    producer = Producer(login(secured, PETITION, PASSWORDS[PETITION]))
    for event in (petition("wrong", data={"people": -1}), petition("login")):
        document = json.dumps(event).encode()
        producer.produce(f"intake.{PETITION}", document, headers=[*DOCUMENT])
    assert producer.flush(PATIENCE) == 0

    settings = {"kafka": secured.bootstrap, "kafka_user": HUB}
    with running_hub(tmp_path / "a", settings={**settings, "kafka_password": "wrong"}) as hub:
        hub.apply(policy())
        away = until(lambda: [line for line in hub.lines if '"kafka.away"' in line])
        assert json.loads(away[0])["reason"] == "KafkaConnectionError"
        assert hub.client(None).get("/health/ready").json() == {
            "status": "ready",
            "missing": ["kafka"],
        }
        assert [line for line in hub.lines if "wrong" in line] == []
    with running_hub(tmp_path / "b", settings={**settings, "kafka_password": "of-the-hub"}) as hub:
        hub.apply(policy())
        office = hub.agency(DISCIPLINE)
        office.subscribe("all")
        # There is no topic for the answer to the first.
        assert until(lambda: [e["id"] for e in office.page("all", wait=20).json()]) == ["XF-login"]
        assert hub.stop() == 0
        assert [line for line in hub.lines if '"error"' in line or "of-the-hub" in line] == []


@pytest.mark.parametrize(
    ("ca", "password", "protocol"),
    [
        (None, None, "PLAINTEXT"),
        (certifi.where(), None, "SSL"),
        (None, "secret", "SASL_PLAINTEXT"),
        (certifi.where(), "secret", "SASL_SSL"),
    ],
)
def test_who_names_certificates_gets_tls_and_who_names_a_user_logs_in(
    ca: str | None, password: str | None, protocol: str
) -> None:
    settings = Settings(
        kafka="kafka.example:9093",
        kafka_ca=None if ca is None else Path(ca),
        kafka_user=None if password is None else HUB,
        kafka_password=None if password is None else SecretStr(password),
    )
    access = access_of(settings)
    context = access.pop("ssl_context", None)
    in_all = {"bootstrap_servers": "kafka.example:9093", "client_id": "guantong"}
    user = {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": HUB,
        "sasl_plain_password": password,
    }
    assert access == {**in_all, "security_protocol": protocol, **(user if password else {})}
    assert (context is None) == (ca is None)
    # What a broker shows is checked, and that it is the one that was asked for.
    assert context is None or (context.verify_mode.name, context.check_hostname) == (
        "CERT_REQUIRED",
        True,
    )


def test_a_user_and_a_password_go_together() -> None:
    with pytest.raises(KafkaLogin):
        access_of(Settings(kafka="kafka.example:9093", kafka_user=HUB))
    with pytest.raises(KafkaLogin):
        access_of(Settings(kafka="kafka.example:9093", kafka_password=SecretStr("secret")))
