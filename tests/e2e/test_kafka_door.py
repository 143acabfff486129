"""Topics as doors, whatever is killed or away: each record is registered once, or refused."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import KafkaCluster
from deploy.local.postgres import PostgresServer
from tests.cluster import Cluster, until
from tests.doors import Doors, doors
from tests.postgres import fresh_database
from tests.running import RunningHub, restart_hub, running_hub, start_hub
from tests.sample import DISCIPLINE, PETITION, petition, policy

Event = dict[str, Any]


@pytest.fixture
def topics(kafka: KafkaCluster) -> Iterator[Doors]:
    with doors(kafka, PETITION) as made:
        yield made


def counted(case: str, *, start: int, stop: int) -> list[Event]:
    """Events of three cases; each carries its number."""
    return [
        petition(f"{case}-{n % 3}", id=f"{case}-{n}", data={"people": n + 1})
        for n in range(start, stop)
    ]


def seen_by(hub: RunningHub, *, at_least: int) -> list[Event]:
    """What an office has got, once it is so many events."""
    office = hub.agency(DISCIPLINE)
    found: list[Event] = []
    query: dict[str, Any] = {"limit": 1000, "wait": 20}

    def look() -> bool:
        page = office.page("all", **query)
        assert page.status_code == 200, page.text
        found.extend(page.json())
        query["cursor"] = page.headers["guantong-cursor"]
        return len(found) >= at_least

    until(look)
    return found


def missing(hub: RunningHub) -> list[str]:
    """What a hub that is ready serves without."""
    answer = hub.client(None).get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    without: list[str] = answer.json().get("missing", [])
    return without


def test_where_a_hub_is_killed_each_record_is_registered_once_and_in_order(
    topics: Doors, tmp_path: Path
) -> None:
    settings = {"kafka": topics.cluster.bootstrap}
    hub = start_hub(tmp_path / "data", settings=settings)
    try:
        hub.apply(policy())
        hub.agency(DISCIPLINE).subscribe("all")
        refused = topics.publish(PETITION, petition("no-1", data={"people": -1}))
        for partition in range(2):
            events = counted(f"kill-{partition}", start=0, stop=3000)
            topics.publish(PETITION, *events, partition=partition)
        refused += topics.publish(PETITION, petition("no-2", data={"people": -1}))
        # In the midst of what is there.
        seen_by(hub, at_least=1)
        hub = restart_hub(hub, settings=settings)

        seen = [event["id"] for event in seen_by(hub, at_least=6000)]
        assert [topics.result_of(place)["id"] for place in refused] == ["XF-no-1", "XF-no-2"]
        assert hub.stop() == 0
    finally:
        if hub.process.poll() is None:
            hub.kill()

    for partition in range(2):
        own = [id_ for id_ in seen if id_.startswith(f"kill-{partition}-")]
        assert own == [f"kill-{partition}-{n}" for n in range(3000)]
    assert len(seen) == 6000


def test_http_is_served_while_kafka_is_away_and_topics_are_read_once_it_is_there(
    topics: Doors, tmp_path: Path
) -> None:
    (broker,) = topics.cluster.brokers
    topics.publish(PETITION, petition("before"))
    broker.kill()
    settings = {"kafka": topics.cluster.bootstrap}
    try:
        with running_hub(tmp_path / "data", settings=settings) as hub:
            hub.apply(policy())
            hub.agency(DISCIPLINE).subscribe("all")
            bureau = hub.agency(PETITION)
            assert missing(hub) == ["kafka"]
            bureau.accepted(petition("meanwhile"))

            broker.start()
            assert [e["id"] for e in seen_by(hub, at_least=2)] == ["XF-meanwhile", "XF-before"]
            assert until(lambda: missing(hub) == [])

            broker.kill()
            assert until(lambda: missing(hub)) == ["kafka"]
            bureau.accepted(petition("again"))
            broker.start()
            topics.publish(PETITION, petition("after"))
            assert [e["id"] for e in seen_by(hub, at_least=4)][2:] == ["XF-again", "XF-after"]
            assert hub.stop() == 0
            told = [json.loads(line) for line in hub.lines]
    finally:
        if broker.has_ended:
            broker.start()
    sessions = [line["event"] for line in told if line["event"].startswith("kafka.")]
    assert sessions[0] == "kafka.away"
    assert sessions.count("kafka.connected") == 2
    assert [line for line in told if line["level"] == "error"] == []


def test_what_storage_does_not_take_waits_in_its_topic(topics: Doors, tmp_path: Path) -> None:
    hub = start_hub(
        tmp_path / "data",
        settings={"kafka": topics.cluster.bootstrap},
        largest_file=2 * 1024 * 1024,
    )
    try:
        hub.apply(policy())
        hub.agency(DISCIPLINE).subscribe("all")
        events = counted("full", start=0, stop=3000)
        topics.publish(PETITION, *events)
        waits = until(lambda: [line for line in hub.lines if '"records.wait"' in line])
        assert json.loads(waits[0])["reason"] == "storage_failed"
        hub.lift_file_limit()

        seen = seen_by(hub, at_least=len(events))
        assert [event["id"] for event in seen] == [event["id"] for event in events]
        assert hub.stop() == 0
    finally:
        if hub.process.poll() is None:
            hub.kill()


def test_doors_of_several_processes_share_the_topics_and_one_that_hung_does_no_harm(
    topics: Doors, postgres: PostgresServer, tmp_path: Path
) -> None:
    def publish(start: int, stop: int) -> None:
        for partition in range(2):
            events = counted(f"shared-{partition}", start=start, stop=stop)
            topics.publish(PETITION, *events, partition=partition)

    with fresh_database(postgres) as address:
        processes = dict.fromkeys(("a", "b", "v"), address)
        settings = {"kafka": topics.cluster.bootstrap}
        cluster = Cluster(tmp_path, processes, settings=settings)
        try:
            cluster.start("v", "a")
            cluster.start("b")
            first, second = cluster.running["a"], cluster.running["b"]
            first.apply(policy())
            first.agency(DISCIPLINE).subscribe("all")
            publish(0, 200)
            seen_by(first, at_least=400)
            second.process.send_signal(signal.SIGSTOP)
            publish(200, 400)
            seen_by(first, at_least=800)
            second.process.send_signal(signal.SIGCONT)
            publish(400, 600)
            seen = [event["id"] for event in seen_by(first, at_least=1200)]
            assert (first.stop(), second.stop()) == (0, 0)
        finally:
            cluster.end()
    for partition in range(2):
        own = [id_ for id_ in seen if id_.startswith(f"shared-{partition}-")]
        assert own == [f"shared-{partition}-{n}" for n in range(600)]
    assert len(seen) == 1200


WITHOUT = """
import sys
sys.modules["aiokafka"] = None
from hub.cli.commands import main
main()
"""
LOADED = """
import sys
import hub.app.embedded, hub.app.serving, hub.app.working
print(*sys.modules)
"""


def run(program: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Python to its end."""
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_whoever_has_not_installed_what_kafka_needs_is_told_so(tmp_path: Path) -> None:
    words = ("up", f"--data={tmp_path}", "--listen=127.0.0.1:0")
    done = run(WITHOUT, *words, GUANTONG_KAFKA="127.0.0.1:1")
    told = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert told == (
        "未安装 Kafka 组件，请执行 pip install 'guantong[kafka]'"
        " / what Kafka needs is not installed: pip install 'guantong[kafka]'"
    )


def test_without_the_setting_nothing_of_kafka_is_loaded() -> None:
    loaded = run(LOADED).stdout.split()
    assert "hub.app.kafkadoors" in loaded
    assert [name for name in loaded if name.startswith(("aiokafka", "faststream"))] == []
