"""Over Kafka an event is accepted when the brokers have it; what becomes of it says its receipt."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from tests.cluster import until
from tests.running import AgencyClient, RunningHub, codes_of, pick, results_of
from tests.sample import DISCIPLINE, PETITION, petition
from tests.spec.storage import rows

pytestmark = pytest.mark.over_kafka

Event = dict[str, Any]
SENDERS = 16


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    """A publisher that does not wait."""
    return replace(hub.agency(PETITION), settles=False)


@pytest.fixture
def discipline(hub: RunningHub) -> AgencyClient:
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("after", start="earliest")
    return reader


def settled(client: AgencyClient, receipt: str) -> dict[str, Any]:
    """A receipt, once it says what became of its event."""

    def look() -> dict[str, Any] | None:
        told: dict[str, Any] = client.http.get(f"/v1/receipts/{receipt}").json()
        return told if told.get("state") in {"registered", "refused"} else None

    return until(look)


def at_once(count: int, send: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    """What so many are told who publish at one moment."""
    start = Barrier(count)

    def one(number: int) -> dict[str, Any]:
        start.wait()
        return send(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_a_receipt_says_accepted_and_then_registered(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    event = petition("then")
    (result,) = results_of(bureau.publish(event))
    first = result["receipt"]
    assert (result["status"], first["state"], first["position"], first["hubtime"]) == (
        "accepted",
        "accepted",
        None,
        None,
    )
    later = settled(bureau, first["id"])
    (seen,) = (e for e in discipline.drain("after") if e["id"] == event["id"])
    assert later == {
        **first,
        "state": "registered",
        "position": seen["hubposition"],
        "hubtime": seen["hubtime"],
    }
    again = results_of(bureau.publish(event))
    assert [(r["status"], r["receipt"]) for r in again] == [("duplicate", later)]


def test_of_an_event_that_many_send_at_once_one_is_registered(
    bureau: AgencyClient, discipline: AgencyClient
) -> None:
    told = at_once(SENDERS, lambda _: results_of(bureau.publish(petition("race")))[0])
    assert {result["status"] for result in told} <= {"accepted", "duplicate"}
    (receipt,) = {result["receipt"]["id"] for result in told}
    later = settled(bureau, receipt)
    # Whatever was sent after those is registered after those.
    (last,) = results_of(bureau.publish(petition("race-last", data={"petitionid": "XF-race"})))
    settled(bureau, last["receipt"]["id"])
    ids = Counter(event["hubreceipt"] for event in discipline.drain("after"))
    assert (later["state"], ids[receipt]) == ("registered", 1)


def test_of_different_events_that_many_send_under_one_id_one_is_registered_and_the_others_refused(
    hub: RunningHub, bureau: AgencyClient, discipline: AgencyClient
) -> None:
    events = [petition("clash", data={"people": n + 1}) for n in range(SENDERS)]
    told = at_once(SENDERS, lambda n: results_of(bureau.publish(events[n]))[0])
    accepted = [result["receipt"]["id"] for result in told if result["status"] == "accepted"]
    assert {code for result in told for code in codes_of(result)} <= {("id_reused", "/id")}
    (receipt,) = {*accepted}
    later = settled(bureau, receipt)
    kept = [e for e in discipline.drain("after") if e["id"] == "XF-clash"]
    assert pick(kept, "hubreceipt") == [(receipt,)]
    # The receipt says whose it is; all others find theirs on record.
    data = json.dumps(kept[0]["data"], ensure_ascii=False).encode()
    assert later["digest"] == hashlib.sha256(data).hexdigest()
    refused = "SELECT code, count(*) FROM refusals WHERE event_id = 'XF-clash' GROUP BY code"
    until(lambda: rows(hub.directory, refused) == [("id_reused", SENDERS - 1)])
