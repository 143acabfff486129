"""A hub whose events travel over Kafka, on the servers that its bare client is measured on."""

import asyncio
import gc
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import uvloop
from aiokafka import AIOKafkaProducer

from deploy.local.kafka import KafkaCluster
from deploy.local.kafka import running as running_kafka
from deploy.local.postgres import running as running_postgres
from hub.backbone.records import Outgoing, outgoing
from tests.bench.http import CONNECTIONS, EVENTS, REQUESTS, _answer, over_http, prepare
from tests.bench.journal import admitted
from tests.bench.kafka import PARTITIONS, TOPIC
from tests.bench.latency import End, told
from tests.bench.material import event, rendered
from tests.bench.measure import report
from tests.bench.singles import quantile
from tests.cluster import DOORS, WORKS, Cluster, until
from tests.kafka import make_topics
from tests.postgres import rows
from tests.running import STRUCTURED
from tests.sample import CITY, PETITION

ROUNDS = 3
LONE = 150
BATCH = CONNECTIONS * REQUESTS * EVENTS
# Strimzi's bridge 0.33 on one processor, which validates nothing: batches of 100 over 16
# connections, events a second.
BRIDGE = 13_730


async def lone(publisher: End, bootstrap: str) -> bool:
    """One event after the other: through a door, and by the bare client, in turn."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    reader, writer = await asyncio.open_connection(publisher.host, publisher.port)
    figures: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        bodies = rendered([event(n, series=f"one{number}") for n in range(LONE)])
        # What is known already would be registered at many times the cost.
        events = admitted(range(LONE), series=f"bare{number}")
        records = [outgoing(e, partitions=PARTITIONS) for e in events]
        through, alone = [], []
        for body, record in zip(bodies, records, strict=True):
            through.append(await _published(reader, writer, publisher, body))
            alone.append(await _sent(producer, record))
        figures.append((quantile(through, 0.5) * 1e6, quantile(alone, 0.5) * 1e6))
    writer.close()
    await producer.stop()
    return report(
        "a lone event: bare send_and_wait, p50 / through a door over Kafka, p50",
        ours=[alone for _, alone in figures[1:]],
        reference=[through for through, _ in figures[1:]],
        goal=0.5,
        unit="µs",
    )


async def _published(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at: End, body: bytes
) -> float:
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: {at.host}\r\nAuthorization: Bearer {at.token}\r\n"
        f"Content-Type: {STRUCTURED}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    started = perf_counter()
    writer.write(head.encode() + body)
    await _answer(reader)
    return perf_counter() - started


async def _sent(producer: AIOKafkaProducer, record: Outgoing) -> float:
    started = perf_counter()
    # The topic is the hub's: what it cannot read it keeps apart.
    await producer.send_and_wait(
        TOPIC, record.value, key=record.key, partition=record.partition, headers=record.headers
    )
    return perf_counter() - started


def batches(publisher: str, *doors: tuple[str, int]) -> bool:
    """The load that was given to proxies that people use instead, with everything on."""
    rates = [uvloop.run(over_http(publisher, f"b{n}", *doors)) for n in range(ROUNDS + 1)]
    return report(
        "batches of 100 over 16 connections through two doors over Kafka / Strimzi's bridge",
        ours=rates[1:],
        reference=[float(BRIDGE)] * ROUNDS,
        goal=1.3,
        unit="events/s",
    )


def backlog(cluster: Cluster, publisher: str, url: str, *doors: tuple[str, int]) -> bool:
    """What waits in the topics, registered by one process alone, and with one that stands by."""

    def last() -> int:
        ((count,),) = asyncio.run(rows(url, "SELECT next_number - 1 FROM shards"))
        return int(count)

    def registered(series: str, *works: str) -> float:
        for work in WORKS:
            if work in cluster.running:
                cluster.running.pop(work).stop()
        before = last()
        uvloop.run(over_http(publisher, series, *doors))
        cluster.start(*works)
        until(lambda: last() > before)
        first, started = last(), perf_counter()
        until(lambda: last() >= before + BATCH)
        return (before + BATCH - first) / (perf_counter() - started)

    figures = [
        (registered(f"w{n}", *WORKS), registered(f"v{n}", WORKS[0])) for n in range(ROUNDS + 1)
    ]
    return report(
        "a backlog registered while another process stands by / by one process alone",
        ours=[two for two, _ in figures[1:]],
        reference=[one for _, one in figures[1:]],
        goal=0.9,
        unit="events/s",
    )


def used(kafka: KafkaCluster, url: str, folder: Path) -> bool:
    """Two doors and two that may register, of which one stands by."""
    settings = {"backbone": "kafka", "kafka": kafka.bootstrap}
    cluster = Cluster(folder, dict.fromkeys((*DOORS, *WORKS), url), settings=settings)
    try:
        cluster.start(DOORS[0])
        cluster.start(*DOORS[1:], *WORKS)
        cluster.writer()
        first = cluster.running[DOORS[0]]
        prepare(first)
        publisher, reader = first.token(PETITION), first.token(CITY)
        doors = [cluster.running[door].address for door in DOORS]
        return all(
            [
                asyncio.run(lone(End(*doors[0], publisher), kafka.bootstrap)),
                told(
                    End(*doors[0], publisher), End(*doors[-1], reader), through="two doors on Kafka"
                ),
                batches(publisher, *doors),
                backlog(cluster, publisher, url, *doors),
            ]
        )
    finally:
        cluster.end()


def run() -> bool:
    gc.freeze()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_postgres(folder / "postgres"))
        kafka = stack.enter_context(running_kafka(folder / "kafka"))
        asyncio.run(make_topics(kafka.bootstrap, partitions=PARTITIONS))
        server.create_database("cluster")
        return used(kafka, server.url("cluster"), folder / "cluster")
