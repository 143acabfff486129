"""A hub whose events travel over Kafka: any door accepts, and whoever has the shard registers.

Brokers, registrars and the way between are ended in the midst of it; each event is registered once,
in the order of its case, and nothing is passed over.
"""

import asyncio
import json
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from deploy.local.kafka import Broker, KafkaCluster
from deploy.local.kafka import running as running_kafka
from deploy.local.postgres import PostgresServer
from tests.cluster import DOORS, WORKS, Cluster, until
from tests.doors import doors
from tests.kafka import make_topics
from tests.postgres import fresh_database, rows
from tests.running import results_of, start_hub
from tests.sample import (
    CITY,
    DISCIPLINE,
    PETITION,
    clue,
    everybody_exchanges,
    exchange,
    petition,
)

pytestmark = [pytest.mark.timeout(600), pytest.mark.backend("kafka")]

PARTITIONS = 2
Event = dict[str, Any]


@dataclass
class World:
    """Two doors and two that register, over one broker on one database."""

    cluster: Cluster
    kafka: KafkaCluster
    database: str

    @property
    def broker(self) -> Broker:
        return self.kafka.brokers[0]

    def publish(self, door: str, *events: Event, mode: str = "each") -> list[dict[str, Any]]:
        """What a door says of events that it is to accept."""
        answer = self.cluster.at(door, PETITION).publish(*events, mode=mode)
        results = results_of(answer)
        assert [r["status"] for r in results] == ["accepted"] * len(events), answer.text
        return results

    def registered(self, door: str, receipt: str) -> dict[str, Any]:
        """A receipt, once its event is registered."""
        client = self.cluster.at(door, PETITION).http

        def look() -> dict[str, Any] | None:
            told: dict[str, Any] = client.get(f"/v1/receipts/{receipt}").json()
            return told if told.get("state") == "registered" else None

        return until(look)

    def told_at_once(self, door: str, receipt: str) -> list[int]:
        """The statuses of a receipt, until it can be told what became of the event."""
        client, told = self.cluster.at(door, PETITION).http, [503]
        while told[-1] == 503:
            told.append(client.get(f"/v1/receipts/{receipt}").status_code)
        return told

    def asked(self, statement: str) -> list[tuple[Any, ...]]:
        return asyncio.run(rows(self.database, statement))


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with fresh_database(postgres) as url, running_kafka(folder / "kafka") as kafka:
        asyncio.run(make_topics(kafka.bootstrap, partitions=PARTITIONS))
        settings = {
            "backbone": "kafka",
            # Brokers are named in one list, of which not all need be there.
            "kafka": f"127.0.0.1:1,{kafka.bootstrap}",
            "kafka_partitions": str(PARTITIONS),
        }
        addresses = dict.fromkeys((*DOORS, *WORKS), url)
        cluster = Cluster(folder / "cluster", addresses, settings=settings)
        try:
            cluster.start("a")
            cluster.start("b", *WORKS)
            cluster.running["a"].apply(everybody_exchanges())
            cluster.writer()
            until(lambda: all(map(is_producing, cluster.running.values())))
            yield World(cluster, kafka, url)
        finally:
            cluster.end()


def is_producing(hub: Any) -> bool:
    return any("kafka.producing" in line for line in hub.lines)


def of_case(case: str, step: int) -> Event:
    return petition(f"{case}/{step}", data={"petitionid": case, "people": step})


def steps(events: Sequence[Event]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for event in events:
        found[event["data"]["petitionid"]].append(event["data"]["people"])
    return dict(found)


def fed(world: World, id_: str, count: int, *, among: Sequence[str] | None = None) -> list[Event]:
    """A feed of the city's, read at the door `b`, once it holds so many events of some cases.

    What was accepted before the subscription was made may be registered after that.
    """
    client = world.cluster.at("b", CITY)

    def look() -> list[Event] | None:
        found = [
            event
            for event in client.drain(id_)
            if among is None or event["data"]["petitionid"] in among
        ]
        return found if len(found) >= count else None

    return until(look)


def subscribed(world: World, id_: str) -> None:
    """A feed of what comes from now on."""
    world.cluster.at("a", CITY).subscribe(id_)


def test_an_event_is_accepted_when_the_brokers_have_it_and_registered_after_that(
    world: World,
) -> None:
    subscribed(world, "plain")
    (result,) = world.publish("a", petition("k-1"))
    assert result["receipt"]["state"] == "accepted"
    # Whoever asks at once, and at another door, is never told that there is none.
    told = world.told_at_once("b", result["receipt"]["id"])
    assert {*told} <= {503, 200}
    receipt = world.registered("b", result["receipt"]["id"])
    (event,) = fed(world, "plain", 1)
    assert (event["id"], event["hubreceipt"]) == ("XF-k-1", receipt["id"])
    assert event["hubposition"] == receipt["position"]


def test_a_receipt_of_what_was_never_accepted_is_nobodys(world: World) -> None:
    assert world.told_at_once("a", "0" * 32)[-1] == 404


def test_what_is_known_is_said_at_the_door(world: World) -> None:
    event, other = petition("known"), petition("known", data={"people": 9})
    (first,) = world.publish("a", event)
    world.registered("a", first["receipt"]["id"])
    answer = world.cluster.at("b", PETITION).publish(event, other, petition("fresh"))
    duplicate, reused, fresh = results_of(answer)
    assert (answer.status_code, duplicate["status"], duplicate["receipt"]["state"]) == (
        207,
        "duplicate",
        "registered",
    )
    assert (reused["status"], reused["errors"][0]["code"]) == ("rejected", "id_reused")
    assert fresh["status"] == "accepted"
    assert world.asked(
        "SELECT caller, code FROM refusals WHERE event_id = 'XF-known' ORDER BY number"
    ) == [(PETITION, "id_reused")]


def test_the_same_id_twice_in_a_batch_is_accepted_once(world: World) -> None:
    twice = petition("twice")
    answer = world.cluster.at("a", PETITION).publish(
        twice, twice, petition("twice", data={"people": 7})
    )
    assert [
        (r["status"], r["errors"][0]["code"] if r["errors"] else None) for r in results_of(answer)
    ] == [("accepted", None), ("duplicate", None), ("rejected", "id_reused")]


def test_a_batch_that_is_to_be_stored_whole_is_refused_whole(world: World) -> None:
    (first,) = world.publish("a", petition("whole-0"))
    world.registered("a", first["receipt"]["id"])
    bad = petition("whole-0", data={"people": 5})
    answer = world.cluster.at("a", PETITION).publish(petition("whole-1"), bad, mode="all")
    assert answer.status_code == 422
    assert [r["status"] for r in results_of(answer)] == ["rejected", "rejected"]
    (good,) = world.publish("b", petition("whole-1"))
    assert good["status"] == "accepted"


def test_what_answers_an_event_comes_after_it_though_by_another_topic(world: World) -> None:
    """At once, at another door, and in one batch."""
    discipline = world.cluster.at("b", DISCIPLINE)
    discipline.subscribe("after", types=["clue.*", "exchange.*"])
    told: list[Event] = []

    def urged(matter: str) -> tuple[Event, Event]:
        sent = clue(matter)
        about = exchange("exchange.urged", matter, CITY, sent, to=DISCIPLINE)
        told.extend((sent, about))
        return sent, about

    def accepted(door: str, *events: Event, mode: str = "each") -> None:
        def sent_again() -> bool:
            answer = world.cluster.at(door, CITY).publish(*events, mode=mode)
            # Where the first is not registered soon enough, the second waits for a better moment.
            assert answer.status_code in {200, 503}, answer.text
            return answer.status_code == 200

        until(sent_again)

    for n in range(4):
        for door, event in zip(DOORS, urged(f"apart-{n}"), strict=True):
            accepted(door, event)
    for n, mode in enumerate(("each", "all", "each", "all")):
        accepted("a", *urged(f"together-{n}"), mode=mode)
    names = {event["id"] for event in told}

    def fed_all() -> list[str] | None:
        found = [e["id"] for e in discipline.drain("after") if e["id"] in names]
        return found if len(found) == len(names) else None

    assert until(fed_all) == [event["id"] for event in told]


def test_what_is_about_nothing_is_refused_once_that_is_known(world: World) -> None:
    nothing = exchange("exchange.urged", "nothing", CITY, clue("never-sent"), to=DISCIPLINE)

    def refused() -> Event | None:
        answer = world.cluster.at("a", CITY).publish(nothing)
        return answer.json() if answer.status_code == 422 else None

    (result,) = until(refused)["results"]
    assert [(e["code"], e["pointer"]) for e in result["errors"]] == [
        ("subject_unknown", "/data/about")
    ]


def test_cases_keep_their_order_whichever_way_their_events_go(world: World) -> None:
    """Over two doors, single and whole batches, with the broker killed and started in between."""
    subscribed(world, "cases")
    cases = [f"case-{n}" for n in range(6)]

    def tell(case: str) -> None:
        for step in range(0, 40, 2):
            mode = "all" if step % 10 == 4 else "each"
            door = DOORS[step // 2 % 2]
            world.publish(door, of_case(case, step), of_case(case, step + 1), mode=mode)

    with ThreadPoolExecutor(len(cases)) as threads:
        telling = [threads.submit(tell, case) for case in cases]
        for _ in range(2):
            # By this thread, with which the broker ends.
            world.broker.kill()
            until(lambda: outbox(world) > 0)
            world.broker.start()
        for each in telling:
            each.result()
    events = fed(world, "cases", 40 * len(cases), among=cases)
    assert steps(events) == {case: list(range(40)) for case in cases}
    until(lambda: outbox(world) == 0)
    assert len({event["hubposition"] for event in events}) == len(events)


def test_a_whole_batch_that_is_refused_after_all_is_told_by_its_receipts(world: World) -> None:
    """While the brokers are away, a door cannot know what another has taken in."""
    world.broker.kill()
    until(lambda: world.publish("a", petition("late-0"))[0]["status"] and outbox(world) > 0)
    world.publish("a", petition("late-1"), mode="all")
    other = petition("late-1", data={"people": 9})
    results = world.publish("b", petition("late-2"), other, mode="all")
    world.broker.start()
    client = world.cluster.at("b", PETITION).http
    receipt = f"/v1/receipts/{results[0]['receipt']['id']}"

    def refused() -> Event | None:
        told: Event = client.get(receipt).json()
        return told if told.get("state") == "refused" else None

    assert [error["code"] for error in until(refused)["errors"]] == ["batch_refused"]
    world.registered("a", results[1]["receipt"]["id"])
    assert world.asked(
        "SELECT event_id, code FROM refusals WHERE event_id LIKE 'XF-late-%' ORDER BY number"
    ) == [("XF-late-2", "batch_refused"), ("XF-late-1", "id_reused")]


def outbox(world: World) -> int:
    ((count,),) = world.asked("SELECT count(*) FROM intake")
    return int(count)


def test_what_the_writer_leaves_another_registers_once(world: World) -> None:
    subscribed(world, "left")
    client = world.cluster.at("a", PETITION)
    with ThreadPoolExecutor(4) as threads:
        sent = [
            threads.submit(client.accepted, *(petition(f"left-{n}-{i}") for i in range(50)))
            for n in range(40)
        ]
        for done in (10, 30):
            sent[done].result()
            writer = world.cluster.writer()
            world.cluster.running[writer].kill()
            world.cluster.start(writer)
        for each in sent:
            each.result()
    cases = [f"XF-left-{n}-{i}" for n in range(40) for i in range(50)]
    events = fed(world, "left", 2_000, among=cases)
    assert sorted(event["id"] for event in events) == sorted(cases)
    ((first, last, count),) = world.asked(
        "SELECT min(position), max(position), count(*) FROM journal"
    )
    assert (first, last) == (1, count)


def test_who_would_register_and_is_not_let_in_by_the_brokers_says_so(
    world: World, tmp_path: Path
) -> None:
    let_in = f"{world.cluster.running[WORKS[0]].url}/health/ready"
    until(lambda: "missing" not in httpx.get(let_in, trust_env=False, verify=False).json())
    # Nobody listens there.
    nowhere = {**world.cluster.settings, "database": world.database, "kafka": "127.0.0.1:1"}
    work = start_hub(tmp_path / "work", settings=nowhere, command="work")
    answer = httpx.get(f"{work.url}/health/ready", trust_env=False, verify=False)
    assert (answer.status_code, answer.json()["missing"]) == (200, ["kafka"])
    assert work.stop() == 0


def test_what_is_no_event_of_the_hubs_is_kept_apart(world: World) -> None:
    async def write() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=world.kafka.bootstrap)
        await producer.start()
        for partition in range(PARTITIONS):
            await producer.send_and_wait(
                "share.petition", b"\xff", partition=partition, headers=[("x", b"\xff\xfe")]
            )
        await producer.stop()

    asyncio.run(write())
    results = world.publish("a", *(petition(f"after-{n}") for n in range(8)))
    for result in results:
        world.registered("b", result["receipt"]["id"])
    kept = world.asked("SELECT topic, partition, reason FROM unread_records ORDER BY partition")
    assert kept == [("share.petition", n, "0 headers hub_admitted") for n in range(PARTITIONS)]


def test_what_cannot_even_be_parsed_is_set_aside_and_takes_nothing_else_with_it(
    world: World,
) -> None:
    """Of three records in a batch the second has a header whose name is no UTF-8."""

    async def write() -> int:
        async with AIOKafkaProducer(bootstrap_servers=world.kafka.bootstrap) as producer:
            batch = producer.create_batch()
            for name in ("plain", "zzzzzz", "plain"):
                headers = [(name, b"")]
                assert batch.append(key=None, value=b"x", timestamp=None, headers=headers)
            written = batch._build()
            start = written.index(b"zzzzzz")
            written[start : start + 6] = b"\xff\xfe\xfd\xff\xfe\xfd"
            written[17:21] = struct.pack(">I", calc_crc32c(bytes(written[21:])))
            sent = await producer.send_batch(batch, "share.petition", partition=1)
            return int((await sent).offset)

    def publish(name: str) -> list[str]:
        results = world.publish("a", *(petition(f"{name}-{n}") for n in range(40)))
        return [result["receipt"]["id"] for result in results]

    receipts = publish("with-it")
    first = asyncio.run(write())
    for receipt in [*receipts, *publish("behind-it")]:
        world.registered("b", receipt)
    kept = world.asked(
        f"SELECT topic, partition, place, reason FROM unread_records WHERE place >= {first}"
        " AND partition = 1 ORDER BY place"
    )
    # The client gets past a broken record to the next batch, not to the next of its own.
    reasons = ["0 headers hub_admitted", "unparsable", "unparsable"]
    assert kept == [("share.petition", 1, first + n, why) for n, why in enumerate(reasons)]
    ((count,),) = world.asked("SELECT count(*) FROM unread_records")
    until(lambda: {*figures(world, "backbone_unread_records").values()} == {count})
    writer = world.cluster.running[world.cluster.writer()]
    told = [json.loads(line) for line in writer.lines if "kafka.record_unread" in line]
    assert [(line["offset"], line["reason"]) for line in told[-3:]] == [
        (first + n, why) for n, why in enumerate(reasons)
    ]


def test_an_agencys_own_topic_is_a_door_here_too(world: World) -> None:
    subscribed(world, "topic")
    events = [of_case(f"XF-topic-{n % 3}", n) for n in range(300)]
    with doors(world.kafka, PETITION) as topics_of_agencies:
        topics_of_agencies.publish(PETITION, *events)
        wrong = topics_of_agencies.publish(PETITION, petition("topic-no", time="never"))[0]
        assert topics_of_agencies.result_of(wrong)["id"] == "XF-topic-no"
        seen = fed(world, "topic", 300, among=[f"XF-topic-{n}" for n in range(3)])
    for case in range(3):
        own = [e["data"]["people"] for e in seen if e["data"]["petitionid"] == f"XF-topic-{case}"]
        assert own == list(range(case, 300, 3))


def figures(world: World, name: str) -> dict[str, float]:
    """The values of a metric, by its labels and the process that tells them."""
    with world.cluster.running["a"].admin as admin:
        token = admin.headers["Authorization"].removeprefix("Bearer ")
    found: dict[str, float] = {}
    for process, running in world.cluster.running.items():
        lines = running.client(token).get("/metrics").text.splitlines()
        for series, _, value in (line.rpartition(" ") for line in lines):
            metric, _, labels = series.partition("{")
            if metric == f"guantong_{name}":
                found[f"{process} {labels.rstrip('}')}".strip()] = float(value)
    return found


def of_all(world: World, name: str, labels: str) -> float:
    """A metric, over all processes."""
    found = figures(world, name)
    return sum(value for series, value in found.items() if series.endswith(f" {labels}"))


def test_what_is_on_its_way_is_counted_where_it_goes(world: World) -> None:
    petitions = 'family="petition"'

    def counted() -> list[float]:
        return [
            of_all(world, "backbone_produced_total", petitions),
            of_all(world, "backbone_registered_total", petitions),
            of_all(world, "backbone_outbox_requests_total", 'reason="whole"'),
        ]

    before = counted()
    world.publish("a", *(petition(f"counted-{n}") for n in range(30)))
    world.publish("b", petition("counted-whole"), mode="all")
    until(lambda: counted() == [before[0] + 30, before[1] + 30, before[2] + 1])
    assert {*figures(world, "kafka_away").values()} == {0}
    sessions = figures(world, "backbone_sessions_total")
    everybody = {f'{process} kind="producer"' for process in (*DOORS, *WORKS)}
    assert everybody | {f'{world.cluster.writer()} kind="registrar"'} <= sessions.keys()


def test_registration_that_does_not_get_on_is_told_of_by_whoever_has_the_shard(
    world: World,
) -> None:
    async def while_nothing_is_registered(look: Callable[[], bool]) -> None:
        connection = await asyncpg.connect(world.database.replace("+asyncpg", ""))
        async with connection.transaction():
            # Read, but not moved.
            await connection.execute("LOCK TABLE offsets IN EXCLUSIVE MODE")
            world.publish("a", *(petition(f"stuck-{n}") for n in range(20)))
            await asyncio.to_thread(until, look)
        await connection.close()

    def lags(name: str) -> dict[str, float]:
        """Of those that measure."""
        return {n: v for n, v in figures(world, f"backbone_lag_{name}").items() if not isnan(v)}

    asyncio.run(
        while_nothing_is_registered(
            lambda: [*lags("records").values()] == [20] and min(lags("seconds").values()) > 0
        )
    )
    until(lambda: lags("records") == lags("seconds") == {world.cluster.writer(): 0})
