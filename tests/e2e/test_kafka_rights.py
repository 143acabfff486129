"""A hub over Kafka with the rights that `guantong kafka apply` gives it, and no others."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from deploy.local.kafka import KafkaCluster
from deploy.local.postgres import PostgresServer
from hub.upkeep.passwords import Passwords
from tests.cluster import DOORS, WORKS, Cluster, until
from tests.e2e.office import Office
from tests.kafka import ask
from tests.postgres import fresh_database
from tests.running import results_of
from tests.sample import CITY, PETITION, petition, policy

pytestmark = [pytest.mark.timeout(600), pytest.mark.backend("kafka")]

HUB = "guantong"
TOLD = "TopicAuthorizationFailedError"


@dataclass
class World:
    """Two doors and two that may register, as a user of the brokers."""

    cluster: Cluster
    office: Office

    def registered(self, door: str, *events: dict[str, Any], mode: str = "each") -> None:
        """Publish events at a door, and wait until each is."""
        client = self.cluster.at(door, PETITION)
        answer = client.publish(*events, mode=mode)
        results = results_of(answer)
        assert [r["status"] for r in results] == ["accepted"] * len(events), answer.text
        receipts = {result["receipt"]["id"] for result in results}

        def pending() -> set[str]:
            return {
                receipt
                for receipt in receipts
                if client.http.get(f"/v1/receipts/{receipt}").json().get("state") != "registered"
            }

        until(lambda: not pending())

    def told(self, *names: str) -> Counter[str]:
        """How often the processes have said that the brokers do not let them, and of what."""
        return Counter(
            json.loads(line)["event"]
            for name in names
            for line in self.cluster.running[name].lines
            if TOLD in line
        )


@pytest.fixture(scope="module")
def world(
    postgres: PostgresServer, secured_kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rights")
    password = Passwords(folder / "secrets", lambda: "drawn-before-its-user-is-made").of(HUB)
    settings = {
        "backbone": "kafka",
        "kafka": secured_kafka.bootstrap,
        "kafka_partitions": "1",
        "kafka_user": HUB,
        "kafka_password": password,
    }
    with fresh_database(postgres) as url:
        addresses = dict.fromkeys((*DOORS, *WORKS), url)
        cluster = Cluster(folder / "cluster", addresses, settings=settings)
        try:
            cluster.start("a")
            cluster.start("b", *WORKS)
            cluster.running["a"].apply(policy())
            office = Office(cluster.running["a"], secured_kafka, folder)
            done = office.apply("--yes")
            assert (done.status, done.complained) == (0, "")
            yield World(cluster, office)
            office.leaves()
        finally:
            cluster.end()


@contextmanager
def without(cluster: KafkaCluster, operation: AclOperation) -> Iterator[None]:
    """The hub may not do this to the topics of the backbone."""
    where = (ResourceType.TOPIC, "share.", ResourcePatternType.PREFIXED, f"User:{HUB}", "*")
    right = (*where, operation, AclPermissionType.ALLOW)
    (removed,) = ask(cluster, lambda admin: admin.delete_acls([AclBindingFilter(*right)]))
    assert len(removed) == 1
    yield
    ask(cluster, lambda admin: admin.create_acls([AclBinding(*right)]))


def test_with_these_rights_events_travel_by_every_way(world: World) -> None:
    world.registered("a", petition("r-0"))
    before = world.told(*DOORS, *WORKS)
    world.cluster.at("b", CITY).subscribe("all")
    world.registered("a", petition("r-1"))
    world.registered("b", *(petition(f"r-{n}") for n in range(2, 50)))
    world.registered("a", petition("r-50"), petition("r-51"), mode="all")
    bureau = Producer(world.office.login(PETITION))
    document = json.dumps({**petition("r-52"), "datacontenttype": "application/json"})
    bureau.produce(
        f"intake.{PETITION}",
        document.encode(),
        headers={"content-type": "application/cloudevents+json"},
    )
    assert bureau.flush() == 0
    names = {f"XF-r-{n}" for n in range(1, 53)}
    until(lambda: {event["id"] for event in world.cluster.at("b", CITY).drain()} == names)
    assert world.told(*DOORS, *WORKS) == before


def test_a_right_to_write_that_was_taken_away_is_told_and_events_wait(
    world: World, secured_kafka: KafkaCluster
) -> None:
    world.registered("a", petition("w-1"))
    before = world.told("a")
    with without(secured_kafka, AclOperation.WRITE):
        (taken,) = results_of(world.cluster.at("a", PETITION).publish(petition("w-2")))
        assert (taken["status"], taken["receipt"]["state"]) == ("accepted", "accepted")
        until(lambda: {*(world.told("a") - before)} == {"kafka.unacknowledged"})
    world.registered("a", petition("w-3"))


def test_a_right_to_read_that_was_taken_away_is_told_and_events_wait(
    world: World, secured_kafka: KafkaCluster
) -> None:
    world.registered("b", petition("x-1"))
    before = world.told(*WORKS)
    with without(secured_kafka, AclOperation.READ):
        (taken,) = results_of(world.cluster.at("b", PETITION).publish(petition("x-2")))
        assert (taken["status"], taken["receipt"]["state"]) == ("accepted", "accepted")
        until(lambda: {*(world.told(*WORKS) - before)} == {"kafka.client_failed"})
    world.registered("b", petition("x-3"))
