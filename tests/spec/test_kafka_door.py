"""An agency's topic of Kafka is a door: what comes there is admitted as over HTTP, or answered."""

import asyncio
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Producer

from deploy.local.kafka import KafkaCluster
from tests.cluster import until
from tests.doors import DOCUMENT, Doors, Headers, doors
from tests.kafka import for_confluent
from tests.running import BATCH, AgencyClient, RunningHub, running_hub
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, clue, petition, policy
from tests.spec.storage import rows

pytestmark = pytest.mark.on_both

STRANGER = "999999.nobody"
Event = dict[str, Any]


@pytest.fixture(scope="module")
def topics(kafka: KafkaCluster) -> Iterator[Doors]:
    with doors(kafka, PETITION, AUDIT, strangers=[STRANGER]) as made:
        yield made


@pytest.fixture(scope="module")
def hub(
    backend: str, kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHub]:
    """A hub that reads topics."""
    directory = tmp_path_factory.mktemp("hub")
    with running_hub(directory, settings={"kafka": kafka.bootstrap}) as running:
        running.apply(policy())
        running.agency(DISCIPLINE).subscribe("everything", start="earliest")
        yield running
        # Else its partitions stay its own for a while.
        assert running.stop() == 0


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    """Who gets what the bureau and the auditors publish."""
    return hub.agency(DISCIPLINE)


def arrived(reader: AgencyClient, *ids: str) -> list[Event]:
    """The events of these ids, in the order of the feed, once all are there."""
    found: list[Event] = []
    query: dict[str, Any] = {"limit": 1000, "wait": 20}
    while {event["id"] for event in found} != set(ids):
        page = reader.page("everything", **query)
        assert page.json() != [], "what is to come never came"
        found.extend(event for event in page.json() if event["id"] in ids)
        query["cursor"] = page.headers["guantong-cursor"]
    return found


def binary(event: Mapping[str, Any]) -> tuple[Headers, bytes]:
    """An event in the binary form."""
    attributes = {n: v for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    data = json.dumps(event["data"], ensure_ascii=False).encode()
    return [("content-type", b"application/json"), *headers], data


def figures(hub: RunningHub, name: str) -> dict[str, float]:
    """The series of a metric."""
    with hub.admin as admin:
        lines = admin.get("/metrics").text.splitlines()
    told = (line.rpartition(" ") for line in lines if line.startswith(name))
    return {series.removeprefix(name): float(value) for series, _, value in told}


def refusals_of(hub: RunningHub, caller: str, *, after: int = 0) -> list[tuple[Any, ...]]:
    """What is recorded of refusals: source, id, code and pointer."""
    query = f"""SELECT number, source, event_id, code, pointer FROM refusals
        WHERE caller = '{caller}' AND number > {after} ORDER BY number"""
    return rows(hub.directory, query)


def newest_refusal(hub: RunningHub) -> int:
    """The number of the newest."""
    ((newest,),) = rows(hub.directory, "SELECT coalesce(max(number), 0) FROM refusals")
    return int(newest)


def test_events_of_any_producer_arrive_as_they_were_written(
    topics: Doors, reader: AgencyClient
) -> None:
    written = {f"XF-any-{n}": petition(f"any-{n}") for n in range(6)}
    of_librdkafka, of_aiokafka, of_the_sdk = (list(written.values())[n : n + 2] for n in (0, 2, 4))
    topics.publish(PETITION, of_librdkafka[0])
    topics.send(PETITION, binary(of_librdkafka[1])[1], binary(of_librdkafka[1])[0], key=b"k")

    async def send_with_aiokafka() -> None:
        async with AIOKafkaProducer(bootstrap_servers=topics.cluster.bootstrap) as producer:
            topic = f"intake.{PETITION}"
            document = json.dumps(of_aiokafka[0]).encode()
            await producer.send_and_wait(topic, document, headers=[*DOCUMENT])
            headers, value = binary(of_aiokafka[1])
            await producer.send_and_wait(topic, value, headers=[*headers])

    asyncio.run(send_with_aiokafka())

    def of_sdk(event: Event) -> CloudEvent:
        attributes = {name: value for name, value in event.items() if name != "data"}
        times = {"time": datetime.fromisoformat(event["time"])}
        media = {"datacontenttype": "application/json"}
        return CloudEvent(attributes={**attributes, **times, **media}, data=event["data"])

    def send(message: KafkaMessage) -> None:
        topics.send(PETITION, message.value, [*message.headers.items()])

    send(to_structured_event(of_sdk(of_the_sdk[0])))
    send(to_binary_event(of_sdk(of_the_sdk[1])))

    views = {event["id"]: event for event in arrived(reader, *written)}
    assert {id_: view["source"] for id_, view in views.items()} == dict.fromkeys(
        written, f"/{PETITION}"
    )
    cases = {id_: view["data"]["petitionid"] for id_, view in views.items()}
    assert cases == {id_: event["data"]["petitionid"] for id_, event in written.items()}


def test_what_is_refused_is_answered_recorded_and_counted_as_over_http(
    topics: Doors, hub: RunningHub, reader: AgencyClient
) -> None:
    bureau = hub.agency(PETITION)
    wrong = [
        petition("wrong-1", data={"people": -1, "place": "999999"}),
        petition("wrong-2", source=f"/{AUDIT}"),
        petition("wrong-3", region="520100"),
        petition("wrong-4", time="never"),
    ]
    over_http = bureau.publish(*wrong).json()["results"]
    counted = figures(hub, "guantong_events_refused_total")
    newest = newest_refusal(hub)

    places = topics.publish(PETITION, *wrong)
    over_kafka = [topics.result_of(place) for place in places]

    assert over_kafka == over_http
    told = {e["source"] or "": 0 for e in over_http}
    assert set(told) == {f"/{PETITION}", f"/{AUDIT}"}
    assert [row[1:] for row in refusals_of(hub, PETITION, after=newest)] == [
        (result["source"], result["id"], error["code"], error["pointer"])
        for result in over_http
        for error in result["errors"]
    ]
    increases = {
        series: value - counted.get(series, 0)
        for series, value in figures(hub, "guantong_events_refused_total").items()
        if value != counted.get(series, 0)
    }
    by_code = {f'{{agency="{PETITION}",code="{r["errors"][0]["code"]}"}}' for r in over_http}
    assert set(increases) == by_code
    assert sum(increases.values()) == len(wrong)


def test_an_answer_bears_the_key_and_the_place_and_nothing_of_the_content(
    topics: Doors, reader: AgencyClient
) -> None:
    event = petition("secret", data={"summary": "涉密内容样例", "people": -1})
    place = topics.send(PETITION, json.dumps(event).encode(), key="案件-1".encode(), partition=1)
    answer = topics.answer_to(place)
    assert (answer.topic(), answer.key()) == (f"rejected.{PETITION}", "案件-1".encode())
    assert answer.headers() == [
        ("topic", f"intake.{PETITION}".encode()),
        ("partition", b"1"),
        ("offset", str(place.offset).encode()),
        ("content-type", b"application/json"),
    ]
    assert "涉密" not in (answer.value() or b"").decode()
    assert "林晓禾" not in (answer.value() or b"").decode()


def test_what_is_no_event_is_answered_and_holds_nothing_up(
    topics: Doors, reader: AgencyClient
) -> None:
    headers, value = binary(petition("bad"))
    bad = [
        topics.send(PETITION, value, [*headers, ("ce_note", b"\xff\xfe")]),
        topics.send(PETITION, value, [*headers, ("ce_id", b"twice")]),
        topics.send(PETITION, b"[]", [("content-type", BATCH.encode())]),
        topics.send(PETITION, value, [("content-type", b"text/plain")]),
        topics.send(PETITION, None, []),
        topics.send(PETITION, b"7"),
        topics.send(PETITION, json.dumps({**petition("b64"), "data_base64": "eA=="}).encode()),
        topics.send(PETITION, b" " * 400_000),
    ]
    topics.publish(PETITION, petition("after-the-bad"))

    assert [topics.result_of(place)["errors"][0]["code"] for place in bad] == [
        "header_malformed",
        "header_malformed",
        "unsupported_media_type",
        "unsupported_media_type",
        "unsupported_media_type",
        "json_invalid",
        "data_base64",
        "event_too_large",
    ]
    arrived(reader, "XF-after-the-bad")


async def send_batch_with_a_broken_name(topics: Doors, *, partition: int) -> None:
    """Three events in one batch, of which the second has a header whose name is no UTF-8."""
    async with AIOKafkaProducer(bootstrap_servers=topics.cluster.bootstrap) as producer:
        batch = producer.create_batch()
        for n in (1, 2, 3):
            more = [("zzzzzz", b"")] if n == 2 else []
            document = json.dumps(petition(f"name-{n}")).encode()
            headers = [*DOCUMENT, *more]
            assert batch.append(key=None, value=document, timestamp=None, headers=headers)
        written = batch._build()
        start = written.index(b"zzzzzz")
        written[start : start + 6] = b"\xff\xfe\xfd\xff\xfe\xfd"
        written[17:21] = struct.pack(">I", calc_crc32c(bytes(written[21:])))
        await (await producer.send_batch(batch, f"intake.{PETITION}", partition=partition))


def test_a_record_that_cannot_be_parsed_is_passed_over_and_takes_no_other_with_it(
    topics: Doors, reader: AgencyClient
) -> None:
    before = topics.publish(PETITION, petition("name-0"), partition=1)
    others = [clue(f"beside-{n}", publisher=AUDIT) for n in range(300)]
    topics.publish(AUDIT, *others[:150])
    asyncio.run(send_batch_with_a_broken_name(topics, partition=1))
    topics.publish(AUDIT, *others[150:], partition=1)
    topics.publish(PETITION, petition("name-4"), partition=1)

    # The client cannot get past a broken record to the next of the same batch.
    broken, behind_it = (before[0]._replace(offset=before[0].offset + n) for n in (2, 3))
    assert topics.result_of(broken) == topics.result_of(behind_it)
    assert topics.result_of(broken) == {
        "source": None,
        "id": None,
        "status": "rejected",
        "receipt": None,
        "errors": [
            {
                "code": "record_unreadable",
                "pointer": "",
                "message": "记录（或同批中在它之前的）无法解析：头的名称须为 UTF-8，"
                "压缩只用 gzip 或不压缩；改后重发",
                "message_en": "the record, or one before it in its batch, cannot be parsed:"
                " names of headers are UTF-8, compression is gzip or none; send it again so",
                "retryable": False,
            }
        ],
    }
    taken = [f"XF-name-{n}" for n in (0, 1, 4)]
    beside = [event["id"] for event in others]
    ids = [event["id"] for event in arrived(reader, *taken, *beside)]
    assert [id_ for id_ in ids if id_ in taken] == taken
    assert sorted(ids) == sorted([*taken, *beside])


def test_gzip_is_read_and_any_other_compression_is_refused_record_by_record(
    topics: Doors, reader: AgencyClient
) -> None:
    def of(compression: str) -> Doors:
        config = {"compression.type": compression, "linger.ms": 50}
        producer = Producer({**for_confluent(topics.cluster), **config})
        return replace(topics, producer=producer)

    gzip = [petition(f"gzip-{n}") for n in range(3)]
    of("gzip").publish(PETITION, *gzip)
    places = of("lz4").publish(PETITION, *(petition(f"lz4-{n}") for n in range(3)))
    topics.publish(PETITION, petition("after-lz4"))

    codes = [topics.result_of(place)["errors"][0]["code"] for place in places]
    assert codes == ["record_unreadable"] * 3
    arrived(reader, *(event["id"] for event in gzip), "XF-after-lz4")


def test_a_repeated_event_is_registered_once_and_is_no_refusal(
    topics: Doors, hub: RunningHub, reader: AgencyClient
) -> None:
    known = petition("again")
    (receipt,) = hub.agency(PETITION).accepted(known)
    newest = newest_refusal(hub)
    topics.publish(PETITION, known, known, partition=1)
    topics.publish(PETITION, known)
    last = topics.publish(PETITION, {**known, "subject": "另"})[0]

    assert topics.result_of(last)["errors"][0]["code"] == "id_reused"
    topics.publish(PETITION, petition("after-again"), partition=1)
    events = arrived(reader, known["id"], "XF-after-again")
    assert [e["hubposition"] for e in events if e["id"] == known["id"]] == [receipt["position"]]
    assert [row[3] for row in refusals_of(hub, PETITION, after=newest)] == ["id_reused"]


def test_whoever_is_no_registered_agency_is_refused_and_has_no_answer(
    topics: Doors, hub: RunningHub, reader: AgencyClient
) -> None:
    newest = newest_refusal(hub)
    before = figures(hub, "guantong_requests_refused_total").get('{code="forbidden"}', 0)
    topics.publish(STRANGER, petition("stranger"))
    topics.send(STRANGER, b"", [])

    def recorded() -> list[tuple[Any, ...]] | None:
        found = refusals_of(hub, STRANGER, after=newest)
        return found if len(found) >= 2 else None

    assert [row[1:] for row in until(recorded)] == [
        (f"/{PETITION}", "XF-stranger", "forbidden", ""),
        (None, None, "forbidden", ""),
    ]
    after = figures(hub, "guantong_requests_refused_total")['{code="forbidden"}']
    assert after == before + 2
    assert [name for name in figures(hub, "guantong_") if STRANGER in name] == []
    topics.publish(PETITION, petition("after-the-stranger"))
    arrived(reader, "XF-after-the-stranger")


def test_what_its_publisher_took_back_is_not_admitted(topics: Doors, reader: AgencyClient) -> None:
    async def send() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=topics.cluster.bootstrap, transactional_id="bureau"
        ) as producer:
            for id_, kept in (("taken-back", False), ("kept", True)):
                await producer.begin_transaction()
                document = json.dumps(petition(id_)).encode()
                topic = f"intake.{PETITION}"
                await producer.send_and_wait(topic, document, headers=[*DOCUMENT], partition=1)
                await (producer.commit_transaction() if kept else producer.abort_transaction())

    asyncio.run(send())
    arrived(reader, "XF-kept")
    assert [e["id"] for e in reader.drain("everything") if e["id"] == "XF-taken-back"] == []


def test_the_order_of_a_partition_is_the_order_of_each_case(
    topics: Doors, reader: AgencyClient
) -> None:
    events = [
        petition(f"case-{n % 7}", id=f"order-{n}", data={"people": n + 1}) for n in range(700)
    ]
    topics.publish(PETITION, *events)
    seen = arrived(reader, *(event["id"] for event in events))
    assert [event["id"] for event in seen] == [event["id"] for event in events]


def test_a_topic_that_is_made_later_is_found(
    kafka: KafkaCluster, hub: RunningHub, reader: AgencyClient
) -> None:
    with doors(kafka, CITY) as later:
        later.publish(CITY, clue("later"))
        refused = later.publish(CITY, clue("later-no", time="never"))[0]
        arrived(reader, "CL-later")
        assert later.result_of(refused)["status"] == "rejected"


def test_a_hub_that_has_read_everything_says_so(
    topics: Doors, hub: RunningHub, reader: AgencyClient
) -> None:
    topics.publish(PETITION, petition("the-last"))
    arrived(reader, "XF-the-last")

    def nothing_left() -> bool:
        return figures(hub, "guantong_kafka_doors_unread_records") == {"": 0}

    assert until(nothing_left)
    assert figures(hub, "guantong_kafka_doors_oldest_seconds") == {"": 0}
    assert figures(hub, "guantong_kafka_doors_away") == {"": 0}
    assert figures(hub, "guantong_kafka_doors_sessions_total") == {"": 1}
    assert hub.client(None).get("/health/ready").json() == {"status": "ready"}
