"""What an operator reads at `/metrics`: complete, bounded, and well formed."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.running import STRUCTURED, RunningHub
from tests.sample import CITY, COUNTY, PETITION, petition

Series = tuple[str, tuple[tuple[str, str], ...]]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def exposition(hub: RunningHub) -> str:
    """What a scrape gets."""
    with hub.admin as admin:
        answer = admin.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def values(text: str) -> dict[Series, float]:
    """Every series and its value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(hub: RunningHub, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric, by its labels' values in the order of their names."""
    found = values(exposition(hub))
    return {
        tuple(value for _, value in labels): count
        for (series, labels), count in found.items()
        if series == name
    }


def grown(
    hub: RunningHub, name: str, before: Mapping[tuple[str, ...], float]
) -> dict[tuple[str, ...], float]:
    """By how much the values of one metric have grown, of those that have."""
    found = counted(hub, name)
    return {
        labels: n - before.get(labels, 0)
        for labels, n in found.items()
        if n != before.get(labels, 0)
    }


def strange_requests(hub: RunningHub, n: int) -> Iterator[Callable[[], int]]:
    """Requests for things that nobody knows, other ones for each `n`; each gives its status."""
    bureau, stranger = hub.agency(PETITION), hub.client(f"gt_{n}")

    def published(**changes: object) -> Callable[[], int]:
        event = {**petition(f"{n}"), **changes}
        return lambda: bureau.publish(event).status_code

    yield published(type=f"family{n}.type{n}")
    yield published(type=f"family{n}.type{n}", dataschema=f"urn:guantong:contract:x{n}.y:1.{n}")
    yield published(source=f"/51010{n % 10}.petition.unit-{n}")
    yield published(region=f"{900_000 + n}")
    yield published(to=f"510100.finance.unit-{n}")
    yield published(time=f"{n}")
    yield published(**{f"unknown{n}": f"value {n}", "data": {f"member{n}": n}})
    yield published(dataclassification=f"level{n}")
    yield lambda: bureau.send(f'{{"code{n}'.encode(), media=STRUCTURED).status_code
    yield lambda: bureau.send(b"[]", media=f"text/x-{n}").status_code
    yield lambda: bureau.page(f"subscription-{n}").status_code
    yield lambda: bureau.http.get(f"/v{n}/nothing").status_code
    yield lambda: bureau.http.request(f"VERB{n}", "/v1/events").status_code
    yield lambda: bureau.http.put(f"/v1/contracts/family{n}").status_code
    yield lambda: bureau.http.get(f"/v1/contracts/family{n}.type{n}").status_code
    yield lambda: stranger.get("/v1/subscriptions").status_code

    def asking_for_a_token() -> int:
        with hub.admin as admin:
            return admin.post(f"/v1/agencies/510100.audit.unit-{n}/tokens", json={}).status_code

    yield asking_for_a_token


def test_a_flood_of_unknown_types_codes_and_agencies_adds_no_series(hub: RunningHub) -> None:
    first = [request() for request in strange_requests(hub, 0)]
    assert sorted(set(first)) == [400, 401, 404, 405, 415, 422]
    # This scrape's own connection and reading are among what the next one finds.
    exposition(hub)
    known = values(exposition(hub))
    rounds = 40
    for n in range(1, rounds + 1):
        assert [request() for request in strange_requests(hub, n)] == first
    flooded = values(exposition(hub))
    assert set(flooded) == set(known)
    refused = [
        sum(count for (name, _), count in found.items() if name == "guantong_events_refused_total")
        for found in (known, flooded)
    ]
    # Eight events and the two requests that cannot be read, of each round.
    assert refused == [10, 10 * (rounds + 1)]


def test_labels_name_registered_agencies_and_what_contracts_know(hub: RunningHub) -> None:
    hub.agency(CITY).subscribe("labels", start="earliest")
    hub.agency(PETITION).accepted(petition("labels"))
    hub.agency(CITY).page("labels")
    labels = {label for _, labels in values(exposition(hub)) for label in labels}
    named = {value for name, value in labels if name == "agency"}
    families = {value for name, value in labels if name == "family"}
    assert (named, families) == ({PETITION, CITY}, {"petition"})


def test_a_request_that_cannot_be_read_is_counted_under_its_agency(hub: RunningHub) -> None:
    bureau, before = hub.agency(PETITION), counted(hub, "guantong_events_refused_total")
    assert bureau.send(b"no JSON").status_code == 400
    assert bureau.send(b"[]", media="text/plain").status_code == 415
    with hub.admin as admin:
        # A bearer of roles alone is no agency.
        assert admin.post("/v1/events", content=b"no JSON").status_code == 415
    assert grown(hub, "guantong_events_refused_total", before) == {
        (PETITION, "batch_malformed"): 1,
        (PETITION, "unsupported_media_type"): 1,
    }


def test_requests_refused_as_a_whole_are_counted_by_code(hub: RunningHub) -> None:
    before = counted(hub, "guantong_requests_refused_total")
    with hub.client("gt_wrong") as stranger:
        assert stranger.get("/v1/subscriptions").status_code == 401
        assert stranger.get("/nothing").status_code == 404
        assert stranger.put("/health/live").status_code == 405
    with socket.create_connection(hub.address, timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 70_000)
        assert b"HTTP/1.1 413" in client.recv(65_536)
    assert grown(hub, "guantong_requests_refused_total", before) == {
        ("unauthenticated",): 1,
        ("not_found",): 1,
        ("method_not_allowed",): 1,
        ("too_large",): 1,
    }


def test_the_gauges_show_the_journal_and_who_has_not_read(
    backend: str, fresh_hub: RunningHub
) -> None:
    hub = fresh_hub
    bureau, city, county = hub.agency(PETITION), hub.agency(CITY), hub.agency(COUNTY)
    city.subscribe("one")
    city.subscribe("two")
    county.subscribe("all", region="510104")
    bureau.accepted(*(petition(n) for n in range(3)))
    bureau.accepted(petition("4", region="510104"))
    bureau.publish(petition("wrong", data={"people": -1}))
    page = city.page("one", limit=2)
    assert city.commit(page.headers["guantong-cursor"], "one").status_code == 200

    # A scrape waits neither for a reading that takes long nor for what the hub itself writes.
    def told() -> dict[str, float]:
        return {name.removeprefix("guantong_"): value for (name, _), value in found.items()}

    found = values(exposition(hub))
    while told()["journal_position"] < 4 or told()["writer_queue_works"]:
        found = values(exposition(hub))
    plain = told()
    expected = {
        "ready": 1,
        "journal_position": 4,
        "journal_oldest_position": 1,
        "dedup_entries": 4,
        "refusals_recorded": 1,
        "policy_version": 1,
        "writer_queue_works": 0,
        "writer_queue_capacity_bytes": 64 * 1024 * 1024,
    }
    assert {name: plain[name] for name in expected} == expected
    unread = {labels: v for (name, labels), v in found.items() if name.endswith("unread_entries")}
    assert unread == {(("agency", CITY),): 2 + 4, (("agency", COUNTY),): 1}
    ages = [v for (name, _), v in found.items() if name.endswith("unread_age_seconds")]
    assert len(ages) == 2
    assert all(0 < age < 600 for age in ages)
    assert plain["connections"] >= 1
    assert plain["database_bytes"] > 0
    if backend == "sqlite":
        assert 0 < plain["disk_free_bytes"] < plain["disk_bytes"]
        assert plain["database_log_bytes"] >= 0
    else:
        # They are another machine's, whose own metrics tell of them.
        assert not plain.keys() & {"disk_free_bytes", "disk_bytes", "database_log_bytes"}


@needs_promtool
def test_promtool_finds_nothing_to_say_about_the_exposition(hub: RunningHub) -> None:
    hub.agency(PETITION).accepted(petition("lint"))
    said = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(hub).encode(),
        capture_output=True,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")
