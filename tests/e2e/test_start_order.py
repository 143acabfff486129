"""Hub, PostgreSQL, Kafka and its topics, started in whichever order, and leaving again: what is
missing is told, what can be done without it is done, and all goes on by itself.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import running as running_kafka
from hub.app.brokers import topics
from hub.errors import KafkaAway
from tests.cluster import until
from tests.kafka import make_topics
from tests.postgres import fresh_database, shared_server
from tests.running import RunningHub
from tests.sample import PETITION, petition, policy
from tests.starting import Starting

pytestmark = [pytest.mark.timeout(600), pytest.mark.backend("kafka")]

AWAY = " / ".join(KafkaAway.titles())


@contextmanager
def processes(
    folder: Path, database: str, settings: Mapping[str, str]
) -> Iterator[tuple[Starting, Starting]]:
    """A door and one that works, which listen."""
    door = Starting(folder / "a", database, "serve", settings=settings)
    work = Starting(folder / "v", database, "work", settings=settings)
    try:
        yield door, work
    finally:
        assert (door.stop(), work.stop()) == (0, 0)


def is_told(of: Starting) -> tuple[int, str | None, str | None]:
    """Status of its readiness, what is missing, and what is said of that."""
    status, _, told = of.ask("/health/ready")
    (missing,) = told.get("missing", (None,))
    return status, missing, told.get("detail")


def published(door: RunningHub, name: str) -> str:
    (receipt,) = door.agency(PETITION).accepted(petition(name))
    id_: str = receipt["id"]
    return id_


def told_of(door: RunningHub, receipt: str) -> None:
    client = door.agency(PETITION).http

    def told() -> bool:
        answer: dict[str, Any] = client.get(f"/v1/receipts/{receipt}").json()
        return answer.get("state") == "registered"

    until(told)


def test_whichever_comes_first_and_whichever_leaves(tmp_path: Path) -> None:
    with (
        running_kafka(tmp_path / "kafka") as kafka,
        shared_server() as server,
        fresh_database(server) as url,
    ):
        (broker,) = kafka.brokers
        settings = {"backbone": "kafka", "kafka": kafka.bootstrap, "kafka_partitions": "2"}
        broker.kill()
        server.stop()
        with processes(tmp_path, url, settings) as (door, work):
            until(lambda: "away" in door.ask("/health/ready")[2]["reason"])
            broker.start()
            assert {is_told(door)[0], is_told(work)[0]} == {503}
            server.start()
            hub, _ = door.started(), work.started()
            hub.apply(policy())
            # There are no topics yet: what is published waits in the outbox.
            waiting = published(hub, "before-the-topics")
            assert examined(hub).startswith("Kafka 缺少主题：share.")
            asyncio.run(make_topics(kafka.bootstrap, partitions=2))
            told_of(hub, waiting)
            until(lambda: is_told(door) == is_told(work) == (200, None, None))

        broker.kill()
        server.stop()
        with processes(tmp_path, url, settings) as (door, work):
            until(lambda: "away" in work.ask("/health/ready")[2]["reason"])
            server.start()
            (again, _) = door.started(), work.started()
            again.keep_tokens(hub)
            until(lambda: is_told(door) == is_told(work) == (200, "kafka", AWAY))
            waiting = published(again, "before-kafka")
            assert examined(again) == KafkaAway.titles()[0]
            broker.start()
            told_of(again, waiting)
            until(lambda: is_told(door) == is_told(work) == (200, None, None))

            # It hangs, and then it is gone.
            broker.pause()
            until(lambda: is_told(door) == is_told(work) == (200, "kafka", AWAY))
            waiting = published(again, "while-it-hangs")
            broker.kill()
            broker.start()
            told_of(again, waiting)
            until(lambda: is_told(door) == is_told(work) == (200, None, None))
            told_of(again, published(again, "last"))
            assert examined(again) == f"Kafka 有答复，{len(topics())} 个主题各有 2 个分区"


def examined(hub: RunningHub) -> str:
    """What the doctor says of Kafka."""
    with hub.admin as admin:
        findings = admin.get("/v1/doctor").json()["findings"]
    (said,) = [finding["says"] for finding in findings if finding["check"] == "kafka"]
    told: str = said
    return told
