"""What an event costs each part of a hub over Kafka: processor time, and room where it is kept.

For `deploy/sizing.md`; `make bench FULL=1`. Processor time hardly depends on what else a machine
does, as rates do.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import uvloop

from deploy.local.kafka import running as running_kafka
from deploy.local.postgres import running as running_postgres
from tests.bench.http import over_http, prepare, pulled
from tests.bench.kafka import PARTITIONS
from tests.bench.kafkahub import BATCH
from tests.bench.latency import RATE, SECONDS, End, under_way
from tests.cluster import Cluster, until
from tests.kafka import make_topics
from tests.postgres import rows
from tests.sample import CITY, PETITION

ROUNDS = 3
READERS = 4
_TICK = os.sysconf("SC_CLK_TCK")
_SIZES = """
SELECT coalesce(parent.relname, own.relname), sum(pg_total_relation_size(own.oid))::bigint
FROM pg_class AS own LEFT JOIN pg_inherits ON inhrelid = own.oid
LEFT JOIN pg_class AS parent ON parent.oid = inhparent
WHERE own.relkind = 'r' AND own.relnamespace = 'public'::regnamespace GROUP BY 1
"""


@dataclass(frozen=True)
class World:
    """A door, a writer, PostgreSQL and a broker, and their first processes."""

    cluster: Cluster
    url: str
    parts: dict[str, int]
    broker: Path

    def seconds(self) -> dict[str, float]:
        """Processor time of each part, its processes' processes included."""
        return {part: sum(map(_seconds, _family(pid))) for part, pid in self.parts.items()}

    def registered(self) -> int:
        ((count,),) = asyncio.run(rows(self.url, "SELECT next_number - 1 FROM shards"))
        return int(count)

    def sizes(self) -> dict[str, int]:
        """Bytes of each table, its indexes included, and of the broker's records."""
        found = {name: size for name, size in asyncio.run(rows(self.url, _SIZES))}
        logs = self.broker.rglob("share.petition-*/*.log")
        return {**found, "share.*": sum(file.stat().st_size for file in logs)}


def _family(pid: int) -> Iterable[int]:
    yield pid
    # Threads and processes end meanwhile.
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _seconds(pid: int) -> float:
    """Of a process and of those of its own that have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / _TICK


def tell(what: str, before: dict[str, float], after: dict[str, float], events: int) -> None:
    """Print what each part spent on an event, µs."""
    spent = {part: round((after[part] - before[part]) / events * 1e6) for part in before}
    _print({"name": f"processor time of an event {what}", "unit": "µs", "events": events, **spent})


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def costs(world: World) -> None:
    """Measure publishing in batches, one by one, and reading; then what is stored."""
    hub = world.cluster.running["a"]
    prepare(hub)
    publisher, reader = hub.token(PETITION), hub.token(CITY)
    uvloop.run(over_http(publisher, "warm", hub.address))
    until(lambda: world.registered() >= BATCH)
    empty, before = world.sizes(), world.seconds()
    for n in range(ROUNDS):
        uvloop.run(over_http(publisher, f"c{n}", hub.address))
    total = BATCH * (1 + ROUNDS)
    until(lambda: world.registered() >= total)
    after = world.seconds()
    tell("in batches of 100, until it is registered", before, after, BATCH * ROUNDS)
    full = world.sizes()
    _print(
        {
            "name": "room of an event that two subscriptions match",
            "unit": "bytes",
            **{
                name: round((size - empty.get(name, 0)) / (BATCH * ROUNDS))
                for name, size in full.items()
                if size - empty.get(name, 0) > BATCH
            },
        }
    )
    before = world.seconds()
    uvloop.run(pulled(reader, hub.address))
    tell("in pages of 1,000", before, world.seconds(), READERS * total)
    before = world.seconds()
    uvloop.run(under_way(End(*hub.address, publisher), End(*hub.address, reader), "one"))
    tell("alone, 500 a second, until it is pulled", before, world.seconds(), RATE * SECONDS)


def run() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_postgres(folder / "postgres"))
        kafka = stack.enter_context(running_kafka(folder / "kafka"))
        asyncio.run(make_topics(kafka.bootstrap, partitions=PARTITIONS))
        server.create_database("costs")
        url = server.url("costs")
        settings = {"backbone": "kafka", "kafka": kafka.bootstrap}
        cluster = Cluster(folder / "cluster", dict.fromkeys("av", url), settings=settings)
        stack.callback(cluster.end)
        cluster.start("a")
        cluster.start("v")
        cluster.writer()
        parts = {
            "door": cluster.running["a"].process.pid,
            "writer": cluster.running["v"].process.pid,
            "postgresql": server.pid,
            "broker": kafka.brokers[0].pid,
        }
        costs(World(cluster, url, parts, folder / "kafka"))


if __name__ == "__main__":
    run()
