"""Clients that behave badly, and a disk that is full: each harms itself alone."""

import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.running import BATCH, PATIENCE, RunningHub, restart_hub, results_of, start_hub
from tests.sample import CITY, DISCIPLINE, PETITION, petition, policy

PIECE = 4096


def connected(hub: RunningHub, *, receive_buffer: int | None = None) -> socket.socket:
    """A bare connection to the hub."""
    made = socket.socket()
    if receive_buffer is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.settimeout(PATIENCE)
    address = urlsplit(hub.url)
    made.connect((address.hostname, address.port))
    return made


def head(hub: RunningHub, agency: str, line: str, **headers: str) -> bytes:
    """The head of a request as an agency sends it."""
    given = {"Host": "hub", "Authorization": f"Bearer {hub.token(agency)}", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
    return "\r\n".join([f"{line} HTTP/1.1", *lines, "", ""]).encode()


def read_to_end(connection: socket.socket) -> bytes:
    """All that the hub still sends until it closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ids(events: list[dict[str, Any]]) -> list[str]:
    """The ids of events, in order."""
    return [event["id"] for event in events]


def errors_logged(hub: RunningHub) -> list[str]:
    """The log lines of level error."""
    return [line for line in hub.lines if json.loads(line)["level"] == "error"]


def test_a_reader_that_never_commits_gets_the_same_page_again_even_after_a_kill(
    tmp_path: Path,
) -> None:
    hub = start_hub(tmp_path / "data")
    try:
        hub.apply(policy())
        hub.agency(CITY).subscribe()
        hub.agency(DISCIPLINE).subscribe(types=["petition.*"])
        published = [petition(f"never-{n}", id=f"never-{n}") for n in range(25)]
        hub.agency(PETITION).accepted(*published)

        before = [hub.agency(CITY).page(limit=10) for _ in range(3)]
        other = hub.agency(DISCIPLINE).page(limit=20)
        assert hub.agency(DISCIPLINE).commit(other.headers["guantong-cursor"]).status_code == 200
        hub = restart_hub(hub)
        after = hub.agency(CITY).page(limit=10)
        read_on = hub.agency(CITY).page(limit=100, cursor=after.headers["guantong-cursor"])
        again = hub.agency(CITY).page(limit=10)

        everything = ids(published)
        assert [ids(page.json()) for page in [*before, after, again]] == [everything[:10]] * 5
        assert {page.headers["guantong-cursor"] for page in [*before, after, again]} == {
            after.headers["guantong-cursor"]
        }
        assert ids(read_on.json()) == everything[10:]
        assert ids(hub.agency(DISCIPLINE).page().json()) == everything[20:]
    finally:
        hub.kill()


# Where the body stops: in the middle, after a whole event, one byte before its stated end.
@pytest.mark.parametrize("missing", ["half", "closing bracket", "white space"])
def test_a_body_that_stops_half_way_stores_nothing(hub: RunningHub, missing: str) -> None:
    event = petition(f"stops-{missing[:4]}")
    whole = json.dumps([event]).encode() + b" "
    sent = {"half": len(whole) // 2, "closing bracket": len(whole) - 2, "white space": -1}
    stated = str(len(whole))
    with closing(connected(hub)) as connection:
        request = head(hub, PETITION, "POST /v1/events", Content_Type=BATCH, Content_Length=stated)
        connection.sendall(request + whole[: sent[missing]])
        connection.shutdown(socket.SHUT_WR)
        answer = read_to_end(connection)

    assert b"accepted" not in answer
    # Had it been stored, this would be a duplicate.
    assert hub.agency(PETITION).publish(event).json()["results"][0]["status"] == "accepted"
    assert errors_logged(hub) == []


def test_a_chunked_body_without_its_last_chunk_stores_nothing(hub: RunningHub) -> None:
    event = petition("chunked")
    body = json.dumps([event]).encode()
    with closing(connected(hub)) as connection:
        request = head(
            hub, PETITION, "POST /v1/events", Content_Type=BATCH, Transfer_Encoding="chunked"
        )
        connection.sendall(request + b"%x\r\n%b\r\n" % (len(body), body))
        connection.shutdown(socket.SHUT_WR)
        answer = read_to_end(connection)

    assert b"accepted" not in answer
    assert hub.agency(PETITION).publish(event).json()["results"][0]["status"] == "accepted"
    assert errors_logged(hub) == []


def test_clients_that_leave_a_long_poll_hold_up_neither_events_nor_the_end(
    fresh_hub: RunningHub,
) -> None:
    fresh_hub.agency(CITY).subscribe("waiting")
    request = head(fresh_hub, CITY, "GET /v1/subscriptions/waiting/events?wait=60")
    left = [connected(fresh_hub) for _ in range(40)]
    for connection in left:
        connection.sendall(request)
    with ThreadPoolExecutor(1) as threads:
        # One that stays hears of the event, though the forty that waited with it are gone.
        staying = threads.submit(fresh_hub.agency(CITY).page, "waiting", wait=60)
        for connection in left:
            connection.close()
        fresh_hub.agency(PETITION).accepted(petition("awaited"))
        heard = staying.result(timeout=PATIENCE)
    again = [connected(fresh_hub) for _ in range(40)]
    for connection in again:
        connection.sendall(request)
        connection.close()

    assert ids(heard.json()) == ["XF-awaited"]
    assert fresh_hub.client(None).get("/health/ready").json() == {"status": "ready"}
    assert fresh_hub.stop() == 0
    assert errors_logged(fresh_hub) == []


def large_petition(name: str) -> dict[str, Any]:
    """An event of about 100 KB."""
    person = {"name": "周" * 199, "post": "职" * 199, "rank": "级" * 199}
    return petition(name, id=name, data={"accused": [person] * 50})


def test_a_slow_reader_of_a_large_page_slows_only_itself(hub: RunningHub) -> None:
    hub.agency(CITY).subscribe("slow", types=["petition.*"])
    hub.agency(DISCIPLINE).subscribe("quick", types=["petition.*"])
    large = [large_petition(f"large-{n}") for n in range(70)]
    for start in range(0, len(large), 10):
        hub.agency(PETITION).accepted(*large[start : start + 10])
    whole = hub.agency(CITY).page("slow", limit=1000)

    with closing(connected(hub, receive_buffer=PIECE)) as slow:
        slow.sendall(head(hub, CITY, "GET /v1/subscriptions/slow/events?limit=1000"))
        read = bytearray(slow.recv(PIECE))
        # With the page on its way, everybody else goes on.
        with ThreadPoolExecutor(4) as threads:
            rounds = [
                threads.submit(
                    hub.agency(PETITION).publish,
                    *(petition(f"while-{n}-{m}", id=f"while-{n}-{m}") for m in range(50)),
                )
                for n in range(8)
            ]
            answers = [done.result(timeout=PATIENCE) for done in rounds]
        others = hub.agency(DISCIPLINE).drain("quick")
        end = read.index(b"\r\n\r\n") + 4
        stated = next(
            int(line.partition(b":")[2])
            for line in read[:end].lower().splitlines()
            if line.startswith(b"content-length:")
        )
        while len(read) < end + stated:
            read.extend(slow.recv(PIECE))

    assert [r["status"] for a in answers for r in results_of(a)] == ["accepted"] * 400
    assert len(others) == len(large) + 400
    assert ids(others[: len(large)]) == ids(large)
    assert len(whole.content) > 6 * 1024 * 1024
    assert bytes(read[end:]) == whole.content
    assert ids(json.loads(read[end:])) == ids(large)


@pytest.fixture
def full_hub(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub on a directory with a policy and subscription, that cannot write past 2 MiB a file."""
    prepared = start_hub(tmp_path / "data")
    prepared.apply(policy())
    prepared.agency(CITY).subscribe(types=["petition.*"])
    tokens = {agency: prepared.token(agency) for agency in (PETITION, CITY)}
    prepared.stop()
    hub = start_hub(tmp_path / "data", largest_file=2 * 1024 * 1024)
    hub._tokens.update(tokens)
    yield hub
    if hub.process.poll() is None:
        hub.kill()


def test_a_full_disk_refuses_writes_for_a_while_and_loses_nothing(full_hub: RunningHub) -> None:
    publisher = full_hub.agency(PETITION)
    batches = [[large_petition(f"full-{n}-{m}") for m in range(3)] for n in range(20)]
    batches += [[petition(f"small-{n}", id=f"small-{n}")] for n in range(20)]
    taken: dict[str, Mapping[str, Any]] = {}
    refused: list[list[dict[str, Any]]] = []
    for batch in batches:
        answer = publisher.publish(*batch)
        if answer.status_code == 200:
            taken.update((r["id"], r["receipt"]) for r in results_of(answer))
            continue
        refused.append(batch)
        told = answer.json()
        assert (answer.status_code, told["code"], told["retryable"]) == (
            503,
            "storage_failed",
            True,
        )
        assert answer.headers["retry-after"] == "1"
    assert taken != {}
    assert len(refused) > 1

    # A reading that cannot be kept is none: in the end there is no room for that either.
    reader = full_hub.agency(CITY)
    while (page := reader.page(limit=1)).status_code == 200:
        assert {event["id"] for event in page.json()} <= taken.keys()
    assert (page.status_code, page.json()["code"]) == (503, "storage_failed")

    # The hub says that it cannot write, and why, once not even the least fits any more.
    until = monotonic() + PATIENCE
    while (ready := full_hub.client(None).get("/health/ready")).status_code == 200:
        reader.page(limit=1)
        assert monotonic() < until
    live = full_hub.client(None).get("/health/live")
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unready", "reason": "writer: storage_failed"},
    )
    assert (live.status_code, live.json()) == (200, {"status": "live"})

    # With space again it goes on by itself: what was taken is there, what was refused is taken now.
    full_hub.lift_file_limit()
    for batch in batches:
        expected = [taken.get(event["id"]) for event in batch]
        results = results_of(publisher.publish(*batch))
        assert [r["status"] for r in results] == [
            "accepted" if receipt is None else "duplicate" for receipt in expected
        ]
        assert [r["receipt"] for r in results if r["status"] == "duplicate"] == [
            receipt for receipt in expected if receipt is not None
        ]
    # An answer to whether it is ready is shared for a second.
    until = monotonic() + PATIENCE
    while (ready := full_hub.client(None).get("/health/ready").json()) != {"status": "ready"}:
        assert monotonic() < until, ready
    every = reader.drain()
    assert sorted(ids(every)) == sorted(event["id"] for batch in batches for event in batch)
    assert [event["hubposition"] for event in every] == [f"0-{n + 1}" for n in range(len(every))]

    # And so it stands after a kill.
    hub = restart_hub(full_hub)
    try:
        assert hub.agency(CITY).drain() == every
    finally:
        hub.kill()
