"""A hub logs in to Kafka, and needs no other rights there than these."""

import json
from pathlib import Path

import certifi
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from deploy.local.kafka import KafkaCluster
from hub.app.brokers import access_of
from hub.errors import KafkaAddress, KafkaLogin, KafkaLoginRefused
from hub.settings import Settings
from tests.cluster import until
from tests.doors import doors
from tests.kafka import Login, ask, for_confluent, fresh_user
from tests.running import running_hub
from tests.sample import DISCIPLINE, PETITION, petition, policy


def allowed(user: Login, kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
    """A right to whatever has a name that begins so."""
    pattern, allow = ResourcePatternType.PREFIXED, AclPermissionType.ALLOW
    return AclBinding(kind, name, pattern, f"User:{user.name}", "*", operation, allow)


def rights(hub: Login, bureau: Login) -> list[AclBinding]:
    """What a hub and an agency may do."""
    topic, group = ResourceType.TOPIC, ResourceType.GROUP
    return [
        allowed(hub, topic, "intake.", AclOperation.READ),
        allowed(hub, topic, "rejected.", AclOperation.WRITE),
        allowed(hub, group, "guantong.", AclOperation.READ),
        allowed(bureau, topic, f"intake.{PETITION}", AclOperation.WRITE),
    ]


def test_a_hub_that_logs_in_reads_what_an_agency_writes_and_answers(
    secured_kafka: KafkaCluster, tmp_path: Path
) -> None:
    user, bureau = fresh_user(secured_kafka), fresh_user(secured_kafka)
    ask(secured_kafka, lambda admin: admin.create_acls(rights(user, bureau)))
    settings = {"kafka": secured_kafka.bootstrap, "kafka_user": user.name}
    with doors(secured_kafka, PETITION) as topics:
        topics.producer = Producer(for_confluent(secured_kafka, bureau))
        with running_hub(tmp_path / "a", settings={**settings, "kafka_password": "wrong"}) as hub:
            hub.apply(policy())
            away = until(lambda: [line for line in hub.lines if '"kafka.away"' in line])
            assert json.loads(away[0])["reason"] == "kafka_login_refused"
            assert hub.client(None).get("/health/ready").json() == {
                "status": "ready",
                "missing": ["kafka"],
                "detail": " / ".join(KafkaLoginRefused.titles()),
            }
            assert hub.stop() == 0
            # Once, and by nobody else: each client of Kafka's meets it every second.
            told = [json.loads(line)["event"] for line in hub.lines]
            assert [each for each in told if "kafka" in each or each == "library"] == ["kafka.away"]
            assert [line for line in hub.lines if "wrong" in line] == []
        settings["kafka_password"] = user.password
        with running_hub(tmp_path / "b", settings=settings) as hub:
            hub.apply(policy())
            office = hub.agency(DISCIPLINE)
            office.subscribe("all")
            refused, _ = topics.publish(
                PETITION, petition("login-no", data={"people": -1}), petition("login")
            )
            assert topics.result_of(refused)["id"] == "XF-login-no"
            page = until(lambda: office.page("all", wait=20).json())
            assert [event["id"] for event in page] == ["XF-login"]
            assert hub.stop() == 0
    assert [line for line in hub.lines if '"error"' in line or user.password in line] == []


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
        kafka_user=None if password is None else "guantong",
        kafka_password=None if password is None else SecretStr(password),
    )
    access = access_of(settings)
    context = access.pop("ssl_context", None)
    in_all = {"bootstrap_servers": "kafka.example:9093", "client_id": "guantong"}
    user = {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "guantong",
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
        access_of(Settings(kafka="kafka.example:9093", kafka_user="guantong"))
    with pytest.raises(KafkaLogin):
        access_of(Settings(kafka="kafka.example:9093", kafka_password=SecretStr("secret")))


@pytest.mark.parametrize(
    "written", ["kafka.example", "kafka.example:", "a:1 b:2", "a:1,", ":9092", "", "a:1,b"]
)
def test_brokers_are_named_by_host_and_port(written: str) -> None:
    with pytest.raises(KafkaAddress):
        access_of(Settings(kafka=written))
    several = access_of(Settings(kafka="a.example:9092,10.0.0.2:9093"))
    assert several["bootstrap_servers"] == "a.example:9092,10.0.0.2:9093"
