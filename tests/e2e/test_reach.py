"""Whether brokers answer, and if not why not, asked of real ones."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import KafkaCluster
from hub.errors import HubError, KafkaAway, KafkaLoginRefused, KafkaTls
from hub.logs import logger
from hub.metrics import Metrics
from hub.watch.kafka import Reach
from tests.cluster import until
from tests.kafka import Login, for_aiokafka, fresh_topics, fresh_user
from tests.running import start_hub

pytestmark = pytest.mark.backend("kafka")

NOWHERE = "127.0.0.1:1"


async def never() -> None:
    """For whoever takes no second look by himself."""
    await asyncio.Event().wait()


def reach_of(access: Mapping[str, Any], metrics: Metrics | None = None) -> Reach:
    """One that is asked, and looks at nothing by itself."""
    ticks = iter(range(1000))
    return Reach(
        {"client_id": "test", **access},
        metrics=(metrics or Metrics(version="", sqlite="")).kafka,
        log=logger(),
        pause=never,
        monotonic=lambda: next(ticks),
    )


def lack(access: Mapping[str, Any]) -> type[HubError] | None:
    """What keeps the brokers from whoever comes so."""
    return asyncio.run(reach_of(access).look())


def test_who_is_let_in_lacks_nothing(secured_kafka: KafkaCluster, kafka: KafkaCluster) -> None:
    user = fresh_user(secured_kafka)
    assert lack(for_aiokafka(secured_kafka, user)) is None
    assert lack(for_aiokafka(kafka)) is None
    several = f"{NOWHERE},{kafka.bootstrap}"
    assert lack({"bootstrap_servers": several}) is None


def test_a_login_that_is_refused_is_told_from_brokers_that_are_away(
    secured_kafka: KafkaCluster, kafka: KafkaCluster
) -> None:
    user = fresh_user(secured_kafka)
    wrong, nobody = Login(user.name, "wrong"), Login("nobody", user.password)
    refused = [for_aiokafka(secured_kafka, wrong), for_aiokafka(secured_kafka, nobody)]
    # Who does not log in where one must, and who does where nobody can.
    refused += [for_aiokafka(secured_kafka), for_aiokafka(kafka, user)]
    assert [lack(access) for access in refused] == [KafkaLoginRefused] * 4
    assert lack({"bootstrap_servers": NOWHERE}) is KafkaAway
    # Of several the one that answers says more than the one that does not.
    several = f"{NOWHERE},{secured_kafka.bootstrap}"
    assert lack({**for_aiokafka(secured_kafka, wrong), "bootstrap_servers": several}) is (
        KafkaLoginRefused
    )


def test_tls_where_there_is_none_is_told(kafka: KafkaCluster) -> None:
    tls = {"security_protocol": "SSL", "ssl_context": ssl.create_default_context()}
    assert lack({**for_aiokafka(kafka), **tls}) is KafkaTls


def test_partitions_are_told_and_of_what_is_not_there_why(
    secured_kafka: KafkaCluster, kafka: KafkaCluster
) -> None:
    stranger = fresh_user(secured_kafka)

    async def told(access: Mapping[str, Any], *topics: str) -> dict[str, int | str]:
        return await reach_of(access).partitions(topics)

    with fresh_topics(kafka, {"one": 1, "three": 3}) as names:
        found = asyncio.run(told(for_aiokafka(kafka), names["one"], names["three"], "none"))
        assert found == {
            names["one"]: 1,
            names["three"]: 3,
            "none": "UnknownTopicOrPartitionError",
        }
    with fresh_topics(secured_kafka, {"other": 1}) as names:
        found = asyncio.run(told(for_aiokafka(secured_kafka, stranger), names["other"]))
        assert found == {names["other"]: "TopicAuthorizationFailedError"}


def test_what_changes_is_told_once_and_shown(
    secured_kafka: KafkaCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics(version="", sqlite="")
    wrong = for_aiokafka(secured_kafka, Login("nobody", "wrong"))

    async def look() -> None:
        reach = reach_of(wrong, metrics)
        for _ in range(3):
            await reach.look()

    asyncio.run(look())
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["reason"]) for line in told] == [
        ("kafka.away", "kafka_login_refused")
    ]
    shown = metrics.exposition()[0].decode()
    assert 'guantong_kafka_away{reason="kafka_login_refused"} 1.0' in shown
    assert 'guantong_kafka_away{reason="kafka_away"} 0.0' in shown


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_process_whose_login_is_refused_says_so_in_one_line(
    secured_kafka: KafkaCluster, postgres_database: str, tmp_path: Path, command: str
) -> None:
    user = fresh_user(secured_kafka)
    settings = {
        "database": postgres_database,
        "backbone": "kafka",
        "kafka": secured_kafka.bootstrap,
        "kafka_user": user.name,
        "kafka_password": "wrong",
    }
    hub = start_hub(tmp_path, settings=settings, command=command)
    with hub.client(None) as client:
        detail = " / ".join(KafkaLoginRefused.titles())
        told = until(
            lambda: (said := client.get("/health/ready").json()).get("detail") == detail and said
        )
    assert (told["status"], told["missing"]) == ("ready", ["kafka"])
    # Each client of Kafka's has met it by then, and goes on to.
    assert hub.stop() == 0
    lines = [json.loads(line) for line in hub.lines]
    about = [line for line in lines if "kafka" in line["event"] or line["event"] == "library"]
    assert [(line["event"], line.get("reason")) for line in about] == [
        ("kafka.away", "kafka_login_refused")
    ], about
