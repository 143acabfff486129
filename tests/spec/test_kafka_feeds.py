"""What a subscription is to get is written to its topic of Kafka: views, in the feed's order."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import KafkaCluster
from tests.cluster import until
from tests.feeds import Feeds, feeds
from tests.running import AgencyClient, RunningHub, running_hub
from tests.sample import CITY, COUNTY, DISCIPLINE, PETITION, clue, grant, petition, policy
from tests.spec.storage import make_older

pytestmark = pytest.mark.on_both

KAFKA = {"delivery": {"channel": "kafka"}}


@pytest.fixture(scope="module")
def topics(backend: str, kafka: KafkaCluster) -> Iterator[Feeds]:
    with feeds(kafka) as made:
        yield made


@pytest.fixture(scope="module")
def hub(
    backend: str, topics: Feeds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHub]:
    """A hub that writes feeds."""
    directory = tmp_path_factory.mktemp("hub")
    with running_hub(directory, settings={"kafka": topics.cluster.bootstrap}) as running:
        running.apply(policy())
        yield running
        assert running.stop() == 0
        assert [line for line in running.lines if '"level":"error"' in line] == []


@pytest.fixture
def city_policy(hub: RunningHub) -> Iterator[None]:
    """The policy stands again afterwards."""
    yield
    hub.apply(policy())


def fed(topics: Feeds, reader: AgencyClient, id_: str, **body: Any) -> None:
    """Make a topic and its subscription."""
    topics.make(reader.id, id_)
    reader.subscribe(id_, **KAFKA, **body)


def account_of(hub: RunningHub, id_: str, agency_id: str) -> dict[str, Any]:
    """What the auditor is told of an event of the bureau's and an agency."""
    query = {"source": f"/{PETITION}", "id": id_, "agency": agency_id}
    with hub.admin as admin:
        answer = admin.get("/v1/explain", params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def by_kafka(hub: RunningHub, id_: str, subscription: str) -> list[tuple[bool, str | None]]:
    """What was decided on an event when a feed was read: whether it was allowed, or why not."""
    return [
        (reading["allowed"], reading["reason"])
        for reading in account_of(hub, id_, DISCIPLINE)["readings"]
        if (reading["subscription"], reading["channel"]) == (subscription, "kafka")
    ]


def lines_of(hub: RunningHub, event: str, subscription: str) -> list[dict[str, Any]]:
    """What has been logged of a subscription."""
    told = [json.loads(line) for line in hub.lines]
    return [
        line for line in told if (line["event"], line.get("subscription")) == (event, subscription)
    ]


def test_a_record_is_the_view_that_a_pull_would_get(hub: RunningHub, topics: Feeds) -> None:
    reader = hub.agency(COUNTY)
    fed(topics, reader, "views", types=["petition.*"])
    reader.subscribe("pulled", types=["petition.*"])
    hub.agency(PETITION).accepted(petition("view", to=COUNTY, partitionkey="petition:XF-view"))
    (record,) = topics.read_until(COUNTY, "views", "XF-view")
    (view,) = reader.drain("pulled")
    assert "hubwithheld" in view and "petitioner" not in view["data"]
    assert record.media == "application/json"
    assert record.key == b"petition:XF-view"
    assert record.data == view.pop("data")
    assert {**record.attributes, "datacontenttype": record.media} == view


def test_the_key_is_told_only_to_who_may_see_the_case(
    hub: RunningHub, topics: Feeds, city_policy: None
) -> None:
    blind = grant(CITY, "receive", "petition.*", classes=["F0"])
    grants = [g for g in policy()["grants"] if (g["agency"], g["may"]) != (CITY, "receive")]
    hub.apply(policy(grants=[*grants, blind]))
    fed(topics, hub.agency(CITY), "blind", types=["petition.*"])
    hub.agency(PETITION).accepted(petition("unseen"))
    (record,) = topics.read_until(CITY, "blind", "XF-unseen")
    assert record.key is None
    assert "petitionid" not in record.data


def test_records_come_in_the_order_of_the_feed_and_the_cursor_follows(
    hub: RunningHub, topics: Feeds
) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    fed(topics, reader, "order", types=["petition.*"])
    expected = [f"XF-order-{n}" for n in range(1200)]
    for start in range(0, 1200, 300):
        bureau.accepted(*(petition(f"order-{n}") for n in range(start, start + 300)))
    read = topics.read_until(DISCIPLINE, "order", expected[-1])
    assert [record.id for record in read] == expected
    positions = [record.position for record in read]
    assert positions == sorted(positions)
    assert until(lambda: reader.drain("order") == [])


def test_what_is_older_than_the_subscription_comes_too_if_asked_for(
    hub: RunningHub, topics: Feeds
) -> None:
    hub.agency(PETITION).accepted(petition("older-1"), petition("older-2"))
    fed(topics, hub.agency(DISCIPLINE), "older", types=["petition.*"], start="earliest")
    ids = topics.ids(DISCIPLINE, "older", until="XF-older-2")
    assert ids[-2:] == ["XF-older-1", "XF-older-2"]


def test_a_reading_of_each_is_kept_with_its_channel(hub: RunningHub, topics: Feeds) -> None:
    fed(topics, hub.agency(DISCIPLINE), "evidence", types=["petition.*"])
    hub.agency(PETITION).accepted(petition("evidence"))
    topics.read_until(DISCIPLINE, "evidence", "XF-evidence")
    assert by_kafka(hub, "XF-evidence", "evidence") == [(True, None)]


def test_what_is_revoked_before_it_is_written_is_not_written(
    hub: RunningHub, topics: Feeds, city_policy: None
) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    # Without its topic it waits.
    reader.subscribe("revoked", types=["petition.*"], **KAFKA)
    bureau.accepted(petition("revoked"), petition("recused"))
    allowed = policy()
    without = [g for g in allowed["grants"] if (g["agency"], g["may"]) != (DISCIPLINE, "receive")]
    hub.apply(policy(grants=without))
    topics.make(DISCIPLINE, "revoked")
    decided = until(lambda: by_kafka(hub, "XF-revoked", "revoked"))
    assert decided == [(False, "no_grant")]

    recusal = {
        "id": "r1",
        "agency": DISCIPLINE,
        "case": "petition:XF-recused",
        "from": "2026-01-01",
        "reason": "试验",
    }
    hub.apply({**allowed, "recusals": [recusal]})
    again = petition("again", id="XF-recused-2", data={"petitionid": "XF-recused"})
    bureau.accepted(again, petition("granted"))
    assert topics.ids(DISCIPLINE, "revoked", until="XF-granted") == ["XF-granted"]
    assert by_kafka(hub, "XF-recused-2", "revoked") == [(False, "recused")]


def test_a_replay_is_written_again(hub: RunningHub, topics: Feeds) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    fed(topics, reader, "again", types=["petition.*"])
    (first, *_) = bureau.accepted(petition("again-1"), petition("again-2"))
    topics.read_until(DISCIPLINE, "again", "XF-again-2")
    answer = reader.http.post("/v1/subscriptions/again/cursor", json={"since": first["hubtime"]})
    assert answer.status_code == 200, answer.text
    read = topics.read(DISCIPLINE, "again", lambda found: len(found) == 4)
    assert [record.id for record in read] == ["XF-again-1", "XF-again-2"] * 2
    assert read[0] == read[2]


def test_a_feed_without_a_topic_waits_and_another_goes_on(hub: RunningHub, topics: Feeds) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    reader.subscribe("late", types=["petition.*"], **KAFKA)
    fed(topics, reader, "early", types=["petition.*"])
    bureau.accepted(petition("late-1"), petition("late-2"))
    assert topics.ids(DISCIPLINE, "early", until="XF-late-2") == ["XF-late-1", "XF-late-2"]
    (told,) = until(lambda: lines_of(hub, "feed.waits", "late"))
    assert (told["caller"], told["reason"]) == (DISCIPLINE, "no_topic")
    topics.make(DISCIPLINE, "late")
    assert topics.ids(DISCIPLINE, "late", until="XF-late-2") == ["XF-late-1", "XF-late-2"]
    assert len(until(lambda: lines_of(hub, "feed.goes_on", "late"))) == 1
    assert len(lines_of(hub, "feed.waits", "late")) == 1


def test_what_is_larger_than_its_topic_takes_is_parked_and_the_rest_goes_on(
    hub: RunningHub, topics: Feeds
) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    topics.make(DISCIPLINE, "narrow", max_message_bytes="4096")
    reader.subscribe("narrow", types=["petition.*"], **KAFKA)
    large = petition("large", data={"summary": "长" * 1500})
    bureau.accepted(petition("small-1"), petition("small-2"), large, petition("small-3"))
    ids = topics.ids(DISCIPLINE, "narrow", until="XF-small-3")
    assert list(dict.fromkeys(ids)) == ["XF-small-1", "XF-small-2", "XF-small-3"]

    (letter,) = reader.http.get("/v1/subscriptions/narrow/dead-letters").json()["items"]
    assert (letter["event_id"], letter["attempts"]) == ("XF-large", 1)
    assert letter["reason"]["code"] == "record_too_large"
    # It was on record before the brokers were asked.
    assert by_kafka(hub, "XF-large", "narrow") == [(True, None), (False, "too_large")]
    place = f"/v1/subscriptions/narrow/dead-letters/{letter['n']}/redrive"
    (given,) = reader.http.post(place).json()
    assert given["data"]["summary"] == "长" * 1500


def test_what_expired_before_it_could_be_written_is_counted_and_passed(
    topics: Feeds, tmp_path: Path
) -> None:
    settings = {"kafka": topics.cluster.bootstrap}
    with running_hub(tmp_path, settings=settings) as hub:
        hub.apply(policy())
        hub.agency(DISCIPLINE).subscribe("stale", **KAFKA)
        hub.agency(PETITION).accepted(petition("stale-1"), petition("stale-2"))
        hub.agency(CITY).accepted(clue("stale-3"))
        until(lambda: lines_of(hub, "feed.waits", "stale"))
        assert hub.stop() == 0
    make_older(tmp_path, days=10)
    with running_hub(tmp_path, settings={**settings, "retention": '{"petition.*": 3}'}) as again:
        again.keep_tokens(hub)
        reader = again.agency(DISCIPLINE)
        until(lambda: reader.http.get("/v1/subscriptions/stale").json()["expired"] == 2)
        topics.make(DISCIPLINE, "stale")
        again.agency(PETITION).accepted(petition("stale-4"))
        ids = topics.ids(DISCIPLINE, "stale", until="XF-stale-4")
        assert ids == ["CL-stale-3", "XF-stale-4"]


def test_an_ended_subscription_is_written_no_more_and_its_name_begins_anew(
    hub: RunningHub, topics: Feeds
) -> None:
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    fed(topics, reader, "ended", types=["petition.*"])
    bureau.accepted(petition("ended-1"))
    topics.read_until(DISCIPLINE, "ended", "XF-ended-1")
    assert reader.http.delete("/v1/subscriptions/ended").status_code == 204
    bureau.accepted(petition("ended-2"))
    reader.subscribe("ended", types=["petition.*"], **KAFKA)
    bureau.accepted(petition("ended-3"))
    assert topics.ids(DISCIPLINE, "ended", until="XF-ended-3") == ["XF-ended-1", "XF-ended-3"]
