"""Subscriptions that the hub itself writes to Kafka: how they are asked for, and what stays as with
any other while no broker can be reached.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import AgencyClient, RunningHub, codes_of, running_hub
from tests.sample import DISCIPLINE, PETITION, petition, policy

pytestmark = pytest.mark.on_both

KAFKA = {"delivery": {"channel": "kafka"}}
NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture(scope="module")
def hub(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub whose brokers are away."""
    directory = tmp_path_factory.mktemp("hub")
    with running_hub(directory, settings={"kafka": NOBODY_LISTENS}) as running:
        running.apply(policy())
        yield running


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    return hub.agency(DISCIPLINE)


def refused(reader: AgencyClient, **body: Any) -> list[tuple[str, str]]:
    """The codes and pointers for which a subscription is not made."""
    answer = reader.http.post("/v1/subscriptions", json=body)
    assert answer.status_code == 422, answer.text
    return codes_of(answer.json())


def cursor_of(reader: AgencyClient, id_: str) -> str:
    cursor: str = reader.http.get(f"/v1/subscriptions/{id_}").json()["cursor"]
    return cursor


def test_a_subscription_tells_its_channel(reader: AgencyClient) -> None:
    made = reader.subscribe("by-Kafka-1", types=["petition.*"], **KAFKA)
    assert made["delivery"] == {"channel": "kafka"}
    assert reader.subscribe("by-Kafka-1", types=["petition.*"], **KAFKA) == made


@pytest.mark.parametrize("id_", ["a.b", "a_b", "all.", "case_2"])
def test_an_id_that_would_blur_the_names_of_topics_is_refused(
    reader: AgencyClient, id_: str
) -> None:
    assert refused(reader, id=id_, **KAFKA) == [("id_format", "/id")]
    assert reader.subscribe(id_)["delivery"] == {"channel": "pull"}


def test_an_id_that_the_hub_makes_up_is_fit_for_a_topic(reader: AgencyClient) -> None:
    made = reader.http.post("/v1/subscriptions", json=KAFKA)
    assert made.status_code == 201, made.text
    assert made.json()["id"].replace("-", "").isalnum()


def test_a_hub_without_kafka_has_no_such_channel(fresh_hub: RunningHub) -> None:
    reader = fresh_hub.agency(DISCIPLINE)
    assert refused(reader, id="none", **KAFKA) == [("channel_unavailable", "/delivery/channel")]
    assert reader.http.get("/v1/subscriptions").json()["items"] == []


def test_the_hub_alone_moves_the_cursor_and_the_feed_is_read_over_http_as_well(
    hub: RunningHub, reader: AgencyClient
) -> None:
    reader.subscribe("moved", types=["petition.*"], **KAFKA)
    hub.agency(PETITION).accepted(petition("moved-1"), petition("moved-2"))
    stands = cursor_of(reader, "moved")
    page = reader.page("moved")
    assert [event["id"] for event in page.json()] == ["XF-moved-1", "XF-moved-2"]

    answer = reader.commit(page.headers["guantong-cursor"], "moved")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert answer.json()["detail"] == (
        "该订阅由贯通写入 Kafka，游标由贯通提交；要重新得到，请用 since"
        " / the hub writes this one to Kafka and moves its cursor: to have it again, use since"
    )
    assert cursor_of(reader, "moved") == stands
