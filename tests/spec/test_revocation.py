"""Promise 5: once a revocation is acknowledged, no answer contains what it forbids."""

import json
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.running import AgencyClient, RunningHub
from tests.sample import CITY, PETITION, grant, petition, policy

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

READERS = 6
ROUNDS = 12


def with_grant(held: bool) -> dict[str, Any]:
    """The policy with, or without, the city's grant to receive."""
    base = policy()
    grants = [g for g in base["grants"] if held or (g["agency"], g["may"]) != (CITY, "receive")]
    return {**base, "grants": grants}


@contextmanager
def published_without_end(hub: RunningHub) -> Iterator[None]:
    """The petition bureau publishes one event after the other."""
    over = threading.Event()

    def publish() -> None:
        bureau = hub.agency(PETITION)
        number = 0
        while not over.is_set():
            number += 1
            bureau.accepted(petition(f"race-{number}"))

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lines_of(hub: RunningHub) -> list[dict[str, Any]]:
    """What the stopped hub has logged, in order: what left, and what was changed, when."""
    assert hub.stop() == 0
    return [json.loads(line) for line in hub.lines]


@pytest.mark.at_the_door
def test_no_page_leaves_under_a_policy_that_was_replaced(fresh_hub: RunningHub) -> None:
    """Readers poll while a grant comes and goes: the log has one order for pages and changes."""
    hub = fresh_hub
    hub.token(PETITION)
    hub.agency(CITY).subscribe("race")
    over = threading.Event()

    def read(_number: int) -> int:
        reader = AgencyClient(CITY, hub.client(hub.token(CITY)))
        seen = 0
        while not over.is_set():
            answer = reader.page("race", limit=1000, wait=1)
            assert answer.status_code == 200, answer.text
            seen += len(answer.json())
        return seen

    with published_without_end(hub), ThreadPoolExecutor(READERS) as threads:
        reading = [threads.submit(read, n) for n in range(READERS)]
        after: list[int] = []
        for _ in range(ROUNDS):
            hub.apply(with_grant(held=False))
            after.extend(len(hub.agency(CITY).page("race").json()) for _ in range(3))
            hub.apply(with_grant(held=True))
        over.set()
        seen = [future.result() for future in reading]
    assert after == [0] * (3 * ROUNDS)
    assert min(seen) > 0
    version, left = 0, 0
    for line in lines_of(hub):
        if line["event"] == "policy.applied":
            version = line["version"]
        if line["event"] == "events.delivered":
            left += line["delivered"]
            assert line["policy"] >= version, line
            without = version % 2 == 0  # version 1 has the grant, the next has not, and so on
            assert not (without and line["policy"] == version and line["delivered"]), line
    assert (version, left > 0) == (1 + 2 * ROUNDS, True)


def test_no_page_leaves_under_a_token_that_was_revoked(fresh_hub: RunningHub) -> None:
    hub = fresh_hub
    hub.token(PETITION)
    hub.agency(CITY).subscribe("race")

    def read(client: AgencyClient) -> int:
        while True:
            answer = client.page("race", limit=1000, wait=1)
            if answer.status_code != 200:
                return answer.status_code

    with (
        published_without_end(hub),
        ThreadPoolExecutor(READERS) as threads,
        hub.admin as admin,
    ):
        for _ in range(ROUNDS):
            made = admin.post(f"/v1/agencies/{CITY}/tokens", json={}).json()
            clients = [AgencyClient(CITY, hub.client(made["token"])) for _ in range(READERS)]
            assert clients[0].page("race").status_code == 200
            reading = [threads.submit(read, client) for client in clients]
            path = f"/v1/agencies/{CITY}/tokens/{made['number']}"
            assert admin.delete(path).status_code == 204
            assert clients[0].page("race").status_code == 401
            assert [future.result() for future in reading] == [401] * READERS
    revoked: set[int] = set()
    for line in lines_of(hub):
        if line["event"] == "token.revoked":
            revoked.add(line["number"])
        if line["event"] == "events.delivered":
            assert line["token"] not in revoked, line
    assert len(revoked) == ROUNDS


def test_a_grant_that_is_given_back_shows_what_was_kept_back(hub: RunningHub) -> None:
    office = hub.agency(CITY)
    office.subscribe("back")
    hub.apply(with_grant(held=False))
    hub.agency(PETITION).accepted(petition("back-1"))
    assert office.drain("back") == []
    narrow = [g for g in with_grant(held=False)["grants"]]
    hub.apply({**policy(), "grants": [*narrow, grant(CITY, "receive", "*", classes=["F1"])]})
    (event,) = office.drain("back")
    assert event["id"] == "XF-back-1"
    assert "summary" not in event["data"]


def position_in(cursor: str) -> int:
    """Where a cursor stands, as anybody can read it who decodes it."""
    return int.from_bytes(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[8:16], "big")


def test_nothing_that_is_kept_back_moves_a_cursor(fresh_hub: RunningHub) -> None:
    """Else filters on ids, cases and addressees would be questions about what may not be known."""
    hub = fresh_hub
    hub.apply(with_grant(held=False))
    office, bureau = hub.agency(CITY), hub.agency(PETITION)
    asked: dict[str, dict[str, Any]] = {
        "everything": {},
        "it": {"filters": [{"exact": {"id": "XF-kept-1"}}]},
        "none": {"filters": [{"exact": {"id": "XF-unheard-of"}}]},
        "another-type": {"types": ["briefing.*"]},
        "elsewhere": {"types": ["petition.*"], "region": "520000"},
    }
    for id_, body in asked.items():
        office.subscribe(id_, **body)
    for number in (1, 2):
        bureau.accepted(petition(f"kept-{number}"))
        pages = [office.page(id_) for id_ in asked]
        assert [page.json() for page in pages] == [[]] * len(asked)
        stand = [position_in(page.headers["guantong-cursor"]) for page in pages]
        assert stand == [number] * len(asked)
