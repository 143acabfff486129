"""Feeds by Kafka, whatever is killed, paused or away: nothing is passed over, first comes first."""

import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.local.kafka import KafkaCluster, running
from deploy.local.postgres import PostgresServer
from tests.cluster import WORKS, Cluster, until
from tests.e2e.office import Office, consumed
from tests.feeds import Feeds, Read, feeds, first_occurrences
from tests.postgres import fresh_database
from tests.running import RunningHub, restart_hub, running_hub, start_hub
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, agency, grant, petition, policy

Event = dict[str, Any]
KAFKA = {"delivery": {"channel": "kafka"}}
SECRET = "petition:SECRET"


@pytest.fixture
def topics(kafka: KafkaCluster) -> Iterator[Feeds]:
    with feeds(kafka) as made:
        yield made


def recusing() -> dict[str, Any]:
    """The city's policy, under which one case is kept from the discipline office."""
    recusal = {
        "id": "r",
        "agency": DISCIPLINE,
        "case": SECRET,
        "from": "2026-01-01",
        "reason": "试",
    }
    return policy(recusals=[recusal])


def numbered(start: int, stop: int) -> list[Event]:
    """Events of three cases; every seventh is of the case that is kept back."""
    return [
        petition(
            f"{n % 3}",
            id=f"E-{n}",
            data={"petitionid": "SECRET" if n % 7 == 0 else f"XF-{n % 3}", "people": n + 1},
        )
        for n in range(start, stop)
    ]


def entitled(stop: int) -> list[str]:
    return [f"E-{n}" for n in range(stop) if n % 7]


def whole(read: Sequence[Read], stop: int) -> None:
    """Every event that the reader may have has come, first in its place; no other has."""
    assert first_occurrences(read) == entitled(stop)
    # Whatever came again is the same.
    assert len({(record.id, record.position, record.value) for record in read}) == len(
        entitled(stop)
    )


def missing(hub: RunningHub) -> list[str]:
    """What a process that is ready does without."""
    answer = hub.client(None).get("/health/ready")
    assert answer.status_code == 200
    without: list[str] = answer.json().get("missing", [])
    return without


def test_nothing_is_passed_over_where_the_hub_is_killed_at_any_moment(
    topics: Feeds, tmp_path: Path
) -> None:
    chance, settings = Random(7), {"kafka": topics.cluster.bootstrap}
    topics.make(DISCIPLINE, "killed")
    hub = start_hub(tmp_path / "data", settings=settings)
    try:
        hub.apply(recusing())
        hub.agency(DISCIPLINE).subscribe("killed", types=["petition.*"], **KAFKA)
        stop = 0
        for _ in range(6):
            bureau = hub.agency(PETITION)
            for _ in range(chance.randrange(1, 4)):
                count = chance.randrange(50, 400)
                bureau.accepted(*numbered(stop, stop + count))
                stop += count
            hub = restart_hub(hub, settings=settings)
        last = stop + 8
        hub.agency(PETITION).accepted(*numbered(stop, last))
        read = topics.read_until(DISCIPLINE, "killed", entitled(last)[-1])
        whole(read, last)
        assert hub.stop() == 0
    finally:
        if hub.process.poll() is None:
            hub.kill()


def test_whoever_registers_feeds_and_one_that_was_killed_or_hung_leaves_no_hole(
    topics: Feeds, postgres: PostgresServer, tmp_path: Path
) -> None:
    topics.make(DISCIPLINE, "moved")
    with fresh_database(postgres) as address:
        addresses = dict.fromkeys(("a", *WORKS), address)
        settings = {"kafka": topics.cluster.bootstrap}
        cluster = Cluster(tmp_path, addresses, settings=settings)
        try:
            cluster.start("a", *WORKS)
            cluster.running["a"].apply(recusing())
            cluster.at("a", DISCIPLINE).subscribe("moved", types=["petition.*"], **KAFKA)
            bureau, stop = cluster.at("a", PETITION), 0

            def publish() -> None:
                nonlocal stop
                for _ in range(3):
                    bureau.accepted(*numbered(stop, stop + 300))
                    stop += 300

            publish()
            hung = cluster.writer()
            cluster.running[hung].process.send_signal(signal.SIGSTOP)
            publish()
            other = until(lambda: next((n for n in WORKS if cluster.role(n) == "writer"), None))
            assert other != hung
            topics.read_until(DISCIPLINE, "moved", entitled(stop)[-1])
            cluster.running[hung].process.send_signal(signal.SIGCONT)
            publish()
            cluster.running[other].kill()
            publish()
            read = topics.read_until(DISCIPLINE, "moved", entitled(stop)[-1])
            whole(read, stop)
            assert cluster.running[hung].stop() == 0
        finally:
            cluster.end()


def test_brokers_that_are_away_are_waited_for(topics: Feeds, tmp_path: Path) -> None:
    (broker,) = topics.cluster.brokers
    settings = {"kafka": topics.cluster.bootstrap}
    topics.make(DISCIPLINE, "away")
    broker.kill()
    try:
        with running_hub(tmp_path / "data", settings=settings) as hub:
            hub.apply(policy())
            reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
            reader.subscribe("away", types=["petition.*"], **KAFKA)
            bureau.accepted(petition("away-1"))
            assert missing(hub) == ["kafka"]
            # Nothing is read for what cannot be written.
            with hub.admin as admin:
                query = {"source": f"/{PETITION}", "id": "XF-away-1"}
                assert admin.get("/v1/reads", params=query).json()["items"] == []

            broker.start()
            assert topics.ids(DISCIPLINE, "away", until="XF-away-1") == ["XF-away-1"]
            assert until(lambda: missing(hub) == [])

            broker.kill()
            bureau.accepted(petition("away-2"))
            assert until(lambda: missing(hub)) == ["kafka"]
            broker.start()
            read = topics.read_until(DISCIPLINE, "away", "XF-away-2")
            assert first_occurrences(read) == ["XF-away-1", "XF-away-2"]
            assert until(lambda: missing(hub) == [])
            assert hub.stop() == 0
            told = [json.loads(line) for line in hub.lines]
    finally:
        if broker.has_ended:
            broker.start()
    sessions = [
        line["event"] for line in told if line["event"] in ("kafka.away", "feeds.connected")
    ]
    assert sessions[0] == "kafka.away"
    # Its client may outlive the brokers' second absence.
    assert sessions.count("feeds.connected") in {1, 2}
    assert [line for line in told if line["level"] == "error"] == []


def test_an_agency_reads_its_own_feed_until_the_right_is_taken_away(tmp_path: Path) -> None:
    document = policy(
        agencies=[
            agency(PETITION, "示范市信访局"),
            agency(CITY, "示范市委巡察办"),
            agency(AUDIT, "示范市审计局"),
        ],
        grants=[
            grant(PETITION, "publish", "petition.*"),
            grant(CITY, "receive", "petition.*"),
            grant(AUDIT, "receive", "petition.*"),
        ],
    )
    with running(tmp_path / "kafka", secured=True) as brokers:
        settings = {
            "kafka": brokers.bootstrap,
            "kafka_user": "guantong",
            "kafka_password": "not known yet",
        }
        hub = start_hub(tmp_path / "data", settings=settings)
        try:
            hub.apply(document)
            office = Office(hub, brokers, tmp_path)
            hub.agency(CITY).subscribe("all", types=["petition.*"], **KAFKA)
            hub.agency(AUDIT).subscribe("all", types=["petition.*"])
            done = office.apply("--yes")
            assert (done.status, done.complained) == (0, "")
            topic, group = f"feed.{CITY}.all", f"{CITY}:reader"
            assert {t for t in office.topics() if t.startswith("feed.")} == {topic}
            assert office.settings(topic)["retention.ms"] == "604800000"
            assert office.users() >= {CITY, PETITION, "guantong"}
            assert AUDIT not in office.users()

            password = (office.secrets / "guantong.password").read_text().strip()
            hub = restart_hub(hub, settings={**settings, "kafka_password": password})
            office.hub = hub
            bureau = hub.agency(PETITION)
            bureau.accepted(petition("own", data={"people": 7}))
            city = office.login(CITY)
            value = consumed(city, topic, group)
            assert isinstance(value, bytes) and json.loads(value)["people"] == 7
            assert consumed(office.login(PETITION), topic, f"{PETITION}:reader") == (
                "TOPIC_AUTHORIZATION_FAILED"
            )

            hub.agency(CITY).http.delete("/v1/subscriptions/all")
            told = office.apply("--yes", "--json")
            assert [step["does"] for step in told.document["steps"]] == [
                "RemoveRight",
                "RemoveRight",
                "RemoveCredential",
            ]
            assert [remark["topic"] for remark in told.document["remarks"]] == [topic]
            assert {right for right in office.rights() if right[0] == f"User:{CITY}"} == set()
            assert office.apply("--yes", "--delete-topics").status == 0
            assert topic not in office.topics()
            assert hub.stop() == 0
        finally:
            if hub.process.poll() is None:
                hub.kill()
