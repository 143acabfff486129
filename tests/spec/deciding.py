"""Policies to try decisions with, and feeds that only entitlement narrows."""

from typing import Any

from tests.running import AgencyClient, RunningHub, codes_of, results_of
from tests.sample import grant, policy

Event = dict[str, Any]


def enact(
    hub: RunningHub,
    *grants: Event,
    agencies: tuple[Event, ...] = (),
    recusals: tuple[Event, ...] = (),
    rounds: tuple[Event, ...] = (),
) -> None:
    """The city's agencies and their publishing, with exactly these grants beside it."""
    base = policy()
    publishing = [g for g in base["grants"] if g["may"] == "publish"]
    known = {record["id"]: record for record in (*base["agencies"], *agencies)}
    hub.apply(
        {
            "agencies": list(known.values()),
            "grants": [*publishing, *grants],
            "recusals": list(recusals),
            "rounds": list(rounds),
        }
    )


def receive(agency_id: str, types: str = "*", **more: Any) -> Event:
    return grant(agency_id, "receive", types, **more)


def feed_of(hub: RunningHub, agency_id: str, id_: str) -> AgencyClient:
    """An agency with a subscription as wide as can be, so that only entitlement decides."""
    reader = hub.agency(agency_id)
    reader.subscribe(id_, region="510000")
    return reader


def ids(reader: AgencyClient, id_: str) -> list[str]:
    return [event["id"] for event in reader.drain(id_)]


def refusal(client: AgencyClient, event: Event) -> list[tuple[str, str]]:
    answer = client.publish(event)
    assert answer.status_code == 422, answer.text
    (result,) = results_of(answer)
    assert (result["status"], result["receipt"]) == ("rejected", None)
    return codes_of(result)


def without_none(record: Event) -> Event:
    return {name: value for name, value in record.items() if value is not None}
