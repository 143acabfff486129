"""A hub in several processes: any door serves anybody, and one process writes.

What becomes of it when processes, the database or the ways between them fail is in `tests/faults`.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.postgres import PostgresServer
from tests.cluster import DOORS, WORKS, Cluster, until
from tests.postgres import fresh_database
from tests.running import results_of, start_hub
from tests.sample import CITY, DISCIPLINE, PETITION, clue_received, petition, policy

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def cluster(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Two doors, a writer and one that stands by; what a test ends it starts again."""
    with fresh_database(postgres) as url:
        addresses = dict.fromkeys((*DOORS, *WORKS), url)
        made = Cluster(tmp_path_factory.mktemp("cluster"), addresses)
        try:
            made.start("a")
            made.start("b", *WORKS)
            made.running["a"].apply(policy())
            made.writer()
            yield made
        finally:
            made.end()


def other(work: str) -> str:
    """The one that stands by."""
    return next(name for name in WORKS if name != work)


def receipt_at(cluster: Cluster, door: str, agency: str, id_: str) -> dict[str, Any] | None:
    """What a door tells an agency of a receipt; None when it knows of none."""
    answer = cluster.at(door, agency).http.get(f"/v1/receipts/{id_}")
    return answer.json() if answer.status_code == 200 else None


def is_refused(client: httpx.Client) -> bool:
    """Whether a token is not good any more."""
    return client.get("/v1/subscriptions").status_code == 401


def test_what_one_door_takes_in_any_door_hands_out(cluster: Cluster) -> None:
    cluster.at("a", CITY).subscribe("everywhere")
    receipts = cluster.at("a", PETITION).accepted(petition("e-1"), petition("e-2"))
    assert [receipt["state"] for receipt in receipts] == ["registered", "registered"]
    page = cluster.at("b", CITY).page("everywhere", limit=1)
    assert [event["id"] for event in page.json()] == ["XF-e-1"]
    rest = cluster.at("a", CITY).page("everywhere", cursor=page.headers["guantong-cursor"])
    assert [event["id"] for event in rest.json()] == ["XF-e-2"]
    assert (
        cluster.at("b", CITY).commit(rest.headers["guantong-cursor"], "everywhere").json()["cursor"]
        == (rest.headers["guantong-cursor"])
    )
    assert cluster.at("a", CITY).drain("everywhere") == []
    shown = cluster.at("b", PETITION).http.get(f"/v1/receipts/{receipts[0]['id']}")
    assert shown.json() == receipts[0]
    again = cluster.at("b", PETITION).publish(petition("e-1"))
    assert [(r["status"], r["receipt"]) for r in results_of(again)] == [("duplicate", receipts[0])]


def test_a_batch_is_stored_whole_or_not_at_all_by_way_of_a_door(cluster: Cluster) -> None:
    cluster.at("a", CITY).subscribe("whole")
    door = cluster.at("a", PETITION)
    kept = door.publish(petition("b-1"), petition("b-2"), mode="all")
    assert [r["status"] for r in results_of(kept)] == ["accepted", "accepted"]
    # Of two events with one id, registration alone knows that they differ.
    twice = door.publish(petition("b-3"), petition("b-1", data={"people": 9}), mode="all")
    assert [[e["code"] for e in r["errors"]] for r in results_of(twice)] == [
        ["batch_refused"],
        ["id_reused"],
    ]
    each = door.publish(petition("b-3"), petition("b-1", data={"people": 9}))
    assert [r["status"] for r in results_of(each)] == ["accepted", "rejected"]
    ids = [event["id"] for event in cluster.at("b", CITY).drain("whole")]
    assert ids == ["XF-b-1", "XF-b-2", "XF-b-3"]


def test_who_waits_at_one_door_is_woken_by_what_another_takes_in(cluster: Cluster) -> None:
    cluster.at("a", CITY).subscribe("waiting")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(cluster.at("b", CITY).page, "waiting", wait=50)
        cluster.at("a", PETITION).accepted(petition("wake"))
        page = waiting.result()
    assert [event["id"] for event in page.json()] == ["XF-wake"]


def test_an_older_event_comes_by_a_subscription_that_any_door_makes(cluster: Cluster) -> None:
    cluster.at("a", PETITION).accepted(petition("older"))
    cluster.at("b", DISCIPLINE).subscribe("older", types=["petition.*"], start="earliest")

    def found() -> bool:
        return "XF-older" in [event["id"] for event in cluster.at("a", DISCIPLINE).drain("older")]

    until(found)


def test_a_grant_that_one_door_ends_no_door_reads_by(cluster: Cluster) -> None:
    base = policy()
    without: Mapping[str, Any] = {
        **base,
        "grants": [g for g in base["grants"] if (g["agency"], g["may"]) != (CITY, "receive")],
    }
    cluster.at("a", CITY).subscribe("granted")
    cluster.at("a", PETITION).accepted(petition("granted"))
    for _ in range(5):
        assert len(cluster.at("b", CITY).drain("granted")) == 1
        cluster.running["a"].apply(without)
        assert cluster.at("b", CITY).drain("granted") == []
        cluster.running["a"].apply(base)


def test_a_token_that_one_door_revokes_no_door_reads_by(cluster: Cluster) -> None:
    cluster.at("a", CITY).subscribe("revoked")
    cluster.at("a", PETITION).accepted(petition("revoked"))
    with cluster.running["a"].admin as admin:
        for _ in range(5):
            made = admin.post(f"/v1/agencies/{CITY}/tokens", json={}).json()
            reader = cluster.running["b"].client(made["token"])
            page = reader.get("/v1/subscriptions/revoked/events")
            assert [event["id"] for event in page.json()] == ["XF-revoked"]
            ended = admin.delete(f"/v1/agencies/{CITY}/tokens/{made['number']}")
            assert ended.status_code == 204
            refused = reader.get("/v1/subscriptions/revoked/events")
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
            # Also where nothing is read, soon.
            until(partial(is_refused, reader))


def test_events_are_taken_in_while_nobody_writes(cluster: Cluster) -> None:
    cluster.at("a", CITY).subscribe("nobody")
    for work in WORKS:
        cluster.running[work].kill()
    taken = cluster.at("a", PETITION).accepted(petition("n-1"), petition("n-2"))
    assert [(r["state"], r["position"], r["hubtime"]) for r in taken] == [
        ("accepted", None, None),
        ("accepted", None, None),
    ]
    unanswerable = clue_received("n-4", opening="0" * 32)
    reply = cluster.at("a", DISCIPLINE).accepted(unanswerable)[0]
    assert reply["state"] == "accepted"
    told = {
        who: [receipt_at(cluster, door, who, reply["id"]) for door in DOORS]
        for who in (DISCIPLINE, PETITION)
    }
    assert told == {DISCIPLINE: [reply, reply], PETITION: [None, None]}
    # Stored as a whole or not at all: that is known when it is registered.
    whole = cluster.at("b", PETITION).publish(petition("n-3"), mode="all")
    assert (whole.status_code, whole.json()["code"]) == (503, "storage_failed")
    assert whole.headers["retry-after"] == "1"
    cluster.start(*WORKS)

    def arrived() -> bool:
        return len(cluster.at("b", CITY).drain("nobody")) == 3

    until(arrived)
    refused = receipt_at(cluster, "b", DISCIPLINE, reply["id"])
    assert refused is not None
    assert [(e["code"], e["pointer"]) for e in refused.pop("errors")] == [
        ("opening_unknown", "/causationid")
    ]
    assert refused == {**reply, "state": "refused"}
    assert receipt_at(cluster, "a", PETITION, reply["id"]) is None
    again = cluster.at("b", PETITION).publish(petition("n-1"), petition("n-3"), mode="all")
    results = results_of(again)
    assert [(r["status"], r["receipt"]["state"]) for r in results] == [
        ("duplicate", "registered"),
        ("duplicate", "registered"),
    ]


def test_while_the_database_is_away_doors_say_so_and_then_recover_alone(
    cluster: Cluster, postgres: PostgresServer
) -> None:
    cluster.at("a", CITY).subscribe("away")
    writer = cluster.writer()
    cluster.running[other(writer)].kill()
    postgres.stop()
    with ThreadPoolExecutor(1) as threads:
        try:
            for door in DOORS:
                refused = cluster.at(door, PETITION).publish(petition("away"))
                assert (refused.status_code, refused.json()["code"]) == (503, "storage_failed")
                assert refused.headers["retry-after"] == "1"
                ready = httpx.get(
                    f"{cluster.running[door].url}/health/ready", trust_env=False, verify=False
                )
                assert ready.status_code == 503
                assert ready.json()["reason"].startswith("postgresql: ")
            # Whichever is started first: the other is waited for.
            started = threads.submit(cluster.start, other(writer))
        finally:
            postgres.start()
        started.result()
    cluster.writer()
    until(lambda: cluster.at("a", PETITION).publish(petition("away")).status_code == 200)

    def arrived() -> bool:
        found = cluster.at("b", CITY).page("away")
        return found.status_code == 200 and [e["id"] for e in found.json()] == ["XF-away"]

    until(arrived)


def test_a_second_door_makes_no_second_administrator(cluster: Cluster) -> None:
    held = {name: (cluster.folder / name / "admin.token").exists() for name in (*DOORS, *WORKS)}
    assert held == {"a": True, "b": False, "v": False, "w": False}
    with cluster.running["b"].client(
        (cluster.folder / "a" / "admin.token").read_text().strip()
    ) as admin:
        assert admin.get("/v1/policy").status_code == 200


@pytest.mark.parametrize("command", ["serve", "work"])
def test_without_postgresql_a_part_says_what_it_needs(command: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="GUANTONG_DATABASE"):
        start_hub(tmp_path, command=command)
